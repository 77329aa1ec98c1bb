//! Fused convolutions by every instruction set that this machine has, against their definitions, in both types and by all
//! algorithms.

use crate::shared::{
    Data, Tolerance, assert_close, check_sinks, numbers, rounded, widened, with_every_instruction_set,
};
use half::bf16;
use wick_kernels::fused::{
    Algorithm, Extent, Sink, Source, conv2d, conv2d_input_gradient, conv2d_weight_gradient,
};
use wick_kernels::{Conv2dShape, Element, InstructionSet, Precision, reference};

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

/// What a pass should give.
struct Wanted {
    values: Vec<f32>,
    /// The largest there would be without cancellation.
    scale: f32,
}

/// `len` values of the bilinear `op` of `a` and `b`.
fn wanted(a: &[f32], b: &[f32], len: usize, op: impl Fn(&[f32], &[f32], &mut [f32])) -> Wanted {
    let absolute = |v: &[f32]| v.iter().map(|v| v.abs()).collect::<Vec<_>>();
    let (mut values, mut sums) = (vec![0.0; len], vec![0.0; len]);
    op(a, b, &mut values);
    op(&absolute(a), &absolute(b), &mut sums);
    Wanted { values, scale: sums.into_iter().fold(1e-3, f32::max) }
}

/// A convolution and data of its tensors.
struct Case<E> {
    shape: Conv2dShape,
    x: Data<E>,
    y: Data<E>,
    weight: Vec<f32>,
}

impl<E: Element> Case<E> {
    fn new(shape: Conv2dShape) -> Self {
        let input =
            Extent { images: shape.batch, pixels: shape.height * shape.width, channels: shape.in_channels };
        let pixels = shape.out_height() * shape.out_width();
        let output = Extent { images: shape.batch, pixels, channels: shape.out_channels };
        let weight = numbers(21, shape.weight_len());
        Self { shape, x: Data::new(1, input), y: Data::new(11, output), weight }
    }

    /// Checks all three passes.
    fn check(&self) {
        let (s, w) = (&self.shape, rounded::<E>(&self.weight));
        let forward = |x: &[f32]| {
            wanted(x, &w, s.output_len(), |x, w, y| reference::conv2d_forward(s, x, w, y).unwrap())
        };
        self.check_pass("forward", [&self.x, &self.y], forward, |algorithm, x, y| {
            conv2d(s, algorithm, x, &self.weight, y).unwrap();
        });
        let input_gradient = |dy: &[f32]| {
            wanted(dy, &w, s.input_len(), |dy, w, dx| reference::conv2d_input_gradient(s, dy, w, dx).unwrap())
        };
        self.check_pass("input gradient", [&self.y, &self.x], input_gradient, |algorithm, dy, dx| {
            conv2d_input_gradient(s, algorithm, dy, &self.weight, dx).unwrap();
        });
        self.check_weight_gradient();
    }

    /// Checks a pass from every source, and into every sink.
    fn check_pass(
        &self,
        pass: &str,
        [from, to]: [&Data<E>; 2],
        define: impl Fn(&[f32]) -> Wanted,
        run: impl Fn(Algorithm, Source<E>, Sink<E>),
    ) {
        for (name, source) in from.sources() {
            let Wanted { values, scale } = define(&values(from.extent, source));
            self.everywhere(|set, algorithm| {
                let mut got = vec![E::from_f32(f32::NAN); values.len()];
                run(algorithm, source, Sink::plain(&mut got));
                let what = self.named(set, algorithm, format_args!("{pass} of {name}"));
                assert_close(what, &widened(&got), &values, tolerance::<E>(algorithm) * scale, 0.0);
            });
        }
        let [.., (name, source), _] = from.sources();
        let Wanted { values, scale } = define(&values(from.extent, source));
        self.everywhere(|set, algorithm| {
            let absolute = tolerance::<E>(algorithm) * (scale + 1.0);
            // A sum of n values that are off by up to the tolerance; squares grow with the values.
            let sums = to.extent.pixels as f32 * (scale + 1.0) * absolute;
            let what = self.named(set, algorithm, format_args!("{pass} of {name}"));
            let tolerance = Tolerance { absolute, relative: 0.0, sums };
            check_sinks(
                &what,
                to,
                tolerance,
                |sink| run(algorithm, source, sink),
                |sink| reference::fused::finish(to.extent, &values, sink),
            );
        });
    }

