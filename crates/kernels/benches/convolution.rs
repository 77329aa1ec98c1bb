//! ResNet-18's convolutions, each kernel alone, the shape in the id.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wick_kernels::{Conv2dShape, ShapeError, conv2d_forward, conv2d_input_gradient, conv2d_weight_gradient};

type Op = fn(&Conv2dShape, &[f32], &[f32], &mut [f32]) -> Result<(), ShapeError>;

/// Input size, C_in, C_out, kernel, stride.
const LAYERS: [[usize; 5]; 11] = [
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
];

fn convolution(c: &mut Criterion) {
    for [size, c_in, c_out, kernel, stride] in LAYERS {
        for batch in [32, 128] {
            let s = Conv2dShape {
                batch,
                height: size,
                width: size,
                in_channels: c_in,
                out_channels: c_out,
                kernel: [kernel; 2],
                stride,
                padding: kernel / 2,
            };
            let (x, w, y) = (s.input_len(), s.weight_len(), s.output_len());
            let ops: [(&str, Op, [usize; 3]); 3] = [
                ("forward", conv2d_forward, [x, w, y]),
                ("input_gradient", conv2d_input_gradient, [y, w, x]),
                ("weight_gradient", conv2d_weight_gradient, [x, y, w]),
            ];
            for (name, op, [a, b, out]) in ops {
                let (a, b, mut out) = (vec![0.5; a], vec![0.25; b], vec![0.0; out]);
                let mut group = c.benchmark_group(name);
                group.sample_size(10).throughput(Throughput::ElementsAndBytes {
                    elements: s.flops() as u64, // "elem/s" are floating-point operations a second
                    bytes: 4 * (a.len() + b.len() + out.len()) as u64,
                });
                group.bench_function(
                    format!("n{batch}_h{size}_i{c_in}_o{c_out}_k{kernel}_s{stride}"),
                    |bench| {
                        bench.iter(|| op(&s, black_box(&a), black_box(&b), &mut out));
                    },
                );
            }
        }
    }
}

criterion_group!(benches, convolution);
criterion_main!(benches);
