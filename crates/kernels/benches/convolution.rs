//! The networks' convolutions as a training step runs them, normalising and gating while they read and write; each pass alone,
//! in both types, the shape in the id: `forward/bf16/n32_32x32x64_k3_s1_64`.
//!
//!     cargo bench -p wick-kernels --bench convolution -- forward/bf16
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use half::bf16;
use wick_kernels::fused::{
    Activation, Algorithm, Coefficients, Epilogue, Gate, Sink, Source, Write, conv2d, conv2d_input_gradient,
    conv2d_weight_gradient,
};
use wick_kernels::huge_pages::Lines;
use wick_kernels::{Conv2dShape, Element, ShapeError};

/// Input size, C_in, C_out, kernel, stride: ResNet-18's, with stride 1 in layer4, the custom ResNet's, the speedrun network's.
const LAYERS: [[usize; 5]; 21] = [
    [32, 3, 64, 3, 1],
    [32, 64, 64, 3, 1],
    [32, 64, 128, 3, 2],
    [32, 64, 128, 1, 2],
    [16, 128, 128, 3, 1],
    [16, 128, 256, 3, 2],
    [16, 128, 256, 1, 2],
    [8, 256, 256, 3, 1],
    [8, 256, 512, 3, 2],
    [8, 256, 512, 1, 2],
    [4, 512, 512, 3, 1],
    [8, 256, 512, 3, 1],
    [8, 512, 512, 3, 1],
    [32, 64, 128, 3, 1],
    [16, 128, 256, 3, 1],
    [32, 3, 24, 2, 1],
    [31, 24, 64, 3, 1],
    [15, 64, 64, 3, 1],
    [15, 64, 256, 3, 1],
    [7, 256, 256, 3, 1],
    [3, 256, 256, 3, 1],
];

fn shapes() -> impl Iterator<Item = Conv2dShape> {
    LAYERS.into_iter().flat_map(|[size, in_channels, out_channels, kernel, stride]| {
        [32, 128].map(|batch| Conv2dShape {
            batch,
            height: size,
            width: size,
            in_channels,
            out_channels,
            kernel: [kernel; 2],
            stride,
            padding: (kernel - 1) / 2,
        })
    })
}

/// A convolution's tensors, and what normalises them.
struct Layer<E> {
    shape: Conv2dShape,
    x: Lines<E>,
    y: Lines<E>,
    weight: Vec<f32>,
    coefficients: Vec<f32>,
    sums: Vec<f32>,
}

impl<E: Element> Layer<E> {
    fn new(shape: Conv2dShape) -> Self {
        let channels = shape.in_channels.max(shape.out_channels);
        Self {
            shape,
            x: Lines::new(E::from_f32(0.5), shape.input_len()),
            y: Lines::new(E::from_f32(0.25), shape.output_len()),
            weight: vec![0.25; shape.weight_len()],
            coefficients: vec![0.5; channels],
            sums: vec![0.0; shape.batch * 2 * channels],
        }
    }

    /// The output's norm needs the sums of what is written.
    fn forward(&mut self) -> Result<(), ShapeError> {
        let Self { shape, x, y, weight, coefficients, sums } = self;
        let x = rectified(x, per_channel(coefficients, shape.in_channels));
        let sums = &mut sums[..shape.batch * 2 * shape.out_channels];
        let y = Sink { to: y, write: Write::Stream, epilogue: Epilogue::Statistics { sums } };
        conv2d(shape, Algorithm::default(), x, weight, y)
    }

    /// The norm and ReLU that the input went through: the gate, and the sums that its gradient needs.
    fn input_gradient(&mut self, dx: &mut [E]) -> Result<(), ShapeError> {
        let Self { shape, x, y, weight, coefficients, sums } = self;
        let of = per_channel(coefficients, shape.in_channels);
        let gate = Gate::Normalised { y: x, scale: of, shift: of, activation: Activation::Relu };
        let sums = &mut sums[..shape.batch * 2 * shape.in_channels];
        let epilogue = Epilogue::Gradient { gate, with: [Some(x), None], sums };
        let dy = gradient(y, per_channel(coefficients, shape.out_channels));
        let dx = Sink { to: dx, write: Write::Stream, epilogue };
        conv2d_input_gradient(shape, Algorithm::default(), dy, weight, dx)
    }

    fn weight_gradient(&self, dw: &mut [f32]) -> Result<(), ShapeError> {
        let Self { shape, x, y, coefficients, .. } = self;
        let x = rectified(x, per_channel(coefficients, shape.in_channels));
        let dy = gradient(y, per_channel(coefficients, shape.out_channels));
        conv2d_weight_gradient(shape, Algorithm::default(), x, dy, dw)
    }
}

fn per_channel(coefficients: &[f32], channels: usize) -> Coefficients<'_> {
    Coefficients::PerChannel(&coefficients[..channels])
}

fn rectified<'a, E>(x: &'a [E], of: Coefficients<'a>) -> Source<'a, E> {
    Source::Normalised { x, scale: of, shift: of, activation: Activation::Relu }
}

fn gradient<'a, E>(y: &'a [E], of: Coefficients<'a>) -> Source<'a, E> {
    Source::Gradient { g: y, y, a: of, b: of, c: of }
}

/// Times `pass` with every shape; `setup` makes its output.
fn passes<E: Element, T>(
    c: &mut Criterion,
    name: &str,
    setup: impl Fn(&Layer<E>) -> T,
    mut pass: impl FnMut(&mut Layer<E>, &mut T) -> Result<(), ShapeError>,
) {
    let mut group = c.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for shape in shapes() {
        let precision = format!("{:?}", E::PRECISION).to_lowercase();
        let Conv2dShape { batch, height, width, in_channels, out_channels, kernel, stride, .. } = shape;
        let id = format!("n{batch}_{height}x{width}x{in_channels}_k{}_s{stride}_{out_channels}", kernel[0]);
        // "elem/s" are floating-point operations a second, as if computed directly.
        group.throughput(Throughput::Elements(shape.flops() as u64));
        group.bench_function(BenchmarkId::new(precision, id), |bench| {
            let mut layer = Layer::new(shape);
            let mut out = setup(&layer);
            bench.iter(|| pass(black_box(&mut layer), &mut out));
        });
    }
}

fn of_type<E: Element>(c: &mut Criterion) {
    passes::<E, _>(c, "forward", |_| (), |layer, ()| layer.forward());
    passes::<E, _>(
        c,
        "input_gradient",
        |layer| Lines::new(E::default(), layer.x.len()),
        |layer, dx| layer.input_gradient(dx),
    );
    passes::<E, _>(c, "weight_gradient", |layer| layer.weight.clone(), |layer, dw| layer.weight_gradient(dw));
}

fn convolution(c: &mut Criterion) {
    of_type::<f32>(c);
    of_type::<bf16>(c);
}

criterion_group!(benches, convolution);
criterion_main!(benches);
