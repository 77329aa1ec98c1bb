//! From layers to passes over memory, once for each graph: what an executor runs, on whatever device.
//!
//! `lower` joins layers to units, each of which leaves one tensor; `forward` makes a pass of each, `backward` the passes of
//! the gradients, `memory` says where each tensor lies.

mod backward;
mod forward;
mod lower;
mod memory;

use wick_kernels::fused::Activation;

use crate::graph::Graph;
use crate::{GraphError, Shape};

use backward::{Passes, Wanted};
pub(crate) use lower::Mode;

pub use crate::graph::{ConvLayer, LinearLayer, NormKind, NormLayer, PoolLayer};

/// The number of a tensor of the plan.
pub type Buf = usize;
/// The number of a norm of the graph.
pub type NormId = usize;

/// Whether convolutions can apply norms and activations while they read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ConvInputs {
    /// They do: what a norm and an activation leave for a convolution alone is never written.
    #[default]
    OnTheFly,
    /// They read tensors as they are, which are written for them.
    Written,
}

/// How a pass reads a map; see `Source` of the kernels. A norm of `None` changes nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Read {
    /// As it is.
    Plain(Buf),
    /// `activation(scale·x + shift)`, with what the norm made of its statistics.
    Normalised {
        /// What is normalised.
        x: Buf,
        /// The norm, if there is one.
        norm: Option<NormId>,
        /// What follows it.
        activation: Activation,
    },
    /// `a·g + b·y + c`: the gradient of what a norm reads.
    Gradient {
        /// The gradient of what it leaves.
        g: Buf,
        /// What it reads.
        y: Buf,
        /// The norm.
        norm: NormId,
    },
    /// The gradient of the features, over all pixels.
    Spread,
}

impl Read {
    /// The tensors it reads.
    pub fn buffers(self) -> impl Iterator<Item = Buf> {
        let [a, b] = match self {
            Self::Plain(x) | Self::Normalised { x, .. } => [Some(x), None],
            Self::Gradient { g, y, .. } => [Some(g), Some(y)],
            Self::Spread => [None, None],
        };
        a.into_iter().chain(b)
    }
}

/// Where a pass writes a map; see `Sink` of the kernels.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// The tensor.
    pub to: Buf,
    /// Whether what is there is added.
    pub adds: bool,
    /// What becomes of the values on the way.
    pub finish: Finish,
}

/// See `Epilogue` of the kernels.
#[derive(Debug, Clone, PartialEq)]
pub enum Finish {
    /// Nothing.
    None,
    /// `Σv` and `Σv²` are left, for these norms.
    Statistics(Vec<NormId>),
    /// Normalised, added to, activated.
    Affine(After),
    /// Multiplied by an activation's derivative; `Σg` and `Σg·y` are left for norms.
    Gradient(Point),
}

/// What is done to a tensor's values before they are written.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct After {
    /// First this norm, whose factors are known beforehand.
    pub norm: Option<NormId>,
    /// Then this tensor is added.
    pub residual: Option<Buf>,
    /// Then this.
    pub activation: Activation,
}

/// The place before an activation, whose gradient is `g`: what the gradient after it is multiplied by, and the norms before
/// it, each with what it normalises.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The activation.
    pub gate: Gate,
    /// The norms and what they read.
    pub norms: Vec<(NormId, Buf)>,
}

/// See `Gate` of the kernels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gate {
    /// None.
    Open,
    /// A ReLU that left this.
    Positive(Buf),
    /// An activation of a normalised tensor.
    Normalised {
        /// What was normalised.
        y: Buf,
        /// By what, if by anything.
        norm: Option<NormId>,
        /// The activation.
        activation: Activation,
    },
}

/// What a pass computes.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// The images, rounded to the precision.
    Images,
    /// A convolution.
    Conv {
        /// Its number.
        conv: usize,
        /// Its input.
        x: Read,
    },
    /// The gradient of a convolution's input.
    ConvInputGradient {
        /// Its number.
        conv: usize,
        /// The gradient of its output.
        dy: Read,
    },
    /// The gradient of a convolution's weight.
    ConvWeightGradient {
        /// Its number.
        conv: usize,
        /// Its input.
        x: Read,
        /// The gradient of its output.
        dy: Read,
    },
    /// Maxima of windows. Training keeps where they were.
    Pool {
        /// Its number.
        pool: usize,
        /// Its input.
        x: Read,
    },
    /// The gradient of a pool's input.
    PoolGradient {
        /// Its number.
        pool: usize,
        /// The gradient of its output.
        dy: Read,
    },
    /// The sum of at most two.
    Combine {
        /// The terms.
        terms: Vec<Read>,
    },
    /// The mean over the pixels.
    Features {
        /// Of what.
        x: Read,
    },
}

/// One pass over memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// The layer it belongs to.
    pub layer: String,
    /// What it computes.
    pub work: Work,
    /// Where maps go; the others leave a weight's gradient or features.
    pub write: Option<Write>,
}

