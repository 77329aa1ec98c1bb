//! Layers that are passes of their own, in f32, each with its gradient, the shape in the id: `batch_norm/statistics/n128_32x32x64`.
//! Throughput is what is read and written.
//!
//!     cargo bench -p wick-kernels --bench layers -- group_norm
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use wick_kernels::{
    Activation, GhostBatchNormShape, GroupNormShape, LinearShape, NormAffine, NormGradients, NormPass,
    NormStatistics, Pool2dShape, ShapeError, add_relu_forward, avg_pool2d_backward, avg_pool2d_forward,
    batch_norm_backward, batch_norm_backward_frozen, batch_norm_normalise, batch_norm_statistics,
    bias_backward, bias_forward, cross_entropy_backward, cross_entropy_forward, gelu_backward, gelu_forward,
    ghost_batch_norm_backward, ghost_batch_norm_normalise, ghost_batch_norm_statistics,
    global_avg_pool2d_backward, global_avg_pool2d_forward, group_norm_backward, group_norm_forward,
    linear_backward, linear_forward, max_pool2d_backward, max_pool2d_forward, relu_backward, relu_forward,
};

const BATCH: usize = 128;

/// Size and channels of ResNet-18's largest and smallest activations.
const ACTIVATIONS: [[usize; 2]; 2] = [[32, 64], [4, 512]];

/// Times `pass`, which moves `values` floats.
fn time<T>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: String,
    values: usize,
    mut pass: impl FnMut() -> Result<T, ShapeError>,
) {
    group.throughput(Throughput::Bytes((values * size_of::<f32>()) as u64));
    group.bench_function(id, |bench| bench.iter(|| black_box(pass())));
}

fn group<'c>(c: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = c.benchmark_group(name);
    group.sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group
}

/// One tensor's values, its gradient and what a norm knows of its channels.
struct Tensors {
    shape: String,
    positions: usize,
    channels: usize,
    x: Vec<f32>,
    y: Vec<f32>,
    dy: Vec<f32>,
    dx: Vec<f32>,
    /// For each image and channel.
    per_channel: [Vec<f32>; 4],
}

impl Tensors {
    fn all() -> [Self; 2] {
        ACTIVATIONS.map(|[size, channels]| {
            let len = BATCH * size * size * channels;
            let values = |step: usize| (0..len).map(|i| ((i * step) % 251) as f32 / 125.0 - 1.0).collect();
            Self {
                shape: format!("n{BATCH}_{size}x{size}x{channels}"),
                positions: size * size,
                channels,
                x: values(7),
                y: values(11),
                dy: values(13),
                dx: vec![0.0; len],
                per_channel: [1; 4].map(|_| vec![0.5; BATCH * channels]),
            }
        })
    }
}

fn batch_norm(c: &mut Criterion) {
    let mut group = group(c, "batch_norm");
    for Tensors { shape, channels, x, mut y, dy, mut dx, per_channel, .. } in Tensors::all() {
        let (n, of) = (x.len(), |v: Vec<f32>| v[..channels].to_vec());
        let [mut mean, mut variance, weight, bias] = per_channel.map(of);
        let (mut dweight, mut dbias) = (weight.clone(), bias.clone());
        time(&mut group, format!("statistics/{shape}"), n, || {
            batch_norm_statistics(&x, &mut mean, &mut variance)
        });
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
        let affine = NormAffine { weight: &weight, bias: &bias, activation: Activation::Relu };
        time(&mut group, format!("normalise/{shape}"), 2 * n, || {
            batch_norm_normalise(&x, statistics, affine, &mut y)
        });
        let pass =
            NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &weight, activation: Activation::Relu };
        let mut gradients = |backward: fn(NormPass, NormGradients) -> Result<(), ShapeError>| {
            backward(pass, NormGradients { dx: &mut dx, dweight: &mut dweight, dbias: &mut dbias })
        };
        time(&mut group, format!("backward/{shape}"), 7 * n, || gradients(batch_norm_backward));
        time(&mut group, format!("backward_frozen/{shape}"), 4 * n, || gradients(batch_norm_backward_frozen));
    }
}

