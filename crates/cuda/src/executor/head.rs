//! The kernels of the layers behind the maps.

use wick_graph::plan::HeadOp;
use wick_graph::{Graph, Role};

use super::layout::Places;
use super::parameters::Parameters;
use super::stage::{Mode, Targets};
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
    /// From features to logits; in training, to the loss and back to the gradient of the features, which may also begin with a gradient
    /// of the logits that is there.
    pub fn commands(&self, mode: Mode) -> Result<Commands, CudaError> {
        let mut commands = Vec::new();
        for (i, op) in self.ops.iter().enumerate() {
            commands.push(self.forward(i, *op, mode)?);
        }
        if let Mode::Train { smoothing, targets } = mode {
            commands.extend(self.loss(f32::from_bits(smoothing), targets)?);
        }
        if mode != Mode::Evaluate {
            for (i, op) in self.ops.iter().enumerate().rev() {
                commands.extend(self.backward(i, *op, mode)?);
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

    fn scale(&self, factor: f32, count: usize, [x, y]: [Pointer; 2]) -> Result<(Kernel, Launch), CudaError> {
        Ok((self.kernel("scale")?, Launch::over(count).with(x).with(factor).with(count).with(y)))
    }

    /// The dropout that is layer `i`, of values or of gradients.
    fn dropout(&self, i: usize, p: f32, [x, y]: [Pointer; 2]) -> Result<(Kernel, Launch), CudaError> {
        let count = self.images * self.width(i);
        let launch = Launch::over(count)
            .with(x)
            .with(self.at(self.places.seed))
            .with(i)
            .with(p)
            .with(1.0 / (1.0 - p))
            .with(count)
            .with(y);
        Ok((self.kernel("dropout")?, launch))
    }

    fn forward(&self, i: usize, op: HeadOp, mode: Mode) -> Result<(Kernel, Launch), CudaError> {
        let (x, y) = (self.at(self.places.head[i]), self.at(self.places.head[i + 1]));
        let (width, count) = (self.width(i), self.images * self.width(i));
        Ok(match op {
            HeadOp::Scale(factor) => self.scale(factor, count, [x, y])?,
            HeadOp::Relu => (self.kernel("head_relu")?, Launch::over(count).with(x).with(count).with(y)),
            HeadOp::Dropout(p) => match mode {
                Mode::Train { .. } => self.dropout(i, p, [x, y])?,
                Mode::Evaluate | Mode::Differentiate => self.scale(1.0, count, [x, y])?,
            },
            HeadOp::Softmax => {
                let launch = Launch::over(self.images * 32).with(x).with(width).with(self.images).with(y);
                (self.kernel("softmax")?, launch)
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
        })
    }

    fn loss(&self, smoothing: f32, targets: Targets) -> Result<Commands, CudaError> {
        let last = self.ops.len();
        let [others, weight] = match targets {
            Targets::Own => [0; 2],
            Targets::Mixed => [self.at(self.places.others), self.at(self.places.weight)],
        };
        let launch = Launch::over(self.images * 32)
            .with(self.at(self.places.head[last]))
            .with(self.at(self.places.labels))
            .with(others)
            .with(weight)
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

    fn backward(&self, i: usize, op: HeadOp, mode: Mode) -> Result<Commands, CudaError> {
        let gradients = &self.places.head_gradients;
        let (dx, dy) = (self.at(gradients[i]), self.at(gradients[i + 1]));
        let count = self.images * self.width(i);
        let mut commands = Vec::new();
        match op {
            HeadOp::Scale(factor) => {
                commands.push(self.scale(factor, count, [dy, dx])?);
            }
            HeadOp::Relu => {
                let x = self.at(self.places.head[i]);
                let launch = Launch::over(count).with(x).with(dy).with(count).with(dx);
                commands.push((self.kernel("head_relu_gradient")?, launch));
            }
            HeadOp::Dropout(_) if mode == Mode::Differentiate => {
                commands.push(self.scale(1.0, count, [dy, dx])?);
            }
            HeadOp::Dropout(p) => commands.push(self.dropout(i, p, [dy, dx])?),
            HeadOp::Softmax => {
                let launch = Launch::over(self.images * 32)
                    .with(self.at(self.places.head[i + 1]))
                    .with(dy)
                    .with(self.width(i))
                    .with(self.images)
                    .with(dx);
                commands.push((self.kernel("softmax_gradient")?, launch));
            }
            HeadOp::Linear(linear) => {
                let layer = &self.graph.linears()[linear];
                let trained = |p: usize| {
                    mode != Mode::Differentiate && self.graph.parameters()[p].role == Role::Trainable
                };
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
        }
        Ok(commands)
    }
}
