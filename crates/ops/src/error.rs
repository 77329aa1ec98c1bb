//! What can go wrong in an op.

use candle_core::{DType, Error};
use wick_kernels::ShapeError;

/// Why an op refused its inputs. Ops return it wrapped in [`candle_core::Error`], so that they compose with candle's own.
#[derive(Debug, thiserror::Error)]
pub enum OpsError {
    /// A tensor of another rank than the op takes.
    #[error("{op}: expected {tensor} of shape {expected}, got {got:?}")]
    Rank {
        /// The op's name.
        op: &'static str,
        /// Which of its inputs.
        tensor: &'static str,
        /// The named axes, for instance `(N, H, W, C)`.
        expected: &'static str,
        /// The shape found.
        got: Vec<usize>,
    },
    /// Two inputs that do not fit together.
    #[error("{op}: expected {tensor} of shape {expected:?}, got {got:?}")]
    Shape {
        /// The op's name.
        op: &'static str,
        /// Which of its inputs.
        tensor: &'static str,
        /// The shape that fits the other inputs.
        expected: Vec<usize>,
        /// The shape found.
        got: Vec<usize>,
    },
    /// A tensor that is not f32 (u32 for class indices).
    #[error("{op}: expected {tensor} of type {expected:?}, got {got:?}; convert it with `to_dtype`")]
    DType {
        /// The op's name.
        op: &'static str,
        /// Which of its inputs.
        tensor: &'static str,
        /// The type the op works in.
        expected: DType,
        /// The type found.
        got: DType,
    },
    /// A tensor that is not in the CPU's memory, where others are or no other can be.
    #[error(
        "{op}: expected tensors on the CPU, got one on {got}; move it with `to_device`, or all to a GPU \
         (feature `cuda`)"
    )]
    Device {
        /// The op's name.
        op: &'static str,
        /// The device found.
        got: String,
    },
    /// Tensors on a GPU and elsewhere.
    #[cfg(feature = "cuda")]
    #[error(
        "{op}: expected {tensor} on {expected}, where the first input is, got one on {got}; move it with \
         `to_device`, to the same `Device`"
    )]
    Mixed {
        /// The op's name.
        op: &'static str,
        /// Which of its inputs.
        tensor: &'static str,
        /// The device of the first input.
        expected: String,
        /// The device found.
        got: String,
    },
    /// Something of the GPU's is missing, or it refused.
    #[cfg(feature = "cuda")]
    #[error("{op}: {source}")]
    Cuda {
        /// The op's name.
        op: &'static str,
        /// What is missing and where to get it, or what was refused.
        source: wick_cuda::CudaError,
    },
    /// A size that the kernel refused.
    #[error("{op}: {source}")]
    Kernel {
        /// The op's name.
        op: &'static str,
        /// The kernel's own words.
        source: ShapeError,
    },
    /// An internal step was run in the wrong order.
    #[error("{op}: the backward pass ran without its forward pass")]
    NoForward {
        /// The op's name.
        op: &'static str,
    },
}

impl From<OpsError> for Error {
    fn from(error: OpsError) -> Self {
        Error::wrap(error)
    }
}

/// Names the op in a kernel's error.
pub(crate) fn kernel(op: &'static str) -> impl Fn(ShapeError) -> Error {
    move |source| OpsError::Kernel { op, source }.into()
}
