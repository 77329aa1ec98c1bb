//! Fused passes that do next to no arithmetic: elementwise ones and pools, in both types, the shape in the id:
//! `residual/bf16/n32_32x32x64`. Throughput is what is read and written: as much as memory gives is the best there is.
//!
//!     cargo bench -p wick-kernels --bench passes -- max_pool2d
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use half::bf16;
use wick_kernels::fused::{
    Activation, Coefficients, Epilogue, Extent, Gate, Sink, Source, Write, combine, global_avg_pool2d,
    max_pool2d, max_pool2d_gradient,
};
use wick_kernels::huge_pages::Lines;
use wick_kernels::{Element, Pool2dShape, ShapeError};

/// Size and channels of ResNet-18's activations.
const ACTIVATIONS: [[usize; 2]; 4] = [[32, 64], [16, 128], [8, 256], [4, 512]];

/// Size, channels, kernel and stride of the custom ResNet's pools and the speedrun network's, and of one that overlaps.
const POOLS: [[usize; 4]; 8] = [
    [32, 128, 2, 2],
    [16, 256, 2, 2],
    [4, 512, 4, 4],
    [31, 64, 2, 2],
    [15, 256, 2, 2],
    [7, 256, 2, 2],
    [3, 256, 3, 3],
    [32, 64, 3, 2],
];

const BATCH: usize = 32;

/// Times `pass`, which moves `values` values of type `E`.
fn time<E: Element>(
    c: &mut Criterion,
    name: &str,
    shape: &str,
    values: usize,
    mut pass: impl FnMut() -> Result<(), ShapeError>,
) {
    let mut group = c.benchmark_group(name);
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group.throughput(Throughput::Bytes((values * size_of::<E>()) as u64));
    let precision = format!("{:?}", E::PRECISION).to_lowercase();
    group.bench_function(BenchmarkId::new(precision, shape), |bench| bench.iter(|| black_box(pass())));
}

fn combining<E: Element>(c: &mut Criterion) {
    for [size, channels] in ACTIVATIONS {
        let extent = Extent { images: BATCH, pixels: size * size, channels };
        let shape = format!("n{BATCH}_{size}x{size}x{channels}");
        let n = BATCH * size * size * channels;
        let [x, z] = [0.5, 0.25].map(|v| Lines::new(E::from_f32(v), n));
        let (mut y, mut sums) = (Lines::new(E::default(), n), vec![0.0; BATCH * 3 * channels]);
        let ones = vec![1.0; channels];
        let of = Coefficients::PerChannel(&ones);

        // A block's end: two norms, their sum, ReLU or GELU.
        for (name, activation) in [("residual", Activation::Relu), ("residual_gelu", Activation::Gelu)] {
            let normalised = |x| Source::Normalised { x, scale: of, shift: of, activation: Activation::None };
            time::<E>(c, name, &shape, 3 * n, || {
                let epilogue = Epilogue::Affine { scale: None, shift: None, residual: None, activation };
                let sink = Sink { to: &mut y, write: Write::Overwrite, epilogue };
                combine(extent, &[normalised(&x), normalised(&z)], sink)
            });
        }
        // And backward: a norm's gradient is added to what is there, and goes through that end.
        time::<E>(c, "residual_gradient", &shape, 5 * n, || {
            let epilogue =
                Epilogue::Gradient { gate: Gate::Positive(&z), with: [Some(&x), Some(&z)], sums: &mut sums };
            let sink = Sink { to: &mut y, write: Write::Add, epilogue };
            combine(extent, &[Source::Gradient { g: &x, y: &z, a: of, b: of, c: of }], sink)
        });
        let mut mean = vec![0.0; BATCH * channels];
        time::<E>(c, "global_avg_pool2d", &shape, n, || {
            global_avg_pool2d(extent, Source::Plain(&x), &mut mean)
        });
    }
}

fn pooling<E: Element>(c: &mut Criterion) {
    for [size, channels, kernel, stride] in POOLS {
        let s = Pool2dShape { batch: BATCH, height: size, width: size, channels, kernel, stride };
        let shape = format!("n{BATCH}_{size}x{size}x{channels}_k{kernel}_s{stride}");
        let (input, output) = (s.input_len(), s.output_len());
        let mut x: Vec<E> = (0..input).map(|i| E::from_f32((i % 251) as f32)).collect();
        let (mut y, mut indices) = (Lines::new(E::default(), output), vec![0; output]);
        time::<E>(c, "max_pool2d", &shape, input + output, || {
            max_pool2d(&s, Source::Plain(&x), Some(&mut indices), Sink::plain(&mut y))
        });
        time::<E>(c, "max_pool2d_gradient", &shape, input + output, || {
            max_pool2d_gradient(&s, Source::Plain(&y), &indices, Sink::plain(&mut x))
        });
    }
}

fn passes(c: &mut Criterion) {
    combining::<f32>(c);
    combining::<bf16>(c);
    pooling::<f32>(c);
    pooling::<bf16>(c);
}

criterion_group!(benches, passes);
criterion_main!(benches);
