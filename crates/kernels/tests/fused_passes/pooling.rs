//! Pools between sources and sinks.

use half::bf16;
use wick_kernels::fused::{Extent, Sink, Source, global_avg_pool2d, max_pool2d, max_pool2d_gradient};
use wick_kernels::{Element, InstructionSet, Pool2dShape, max_pool2d_forward, reference};

use crate::shared::{
    Data, assert_close, check_sinks, len, numbers, whole_numbers, widened, with_every_instruction_set,
};
use crate::tolerance;

/// Pools of every kind: windows that touch, overlap and leave gaps, rows and columns left over, one window only, and so many
/// (outputs are worked on up to 32 at a time, and so are a row's inputs).
fn shapes() -> Vec<Pool2dShape> {
    let windows = [
        // Height, width, kernel, stride.
        [1, 1, 1, 1],
        [7, 5, 1, 2],
        [6, 8, 2, 2],
        [7, 5, 2, 2],
        [9, 7, 2, 1],
        [7, 9, 3, 2],
        [5, 6, 3, 1],
        [4, 4, 4, 4],
        [9, 5, 4, 2],
        [3, 8, 2, 3],
        [5, 67, 2, 2],
        [7, 65, 2, 3],
        [6, 34, 3, 3],
        [5, 35, 3, 4],
        [2, 33, 1, 1],
        [11, 12, 4, 5],
    ];
    let mut shapes = Vec::new();
    for [height, width, kernel, stride] in windows {
        for channels in [1, 3, 5, 17, 64] {
            for batch in [0, 1, 3] {
                shapes.push(Pool2dShape { batch, height, width, channels, kernel, stride });
            }
        }
    }
    shapes
}

/// Input and output.
fn extents(s: &Pool2dShape) -> (Extent, Extent) {
    let input = Extent { images: s.batch, pixels: s.height * s.width, channels: s.channels };
    (input, Extent { pixels: s.out_height() * s.out_width(), ..input })
}

/// The maxima of a plain tensor, and where in their windows they are.
fn maxima<E: Element>(s: &Pool2dShape, x: &[E]) -> (Vec<E>, Vec<u8>) {
    let (mut y, mut indices) = (vec![E::default(); s.output_len()], vec![u8::MAX; s.output_len()]);
    max_pool2d(s, Source::Plain(x), Some(&mut indices), Sink::plain(&mut y)).unwrap();
    (y, indices)
}

#[test]
fn maxima_agree_with_the_definition() {
    with_every_instruction_set(|set| {
        for shape in shapes() {
            check_maxima::<f32>(set, &shape);
            check_maxima::<bf16>(set, &shape);
        }
    });
}

fn check_maxima<E: Element>(set: InstructionSet, s: &Pool2dShape) {
    let (input, output) = extents(s);
    let (x, y) = (Data::<E>::new(1, input), Data::<E>::new(11, output));
    // A source of at most 3, added to a value of at most 1, with what an epilogue adds.
    let tolerance = tolerance::<E>(6.0, output);
    let what = format!("{set:?} {:?} {s:?}", E::PRECISION);
    for (name, source) in x.sources() {
        let (mut got, mut want) = (vec![E::from_f32(f32::NAN); len(output)], vec![E::default(); len(output)]);
        let (mut places, mut want_places) = (vec![u8::MAX; len(output)], vec![0; len(output)]);
        max_pool2d(s, source, Some(&mut places), Sink::plain(&mut got)).unwrap();
        reference::fused::max_pool2d(
            s,
            (input, output),
            source,
            Some(&mut want_places),
            Sink::plain(&mut want),
        );
        let what = format_args!("{what} of {name}");
        assert_close(what, &widened(&got), &widened(&want), tolerance.absolute, tolerance.relative);
        assert_eq!(places, want_places, "{what}");
    }
    let [.., (name, source), _] = x.sources();
    check_sinks(
        format_args!("{what} of {name}"),
        &y,
        tolerance,
        |sink| max_pool2d(s, source, None, sink).unwrap(),
        |sink| reference::fused::max_pool2d(s, (input, output), source, None, sink),
    );
}

#[test]
fn of_equal_maxima_the_first_counts() {
    with_every_instruction_set(|set| {
        for shape in shapes() {
            check_ties::<f32>(set, &shape, &whole_numbers(3, shape.input_len()));
            check_ties::<bf16>(set, &shape, &whole_numbers(3, shape.input_len()));
        }
    });
}

#[test]
fn nan_is_the_maximum() {
    with_every_instruction_set(|set| {
        for shape in shapes() {
            let mut x: Vec<f32> = whole_numbers(3, shape.input_len());
            x.iter_mut().step_by(7).for_each(|v| *v = f32::NAN);
            x.iter_mut().skip(3).step_by(11).for_each(|v| *v = f32::NEG_INFINITY);
            check_ties::<f32>(set, &shape, &x);
            check_ties::<bf16>(set, &shape, &x.into_iter().map(bf16::from_f32).collect::<Vec<_>>());
        }
    });
}

