//! Fused convolutions by every instruction set that this machine has, against their definitions, in both types and by all
//! algorithms. One test, since the choice of the instruction set is the process's.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of a test

use half::bf16;
use wick_kernels::fused::{
    Activation, Algorithm, Coefficients, Epilogue, Extent, Gate, Sink, Source, Write, conv2d,
    conv2d_input_gradient, conv2d_weight_gradient,
};
use wick_kernels::{Conv2dShape, Element, InstructionSet, Precision, reference};

/// Numbers without a pattern, in [-1, 1), as a type can hold them.
fn numbers<E: Element>(seed: u32, n: usize) -> Vec<E> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        E::from_f32(state as f32 / (1u32 << 31) as f32 - 1.0)
    };
    (0..n).map(|_| next()).collect()
}

fn rounded<E: Element>(values: &[f32]) -> Vec<f32> {
    values.iter().map(|v| E::from_f32(*v).to_f32()).collect()
}

/// How far, of the scale, a result may be off. f32: rounding, and that of the transforms, stays below 1e-5. bf16: inputs that a
/// source computes are rounded (2⁻⁹), what comes out is, and transformed factors are; the scale is that of a sum without
/// cancellation, so that these stay below a hundredth.
fn tolerance<E: Element>(algorithm: Algorithm) -> f32 {
    match (E::PRECISION, algorithm) {
        (Precision::F32, _) => 1e-5,
        (Precision::Bf16, Algorithm::Tiles4) => 2e-2,
        (Precision::Bf16, _) => 1e-2,
    }
}

struct Case<'a> {
    name: &'a str,
    tolerance: f32,
}

impl Case<'_> {
    fn close(&self, got: &[f32], want: &[f32], scale: f32) {
        for (i, (g, w)) in got.iter().zip(want).enumerate() {
            assert!(
                (g - w).abs() <= self.tolerance * scale.max(1e-3),
                "{}[{i}]: got {g}, want {w}, scale {scale}",
                self.name
            );
        }
    }
}

fn absolute(v: &[f32]) -> Vec<f32> {
    v.iter().map(|v| v.abs()).collect()
}

fn largest(v: &[f32]) -> f32 {
    v.iter().fold(0.0, |m, v| m.max(v.abs()))
}

fn extents(s: &Conv2dShape) -> (Extent, Extent) {
    let input = Extent { images: s.batch, pixels: s.height * s.width, channels: s.in_channels };
    let pixels = s.out_height() * s.out_width();
    (input, Extent { images: s.batch, pixels, channels: s.out_channels })
}

/// Data of a tensor of `extent` and all sources over it.
struct Data<E> {
    extent: Extent,
    first: Vec<E>,
    second: Vec<E>,
    coefficients: [Vec<f32>; 3],
    per_image: Vec<f32>,
}

impl<E: Element> Data<E> {
    fn new(seed: u32, extent: Extent) -> Self {
        let n = extent.images * extent.pixels * extent.channels;
        Self {
            extent,
            first: numbers(seed, n),
            second: numbers(seed + 1, n),
            coefficients: [2, 3, 4].map(|i| numbers::<f32>(seed + i, extent.channels)),
            per_image: numbers::<f32>(seed + 5, extent.images * extent.channels),
        }
    }

    fn sources(&self) -> [(&'static str, Source<'_, E>); 4] {
        let [a, b, c] = self.coefficients.each_ref().map(|c| Coefficients::PerChannel(c));
        let per_image = Coefficients::PerImage(&self.per_image);
        let (x, activation) = (&self.first, Activation::Relu);
        [
            ("plain", Source::Plain(x)),
            ("normalised", Source::Normalised { x, scale: a, shift: b, activation }),
            ("normalised per image", Source::Normalised { x, scale: per_image, shift: b, activation }),
            ("gradient", Source::Gradient { g: x, y: &self.second, a, b: per_image, c }),
        ]
    }
}

fn check_sinks<E: Element>(case: &Case, data: &Data<E>, values: &[f32], scale: f32, run: impl Fn(Sink<E>)) {
    let extent = data.extent;
    let [a, b, _] = data.coefficients.each_ref().map(|c| Coefficients::PerChannel(c));
    let (y, z) = (&data.first[..], &data.second[..]);
    let gates = [
        Gate::Open,
        Gate::Positive(y),
        Gate::Normalised { y, scale: a, shift: b, activation: Activation::Relu },
    ];
    let start: Vec<E> = numbers(99, values.len());
    for write in [Write::Overwrite, Write::Add] {
        for kind in 0..6 {
            let epilogue = |sums: &mut Vec<f32>| {
                let n = extent.images * extent.channels;
                // Leaked, for the tests' convenience: a few kilobytes.
                let mut place = |k: usize| -> &'static mut [f32] {
                    *sums = vec![f32::NAN; k * n];
                    Box::leak(vec![f32::NAN; k * n].into_boxed_slice())
                };
                match kind {
                    0 => Epilogue::None,
                    1 => Epilogue::Statistics { sums: place(2) },
                    2 => Epilogue::Affine {
                        scale: Some(a),
                        shift: Some(b),
                        residual: Some(z),
                        activation: Activation::Relu,
                    },
                    3 => Epilogue::Gradient { gate: gates[0], with: [None, None], sums: place(1) },
                    4 => Epilogue::Gradient { gate: gates[1], with: [Some(z), None], sums: place(2) },
                    _ => Epilogue::Gradient { gate: gates[2], with: [Some(y), Some(z)], sums: place(3) },
                }
            };
            let (mut got, mut want) = (start.clone(), start.clone());
            let mut sums = Vec::new();
            let take = |e: Epilogue<E>, to: &mut [E], run: &dyn Fn(Sink<E>)| -> Vec<f32> {
                match e {
                    Epilogue::Statistics { sums } => {
                        run(Sink { to, write, epilogue: Epilogue::Statistics { sums: &mut *sums } });
                        sums.to_vec()
                    }
                    Epilogue::Gradient { gate, with, sums } => {
                        run(Sink {
                            to,
                            write,
                            epilogue: Epilogue::Gradient { gate, with, sums: &mut *sums },
                        });
                        sums.to_vec()
                    }
                    other => {
                        run(Sink { to, write, epilogue: other });
                        Vec::new()
                    }
                }
            };
            let got_sums = take(epilogue(&mut sums), &mut got, &|sink| run(sink));
            let want_sums =
                take(epilogue(&mut sums), &mut want, &|sink| reference::fused::finish(extent, values, sink));
            let name = format!("{} (sink {kind}, {write:?})", case.name);
            let case = Case { name: &name, ..*case };
            let widen = |v: &[E]| v.iter().map(|v| v.to_f32()).collect::<Vec<_>>();
            case.close(&widen(&got), &widen(&want), scale + 1.0);
            // A sum of n values that are off by up to the tolerance; squares grow with the values.
            let n = extent.pixels as f32;
            case.close(&got_sums, &want_sums, n * (scale + 1.0) * (scale + 1.0));
        }
    }
}

