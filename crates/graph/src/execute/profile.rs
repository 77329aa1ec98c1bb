//! Where the time of a step goes.

use std::time::Instant;

use crate::graph::Graph;
use crate::plan::{Pass, Work};

/// The time that one pass took, summed over calls.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileRow {
    /// The layer: `layer1.0.conv1`.
    pub layer: String,
    /// What was done: `conv2d`, `conv2d_input_gradient`, `combine`.
    pub op: &'static str,
    /// How often.
    pub calls: u64,
    /// All calls together.
    pub seconds: f64,
    /// Multiplications and additions of all calls, counted as direct convolution would need them.
    pub flops: f64,
}

/// Rows in the order in which passes first ran.
#[derive(Debug, Default)]
pub(super) struct Profile {
    rows: Vec<ProfileRow>,
    next: usize,
}

impl Profile {
    /// A step, or an evaluation, begins.
    pub fn begin(&mut self) {
        self.next = 0;
    }

    /// Adds the time since `began` to the row of `op`. Steps run the same passes in the same order: the row is nearly always
    /// the one after the last.
    pub fn add(&mut self, layer: &str, op: &'static str, flops: f64, began: Instant) {
        let is_it = |row: &ProfileRow| row.op == op && row.layer == layer;
        let rest = self.rows.iter().skip(self.next).position(is_it).map(|at| at + self.next);
        let at = rest.unwrap_or_else(|| {
            self.rows.push(ProfileRow { layer: layer.to_owned(), op, calls: 0, seconds: 0.0, flops: 0.0 });
            self.rows.len() - 1
        });
        let row = &mut self.rows[at];
        row.calls += 1;
        row.seconds += began.elapsed().as_secs_f64();
        row.flops += flops;
        self.next = at + 1;
    }

    pub fn take(&mut self) -> Vec<ProfileRow> {
        self.next = 0;
        std::mem::take(&mut self.rows)
    }
}

/// What a pass does, and what it costs.
pub(super) fn describe(graph: &Graph, pass: &Pass, images: usize) -> (&'static str, f64) {
    let conv = |conv: usize| graph.convs[conv].flops() * images as f64;
    match &pass.work {
        Work::Images => ("images", 0.0),
        Work::Conv { conv: c, .. } => ("conv2d", conv(*c)),
        Work::ConvInputGradient { conv: c, .. } => ("conv2d_input_gradient", conv(*c)),
        Work::ConvWeightGradient { conv: c, .. } => ("conv2d_weight_gradient", conv(*c)),
        Work::Pool { .. } => ("max_pool2d", 0.0),
        Work::PoolGradient { .. } => ("max_pool2d_gradient", 0.0),
        Work::Combine { .. } => ("combine", 0.0),
        Work::Features { .. } => ("global_avg_pool2d", 0.0),
    }
}
