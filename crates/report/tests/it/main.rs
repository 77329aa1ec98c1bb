//! Pages of a small run whose every number is known.
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

mod colours;
mod comparing;
mod escaping;
mod missing;
mod origins;
mod run;
mod size;
mod whole;
