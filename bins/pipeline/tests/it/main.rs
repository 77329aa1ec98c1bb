//! The binary as a user runs it. One program, since each that is linked costs some seconds, and since tests of one run beside each
//! other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers as in tests

#[path = "../../../../fixtures/golden/golden.rs"]
mod golden;
#[path = "../../../../fixtures/golden/network.rs"]
mod network;

mod bad_input;
mod bench;
mod common;
mod compare;
mod drawn;
mod golden_cams;
mod gpu_cams;
#[cfg(unix)]
mod interrupted;
mod killed;
mod pytorch_file;
mod stages;
mod terminal;
mod warned;
mod weights;