    fn check_weight_gradient(&self) {
        let (s, x, y) = (&self.shape, &self.x, &self.y);
        for (i, (x_name, x_source)) in x.sources().into_iter().enumerate() {
            // The two are read independently of each other: twice each will do.
            for (dy_name, dy_source) in y.sources().into_iter().cycle().skip(i).take(2) {
                let (a, b) = (values(x.extent, x_source), values(y.extent, dy_source));
                let Wanted { values, scale } = wanted(&a, &b, self.weight.len(), |x, dy, dw| {
                    reference::conv2d_weight_gradient(s, x, dy, dw).unwrap();
                });
                self.everywhere(|set, algorithm| {
                    let mut got = vec![f32::NAN; values.len()];
                    conv2d_weight_gradient(s, algorithm, x_source, dy_source, &mut got).unwrap();
                    let what = format_args!("weight gradient of {x_name} and {dy_name}");
                    let what = self.named(set, algorithm, what);
                    assert_close(what, &got, &values, tolerance::<E>(algorithm) * scale, 0.0);
                });
            }
        }
    }

    /// By every instruction set and every algorithm that applies.
    fn everywhere(&self, check: impl Fn(InstructionSet, Algorithm)) {
        let algorithms: &[Algorithm] = match (self.shape.kernel, self.shape.stride) {
            ([3, 3], 1) => &[Algorithm::Direct, Algorithm::Tiles2, Algorithm::Tiles4],
            ([3, 3], 2) => &[Algorithm::Direct, Algorithm::Tiles4],
            _ => &[Algorithm::Direct],
        };
        with_every_instruction_set(|set| {
            algorithms.iter().for_each(|algorithm| check(set, *algorithm));
        });
    }

    fn named(&self, set: InstructionSet, algorithm: Algorithm, pass: std::fmt::Arguments) -> String {
        format!("{set:?} {:?} {algorithm:?} {:?} {pass}", E::PRECISION, self.shape)
    }
}

/// What a source stands for, rounded as the factors of a product are.
fn values<E: Element>(extent: Extent, source: Source<E>) -> Vec<f32> {
    rounded::<E>(&reference::fused::values(extent, source))
}

/// Batch, size, channels in and out, kernel, stride, padding.
const SHAPES: [[usize; 7]; 32] = [
    [3, 8, 16, 32, 3, 1, 1],
    [2, 9, 32, 17, 3, 1, 1],
    [1, 7, 17, 40, 3, 1, 2],
    [5, 4, 48, 64, 3, 1, 1],
    [2, 10, 16, 16, 3, 1, 0],
    [2, 6, 5, 3, 3, 1, 1],
    [2, 7, 3, 17, 3, 2, 1],
    [2, 8, 16, 24, 3, 2, 1],
    // Tiles of stride 2: one, several, some of them reaching beyond the image, and with more weights than values.
    [3, 8, 32, 17, 3, 2, 1],
    [2, 15, 64, 40, 3, 2, 1],
    [1, 32, 32, 32, 3, 2, 1],
    [4, 8, 160, 150, 3, 2, 1],
    [3, 6, 5, 3, 1, 2, 0],
    [1, 1, 3, 3, 3, 1, 1],
    [2, 6, 3, 24, 2, 1, 0],
    [1, 1, 17, 1, 1, 1, 0],
    // So many channels that a weight gradient is computed some of them at a time: in tiles, and directly.
    [2, 4, 130, 150, 3, 1, 1],
    [2, 2, 160, 150, 5, 1, 2],
    // More weights than patches, which are several blocks, the last one not full.
    [9, 4, 160, 150, 3, 1, 1],
    [0, 4, 16, 16, 3, 1, 1],
    // Strides longer than the kernel: inputs that no tap reaches, beside the last reached ones and beyond them, in blocks
    // of less than an image and of several; and, for padding, windows that are all outside.
    [1, 25, 17, 64, 1, 2, 0],
    [5, 5, 64, 5, 1, 2, 0],
    [1, 7, 1, 17, 1, 3, 0],
    [2, 8, 3, 1, 1, 3, 1],
    [3, 6, 5, 3, 1, 2, 1],
    [2, 1, 3, 5, 1, 2, 1],
    [2, 8, 17, 3, 2, 3, 0],
    [1, 9, 64, 17, 2, 3, 1],
    // Few channels: pixels beside each other are copied at once, wholly or partly inside, of even and odd rows.
    [3, 15, 3, 33, 3, 1, 1],
    [1, 9, 3, 16, 7, 2, 3],
    [2, 3, 1, 17, 5, 1, 2],
    [1, 5, 1, 3, 3, 1, 3],
];

fn every_instruction_set_agrees_with_the_definition<E: Element>() {
    for [batch, size, in_channels, out_channels, kernel, stride, padding] in SHAPES {
        let width = if size > 4 { size - 1 } else { size };
        let kernel = [kernel; 2];
        let shape =
            Conv2dShape { batch, height: size, width, in_channels, out_channels, kernel, stride, padding };
        Case::<E>::new(shape).check();
    }
}

// One after the other they take a minute and a half.
#[test]
fn every_instruction_set_agrees_with_the_definition_in_f32() {
    every_instruction_set_agrees_with_the_definition::<f32>();
}

#[test]
fn every_instruction_set_agrees_with_the_definition_in_bf16() {
    every_instruction_set_agrees_with_the_definition::<bf16>();
}
