//! What the tests of lists share.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses the part it needs

use serde::{Deserialize, Serialize};
use wick_augment::{Size, Transform};

pub const CIFAR: Size = Size::new(32, 32);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    pub transforms: Vec<Transform>,
}

/// The entries of a TOML array.
pub fn parse(list: &str) -> Vec<Transform> {
    toml::from_str::<Recipe>(&format!("transforms = [{list}]")).unwrap().transforms
}
