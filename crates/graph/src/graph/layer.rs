//! What layers there are and what each is made of.

use std::fmt;

use wick_kernels::fused::Activation;
use wick_kernels::{Conv2dShape, Pool2dShape};

/// The shape of a value, batch left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A map `(H, W, C)`, as wide as the precision says.
    Map([usize; 3]),
    /// `(F)`, always f32.
    Features(usize),
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map([h, w, c]) => write!(f, "a map of (H, W, C) = ({h}, {w}, {c})"),
            Self::Features(n) => write!(f, "{n} features"),
        }
    }
}

/// Whether a layer adds a learnt constant to each of its outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Bias {
    /// It does not.
    #[default]
    None,
    /// It does; the parameter is called `bias`.
    Learnt,
}

/// A convolution with a square kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Conv2d {
    /// C_out.
    pub out_channels: usize,
    /// KH and KW.
    pub kernel: usize,
    /// By how much the map's sides shrink.
    pub stride: usize,
    /// Zeros around the map.
    pub padding: usize,
    /// None unless told.
    pub bias: Bias,
}

impl Default for Conv2d {
    /// 3×3, of a map's size, to one channel.
    fn default() -> Self {
        Self { out_channels: 1, kernel: 3, stride: 1, padding: 1, bias: Bias::None }
    }
}

/// The constants of a batch normalisation, by default PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// Added to the variance under the root: 1e-5.
    pub eps: f64,
    /// The weight `m` of the newest batch in `running ← (1 − m)·running + m·batch`: 0.1. (PyTorch's `momentum`.)
    pub update: f64,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { eps: 1e-5, update: 0.1 }
    }
}

/// The constants of a ghost batch normalisation: a batch norm of each of several parts of the batch by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GhostBatchNorm {
    /// Parts of the batch: image `i` belongs to number `i mod splits`. 2 by default.
    pub splits: usize,
    /// Of each part.
    pub batch_norm: BatchNorm,
}

impl Default for GhostBatchNorm {
    fn default() -> Self {
        Self { splits: 2, batch_norm: BatchNorm::default() }
    }
}

/// The constants of a group normalisation. One group is what is called layer normalisation of a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupNorm {
    /// Groups of neighbouring channels that share a mean and a variance: 1.
    pub groups: usize,
    /// Added to the variance under the root: 1e-5.
    pub eps: f64,
}

impl Default for GroupNorm {
    fn default() -> Self {
        Self { groups: 1, eps: 1e-5 }
    }
}

/// What a parameter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It has a gradient.
    Trainable,
    /// It is used as it is.
    Frozen,
    /// A mean that evaluation normalises with.
    RunningMean,
    /// A variance that evaluation normalises with.
    RunningVariance,
}

/// One parameter of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name as in PyTorch: `layer1.0.conv1.weight`.
    pub name: String,
    /// Convolution weights are `(KH, KW, C_in, C_out)`, a linear layer's `(out, in)`.
    pub shape: Vec<usize>,
    /// What it is for.
    pub role: Role,
}

impl Parameter {
    /// The number of its values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One layer and what it reads.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub op: Op,
    pub inputs: Vec<usize>,
    pub shape: Shape,
    /// The name given, or that of what it reads.
    pub name: String,
}

/// Numbers point into the tables of the graph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Op {
    Input,
    Conv(usize),
    Norm(usize),
    Activation(Activation),
    Add,
    MaxPool(usize),
    /// The mean over all pixels; a flattened 1×1 map is that, too.
    Features,
    Linear(usize),
    Scale(f32),
    Dropout(f32),
    Softmax,
}

/// A convolution; the batch in its shape is 0.
#[derive(Debug, Clone)]
pub struct ConvLayer {
    /// Its sizes.
    pub shape: Conv2dShape,
    /// The number of its weight among the parameters.
    pub weight: usize,
}

/// What multiplies each channel by one number and adds another.
#[derive(Debug, Clone)]
pub struct NormLayer {
    /// Over what it normalises.
    pub kind: NormKind,
    /// Of its input.
    pub channels: usize,
    /// Of its input.
    pub pixels: usize,
    /// The number of its weight among the parameters.
    pub weight: Option<usize>,
    /// The number of its bias.
    pub bias: usize,
}

/// Over what a norm normalises.
#[derive(Debug, Clone, Copy)]
pub enum NormKind {
    /// Nothing but the bias of a convolution.
    Bias,
    /// The running statistics are `(splits, C)`; one split is the batch norm as it is usual.
    Batch {
        /// The number of the running mean among the parameters.
        mean: usize,
        /// The number of the running variance.
        variance: usize,
        /// Its constants.
        options: GhostBatchNorm,
    },
    /// Groups of channels of an image.
    Group(GroupNorm),
}

/// A linear layer.
#[derive(Debug, Clone)]
pub struct LinearLayer {
    /// Features it reads.
    pub inputs: usize,
    /// Features it leaves.
    pub outputs: usize,
    /// The number of its weight among the parameters.
    pub weight: usize,
    /// The number of its bias.
    pub bias: Option<usize>,
}

/// A pool; the batch in its shape is 0.
pub type PoolLayer = Pool2dShape;
