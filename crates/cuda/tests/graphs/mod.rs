//! The graphs that the CPU's tests have, those with a head of its own included.

use wick_graph::Graph;

#[path = "../../../graph/src/tests/deep_head.rs"]
mod deep_head;
#[path = "../../../graph/src/tests/networks.rs"]
mod networks;

pub fn all() -> Vec<(&'static str, Graph)> {
    networks::all().into_iter().chain([("deep head", deep_head::deep_head().unwrap())]).collect()
}