fn check<E: Element>(set: InstructionSet, s: &Conv2dShape, algorithm: Algorithm) {
    let (input, output) = extents(s);
    let (x, y) = (Data::<E>::new(1, input), Data::<E>::new(11, output));
    let weight: Vec<f32> = numbers(21, s.weight_len());
    let (w, tolerance) = (rounded::<E>(&weight), tolerance::<E>(algorithm));
    for (kind, source) in x.sources() {
        let values = rounded::<E>(&reference::fused::values(input, source));
        let mut want = vec![0.0; s.output_len()];
        let mut sums = want.clone();
        reference::conv2d_forward(s, &absolute(&values), &absolute(&w), &mut sums).unwrap();
        reference::conv2d_forward(s, &values, &w, &mut want).unwrap();
        let name = format!("{set:?} {:?} {algorithm:?} {s:?} forward of {kind}", E::PRECISION);
        let case = Case { name: &name, tolerance };
        check_sinks(&case, &y, &want, largest(&sums), |sink| {
            conv2d(s, algorithm, source, &weight, sink).unwrap();
        });
    }
    for (kind, source) in y.sources() {
        let values = rounded::<E>(&reference::fused::values(output, source));
        let mut want = vec![0.0; s.input_len()];
        let mut sums = want.clone();
        reference::conv2d_input_gradient(s, &absolute(&values), &absolute(&w), &mut sums).unwrap();
        reference::conv2d_input_gradient(s, &values, &w, &mut want).unwrap();
        let name = format!("{set:?} {:?} {algorithm:?} {s:?} input gradient of {kind}", E::PRECISION);
        let case = Case { name: &name, tolerance };
        check_sinks(&case, &x, &want, largest(&sums), |sink| {
            conv2d_input_gradient(s, algorithm, source, &weight, sink).unwrap();
        });
        for (x_kind, x_source) in x.sources() {
            let x_values = rounded::<E>(&reference::fused::values(input, x_source));
            let (mut want, mut sums) = (vec![0.0; weight.len()], vec![0.0; weight.len()]);
            reference::conv2d_weight_gradient(s, &absolute(&x_values), &absolute(&values), &mut sums)
                .unwrap();
            reference::conv2d_weight_gradient(s, &x_values, &values, &mut want).unwrap();
            let mut got = vec![f32::NAN; weight.len()];
            conv2d_weight_gradient(s, algorithm, x_source, source, &mut got).unwrap();
            let name = format!(
                "{set:?} {:?} {algorithm:?} {s:?} weight gradient of {x_kind} and {kind}",
                E::PRECISION
            );
            Case { name: &name, tolerance }.close(&got, &want, largest(&sums));
        }
    }
}

#[test]
fn every_instruction_set_agrees_with_the_definition() {
    let all = [Algorithm::Direct, Algorithm::Tiles2, Algorithm::Tiles4];
    let direct = [Algorithm::Direct];
    for set in InstructionSet::available() {
        assert!(set.select());
        for (batch, size, c_in, c_out, kernel, stride, padding) in [
            (3, 8, 16, 32, 3, 1, 1),
            (2, 9, 32, 17, 3, 1, 1),
            (1, 7, 17, 40, 3, 1, 2),
            (5, 4, 48, 64, 3, 1, 1),
            (2, 10, 16, 16, 3, 1, 0),
            (2, 6, 5, 3, 3, 1, 1),
            (2, 7, 3, 17, 3, 2, 1),
            (2, 8, 16, 24, 3, 2, 1),
            (3, 6, 5, 3, 1, 2, 0),
            (1, 1, 3, 3, 3, 1, 1),
            (2, 6, 3, 24, 2, 1, 0),
            (1, 1, 17, 1, 1, 1, 0),
        ] {
            let s = Conv2dShape {
                batch,
                height: size,
                width: if size > 4 { size - 1 } else { size },
                in_channels: c_in,
                out_channels: c_out,
                kernel: [kernel; 2],
                stride,
                padding,
            };
            let algorithms = if kernel == 3 && stride == 1 { &all[..] } else { &direct };
            for algorithm in algorithms {
                check::<f32>(set, &s, *algorithm);
                check::<bf16>(set, &s, *algorithm);
            }
        }
    }
}
