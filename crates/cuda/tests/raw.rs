//! Kernels and convolutions on a stream that is there already. Without a GPU this does nothing.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, unsafe_code)] // in helpers as in tests

use std::sync::Arc;

use cudarc::driver::CudaContext;
use wick_cuda::raw::{Conv2dShape, Direction, Launch, Operands, Signature, Stream};
use wick_cuda::{CudaError, Determinism, Numbers};

mod gpu;

#[test]
fn somebody_elses_memory_is_read_and_written() {
    if gpu::device().is_none() {
        return;
    }
    let theirs = CudaContext::new(0).unwrap().new_stream().unwrap();
    let stream = Stream::new(Arc::clone(&theirs)).unwrap();
    let x: Vec<f32> = (0..8).map(|v| v as f32).collect();
    let (from, to) = (theirs.clone_htod(&x).unwrap(), theirs.alloc_zeros::<f32>(8).unwrap());

    let text = r#"extern "C" __global__ void scaled(const float* x, float by, int count, float* y) {
        const int k = blockIdx.x * blockDim.x + threadIdx.x;
        if (k < count) y[k] = by * x[k];
    }"#;
    let kernel = stream.compile(text).unwrap().kernel("scaled").unwrap();
    let launch = Launch::over(8).with(stream.address(&from)).with(3.0f32).with(8usize);
    // SAFETY: the kernel's arguments, eight values each.
    unsafe { stream.launch(&kernel, &launch.with(stream.address(&to))) }.unwrap();
    let tripled: Vec<f32> = x.iter().map(|v| 3.0 * v).collect();
    assert_eq!(theirs.clone_dtoh(&to).unwrap(), tripled);

    // Two pixels of four channels by a weight of four by four: y[p][k] = Σ x[p][c]·w[k][c].
    let shape = Conv2dShape {
        batch: 1,
        height: 1,
        width: 2,
        in_channels: 4,
        out_channels: 4,
        kernel: [1, 1],
        stride: 1,
        padding: 0,
    };
    let weight: Vec<f32> = (0..16).map(|v| (v % 5) as f32).collect();
    let w = theirs.clone_htod(&weight).unwrap();
    let operands = Operands { x: stream.address(&from), w: stream.address(&w), y: stream.address(&to) };
    let (numbers, determinism) = (Numbers::F32, Determinism::Free);
    let signature = Signature { shape, direction: Direction::Forward, numbers, determinism };
    let want: Vec<f32> =
        (0..8).map(|i| (0..4).map(|c| x[i / 4 * 4 + c] * weight[i % 4 * 4 + c]).sum()).collect();
    // Chosen, then used.
    for _ in 0..2 {
        // SAFETY: of those sizes.
        unsafe { stream.convolve(&signature, operands) }.unwrap();
        assert_eq!(theirs.clone_dtoh(&to).unwrap(), want);
    }

    let error = stream.compile("extern \"C\" __global__ void broken() { not C }").unwrap_err();
    assert!(matches!(error, CudaError::Compile { .. }), "{error}");
}
