//! A 3×3 convolution by each algorithm, with its weight made ready for many batches, and by the plain functions without anything fused:
//! `forward/tiles4/f32/n128_32x32x64`. "elem/s" are floating-point operations a second, as if computed directly.
//!
//!     cargo bench -p wick-kernels --bench algorithms -- packed
#![allow(missing_docs)]

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use half::bf16;
use wick_kernels::fused::{
    Algorithm, Epilogue, Sink, Source, Write, conv2d, conv2d_input_gradient, conv2d_packed,
    conv2d_weight_gradient, pack_conv2d, packed_conv2d_len,
};
use wick_kernels::huge_pages::Lines;
use wick_kernels::{Conv2dShape, Element, ShapeError, conv2d_forward};

/// Batch, size and channels of ResNet-18's layers, and of its last in a small evaluation.
const LAYERS: [[usize; 3]; 5] = [[128, 32, 64], [128, 16, 128], [128, 8, 256], [128, 4, 512], [20, 4, 512]];

const ALGORITHMS: [(&str, Algorithm); 3] =
    [("direct", Algorithm::Direct), ("tiles2", Algorithm::Tiles2), ("tiles4", Algorithm::Tiles4)];

fn shapes() -> impl Iterator<Item = (Conv2dShape, String)> {
    LAYERS.into_iter().map(|[batch, size, channels]| {
        let shape = Conv2dShape {
            batch,
            height: size,
            width: size,
            in_channels: channels,
            out_channels: channels,
            kernel: [3, 3],
            stride: 1,
            padding: 1,
        };
        (shape, format!("n{batch}_{size}x{size}x{channels}"))
    })
}

fn group<'c>(c: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = c.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group
}

/// Times `pass`, a convolution of that shape.
fn time(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: String,
    shape: &Conv2dShape,
    mut pass: impl FnMut() -> Result<(), ShapeError>,
) {
    group.throughput(Throughput::Elements(shape.flops() as u64));
    group.bench_function(id, |bench| bench.iter(&mut pass));
}

fn plain<E>(to: &mut [E]) -> Sink<'_, E> {
    Sink { to, write: Write::Stream, epilogue: Epilogue::None }
}

fn of_type<E: Element>(c: &mut Criterion) {
    let precision = format!("{:?}", E::PRECISION).to_lowercase();
    for (shape, name) in shapes() {
        let x = Lines::new(E::from_f32(0.5), shape.input_len());
        let mut y = Lines::new(E::from_f32(0.25), shape.output_len());
        let mut dx = Lines::new(E::default(), shape.input_len());
        let weight = vec![0.25; shape.weight_len()];
        let mut dw = weight.clone();
        for (algorithm, by) in ALGORITHMS {
            let id = format!("{algorithm}/{precision}/{name}");
            time(&mut group(c, "forward"), id.clone(), &shape, || {
                conv2d(&shape, by, Source::Plain(&x), &weight, plain(&mut y))
            });
            time(&mut group(c, "input_gradient"), id.clone(), &shape, || {
                conv2d_input_gradient(&shape, by, Source::Plain(&y), &weight, plain(&mut dx))
            });
            time(&mut group(c, "weight_gradient"), id.clone(), &shape, || {
                conv2d_weight_gradient(&shape, by, Source::Plain(&x), Source::Plain(&y), &mut dw)
            });
            let Ok(len) = packed_conv2d_len::<E>(&shape, by) else { continue };
            let mut packed = vec![E::default(); len];
            time(&mut group(c, "pack"), id.clone(), &shape, || pack_conv2d(&shape, by, &weight, &mut packed));
            time(&mut group(c, "packed_forward"), id, &shape, || {
                conv2d_packed(&shape, by, Source::Plain(&x), &packed, plain(&mut y))
            });
        }
    }
}

/// The plain functions, which choose an algorithm themselves.
fn unfused(c: &mut Criterion) {
    for (shape, name) in shapes() {
        let (x, mut y) = (vec![0.5; shape.input_len()], vec![0.25; shape.output_len()]);
        let (mut dx, weight) = (x.clone(), vec![0.25; shape.weight_len()]);
        let mut dw = weight.clone();
        let mut group = group(c, "plain");
        time(&mut group, format!("forward/{name}"), &shape, || conv2d_forward(&shape, &x, &weight, &mut y));
        time(&mut group, format!("input_gradient/{name}"), &shape, || {
            wick_kernels::conv2d_input_gradient(&shape, &y, &weight, &mut dx)
        });
        time(&mut group, format!("weight_gradient/{name}"), &shape, || {
            wick_kernels::conv2d_weight_gradient(&shape, &x, &y, &mut dw)
        });
    }
}

fn algorithms(c: &mut Criterion) {
    of_type::<f32>(c);
    of_type::<bf16>(c);
    unfused(c);
}

criterion_group!(benches, algorithms);
criterion_main!(benches);