fn ghost_batch_norm(c: &mut Criterion) {
    let mut group = group(c, "ghost_batch_norm");
    for Tensors { shape, positions, channels, x, mut y, dy, mut dx, per_channel } in Tensors::all() {
        let (n, s) = (x.len(), GhostBatchNormShape { batch: BATCH, positions, channels, splits: 2 });
        let [weight, bias, ..] = per_channel.map(|v| v[..channels].to_vec());
        let (mut dweight, mut dbias) = (weight.clone(), bias.clone());
        let [mut mean, mut variance] = [1; 2].map(|_| vec![0.5; s.statistics_len()]);
        time(&mut group, format!("statistics/{shape}"), n, || {
            ghost_batch_norm_statistics(&s, &x, &mut mean, &mut variance)
        });
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
        let affine = NormAffine { weight: &weight, bias: &bias, activation: Activation::Relu };
        time(&mut group, format!("normalise/{shape}"), 2 * n, || {
            ghost_batch_norm_normalise(&s, &x, statistics, affine, &mut y)
        });
        let pass =
            NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &weight, activation: Activation::Relu };
        time(&mut group, format!("backward/{shape}"), 7 * n, || {
            let out = NormGradients { dx: &mut dx, dweight: &mut dweight, dbias: &mut dbias };
            ghost_batch_norm_backward(&s, pass, out)
        });
    }
}

/// Over all values of an image, each with a scale and a bias of its own.
fn layer_norm(c: &mut Criterion) {
    let mut group = group(c, "layer_norm");
    for mut tensors in Tensors::all() {
        let (shape, values) = (tensors.shape.clone(), tensors.x.len() / BATCH);
        norm_of_images(&mut group, &shape, GroupNormShape::layer(BATCH, values), &mut tensors);
    }
}

fn group_norm(c: &mut Criterion) {
    let mut group = group(c, "group_norm");
    for mut tensors in Tensors::all() {
        for groups in [1, 32] {
            let Tensors { ref shape, positions, channels, .. } = tensors;
            let id = format!("{shape}_g{groups}");
            let s = GroupNormShape { batch: BATCH, positions, channels, groups };
            norm_of_images(&mut group, &id, s, &mut tensors);
        }
    }
}

fn norm_of_images(group: &mut BenchmarkGroup<'_, WallTime>, id: &str, s: GroupNormShape, of: &mut Tensors) {
    let Tensors { x, y, dy, dx, .. } = of;
    let (n, weight, bias) = (x.len(), vec![0.5; s.channels], vec![0.5; s.channels]);
    let (mut dweight, mut dbias) = (weight.clone(), bias.clone());
    let [mut mean, mut variance] = [1; 2].map(|_| vec![0.5; s.statistics_len()]);
    let affine = NormAffine { weight: &weight, bias: &bias, activation: Activation::Relu };
    time(group, format!("forward/{id}"), 2 * n, || {
        group_norm_forward(&s, x, affine, 1e-5, y, &mut mean, &mut variance)
    });
    let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
    let pass = NormPass { x, y, dy, statistics, weight: &weight, activation: Activation::Relu };
    time(group, format!("backward/{id}"), 4 * n, || {
        group_norm_backward(&s, pass, NormGradients { dx, dweight: &mut dweight, dbias: &mut dbias })
    });
}