/// Equals the pool that is no fused one, whose ties and NaNs are PyTorch's.
fn check_ties<E: Element>(set: InstructionSet, s: &Pool2dShape, x: &[E]) {
    let (got, places) = maxima(s, x);
    let (mut want, mut positions) = (vec![0.0; s.output_len()], vec![0; s.output_len()]);
    max_pool2d_forward(s, &widened(x), &mut want, &mut positions).unwrap();
    for (i, (got, want)) in widened(&got).into_iter().zip(want).enumerate() {
        assert!(got == want || got.is_nan() && want.is_nan(), "{set:?} {s:?} [{i}]: got {got}, want {want}");
        let (window, place) = (i / s.channels, usize::from(places[i]));
        let (oy, ox) = (window / s.out_width() % s.out_height(), window % s.out_width());
        let (y, x) = (oy * s.stride + place / s.kernel, ox * s.stride + place % s.kernel);
        assert_eq!(y * s.width + x, positions[i] as usize, "{set:?} {s:?} [{i}]");
    }
}

#[test]
fn the_largest_window_has_256_places() {
    let s = Pool2dShape { batch: 1, height: 17, width: 16, channels: 1, kernel: 16, stride: 1 };
    let mut x = vec![0.0; s.input_len()];
    (x[0], x[16 * 16 - 1]) = (1.0, 2.0);
    let (y, indices) = maxima(&s, &x);
    assert_eq!((y, &indices), (vec![2.0, 2.0], &vec![255, 239]));
    let mut dx = vec![f32::NAN; x.len()];
    max_pool2d_gradient(&s, Source::Plain(&[3.0, 4.0]), &indices, Sink::plain(&mut dx)).unwrap();
    assert_eq!((dx[255], dx.iter().sum::<f32>()), (7.0, 7.0));
}

#[test]
fn gradients_agree_with_the_definition() {
    with_every_instruction_set(|set| {
        for shape in shapes() {
            check_gradients::<f32>(set, &shape);
            check_gradients::<bf16>(set, &shape);
        }
    });
}

fn check_gradients<E: Element>(set: InstructionSet, s: &Pool2dShape) {
    let (input, output) = extents(s);
    let (x, y) = (Data::<E>::new(1, input), Data::<E>::new(11, output));
    let (_, indices) = maxima(s, &numbers::<E>(5, len(input)));
    // A pixel may be the maximum of all windows that it is in.
    let windows = s.kernel.div_ceil(s.stride).pow(2) as f32;
    let tolerance = tolerance::<E>(3.0 * windows + 3.0, input);
    let what = format!("{set:?} {:?} {s:?}", E::PRECISION);
    for (name, source) in y.sources() {
        let (mut got, mut want) = (vec![E::from_f32(f32::NAN); len(input)], vec![E::default(); len(input)]);
        max_pool2d_gradient(s, source, &indices, Sink::plain(&mut got)).unwrap();
        reference::fused::max_pool2d_gradient(s, (input, output), source, &indices, Sink::plain(&mut want));
        let what = format_args!("{what}, gradient of {name}");
        assert_close(what, &widened(&got), &widened(&want), tolerance.absolute, tolerance.relative);
    }
    let [.., (name, source), _] = y.sources();
    check_sinks(
        format_args!("{what}, gradient of {name}"),
        &x,
        tolerance,
        |sink| max_pool2d_gradient(s, source, &indices, sink).unwrap(),
        |sink| reference::fused::max_pool2d_gradient(s, (input, output), source, &indices, sink),
    );
}

#[test]
fn means_agree_with_the_definition() {
    with_every_instruction_set(|set| {
        for channels in [1, 3, 5, 17, 64] {
            for pixels in [1, 16, 35, 1024] {
                for images in [0, 1, 3] {
                    let extent = Extent { images, pixels, channels };
                    check_means::<f32>(set, extent);
                    check_means::<bf16>(set, extent);
                }
            }
        }
    });
}

fn check_means<E: Element>(set: InstructionSet, extent: Extent) {
    let data = Data::<E>::new(1, extent);
    // Values of at most 3, rounded; their sum is rounded once a pixel, by chance up or down, so that the roundings grow as
    // their number's root.
    let absolute = 3.0 * 6e-8 * (8.0 + 3.0 * (extent.pixels as f32).sqrt());
    for (name, source) in data.sources() {
        let mut got = vec![f32::NAN; extent.images * extent.channels];
        let mut want = got.clone();
        global_avg_pool2d(extent, source, &mut got).unwrap();
        reference::fused::global_avg_pool2d(extent, source, &mut want);
        assert_close(
            format_args!("{set:?} {:?} {extent:?} {name}", E::PRECISION),
            &got,
            &want,
            absolute,
            0.0,
        );
    }
    // Whole numbers, and sums of them, are exact.
    let data = Data::<E>::whole(2, extent);
    let [(_, plain), ..] = data.sources();
    let mut got = vec![f32::NAN; extent.images * extent.channels];
    global_avg_pool2d(extent, plain, &mut got).unwrap();
    let mut want = got.clone();
    reference::fused::global_avg_pool2d(extent, plain, &mut want);
    // 1/pixels is rounded, and its product.
    assert_close(format_args!("{set:?} {extent:?} whole numbers"), &got, &want, 0.0, 2e-7);
}
