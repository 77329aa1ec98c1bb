//! What the tests of lists share.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses the part it needs

use serde::{Deserialize, Serialize};
use wick_augment::{Border, Fill, Placement, Size, Transform};

pub const CIFAR: Size = Size::new(32, 32);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    pub transforms: Vec<Transform>,
}

/// The entries of a TOML array.
pub fn parse(list: &str) -> Vec<Transform> {
    toml::from_str::<Recipe>(&format!("transforms = [{list}]")).unwrap().transforms
}

/// Makes a possible list of what proptest drew: sizes are cut down to what the image allows at each point.
pub fn possible_list(wishes: &[(u8, u8, u8, bool)], size: Size) -> Vec<Transform> {
    let Size { mut height, mut width } = size;
    let mut is_normalized = false;
    let mut list = Vec::new();
    for &(kind, a, b, is_constant) in wishes {
        let border = if is_constant { Border::Constant([a, b, a ^ b]) } else { Border::Reflect101 };
        let most = |side: usize| if is_constant { side + 6 } else { 3 * side - 2 };
        let (a, b) = (usize::from(a), usize::from(b));
        let crop = (1 + a % height, 1 + b % width);
        list.push(match kind {
            0 if !is_normalized => {
                is_normalized = true;
                Transform::Normalize { mean: [0.49, 0.48, 0.45], std: [0.25, 0.24, 0.26], p: 0.8 }
            }
            1 => Transform::HorizontalFlip { p: 0.5 },
            2 => Transform::AlternatingFlip { p: 0.5 },
            3 => {
                let amount = a % if is_constant { 5 } else { height.min(width) };
                (height, width) = (height + 2 * amount, width + 2 * amount);
                Transform::Pad { amount, border, p: 1.0 }
            }
            4 => {
                let (h, w) = (1 + a % most(height), 1 + b % most(width));
                (height, width) = (height.max(h), width.max(w));
                Transform::PadIfNeeded { height: h, width: w, border, p: 1.0 }
            }
            5 => {
                (height, width) = crop;
                Transform::RandomCrop { height, width, p: 1.0 }
            }
            6 => {
                (height, width) = crop;
                Transform::CenterCrop { height, width, p: 1.0 }
            }
            _ => Transform::Rotate { limit: a as f32 / 2.0, border, p: 0.9 },
        });
        if height.max(width) > 60 {
            (height, width) = (height.min(23), width.min(19));
            list.push(Transform::CenterCrop { height, width, p: 1.0 });
        }
    }
    for (fill, placement) in [
        (Fill::Normalized(0.25), Placement::Inside),
        (Fill::PerChannel([-1.0, 0.0, 1.0]), Placement::Overhanging),
        (Fill::Bytes { bytes: [9, 99, 199] }, Placement::Overhanging),
    ] {
        let (height, width) = (height.div_ceil(2), width.div_ceil(3));
        // Anywhere in the list: fills come last all the same.
        list.insert(
            list.len() / 2,
            Transform::CoarseDropout { holes: 2, height, width, fill, placement, p: 0.7 },
        );
    }
    list
}
