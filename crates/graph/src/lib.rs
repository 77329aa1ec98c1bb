//! A network as a graph of layers, run as fused passes over memory: logits, loss and gradients, in f32 or bf16.
//!
//! A [`Graph`] is written down layer by layer. An [`Executor`] compiles it once: layers that can share a pass over memory
//! do, what need not be written is not, and every tensor has its place in one piece of memory that serves all steps.
//!
//! ```
//! use wick_graph::{Batch, BatchNorm, Bias, Conv2d, Executor, Graph, StepOptions, Options};
//!
//! let mut g = Graph::new([8, 8, 3]);
//! let x = g.input();
//! let x = g.conv2d(x, "conv", Conv2d { out_channels: 4, ..Conv2d::default() })?;
//! let x = g.batch_norm(x, "bn", BatchNorm::default())?;
//! let x = g.relu(x)?;
//! let x = g.global_avg_pool2d(x)?;
//! g.linear(x, "linear", 2, Bias::Learnt)?;
//!
//! let values: Vec<Vec<f32>> = g.parameters().iter().map(|p| vec![0.5; p.len()]).collect();
//! let parameters: Vec<&[f32]> = values.iter().map(Vec::as_slice).collect();
//! let mut gradients = vec![Vec::new(); parameters.len()];
//!
//! let mut executor = Executor::new(&g, Options::default())?;
//! let batch = Batch { images: &[0.1; 2 * 8 * 8 * 3], labels: &[0, 1] };
//! let step = executor.training_step(&parameters, batch, StepOptions::default(), &mut gradients)?;
//! assert!((step.loss - 2f32.ln()).abs() < 1e-6); // both classes are equally likely
//! # Ok::<(), wick_graph::GraphError>(())
//! ```

mod error;
mod execute;
mod graph;
mod parts;
pub mod plan;

// Test networks are shared with executors elsewhere.
#[cfg(test)]
extern crate self as wick_graph;

#[cfg(test)]
mod tests;

pub use error::GraphError;
pub use execute::{
    Batch, BatchStatistics, Executor, Mixed, Options, ProfileRow, Profiling, Step, StepOptions,
};
pub use graph::{BatchNorm, Bias, Conv2d, GhostBatchNorm, Graph, GroupNorm, Parameter, Role, Shape, Value};
pub use parts::{LEAST_PART, parts};
pub use wick_kernels::Precision;
pub use wick_kernels::fused::{Activation, Algorithm};
