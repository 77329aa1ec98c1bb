//! What a recipe says, and what a run of it does. One program, since each that is linked costs some seconds.
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

#[path = "../tiny/mod.rs"]
mod tiny;

mod averages;
mod data;
mod diverging;
mod find_lr;
mod freezing;
mod penalties;
mod recipes;
mod resuming;
mod stepwise;
mod views;
