use wick_graph::plan::Buf;

/// A map in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Place {
    /// A tensor of the plan.
    Tensor(Buf),
    /// The gradient of a convolution's output, written out for cuDNN.
    Dy,
    /// A convolution's input, written out for cuDNN.
    X,
    /// The gradient of a convolution's input that is still to be added to others.
    Dx,
}