fn elementwise(c: &mut Criterion) {
    let mut group = group(c, "elementwise");
    for Tensors { shape, x, mut y, dy, mut dx, mut per_channel, channels, .. } in Tensors::all() {
        let (n, bias) = (x.len(), &mut per_channel[0][..channels]);
        time(&mut group, format!("relu_forward/{shape}"), 2 * n, || relu_forward(&x, &mut y));
        time(&mut group, format!("relu_backward/{shape}"), 3 * n, || relu_backward(&x, &dy, &mut dx));
        time(&mut group, format!("add_relu_forward/{shape}"), 3 * n, || add_relu_forward(&x, &dy, &mut y));
        time(&mut group, format!("gelu_forward/{shape}"), 2 * n, || gelu_forward(&x, &mut y));
        time(&mut group, format!("gelu_backward/{shape}"), 3 * n, || gelu_backward(&x, &dy, &mut dx));
        time(&mut group, format!("bias_forward/{shape}"), 2 * n, || bias_forward(&x, bias, &mut y));
        time(&mut group, format!("bias_backward/{shape}"), n, || bias_backward(&dy, bias));
    }
}

fn pooling(c: &mut Criterion) {
    let mut group = group(c, "pooling");
    for Tensors { shape, positions, channels, x, mut y, dy, mut dx, per_channel } in Tensors::all() {
        let n = x.len();
        let size = positions.isqrt();
        let s = Pool2dShape { batch: BATCH, height: size, width: size, channels, kernel: 2, stride: 2 };
        let out = s.output_len();
        let mut indices = vec![0; out];
        time(&mut group, format!("max_pool2d_forward/{shape}_k2_s2"), n + 2 * out, || {
            max_pool2d_forward(&s, &x, &mut y[..out], &mut indices)
        });
        time(&mut group, format!("max_pool2d_backward/{shape}_k2_s2"), n + 2 * out, || {
            max_pool2d_backward(&s, &dy[..out], &indices, &mut dx)
        });
        time(&mut group, format!("avg_pool2d_forward/{shape}_k2_s2"), n + out, || {
            avg_pool2d_forward(&s, &x, &mut y[..out])
        });
        time(&mut group, format!("avg_pool2d_backward/{shape}_k2_s2"), n + out, || {
            avg_pool2d_backward(&s, &dy[..out], &mut dx)
        });
        let mut mean = per_channel[0].clone();
        time(&mut group, format!("global_avg_pool2d_forward/{shape}"), n, || {
            global_avg_pool2d_forward(BATCH, positions, channels, &x, &mut mean)
        });
        time(&mut group, format!("global_avg_pool2d_backward/{shape}"), n, || {
            global_avg_pool2d_backward(BATCH, positions, channels, &per_channel[0], &mut dx)
        });
    }
}

/// The end of a network.
fn classifier(c: &mut Criterion) {
    let mut group = group(c, "classifier");
    for classes in [10, 100] {
        let s = LinearShape { batch: BATCH, in_features: 512, out_features: classes };
        let shape = format!("n{BATCH}_512_{classes}");
        let (x, weight, bias) = (vec![0.5; BATCH * 512], vec![0.25; 512 * classes], vec![0.125; classes]);
        let (mut y, mut dy) = (vec![0.5; BATCH * classes], vec![0.5; BATCH * classes]);
        let (mut dx, mut dweight, mut dbias) = (x.clone(), weight.clone(), bias.clone());
        let values = x.len() + weight.len() + y.len();
        time(&mut group, format!("linear_forward/{shape}"), values, || {
            linear_forward(&s, &x, &weight, Some(&bias), &mut y)
        });
        time(&mut group, format!("linear_backward/{shape}"), 2 * values - y.len(), || {
            linear_backward(&s, &x, &weight, &y, &mut dx, &mut dweight, Some(&mut dbias))
        });
        let targets: Vec<u32> = (0..BATCH as u32).map(|i| i % classes as u32).collect();
        let shape = format!("n{BATCH}_{classes}");
        time(&mut group, format!("cross_entropy_forward/{shape}"), y.len(), || {
            cross_entropy_forward(&y, classes, &targets, 0.1)
        });
        time(&mut group, format!("cross_entropy_backward/{shape}"), 2 * y.len(), || {
            cross_entropy_backward(&y, classes, &targets, 0.1, &mut dy)
        });
    }
}

criterion_group!(
    benches,
    batch_norm,
    ghost_batch_norm,
    group_norm,
    layer_norm,
    elementwise,
    pooling,
    classifier
);
criterion_main!(benches);