impl Pass {
    /// The tensors it reads besides the one it writes to.
    pub fn reads(&self) -> Vec<Buf> {
        let mut buffers: Vec<Buf> = match &self.work {
            Work::Images => vec![],
            Work::Conv { x, .. } | Work::Pool { x, .. } | Work::Features { x } => x.buffers().collect(),
            Work::ConvInputGradient { dy, .. } | Work::PoolGradient { dy, .. } => dy.buffers().collect(),
            Work::ConvWeightGradient { x, dy, .. } => x.buffers().chain(dy.buffers()).collect(),
            Work::Combine { terms } => terms.iter().flat_map(|term| term.buffers()).collect(),
        };
        match self.write.as_ref().map(|write| &write.finish) {
            Some(Finish::Affine(after)) => buffers.extend(after.residual),
            Some(Finish::Gradient(point)) => {
                match point.gate {
                    Gate::Open => {}
                    Gate::Positive(y) | Gate::Normalised { y, .. } => buffers.push(y),
                }
                buffers.extend(point.norms.iter().map(|(_, x)| *x));
            }
            Some(Finish::None | Finish::Statistics(_)) | None => {}
        }
        buffers.sort_unstable();
        buffers.dedup();
        buffers
    }
}

/// The sizes of a tensor of one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// Height times width.
    pub pixels: usize,
    /// Channels.
    pub channels: usize,
}

impl Size {
    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn of(shape: Shape) -> Self {
        match shape {
            Shape::Map([h, w, channels]) => Self { pixels: h * w, channels },
            Shape::Features(channels) => Self { pixels: 1, channels },
        }
    }

    /// Values.
    pub fn len(self) -> usize {
        self.pixels * self.channels
    }
}

/// A layer behind the maps, on features.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HeadOp {
    /// The linear layer of that number.
    Linear(usize),
    /// Times this.
    Scale(f32),
    /// `max(x, 0)`.
    Relu,
    /// Drops each value with this probability, in training alone.
    Dropout(f32),
    /// Probabilities of an image's values.
    Softmax,
}

/// Everything that is done with a batch, in order.
#[derive(Debug, Clone)]
pub struct Plan {
    /// From the images to the features.
    pub forward: Vec<Pass>,
    /// From the features to the logits.
    pub head: Vec<HeadOp>,
    /// From the features' gradient to the parameters' or the images'; none in evaluation.
    pub backward: Vec<Pass>,
    /// The images' gradient, where that is computed.
    pub of_input: Option<Buf>,
    /// The tensors' sizes.
    pub sizes: Vec<Size>,
    /// Where each begins, in values of one image: `n` images take `n` times that.
    pub offsets: Vec<usize>,
    /// Values of one image that all take together.
    pub total: usize,
    /// The map that the features are the mean of.
    pub features: Size,
}

impl Plan {
    /// Forward, with batch statistics, and backward.
    ///
    /// # Errors
    /// A layer that nothing reads, or no logits at the end.
    pub fn training(graph: &Graph, inputs: ConvInputs) -> Result<Self, GraphError> {
        let lowered = lower::lower(graph, Mode::Train, inputs)?;
        let forward = forward::passes(graph, &lowered, Mode::Train);
        let backward = backward::passes(graph, &lowered, Wanted::Parameters);
        Ok(Self::laid_out(forward, lowered, backward))
    }

    /// Forward, with running statistics, and backward to the images: to the gradient of whatever is made of the logits.
    ///
    /// # Errors
    /// A layer that nothing reads, or no logits at the end.
    pub fn input_gradient(graph: &Graph, inputs: ConvInputs) -> Result<Self, GraphError> {
        // What gradients need is what training keeps; what norms need is known.
        let lowered = lower::lower(graph, Mode::Train, inputs)?;
        let forward = forward::passes(graph, &lowered, Mode::Evaluate);
        let backward = backward::passes(graph, &lowered, Wanted::Input);
        Ok(Self::laid_out(forward, lowered, backward))
    }

    /// Forward, with running statistics.
    ///
    /// # Errors
    /// A layer that nothing reads, or no logits at the end.
    pub fn evaluation(graph: &Graph, inputs: ConvInputs) -> Result<Self, GraphError> {
        let lowered = lower::lower(graph, Mode::Evaluate, inputs)?;
        let forward = forward::passes(graph, &lowered, Mode::Evaluate);
        let backward = Passes { passes: Vec::new(), sizes: lowered.sizes.clone(), of_input: None };
        Ok(Self::laid_out(forward, lowered, backward))
    }

    fn laid_out(forward: Vec<Pass>, lowered: lower::Lowered, backward: Passes) -> Self {
        let Passes { passes: backward, sizes, of_input } = backward;
        let layout = memory::layout(forward.iter().chain(&backward), &sizes, of_input);
        let (offsets, total) = (layout.offsets, layout.total);
        let (head, features) = (lowered.head, lowered.features_of);
        Self { forward, head, backward, of_input, sizes, offsets, total, features }
    }
}
