//! Running a plan.

mod arena;
mod dropout;
mod engine;
mod head;
mod norm;
mod packed;
mod pass;
mod profile;
mod sums;

use half::bf16;
use wick_kernels::Precision;
use wick_kernels::fused::Algorithm;

use crate::plan::ConvInputs;
use crate::{Graph, GraphError};
#[cfg(test)]
pub(crate) use dropout::Dropout;
pub(crate) use engine::Engine;

pub use norm::BatchStatistics;
pub use profile::ProfileRow;

/// How a graph is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Options {
    /// How maps are stored between passes, and the factors of products. Parameters, sums, features and logits are f32.
    pub precision: Precision,
    /// How 3×3 convolutions are computed.
    pub algorithm: Algorithm,
    /// Whether passes are timed.
    pub profiling: Profiling,
}

/// Whether passes are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profiling {
    /// They are not.
    #[default]
    Off,
    /// They are, for [`Executor::take_profile`].
    On,
}

/// Images and what they show.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// `(N, H, W, C)`.
    pub images: &'a [f32],
    /// `(N)`.
    pub labels: &'a [u32],
}

/// How a step is computed: what softens the target of its cross-entropy, and by what its dropouts are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepOptions<'a> {
    /// The share of the target that is spread over all classes.
    pub label_smoothing: f32,
    /// Other labels that share the target with the batch's own.
    pub mixed: Option<Mixed<'a>>,
    /// Decides, with the layer and the place, what dropouts drop: to be another number in each step.
    pub dropout_seed: u64,
}

impl StepOptions<'_> {
    /// Of one label an image, with a share of the target spread over all classes.
    pub const fn smoothed(label_smoothing: f32) -> Self {
        Self { label_smoothing, mixed: None, dropout_seed: 0 }
    }
}

/// A second label of each image. The loss, which is linear in its target, is `weight·CE(own) + (1 − weight)·CE(labels)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mixed<'a> {
    /// `(N)`.
    pub labels: &'a [u32],
    /// The share of the batch's own labels, from 0 to 1; these have the rest.
    pub weight: f32,
}

/// What a training step leaves besides gradients.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Mean cross-entropy over the batch.
    pub loss: f32,
    /// `(N, classes)`.
    pub logits: &'a [f32],
    /// Of each batch normalisation, for its running statistics.
    pub statistics: &'a [BatchStatistics],
}

/// A compiled graph and the memory that its steps use. That grows to the largest batch seen and is kept.
#[derive(Debug)]
pub struct Executor(Engines);

#[derive(Debug)]
enum Engines {
    F32(Box<Engine<f32>>),
    Bf16(Box<Engine<bf16>>),
}

/// The same expression for either precision.
macro_rules! either {
    ($executor:expr, $engine:ident => $e:expr) => {
        match $executor {
            Engines::F32($engine) => $e,
            Engines::Bf16($engine) => $e,
        }
    };
}

impl Executor {
    /// Compiles `graph`.
    ///
    /// # Errors
    /// A layer that nothing reads, or no logits at the end.
    pub fn new(graph: &Graph, options: Options) -> Result<Self, GraphError> {
        let inputs = ConvInputs::OnTheFly;
        Ok(Self(match options.precision {
            Precision::F32 => Engines::F32(Box::new(Engine::new(graph, options, inputs)?)),
            Precision::Bf16 => Engines::Bf16(Box::new(Engine::new(graph, options, inputs)?)),
        }))
    }

    /// The graph it computes.
    pub fn graph(&self) -> &Graph {
        either!(&self.0, engine => engine.graph())
    }

    /// Logits, loss and gradients of a batch, with the batch's own statistics in batch norms.
    ///
    /// `parameters` are as [`Graph::parameters`] lists them; running statistics are not read. `gradients`, one each, are
    /// brought to the size of the trainable ones and overwritten; those of others are left as they are.
    ///
    /// # Errors
    /// Slices of other lengths, no images, a label that is no class, shares outside `[0, 1]`.
    pub fn training_step(
        &mut self,
        parameters: &[&[f32]],
        batch: Batch<'_>,
        options: StepOptions<'_>,
        gradients: &mut [Vec<f32>],
    ) -> Result<Step<'_>, GraphError> {
        among_workers(
            || either!(&mut self.0, engine => engine.training_step(parameters, batch, options, gradients)),
        )
    }

    /// Logits `(N, classes)` of images `(N, H, W, C)`, with running statistics in batch norms.
    ///
    /// From the second batch on with the same parameters, convolutions' weights are kept as they are read. Parameters are compared each time;
    /// the result has the same bits.
    ///
    /// # Errors
    /// Slices of other lengths, no images.
    pub fn logits(&mut self, parameters: &[&[f32]], images: &[f32]) -> Result<&[f32], GraphError> {
        among_workers(|| either!(&mut self.0, engine => engine.logits(parameters, images)))
    }

    /// The map `(N, H, W, C)` that the features of images `(N, H, W, C)` are the mean of, with running statistics in batch norms.
    ///
    /// # Errors
    /// A graph that does not end so; as [`logits`](Self::logits).
    pub fn last_map(&mut self, parameters: &[&[f32]], images: &[f32]) -> Result<Vec<f32>, GraphError> {
        among_workers(|| either!(&mut self.0, engine => engine.last_map(parameters, images)))
    }

    /// From the gradient `(N, classes)` of something with respect to the logits of images `(N, H, W, C)` to its gradient with respect to
    /// these images, with running statistics in batch norms and nothing dropped.
    ///
    /// # Errors
    /// As [`logits`](Self::logits); another number of gradients than of logits.
    pub fn input_gradient(
        &mut self,
        parameters: &[&[f32]],
        images: &[f32],
        dlogits: &[f32],
    ) -> Result<Vec<f32>, GraphError> {
        among_workers(|| either!(&mut self.0, engine => engine.input_gradient(parameters, images, dlogits)))
    }

    /// The logits of the last step or evaluation.
    pub fn last_logits(&self) -> &[f32] {
        either!(&self.0, engine => engine.last_logits())
    }

    /// Bytes that maps take, gradients of maps included, for the largest batch so far; and weights that are kept for evaluations, as they
    /// are and made ready.
    pub fn bytes(&self) -> usize {
        either!(&self.0, engine => engine.bytes())
    }

    /// Bytes that maps take in a training step of `images` images.
    pub fn training_bytes(&self, images: usize) -> usize {
        either!(&self.0, engine => engine.training_bytes(images))
    }

    /// What passes took since the last call, training steps' before evaluations'; empty unless it was asked for.
    pub fn take_profile(&mut self) -> Vec<ProfileRow> {
        either!(&mut self.0, engine => engine.take_profile())
    }
}

/// Calls `f` on a thread of the pool that its passes run on: from outside of it, each pass would be handed over and waited for.
fn among_workers<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| f())
}
