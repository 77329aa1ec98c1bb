//! A convolution or one of its gradients, as a plan of cuDNN's: of the engines that its heuristics name, the fastest.

use std::ffi::c_void;
use std::time::Instant;

use cudarc::cudnn::sys::{
    self, cudnnBackendAttributeName_t as Name, cudnnBackendDescriptorType_t as Kind,
    cudnnBackendHeurMode_t as Mode, cudnnConvolutionMode_t, cudnnDataType_t as DataType,
};
use wick_kernels::Conv2dShape;

use super::choice::{self, Choice, Effort, Nothing};
use super::{Attribute, Cudnn, Descriptor, status};
use crate::device::{Device, Pointer};
use crate::{CudaError, Numbers};

/// What is computed from what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The output from input and weight.
    Forward,
    /// The gradient of the input from weight and the gradient of the output.
    Input,
    /// The gradient of the weight from the input and the gradient of the output.
    Weight,
}

/// Everything that a plan depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature {
    /// The batch included.
    pub shape: Conv2dShape,
    /// What is computed.
    pub direction: Direction,
    /// In which numbers.
    pub numbers: Numbers,
    /// Whether two runs must give the same bits.
    pub determinism: crate::Determinism,
}

/// Addresses of input, weight and output, or of their gradients; multiples of 16.
#[derive(Debug, Clone, Copy)]
pub struct Operands {
    /// `(N, H, W, C_in)`.
    pub x: Pointer,
    /// `(C_out, KH, KW, C_in)`.
    pub w: Pointer,
    /// `(N, H', W', C_out)`.
    pub y: Pointer,
}

/// A plan that is ready to run.
#[derive(Debug)]
pub(crate) struct Convolution {
    plan: Descriptor,
    workspace: usize,
}

const X: i64 = 1;
const W: i64 = 2;
const Y: i64 = 3;

/// Engine configurations asked of the heuristics.
const ASKED: usize = 24;

/// No plan may ask for more memory beside its operands.
const WORKSPACE: usize = 1 << 30;

impl Convolution {
    /// The fastest of the plans for `signature`, or the first one where two runs must choose alike. Each that is tried is run on
    /// `operands`, whose values are lost where they are written. `workspace` gives room for so many bytes.
    pub fn fastest(
        device: &Device,
        (signature, effort): (&Signature, Effort),
        operands: Operands,
        workspace: &mut dyn FnMut(usize) -> Result<Pointer, CudaError>,
    ) -> Result<(Self, Choice), CudaError> {
        let cudnn = device.cudnn();
        let graph = operation(cudnn, signature)?;
        let most = choice::most(signature.determinism, effort);
        let time = |config: &Descriptor| {
            let plan = Self::of(cudnn, config, signature)?;
            let space = workspace(plan.workspace)?;
            let seconds = plan.time(device, operands, space)?;
            Ok((plan, seconds))
        };
        choice::fastest(most, |mode| heuristics(&graph, mode), time).map_err(|Nothing { named, message }| {
            CudaError::NoEngine {
                version: cudnn.version(),
                what: format!("{signature:?}"),
                tried: named,
                message,
            }
        })
    }

    /// The plan of an engine's configuration, if the engine computes with enough precision.
    fn of(cudnn: &Cudnn, config: &Descriptor, signature: &Signature) -> Result<Self, CudaError> {
        let engine = config.descriptors(
            Name::CUDNN_ATTR_ENGINECFG_ENGINE,
            Kind::CUDNN_BACKEND_ENGINE_DESCRIPTOR,
            1,
        )?;
        let notes = engine.first().map(Descriptor::numerical_notes).transpose()?.unwrap_or_default();
        if let Some(doing) = choice::refusal(&notes, signature.numbers, signature.determinism) {
            return Err(CudaError::Cudnn { doing, message: format!("its notes are {notes:?}") });
        }
        let plan = Descriptor::of(
            Kind::CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR,
            &[
                (Name::CUDNN_ATTR_EXECUTION_PLAN_HANDLE, Attribute::Handle(cudnn.0)),
                (Name::CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, Attribute::Descriptors(&[config])),
            ],
        )?;
        let workspace = plan.int(Name::CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE)?;
        let workspace = usize::try_from(workspace).unwrap_or(usize::MAX);
        if workspace > WORKSPACE {
            let message = format!("it asks for {} MiB beside", workspace >> 20);
            return Err(CudaError::Cudnn { doing: "compute this", message });
        }
        Ok(Self { plan, workspace })
    }

