//! From layers to passes over memory, once for each graph.
//!
//! [`lower`](mod@lower) joins layers to units, each of which leaves one tensor; [`forward`] makes a pass of each,
//! [`backward`] the passes of the gradients, [`memory`] says where each tensor lies.

mod backward;
mod forward;
mod lower;
mod memory;

use wick_kernels::fused::Activation;

use crate::graph::Graph;
use crate::{GraphError, Shape};

pub(crate) use lower::Mode;

/// The number of a tensor of the plan.
pub(crate) type Buf = usize;
/// The number of a norm of the graph.
pub(crate) type NormId = usize;

/// How a pass reads a map; see `Source` of the kernels. A norm of `None` changes nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Read {
    Plain(Buf),
    Normalised {
        x: Buf,
        norm: Option<NormId>,
        activation: Activation,
    },
    Gradient {
        g: Buf,
        y: Buf,
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
pub(crate) struct Write {
    pub to: Buf,
    /// Whether what is there is added.
    pub adds: bool,
    pub finish: Finish,
}

/// See `Epilogue` of the kernels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Finish {
    None,
    /// For these norms.
    Statistics(Vec<NormId>),
    Affine(After),
    Gradient(Point),
}

/// What is done to a tensor's values before they are written.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct After {
    pub norm: Option<NormId>,
    pub residual: Option<Buf>,
    pub activation: Activation,
}

/// The place before an activation, whose gradient is `g`: what the gradient after it is multiplied by, and the norms before
/// it, each with what it normalises.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub gate: Gate,
    pub norms: Vec<(NormId, Buf)>,
}

/// See `Gate` of the kernels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Gate {
    Open,
    Positive(Buf),
    Normalised { y: Buf, norm: Option<NormId>, activation: Activation },
}

/// What a pass computes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Work {
    /// The images, rounded to the precision.
    Images,
    Conv {
        conv: usize,
        x: Read,
    },
    ConvInputGradient {
        conv: usize,
        dy: Read,
    },
    ConvWeightGradient {
        conv: usize,
        x: Read,
        dy: Read,
    },
    Pool {
        pool: usize,
        x: Read,
    },
    PoolGradient {
        pool: usize,
        dy: Read,
    },
    Combine {
        terms: Vec<Read>,
    },
    /// The mean over the pixels.
    Features {
        x: Read,
    },
}

/// One pass over memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pass {
    /// The layer it belongs to.
    pub layer: String,
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
pub(crate) struct Size {
    pub pixels: usize,
    pub channels: usize,
}

impl Size {
    fn of(shape: Shape) -> Self {
        match shape {
            Shape::Map([h, w, channels]) => Self { pixels: h * w, channels },
            Shape::Features(channels) => Self { pixels: 1, channels },
        }
    }

    pub fn len(self) -> usize {
        self.pixels * self.channels
    }
}

/// A layer behind the maps, on features.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum HeadOp {
    Linear(usize),
    Scale(f32),
}

/// Everything that is done with a batch, in order.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub forward: Vec<Pass>,
    pub head: Vec<HeadOp>,
    pub backward: Vec<Pass>,
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
    pub fn training(graph: &Graph) -> Result<Self, GraphError> {
        let lowered = lower::lower(graph, Mode::Train)?;
        let forward = forward::passes(graph, &lowered, Mode::Train);
        let (backward, sizes) = backward::passes(graph, &lowered);
        Ok(Self::laid_out(forward, lowered, backward, sizes))
    }

    /// Forward, with running statistics.
    pub fn evaluation(graph: &Graph) -> Result<Self, GraphError> {
        let lowered = lower::lower(graph, Mode::Evaluate)?;
        let forward = forward::passes(graph, &lowered, Mode::Evaluate);
        let sizes = lowered.sizes.clone();
        Ok(Self::laid_out(forward, lowered, Vec::new(), sizes))
    }

    fn laid_out(forward: Vec<Pass>, lowered: lower::Lowered, backward: Vec<Pass>, sizes: Vec<Size>) -> Self {
        let layout = memory::layout(forward.iter().chain(&backward), &sizes);
        let (offsets, total) = (layout.offsets, layout.total);
        Self { forward, head: lowered.head, backward, sizes, offsets, total, features: lowered.features_of }
    }
}
