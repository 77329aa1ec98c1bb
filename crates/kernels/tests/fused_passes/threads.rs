//! The number of threads changes no bit of any fused pass.

use half::bf16;
use wick_kernels::fused::{
    Algorithm, Extent, Sink, Write, combine, conv2d, conv2d_input_gradient, conv2d_weight_gradient,
    global_avg_pool2d, max_pool2d, max_pool2d_gradient,
};
use wick_kernels::{Conv2dShape, Element, InstructionSet, Pool2dShape};

use crate::shared::{
    Data, assert_same_on_any_threads, len, lines, numbers, widened, with_every_instruction_set,
};

#[test]
fn passes_of_f32() {
    with_every_instruction_set(check::<f32>);
}

#[test]
fn passes_of_bf16() {
    with_every_instruction_set(check::<bf16>);
}

fn check<E: Element>(set: InstructionSet) {
    for (batch, size, c_in, c_out, kernel, stride) in [
        // Images are shared out.
        (7, 12, 17, 40, 3, 1),
        (7, 12, 32, 40, 3, 2),
        // More weights than patches: channels are.
        (2, 4, 130, 150, 3, 1),
        // In several blocks, the last one not full.
        (9, 4, 160, 150, 3, 1),
    ] {
        let shape = Conv2dShape {
            batch,
            height: size,
            width: size,
            in_channels: c_in,
            out_channels: c_out,
            kernel: [kernel; 2],
            stride,
            padding: 1,
        };
        for algorithm in [Algorithm::Direct, Algorithm::Tiles2, Algorithm::Tiles4] {
            convolutions::<E>(set, &shape, algorithm);
        }
    }
    elementwise::<E>(set, Extent { images: 5, pixels: 1030, channels: 35 });
    for kernel in [2, 3] {
        pools::<E>(set, &Pool2dShape { batch: 5, height: 13, width: 12, channels: 35, kernel, stride: 2 });
    }
}

/// What a pass leaves in a sink over `data`, sums included, when it streams, and when it adds and gates.
fn sent<E: Element>(data: &Data<E>, pass: impl Fn(Sink<E>)) -> Vec<f32> {
    let mut to = lines(&numbers::<E>(99, len(data.extent)));
    let mut left = Vec::new();
    for write in [Write::Stream, Write::Add] {
        for kind in data.kinds().into_iter().filter(|kind| kind.sums() > 1) {
            let mut sums = vec![f32::NAN; data.extent.images * kind.sums() * data.extent.channels];
            pass(Sink { to: &mut to, write, epilogue: kind.epilogue(&mut sums) });
            left.extend(sums);
        }
        left.extend(widened(&to));
    }
    left
}

fn convolutions<E: Element>(set: InstructionSet, s: &Conv2dShape, algorithm: Algorithm) {
    let input = Extent { images: s.batch, pixels: s.height * s.width, channels: s.in_channels };
    let pixels = s.out_height() * s.out_width();
    let output = Extent { images: s.batch, pixels, channels: s.out_channels };
    let (x, y) = (Data::<E>::new(1, input), Data::<E>::new(11, output));
    let weight: Vec<f32> = numbers(21, s.weight_len());
    let [.., (_, normalised), _, _] = x.sources();
    let [.., (_, gradient), _] = y.sources();
    let what = format!("{set:?} {:?} {algorithm:?} {s:?}", E::PRECISION);
    assert_same_on_any_threads(format_args!("{what} forward"), || {
        sent(&y, |sink| conv2d(s, algorithm, normalised, &weight, sink).unwrap())
    });
    assert_same_on_any_threads(format_args!("{what} input gradient"), || {
        sent(&x, |sink| conv2d_input_gradient(s, algorithm, gradient, &weight, sink).unwrap())
    });
    assert_same_on_any_threads(format_args!("{what} weight gradient"), || {
        let mut dw = vec![f32::NAN; weight.len()];
        conv2d_weight_gradient(s, algorithm, normalised, gradient, &mut dw).unwrap();
        dw
    });
}

fn elementwise<E: Element>(set: InstructionSet, extent: Extent) {
    let (x, y) = (Data::<E>::new(1, extent), Data::<E>::new(11, extent));
    let [.., (_, normalised), (_, gradient), _] = x.sources();
    let what = format!("{set:?} {:?} {extent:?}", E::PRECISION);
    assert_same_on_any_threads(format_args!("{what} combine"), || {
        sent(&y, |sink| combine(extent, &[normalised, gradient], sink).unwrap())
    });
    assert_same_on_any_threads(format_args!("{what} mean"), || {
        let mut mean = vec![f32::NAN; extent.images * extent.channels];
        global_avg_pool2d(extent, normalised, &mut mean).unwrap();
        mean
    });
}

fn pools<E: Element>(set: InstructionSet, s: &Pool2dShape) {
    let input = Extent { images: s.batch, pixels: s.height * s.width, channels: s.channels };
    let output = Extent { pixels: s.out_height() * s.out_width(), ..input };
    let (x, y) = (Data::<E>::new(1, input), Data::<E>::new(11, output));
    let [.., (_, normalised), _, _] = x.sources();
    let [.., (_, gradient), _] = y.sources();
    let what = format!("{set:?} {:?} {s:?}", E::PRECISION);
    let pool = |sink: Sink<E>| {
        let mut indices = vec![u8::MAX; len(output)];
        max_pool2d(s, normalised, Some(&mut indices), sink).unwrap();
        indices
    };
    assert_same_on_any_threads(format_args!("{what} maxima"), || {
        let mut to = vec![E::default(); len(output)];
        let mut left: Vec<f32> = pool(Sink::plain(&mut to)).into_iter().map(f32::from).collect();
        left.extend(sent(&y, |sink| drop(pool(sink))));
        left
    });
    let indices = pool(Sink::plain(&mut vec![E::default(); len(output)]));
    assert_same_on_any_threads(format_args!("{what} gradient"), || {
        sent(&x, |sink| max_pool2d_gradient(s, gradient, &indices, sink).unwrap())
    });
}