    /// Seconds that it takes: the least of a few runs.
    fn time(&self, device: &Device, operands: Operands, workspace: Pointer) -> Result<f64, CudaError> {
        const RUNS: usize = 3;
        const REPEATED: usize = 4;
        self.run(device, operands, workspace)?;
        device.wait()?;
        let mut least = f64::INFINITY;
        for _ in 0..RUNS {
            let began = Instant::now();
            for _ in 0..REPEATED {
                self.run(device, operands, workspace)?;
            }
            device.wait()?;
            least = least.min(began.elapsed().as_secs_f64() / REPEATED as f64);
        }
        Ok(least)
    }

    /// Bytes that [`run`](Self::run) needs beside its operands.
    pub fn workspace(&self) -> usize {
        self.workspace
    }

    /// Begins it.
    pub fn run(&self, device: &Device, operands: Operands, workspace: Pointer) -> Result<(), CudaError> {
        let pointers = [operands.x, operands.w, operands.y].map(|pointer| pointer as *mut c_void);
        let pack = Descriptor::of(
            Kind::CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR,
            &[
                (Name::CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, Attribute::Ints(&[X, W, Y])),
                (Name::CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, Attribute::Pointers(&pointers)),
                (Name::CUDNN_ATTR_VARIANT_PACK_WORKSPACE, Attribute::Pointers(&[workspace as *mut c_void])),
            ],
        )?;
        // SAFETY: the operands lie in memory of the sizes that the plan was made for (this crate's buffers, or by the contract of
        // `raw::Stream::convolve`), the workspace has at least `self.workspace` bytes; all are used, and freed, in the stream's order.
        status("run a convolution", unsafe {
            sys::cudnnBackendExecute(device.cudnn().0, self.plan.raw(), pack.raw())
        })
    }
}

/// Sizes of input, weight and output in cuDNN's order: `(N, C, H, W)`, of the weight `(C_out, C_in, KH, KW)`.
fn sizes(shape: &Conv2dShape) -> [[i64; 4]; 3] {
    let Conv2dShape { batch: n, height, width, in_channels: c, out_channels: k, kernel: [r, s], .. } = *shape;
    [[n, c, height, width], [k, c, r, s], [n, k, shape.out_height(), shape.out_width()]]
        .map(|sizes| sizes.map(|size| size as i64))
}

/// Strides of a tensor of these sizes whose channels lie next to each other.
fn channels_last([_, c, h, w]: [i64; 4]) -> [i64; 4] {
    [h * w * c, 1, w * c, c]
}

