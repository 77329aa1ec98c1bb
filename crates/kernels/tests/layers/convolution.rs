//! Convolution and its gradients.

use proptest::prelude::*;
use wick_kernels::fused::{self, Algorithm, Sink, Source};
use wick_kernels::*;

use crate::dot;
use crate::testing::{
    assert_close, assert_same_on_any_threads, central_differences, golden, golden_layer, uniform, values,
};

type Op = fn(&Conv2dShape, &[f32], &[f32], &mut [f32]) -> Result<(), ShapeError>;

/// What each op reads and writes: its fast form, its definition, and the lengths of its operands and its result.
fn ops(s: &Conv2dShape) -> [(&'static str, Op, Op, [usize; 3]); 3] {
    let (x, w, y) = (s.input_len(), s.weight_len(), s.output_len());
    [
        ("y", conv2d_forward, reference::conv2d_forward, [x, w, y]),
        ("dx", conv2d_input_gradient, reference::conv2d_input_gradient, [y, w, x]),
        ("dw", conv2d_weight_gradient, reference::conv2d_weight_gradient, [x, y, w]),
    ]
}

fn run(op: Op, s: &Conv2dShape, a: &[f32], b: &[f32], len: usize) -> Vec<f32> {
    let mut out = vec![f32::NAN; len]; // NaN: what is not overwritten shows
    op(s, a, b, &mut out).unwrap();
    out
}

/// All three against the definition. The error is measured against the largest sum of the terms' absolute values, so that
/// sums that happen to cancel are not held to digits they never had; rounding, and that of the transforms, stays below 1e-5 of it.
fn check(s: &Conv2dShape) {
    for (what, fast, slow, [a, b, out]) in ops(s) {
        let (a, b) = (uniform(11, a, 1.0), uniform(12, b, 1.0));
        let absolute = |v: &[f32]| v.iter().map(|v| v.abs()).collect::<Vec<_>>();
        let scale = run(slow, s, &absolute(&a), &absolute(&b), out).into_iter().fold(0f32, f32::max);
        let (got, want) = (run(fast, s, &a, &b, out), run(slow, s, &a, &b, out));
        for (i, (g, w)) in got.iter().zip(&want).enumerate() {
            assert!((g - w).abs() <= 1e-5 * scale, "{what}[{i}] of {s:?}: got {g}, want {w}, scale {scale}");
        }
    }
}

fn square(
    n: usize,
    size: usize,
    c: usize,
    k: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
) -> Conv2dShape {
    let kernel = [kernel; 2];
    Conv2dShape {
        batch: n,
        height: size,
        width: size,
        in_channels: c,
        out_channels: k,
        kernel,
        stride,
        padding,
    }
}

#[test]
fn agrees_with_pytorch() {
    let cases = [
        ("conv_n2_i3_o16_k3_s1_p1_h9", square(2, 9, 3, 16, 3, 1, 1)),
        ("conv_n2_i16_o32_k3_s2_p1_h8", square(2, 8, 16, 32, 3, 2, 1)),
        ("conv_n2_i16_o24_k1_s2_p0_h8", square(2, 8, 16, 24, 1, 2, 0)),
        ("conv_n3_i32_o16_k3_s1_p1_h6", square(3, 6, 32, 16, 3, 1, 1)),
        ("conv_n1_i5_o7_k3_s1_p1_h7", square(1, 7, 5, 7, 3, 1, 1)),
        ("conv_n2_i4_o8_k2_s1_p0_h6", square(2, 6, 4, 8, 2, 1, 0)),
    ];
    for (name, s) in cases {
        let case = golden_layer(name);
        let weight_shape = [s.out_channels, s.in_channels, s.kernel[0], s.kernel[1]];
        let input_shape = [s.batch, s.in_channels, s.height, s.width];
        let output_shape = [s.batch, s.out_channels, s.out_height(), s.out_width()];
        let w = golden::oihw_to_hwio(&uniform(golden::SEED + 5, s.weight_len(), 0.5), weight_shape);
        let x = golden::nchw_to_nhwc(&uniform(golden::SEED + 6, s.input_len(), 1.0), input_shape);
        let dy = golden::nchw_to_nhwc(&uniform(golden::SEED + 7, s.output_len(), 1.0), output_shape);
        // Both sides round in f32, in another order: far below 1e-4 of the largest value.
        let want = golden::nchw_to_nhwc(&values(&case, "y"), output_shape);
        assert_close(&format!("{name} y"), &run(conv2d_forward, &s, &x, &w, want.len()), &want, 1e-4);
        let want = golden::nchw_to_nhwc(&values(&case, "grad_x"), input_shape);
        assert_close(
            &format!("{name} dx"),
            &run(conv2d_input_gradient, &s, &dy, &w, want.len()),
            &want,
            1e-4,
        );
        let want = golden::oihw_to_hwio(&values(&case, "grad_w"), weight_shape);
        assert_close(
            &format!("{name} dw"),
            &run(conv2d_weight_gradient, &s, &x, &dy, want.len()),
            &want,
            1e-4,
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn odd_shapes_agree_with_the_definition(
        batch in 1usize..4,
        height in prop::sample::select(vec![1usize, 2, 3, 4, 5, 7, 8, 11]),
        width in prop::sample::select(vec![1usize, 2, 3, 4, 6, 9]),
        in_channels in prop::sample::select(vec![1usize, 3, 5, 16, 17, 64]),
        out_channels in prop::sample::select(vec![1usize, 3, 5, 16, 17, 64]),
        kernel in prop::sample::select(vec![[1usize, 1], [2, 2], [3, 3], [5, 5], [1, 3], [3, 2]]),
        stride in 1usize..4,
        padding in 0usize..3,
    ) {
        let s = Conv2dShape { batch, height, width, in_channels, out_channels, kernel, stride, padding };
        prop_assume!(s.checked().is_ok());
        check(&s);
    }
}

#[test]
fn shapes_that_take_every_path_agree_with_the_definition() {
    for s in [
        square(8, 32, 16, 24, 3, 1, 1), // so many pixels that the forward pass is in tiles as well
        square(5, 32, 3, 64, 3, 1, 1),  // several blocks of rows, across images
        square(3, 16, 16, 24, 3, 1, 1),
        square(9, 4, 40, 48, 3, 1, 1), // many images in a block
        square(2, 14, 8, 8, 3, 1, 1),
        square(3, 16, 16, 32, 3, 2, 1),
        square(3, 16, 16, 32, 1, 2, 0),
        square(40, 8, 16, 32, 1, 1, 0),
        square(2, 4, 192, 256, 3, 1, 1), // weights too large for partial sums of their gradient: in tiles, and directly
        square(2, 5, 256, 272, 3, 2, 1),
        square(112, 5, 96, 224, 3, 1, 1), // more patches than are kept at once, of too large a gradient: some, then others
        square(1, 3, 2, 2, 2, 1, 3),      // padding wider than the window
    ] {
        check(&s);
    }
}

#[test]
fn forward_passes_are_in_tiles_from_8192_pixels_on() {
    for (batch, algorithm) in [(7, Algorithm::Direct), (8, Algorithm::Tiles4)] {
        let s = square(batch, 32, 16, 16, 3, 1, 1);
        let (x, w) = (uniform(41, s.input_len(), 1.0), uniform(42, s.weight_len(), 1.0));
        let by = |algorithm| {
            let mut y = vec![f32::NAN; s.output_len()];
            fused::conv2d(&s, algorithm, Source::Plain(&x), &w, Sink::plain(&mut y)).unwrap();
            y
        };
        let other = if algorithm == Algorithm::Direct { Algorithm::Tiles4 } else { Algorithm::Direct };
        let y = run(conv2d_forward, &s, &x, &w, s.output_len());
        assert_eq!(y, by(algorithm));
        assert_ne!(y, by(other), "the two round alike, and tell nothing");
    }
}

#[test]
fn the_error_of_a_large_layer_is_some_rounding() {
    // 256 channels: relative to the deviation of the result, as the README states it.
    let s = square(2, 8, 256, 32, 3, 1, 1);
    let (x, w) = (uniform(9, s.input_len(), 1.0), uniform(10, s.weight_len(), 1.0));
    let mut want = vec![0f64; s.output_len()];
    reference::for_each_product(&s, |i, w_at, o| want[o] += f64::from(x[i]) * f64::from(w[w_at]));
    for (algorithm, most) in [(Algorithm::Direct, 5e-7), (Algorithm::Tiles4, 2.5e-6)] {
        let mut y = vec![f32::NAN; s.output_len()];
        fused::conv2d(&s, algorithm, Source::Plain(&x), &w, Sink::plain(&mut y)).unwrap();
        let error: f64 = y.iter().zip(&want).map(|(y, want)| (f64::from(*y) - want).powi(2)).sum();
        let relative = (error / want.iter().map(|want| want * want).sum::<f64>()).sqrt();
        assert!(relative < most, "{algorithm:?}: {relative:e}");
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for s in [
        square(8, 32, 16, 32, 3, 1, 1),
        square(5, 8, 128, 256, 3, 1, 1),
        square(5, 16, 32, 64, 3, 2, 1),
        square(5, 16, 32, 64, 1, 2, 0),
        square(112, 5, 96, 224, 3, 1, 1),
    ] {
        for (what, fast, _, [a, b, out]) in ops(&s) {
            let (a, b) = (uniform(21, a, 1.0), uniform(22, b, 1.0));
            assert_same_on_any_threads(&format!("{what} of {s:?}"), || run(fast, &s, &a, &b, out));
        }
    }
}

#[test]
fn gradients_agree_with_central_differences() {
    for s in [square(1, 5, 2, 3, 3, 1, 1), square(2, 5, 3, 2, 3, 2, 1), square(1, 4, 2, 2, 1, 2, 0)] {
        let (x, w) = (uniform(31, s.input_len(), 1.0), uniform(32, s.weight_len(), 1.0));
        let dy = uniform(33, s.output_len(), 1.0);
        let loss = |x: &[f32], w: &[f32]| dot(&run(conv2d_forward, &s, x, w, s.output_len()), &dy);
        // The loss is linear in each argument, so a large step is exact but for rounding: some 1e-6 of a loss of
        // about 10, over a step of 1.
        let dx = run(conv2d_input_gradient, &s, &dy, &w, s.input_len());
        assert_close("dx", &dx, &central_differences(&x, 0.5, |x| loss(x, &w)), 1e-4);
        let dw = run(conv2d_weight_gradient, &s, &x, &dy, s.weight_len());
        assert_close("dw", &dw, &central_differences(&w, 0.5, |w| loss(&x, w)), 1e-4);
    }
}

#[test]
fn wrong_lengths_are_named_and_nothing_is_written() {
    let s = square(1, 4, 2, 3, 3, 1, 1);
    for (result, fast, _, [a, b, out]) in ops(&s) {
        let operands: [&str; 2] = match result {
            "y" => ["x", "weight"],
            "dx" => ["dy", "weight"],
            _ => ["x", "dy"],
        };
        for (wrong, name) in [(0, operands[0]), (1, operands[1]), (2, result)] {
            let mut lens = [a, b, out];
            lens[wrong] += 1;
            let mut written = vec![7.0; lens[2]];
            let error = fast(&s, &vec![0.0; lens[0]], &vec![0.0; lens[1]], &mut written).unwrap_err();
            let ShapeError::Length { op, name: named, expected, got } = error else { panic!("{error}") };
            let function = match result {
                "y" => "conv2d_forward",
                "dx" => "conv2d_input_gradient",
                _ => "conv2d_weight_gradient",
            };
            assert_eq!((op, named, expected, got), (function, name, [a, b, out][wrong], lens[wrong]));
            assert!(written.iter().all(|v| *v == 7.0));
        }
    }
}

#[test]
fn impossible_shapes_are_refused() {
    let good = square(1, 4, 2, 3, 3, 1, 1);
    assert_eq!(good.checked(), Ok(good));
    assert_eq!(
        Conv2dShape { stride: 0, ..good }.checked(),
        Err(ShapeError::Zero { op: "conv2d", name: "stride" })
    );
    assert_eq!(
        Conv2dShape { padding: 0, height: 2, ..good }.checked(),
        Err(ShapeError::WindowTooLarge { op: "conv2d", kernel: [3, 3], image: [2, 4] })
    );
    for s in [
        Conv2dShape { in_channels: usize::MAX / 2, ..good },
        Conv2dShape { padding: usize::MAX, ..good },
        Conv2dShape { batch: 0, height: usize::MAX / 2, width: usize::MAX / 2, ..good },
    ] {
        assert!(matches!(s.checked(), Err(ShapeError::Overflow { .. })), "{s:?}");
    }
}

#[test]
fn an_empty_batch_has_no_output_and_no_weight_gradient() {
    let s = square(0, 8, 16, 16, 3, 1, 1);
    assert!(run(conv2d_forward, &s, &[], &vec![1.0; s.weight_len()], 0).is_empty());
    assert!(run(conv2d_input_gradient, &s, &[], &vec![1.0; s.weight_len()], 0).is_empty());
    assert_eq!(run(conv2d_weight_gradient, &s, &[], &[], s.weight_len()), vec![0.0; s.weight_len()]);
    let large = square(0, 8, 256, 256, 3, 1, 1);
    assert_eq!(
        run(conv2d_weight_gradient, &large, &[], &[], large.weight_len()),
        vec![0.0; large.weight_len()]
    );
}
