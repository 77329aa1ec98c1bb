//! Sums of sources into sinks.

use half::bf16;
use wick_kernels::fused::{Activation, Coefficients, Epilogue, Extent, Gate, Sink, Source, Write, combine};
use wick_kernels::{Element, InstructionSet, reference};

use crate::shared::{Data, assert_close, check_sinks, len, lines, widened, with_every_instruction_set};
use crate::tolerance;

/// The largest value of two terms of at most 3, added to one of at most 1, with what an epilogue adds.
const MOST: f32 = 9.0;

#[test]
fn agrees_with_the_definition() {
    with_every_instruction_set(|set| {
        for channels in [1, 3, 5, 17, 64] {
            // Pixels are worked on 64 at a time.
            for pixels in [1, 35, 130] {
                for images in [0, 1, 3] {
                    let extent = Extent { images, pixels, channels };
                    check::<f32>(set, extent);
                    check::<bf16>(set, extent);
                }
            }
        }
    });
}

fn check<E: Element>(set: InstructionSet, extent: Extent) {
    let (x, y) = (Data::<E>::new(1, extent), Data::<E>::new(11, extent));
    let tolerance = tolerance::<E>(MOST, extent);
    let what = format!("{set:?} {:?} {extent:?}", E::PRECISION);
    let agree = |name: &str, terms: &[Source<E>]| {
        let (mut got, mut want) = (vec![E::from_f32(f32::NAN); len(extent)], vec![E::default(); len(extent)]);
        combine(extent, terms, Sink::plain(&mut got)).unwrap();
        reference::fused::combine(extent, terms, Sink::plain(&mut want));
        let what = format_args!("{what} {name}");
        assert_close(what, &widened(&got), &widened(&want), tolerance.absolute, tolerance.relative);
    };
    for (first_name, first) in x.sources() {
        agree(first_name, &[first]);
        for (second_name, second) in y.sources() {
            agree(&format!("{first_name} + {second_name}"), &[first, second]);
        }
    }
    let [(_, plain), .., (_, gradient), _] = x.sources();
    for terms in [&[][..], &[plain], &[plain, gradient]] {
        check_sinks(
            format_args!("{what}, {} terms", terms.len()),
            &y,
            tolerance,
            |sink| combine(extent, terms, sink).unwrap(),
            |sink| reference::fused::combine(extent, terms, sink),
        );
    }
}

#[test]
fn what_is_streamed_arrives_wherever_it_begins() {
    // Whole cache lines a pixel, and not.
    with_every_instruction_set(|set| {
        for [images, pixels, channels] in [[3, 70, 64], [2, 50, 40]] {
            let extent = Extent { images, pixels, channels };
            let data = Data::<f32>::new(1, extent);
            let [_, (name, source), ..] = data.sources();
            let mut want = vec![0.0; len(extent)];
            reference::fused::combine(extent, &[source], Sink::plain(&mut want));
            let mut room = lines(&vec![f32::NAN; len(extent) + 16]);
            for begin in [0, 1, 8, 16] {
                let got = &mut room[begin..begin + want.len()];
                got.fill(f32::NAN);
                combine(extent, &[source], Sink { write: Write::Stream, ..Sink::plain(got) }).unwrap();
                let what = format_args!("{set:?} {extent:?} {name}, {begin} values in");
                assert_close(what, got, &want, tolerance::<f32>(MOST, extent).absolute, 0.0);
            }
        }
    });
}

#[test]
fn a_residual_sum_and_its_gradient_are_what_they_say() {
    // One image, two pixels, one channel: y = ReLU((2x + 1) + r), and back.
    let extent = Extent { images: 1, pixels: 2, channels: 1 };
    let (two, one) = (Coefficients::PerChannel(&[2.0]), Coefficients::PerChannel(&[1.0]));
    let (x, mut y, mut dx, mut sums) = ([3.0, -4.0], [0.0; 2], [0.5, 0.5], [0.0; 4]);
    let normalised = Source::Normalised { x: &x, scale: two, shift: one, activation: Activation::None };
    let epilogue =
        Epilogue::Affine { scale: None, shift: None, residual: None, activation: Activation::Relu };
    let sink = Sink { to: &mut y, write: Write::Overwrite, epilogue };
    combine(extent, &[normalised, Source::Plain(&[0.5, 1.0])], sink).unwrap();
    assert_eq!(y, [7.5, 0.0]);
    let gate = Gate::Positive(&y);
    let epilogue = Epilogue::Gradient { gate, with: [None, Some(&x)], sums: &mut sums[..2] };
    let sink = Sink { to: &mut dx, write: Write::Add, epilogue };
    combine(extent, &[Source::Spread(&[0.25])], sink).unwrap();
    assert_eq!((dx, &sums[..2]), ([0.75, 0.0], &[0.75, 2.25][..]));
}

#[test]
fn sums_over_no_pixels_are_zero() {
    let extent = Extent { images: 2, pixels: 0, channels: 3 };
    let mut sums = [f32::NAN; 12];
    let epilogue = Epilogue::Statistics { sums: &mut sums };
    combine::<f32>(extent, &[], Sink { to: &mut [], write: Write::Overwrite, epilogue }).unwrap();
    assert_eq!(sums, [0.0; 12]);
}

#[test]
fn nan_passes_a_rectifier() {
    // As in PyTorch: a network that diverges must not look as if it were well.
    with_every_instruction_set(|set| {
        for channels in [3, 16] {
            let extent = Extent { images: 1, pixels: 1, channels };
            let (x, ones) = (vec![f32::NAN; channels], vec![1.0; channels]);
            let ones = Coefficients::PerChannel(&ones);
            let activation = Activation::Relu;
            let (mut read, mut written) = (vec![0.0; channels], vec![0.0; channels]);
            let normalised = Source::Normalised { x: &x, scale: ones, shift: ones, activation };
            combine(extent, &[normalised], Sink::plain(&mut read)).unwrap();
            let epilogue = Epilogue::Affine { scale: None, shift: None, residual: None, activation };
            let sink = Sink { to: &mut written, write: Write::Overwrite, epilogue };
            combine(extent, &[Source::Plain(&x)], sink).unwrap();
            assert!(read.iter().chain(&written).all(|v| v.is_nan()), "{set:?}: {read:?}, {written:?}");
        }
    });
}
