//! Networks as fused passes instead of candle's autograd: the same numbers in less time and memory.

mod storage;
mod trunk;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};
use wick_graph::{Batch, BatchStatistics, Executor, Graph, GraphError, Options, Role, StepOptions};

use crate::error::ModelError;
use crate::network::Network;
use storage::{in_place, read};
pub use trunk::Trunk;

/// A network's training step and its evaluation, compiled for the CPU: [`wick_graph`]'s passes over the network's own
/// variables, which it reads where they are.
///
/// What it computes is what [`Network::model`] and candle's autograd do, but for the order of rounding; in bf16, activations
/// and the factors of products are rounded to 8 bits, while variables, gradients and statistics stay f32.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use wick_models::{Architecture, CompileOptions, Compiled, StepOptions, Network};
///
/// let network = Network::new(Architecture::ResNet18, 10, 42, &Device::Cpu)?;
/// let mut compiled = Compiled::new(&network, CompileOptions::default())?;
/// let images = Tensor::zeros((2, 32, 32, 3), DType::F32, &Device::Cpu)?;
/// let step = compiled.training_step(&images, &[3, 8], StepOptions::default())?;
/// assert_eq!(step.logits.len(), 2 * 10);
/// let (_, weight) = &network.parameters.trainable()[0];
/// assert_eq!(step.gradients.get(weight).unwrap().dims(), weight.dims()); // for an optimiser's step
/// # Ok::<(), wick_models::ModelError>(())
/// ```
#[derive(Debug)]
pub struct Compiled {
    executor: Executor,
    /// In the graph's order.
    variables: Vec<Var>,
    /// One each; `None` where nothing is trained.
    gradients: Vec<Option<Tensor>>,
    store: GradStore,
}

/// What a training step leaves.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Mean cross-entropy over the batch.
    pub loss: f32,
    /// `(N, classes)`.
    pub logits: &'a [f32],
    /// Of every trained variable. The next step overwrites them in place, copies of the tensors included.
    pub gradients: &'a GradStore,
}

impl Compiled {
    /// Compiles the training step and the evaluation of `network`. Its variables are shared: what changes them changes
    /// what is computed.
    ///
    /// # Errors
    /// Variables that are not f32 in the CPU's memory.
    pub fn new(network: &Network, options: Options) -> Result<Self, ModelError> {
        let graph = network.architecture.graph(network.classes)?;
        let executor = Executor::new(&graph, options)?;
        let mut store = Tensor::zeros((), DType::F32, &Device::Cpu)?.backward()?; // an empty one, but for itself
        let variables = variables(network, &graph)?;
        let mut gradients = Vec::new();
        for (parameter, variable) in graph.parameters().iter().zip(&variables) {
            gradients.push(match parameter.role {
                Role::Trainable => {
                    let gradient = Tensor::zeros(variable.shape(), DType::F32, &Device::Cpu)?;
                    store.insert(variable, gradient.clone());
                    Some(gradient)
                }
                _ => None,
            });
        }
        Ok(Self { executor, variables, gradients, store })
    }

    /// Loss, logits and gradients of a batch, images `(N, H, W, C)` in f32. Updates the running statistics.
    ///
    /// # Errors
    /// Images of another shape, another number of labels than of images, a label that is no class, shares outside `[0, 1]`.
    pub fn training_step(
        &mut self,
        images: &Tensor,
        labels: &[u32],
        options: StepOptions<'_>,
    ) -> Result<Step<'_>, ModelError> {
        let images = pixels(self.executor.graph(), images)?;
        let mut gradients: Vec<Vec<f32>> = vec![Vec::new(); self.variables.len()];
        self.exchange(&mut gradients)?;
        let done = self.run(&images, labels, options, &mut gradients);
        self.exchange(&mut gradients)?;
        let (loss, statistics) = done?;
        for batch in &statistics {
            for (running, new) in
                [(batch.running_mean, &batch.mean), (batch.running_variance, &batch.variance)]
            {
                let variable = &self.variables[running];
                in_place(variable, |values| BatchStatistics::blend(batch.update, values, new))?;
            }
        }
        Ok(Step { loss, logits: self.executor.last_logits(), gradients: &self.store })
    }

    /// Logits `(N, classes)` of images `(N, H, W, C)` in f32, with the running statistics.
    ///
    /// # Errors
    /// Images of another shape.
    pub fn logits(&mut self, images: &Tensor) -> Result<&[f32], ModelError> {
        let images = pixels(self.executor.graph(), images)?;
        let variables = self.variables.iter().map(|v| read(v)).collect::<Result<Vec<_>, _>>()?;
        let parameters = variables.iter().map(|v| v.values()).collect::<Result<Vec<_>, _>>()?;
        let images = read(&images)?;
        self.executor.logits(&parameters, images.values()?)?;
        Ok(self.executor.last_logits())
    }

    /// What computes it: its graph, its memory, its profile.
    pub fn executor(&mut self) -> &mut Executor {
        &mut self.executor
    }

    fn run(
        &mut self,
        images: &Tensor,
        labels: &[u32],
        options: StepOptions<'_>,
        gradients: &mut [Vec<f32>],
    ) -> Result<(f32, Vec<BatchStatistics>), ModelError> {
        let variables = self.variables.iter().map(|v| read(v)).collect::<Result<Vec<_>, _>>()?;
        let parameters = variables.iter().map(|v| v.values()).collect::<Result<Vec<_>, _>>()?;
        let images = read(images)?;
        let batch = Batch { images: images.values()?, labels };
        let step = self.executor.training_step(&parameters, batch, options, gradients)?;
        Ok((step.loss, step.statistics.to_vec()))
    }

    /// Swaps the memory of the gradients' tensors with `values`, so that no gradient is ever copied.
    fn exchange(&self, values: &mut [Vec<f32>]) -> Result<(), ModelError> {
        for (gradient, values) in self.gradients.iter().zip(values) {
            if let Some(gradient) = gradient {
                in_place(gradient, |memory| std::mem::swap(memory, values))?;
            }
        }
        Ok(())
    }
}

/// The images in one piece, if they are what the graph reads.
fn pixels(graph: &Graph, images: &Tensor) -> Result<Tensor, ModelError> {
    let image = graph.image();
    match images.dims() {
        [_, rest @ ..] if rest == image.as_slice() => Ok(images.contiguous()?),
        got => Err(ModelError::Images { expected: image, got: got.to_vec() }),
    }
}

/// The network's variables that a graph reads, in its order.
fn variables(network: &Network, graph: &Graph) -> Result<Vec<Var>, ModelError> {
    let variable = |parameter: &wick_graph::Parameter| {
        let name = &parameter.name;
        let variable = network.parameters.get(name);
        variable.ok_or_else(|| GraphError::UnknownParameter { name: name.clone() }.into())
    };
    graph.parameters().iter().map(variable).collect()
}
