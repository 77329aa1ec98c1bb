//! The kernels of the layers behind the maps.

use wick_graph::plan::HeadOp;
use wick_graph::{Graph, Role};

use super::layout::Places;
use super::parameters::Parameters;
use crate::CudaError;
use crate::device::{Kernel, Launch, Pointer, Program};

/// A head, in a batch.
pub(super) struct Head<'a> {
    pub graph: &'a Graph,
    pub ops: &'a [HeadOp],
    pub places: &'a Places,
    pub parameters: &'a Parameters,
    /// Where the arena begins.
    pub base: Pointer,
    pub images: usize,
    pub program: &'a Program,
}

type Commands = Vec<(Kernel, Launch)>;

impl Head<'_> {
    /// From features to logits; with a label smoothing, to the loss and back to the gradient of the features.
    pub fn commands(&self, smoothing: Option<f32>) -> Result<Commands, CudaError> {
        let mut commands = Vec::new();
        for (i, op) in self.ops.iter().enumerate() {
            commands.push(self.forward(i, *op)?);
        }
        if let Some(smoothing) = smoothing {
            commands.extend(self.loss(smoothing)?);
            for (i, op) in self.ops.iter().enumerate().rev() {
                commands.extend(self.backward(i, *op)?);
            }
        }
        Ok(commands)
    }

    fn at(&self, offset: usize) -> Pointer {
        self.base + offset as Pointer
    }

    fn kernel(&self, name: &str) -> Result<Kernel, CudaError> {
        self.program.kernel(name)
    }

    /// Values that layer `i` of the head reads from each image.
    fn width(&self, i: usize) -> usize {
        let linear = |op: &HeadOp| match op {
            HeadOp::Linear(linear) => Some(&self.graph.linears()[*linear]),
            _ => None,
        };
        // What no linear layer reads is what one before left, or the logits.
        let behind = self.ops[i..].iter().find_map(linear).map(|l| l.inputs);
        behind.unwrap_or_else(|| self.graph.classes())
    }

    fn forward(&self, i: usize, op: HeadOp) -> Result<(Kernel, Launch), CudaError> {
        let (x, y) = (self.at(self.places.head[i]), self.at(self.places.head[i + 1]));
        Ok(match op {
            HeadOp::Scale(factor) => {
                let count = self.images * self.width(i);
                (self.kernel("scale")?, Launch::over(count).with(x).with(factor).with(count).with(y))
            }
            HeadOp::Linear(linear) => {
                let layer = &self.graph.linears()[linear];
                let count = self.images * layer.outputs;
                let launch = Launch::over(count * 32)
                    .with(x)
                    .with(self.parameters.value(layer.weight))
                    .with(layer.bias.map_or(0, |bias| self.parameters.value(bias)))
                    .with(layer.inputs)
                    .with(layer.outputs)
                    .with(count)
                    .with(y);
                (self.kernel("linear")?, launch)
            }
            _ => return Err(no_kernel(op)),
        })
    }

    fn loss(&self, smoothing: f32) -> Result<Commands, CudaError> {
        let last = self.ops.len();
        let launch = Launch::over(self.images * 32)
            .with(self.at(self.places.head[last]))
            .with(self.at(self.places.labels))
            .with(self.graph.classes())
            .with(self.images)
            .with(smoothing)
            .with(self.at(self.places.losses))
            .with(self.at(self.places.head_gradients[last]))
            .with(self.at(self.places.predicted));
        let mean = Launch::new([1; 3], [256, 1])
            .with(self.at(self.places.losses))
            .with(self.images)
            .with(self.at(self.places.loss));
        Ok(vec![(self.kernel("cross_entropy")?, launch), (self.kernel("mean_loss")?, mean)])
    }

    fn backward(&self, i: usize, op: HeadOp) -> Result<Commands, CudaError> {
        let gradients = &self.places.head_gradients;
        let (dx, dy) = (self.at(gradients[i]), self.at(gradients[i + 1]));
        let count = self.images * self.width(i);
        let mut commands = Vec::new();
        match op {
            HeadOp::Scale(factor) => {
                commands.push((
                    self.kernel("scale")?,
                    Launch::over(count).with(dy).with(factor).with(count).with(dx),
                ));
            }
            HeadOp::Linear(linear) => {
                let layer = &self.graph.linears()[linear];
                let trained = |p: usize| self.graph.parameters()[p].role == Role::Trainable;
                let launch = Launch::over(count)
                    .with(dy)
                    .with(self.parameters.value(layer.weight))
                    .with(layer.inputs)
                    .with(layer.outputs)
                    .with(count)
                    .with(dx);
                commands.push((self.kernel("linear_input_gradient")?, launch));
                if trained(layer.weight) {
                    let launch = Launch::new([layer.inputs.div_ceil(32), layer.outputs, 1], [32, 8])
                        .with(self.at(self.places.head[i]))
                        .with(dy)
                        .with(self.images)
                        .with(layer.inputs)
                        .with(layer.outputs)
                        .with(self.parameters.gradient(layer.weight));
                    commands.push((self.kernel("linear_weight_gradient")?, launch));
                }
                if let Some(bias) = layer.bias.filter(|bias| trained(*bias)) {
                    let launch = Launch::new([layer.outputs, 1, 1], [32, 1])
                        .with(dy)
                        .with(self.images)
                        .with(layer.outputs)
                        .with(self.parameters.gradient(bias));
                    commands.push((self.kernel("linear_bias_gradient")?, launch));
                }
            }
            _ => return Err(no_kernel(op)),
        }
        Ok(commands)
    }
}

fn no_kernel(op: HeadOp) -> CudaError {
    let layer = match op {
        HeadOp::Linear(_) => "linear layer",
        HeadOp::Scale(_) => "scale",
        HeadOp::Relu => "ReLU",
        HeadOp::Dropout(_) => "dropout",
        HeadOp::Softmax => "softmax",
    };
    CudaError::NoKernel { layer }
}
