//! A network layer by layer: shapes, parameters, costs; counted as torchinfo 1.8 counts.

mod outline;
mod text;

use candle_core::Result;
use serde::Serialize;

use crate::model::CifarModel;

pub use outline::Outline;

const BYTES_PER_VALUE: u64 = 4;

/// One layer of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SummaryRow {
    /// The layer's full name, `layer1.0.conv1`; empty for the network itself.
    pub name: String,
    /// How deep it lies: 0 for the network, 1 for what it directly holds.
    pub depth: usize,
    /// What it is: `Conv2d`.
    pub kind: &'static str,
    /// Shape of its output: `(N, H, W, C)`, after the pooling `(N, C)`.
    pub output: Vec<usize>,
    /// Its own cost, absent for a layer that only holds others.
    pub cost: Option<Cost>,
}

/// What a layer costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Values of its parameters, frozen ones included.
    pub parameters: u64,
    /// Multiplications with an addition, forward, for the whole batch.
    pub mult_adds: u64,
}

/// Every layer of a network for one batch, and the totals.
///
/// Totals are torchinfo's: a convolution costs `parameters · N · H' · W'` mult-adds, other layers `parameters · N`;
/// every layer with parameters keeps its output once forward and once backward, values of four bytes; activations,
/// additions and pooling count nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The layers, each before what it holds.
    pub rows: Vec<SummaryRow>,
    /// Shape of the input, `(N, H, W, C)`.
    pub input: [usize; 4],
    /// Values of its parameters, frozen ones included.
    pub parameters: u64,
    /// Multiplications with an addition, forward, for the whole batch.
    pub mult_adds: u64,
    /// Bytes of the input.
    pub input_bytes: u64,
    /// Bytes of all outputs, forward and backward.
    pub forward_backward_bytes: u64,
    /// Bytes of the parameters.
    pub parameter_bytes: u64,
}

impl Summary {
    /// Follows an input `(N, H, W, C)` through `model`, without computing anything.
    ///
    /// # Errors
    /// Parameters of another rank.
    pub fn of(model: &dyn CifarModel, input: [usize; 4]) -> Result<Self> {
        let mut outline = Outline::default();
        model.outline(&mut outline, input)?;
        let rows = outline.into_rows();
        let costs = || rows.iter().filter_map(|row| Some((row, row.cost?)));
        let parameters = costs().map(|(_, c)| c.parameters).sum();
        let mult_adds = costs().map(|(_, c)| c.mult_adds).sum();
        let outputs: u64 = costs().map(|(row, _)| count(&row.output)).sum();
        Ok(Self {
            input,
            parameters,
            mult_adds,
            input_bytes: count(&input) * BYTES_PER_VALUE,
            forward_backward_bytes: 2 * outputs * BYTES_PER_VALUE,
            parameter_bytes: parameters * BYTES_PER_VALUE,
            rows,
        })
    }

    /// Bytes of input, outputs and parameters together.
    pub fn total_bytes(&self) -> u64 {
        self.input_bytes + self.forward_backward_bytes + self.parameter_bytes
    }
}

fn count(shape: &[usize]) -> u64 {
    shape.iter().map(|&n| n as u64).product()
}