/// The operation as a graph of one node.
fn operation(cudnn: &Cudnn, signature: &Signature) -> Result<Descriptor, CudaError> {
    let data = match signature.numbers {
        Numbers::F32 | Numbers::Tf32 => DataType::CUDNN_DATA_FLOAT,
        Numbers::Bf16 => DataType::CUDNN_DATA_BFLOAT16,
    };
    let tensor = |id: i64, sizes: [i64; 4]| {
        Descriptor::of(
            Kind::CUDNN_BACKEND_TENSOR_DESCRIPTOR,
            &[
                (Name::CUDNN_ATTR_TENSOR_DATA_TYPE, Attribute::DataType(data)),
                (Name::CUDNN_ATTR_TENSOR_DIMENSIONS, Attribute::Ints(&sizes)),
                (Name::CUDNN_ATTR_TENSOR_STRIDES, Attribute::Ints(&channels_last(sizes))),
                (Name::CUDNN_ATTR_TENSOR_UNIQUE_ID, Attribute::Ints(&[id])),
                (Name::CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, Attribute::Ints(&[16])),
            ],
        )
    };
    let [x, weight, y] = sizes(&signature.shape);
    let (x, weight, y) = (tensor(X, x)?, tensor(W, weight)?, tensor(Y, y)?);
    let around = [signature.shape.padding as i64; 2];
    let convolution = Descriptor::of(
        Kind::CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR,
        &[
            (Name::CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, Attribute::Ints(&[2])),
            (Name::CUDNN_ATTR_CONVOLUTION_COMP_TYPE, Attribute::DataType(DataType::CUDNN_DATA_FLOAT)),
            (
                Name::CUDNN_ATTR_CONVOLUTION_CONV_MODE,
                Attribute::Mode(cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION),
            ),
            (Name::CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, Attribute::Ints(&around)),
            (Name::CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, Attribute::Ints(&around)),
            (Name::CUDNN_ATTR_CONVOLUTION_DILATIONS, Attribute::Ints(&[1, 1])),
            (
                Name::CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES,
                Attribute::Ints(&[signature.shape.stride as i64; 2]),
            ),
        ],
    )?;
    let (kind, [alpha, beta, conv, names @ ..]) = match signature.direction {
        Direction::Forward => (
            Kind::CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
            [
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
            ],
        ),
        Direction::Input => (
            Kind::CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
            [
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
            ],
        ),
        Direction::Weight => (
            Kind::CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
            [
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                Name::CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
            ],
        ),
    };
    let node = Descriptor::of(
        kind,
        &[
            (alpha, Attribute::Float(1.0)),
            (beta, Attribute::Float(0.0)),
            (conv, Attribute::Descriptors(&[&convolution])),
            (names[0], Attribute::Descriptors(&[&x])),
            (names[1], Attribute::Descriptors(&[&weight])),
            (names[2], Attribute::Descriptors(&[&y])),
        ],
    )?;
    Descriptor::of(
        Kind::CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR,
        &[
            (Name::CUDNN_ATTR_OPERATIONGRAPH_HANDLE, Attribute::Handle(cudnn.0)),
            (Name::CUDNN_ATTR_OPERATIONGRAPH_OPS, Attribute::Descriptors(&[&node])),
        ],
    )
}

/// Configurations of engines for the graph, the most promising first.
fn heuristics(graph: &Descriptor, mode: Mode) -> Result<Vec<Descriptor>, CudaError> {
    let heuristics = Descriptor::of(
        Kind::CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR,
        &[
            (Name::CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, Attribute::Descriptors(&[graph])),
            (Name::CUDNN_ATTR_ENGINEHEUR_MODE, Attribute::Heuristics(mode)),
        ],
    )?;
    heuristics.descriptors(
        Name::CUDNN_ATTR_ENGINEHEUR_RESULTS,
        Kind::CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
        ASKED,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_are_described_as_they_lie_in_memory() {
        let shape = Conv2dShape {
            batch: 5,
            height: 9,
            width: 7,
            in_channels: 3,
            out_channels: 4,
            kernel: [3, 2],
            stride: 2,
            padding: 1,
        };
        let [x, weight, y] = sizes(&shape);
        // (9 + 2 - 3) / 2 + 1 rows and (7 + 2 - 2) / 2 + 1 columns.
        assert_eq!([x, weight, y], [[5, 3, 9, 7], [4, 3, 3, 2], [5, 4, 5, 4]]);
        // One step in each of image, channel, row and column of (N, H, W, C), and of (C_out, KH, KW, C_in).
        assert_eq!(channels_last(x), [9 * 7 * 3, 1, 7 * 3, 3]);
        assert_eq!(channels_last(weight), [3 * 2 * 3, 1, 2 * 3, 3]);
        assert_eq!(channels_last(y), [5 * 4 * 4, 1, 4 * 4, 4]);
    }
}
