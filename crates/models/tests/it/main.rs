//! Networks, their summaries and their weights. One program, since each that is linked costs some seconds; `golden` holds all
//! of them against PyTorch.
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

#[path = "../../../../fixtures/golden/golden.rs"]
mod golden;

mod compiled;
mod foreign;
mod network;
mod summary;
mod weights;
mod whitening;
