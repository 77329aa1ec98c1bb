//! Pooling and its gradients.

use proptest::prelude::*;
use wick_kernels::*;

use crate::dot;
use crate::testing::{assert_close, central_differences, golden, golden_layer, uniform, values};

fn square(n: usize, size: usize, channels: usize, kernel: usize, stride: usize) -> Pool2dShape {
    Pool2dShape { batch: n, height: size, width: size, channels, kernel, stride }
}

fn max_pool(s: &Pool2dShape, x: &[f32]) -> (Vec<f32>, Vec<u32>) {
    let (mut y, mut indices) = (vec![f32::NAN; s.output_len()], vec![u32::MAX; s.output_len()]);
    max_pool2d_forward(s, x, &mut y, &mut indices).unwrap();
    (y, indices)
}

#[test]
fn agrees_with_pytorch_to_the_bit() {
    for (name, s, tied) in [
        ("max_pool2d_2", square(2, 8, 4, 2, 2), false),
        ("max_pool2d_2_odd", square(2, 7, 4, 2, 2), false),
        ("max_pool2d_3_stride_2", square(2, 9, 4, 3, 2), false),
        ("max_pool2d_4", square(2, 8, 4, 4, 4), false),
        ("max_pool2d_2_ties_go_to_the_first", square(2, 8, 4, 2, 2), true),
    ] {
        let case = golden_layer(name);
        let (input, output) = ([2, 4, s.height, s.width], [2, 4, s.out_height(), s.out_width()]);
        let x = uniform(golden::SEED + 8, s.input_len(), 1.0);
        let x: Vec<f32> = x.into_iter().map(|v| if tied { v.round_ties_even() } else { v }).collect();
        let x = golden::nchw_to_nhwc(&x, input);
        let dy = golden::nchw_to_nhwc(&uniform(golden::SEED + 9, s.output_len(), 1.0), output);
        let (y, indices) = max_pool(&s, &x);
        assert_eq!(y, golden::nchw_to_nhwc(&values(&case, "y"), output), "{name}");
        let mut dx = vec![f32::NAN; x.len()];
        max_pool2d_backward(&s, &dy, &indices, &mut dx).unwrap();
        // Overlapping windows add in another order.
        assert_close(name, &dx, &golden::nchw_to_nhwc(&values(&case, "grad_x"), input), 1e-6);
    }
}

proptest! {
    #[test]
    fn odd_shapes_agree_with_the_definition(
        batch in 1usize..4,
        height in 1usize..10,
        width in 1usize..10,
        channels in prop::sample::select(vec![1usize, 3, 5, 17, 64]),
        kernel in 1usize..5,
        stride in 1usize..4,
    ) {
        let s = Pool2dShape { batch, height, width, channels, kernel, stride };
        prop_assume!(s.checked().is_ok());
        // Few distinct values, so that windows have ties.
        let x: Vec<f32> = uniform(81, s.input_len(), 3.0).iter().map(|v| v.round()).collect();
        let dy = uniform(82, s.output_len(), 1.0);
        let (y, indices) = max_pool(&s, &x);
        prop_assert_eq!((&y, &indices), (&reference::max_pool2d_forward(&s, &x).0, &reference::max_pool2d_forward(&s, &x).1));
        let mut dx = vec![f32::NAN; x.len()];
        max_pool2d_backward(&s, &dy, &indices, &mut dx).unwrap();
        prop_assert_eq!(&dx, &reference::max_pool2d_backward(&s, &dy, &indices));

        // At most 16 terms of at most 3, added in the same order and scaled after instead of before: rounding only.
        let mut mean = vec![f32::NAN; s.output_len()];
        avg_pool2d_forward(&s, &x, &mut mean).unwrap();
        for (got, want) in mean.iter().zip(reference::avg_pool2d_forward(&s, &x)) {
            prop_assert!((got - want).abs() <= 1e-6);
        }
        avg_pool2d_backward(&s, &dy, &mut dx).unwrap();
        for (got, want) in dx.iter().zip(reference::avg_pool2d_backward(&s, &dy)) {
            prop_assert!((got - want).abs() <= 1e-6);
        }
    }
}

#[test]
fn nan_is_the_maximum_and_all_infinities_point_to_the_first() {
    let s = square(1, 2, 1, 2, 2);
    let (y, indices) = max_pool(&s, &[1.0, f32::NAN, 5.0, 2.0]);
    assert!(y[0].is_nan());
    assert_eq!(indices, [1]);
    // As in PyTorch's loop, each NaN takes over from what was before it.
    assert_eq!(max_pool(&s, &[f32::NAN, 1.0, f32::NAN, 9.0]).1, [2]);
    assert_eq!(max_pool(&s, &[f32::NEG_INFINITY; 4]), (vec![f32::NEG_INFINITY], vec![0]));
}

#[test]
fn global_average_is_the_average_over_everything() {
    let (batch, positions, channels) = (3, 16, 5);
    let s = square(batch, 4, channels, 4, 4);
    let (x, dy) = (uniform(91, s.input_len(), 1.0), uniform(92, batch * channels, 1.0));
    let mut y = vec![f32::NAN; dy.len()];
    global_avg_pool2d_forward(batch, positions, channels, &x, &mut y).unwrap();
    assert_close("y", &y, &reference::avg_pool2d_forward(&s, &x), 1e-6); // 16 terms
    let mut dx = vec![f32::NAN; x.len()];
    global_avg_pool2d_backward(batch, positions, channels, &dy, &mut dx).unwrap();
    assert_close("dx", &dx, &reference::avg_pool2d_backward(&s, &dy), 1e-6);
}

#[test]
fn gradients_agree_with_central_differences() {
    let s = square(1, 5, 2, 3, 2);
    let (x, dy) = (uniform(93, s.input_len(), 1.0), uniform(94, s.output_len(), 1.0));
    // Piecewise linear and no two of these values within 2e-3 of each other: rounding of 1e-6 over the step is left.
    let mut dx = vec![f32::NAN; x.len()];
    max_pool2d_backward(&s, &dy, &max_pool(&s, &x).1, &mut dx).unwrap();
    assert_close("max", &dx, &central_differences(&x, 1e-3, |x| dot(&max_pool(&s, x).0, &dy)), 2e-3);
    avg_pool2d_backward(&s, &dy, &mut dx).unwrap();
    let mean = |x: &[f32]| {
        let mut y = vec![0.0; s.output_len()];
        avg_pool2d_forward(&s, x, &mut y).unwrap();
        dot(&y, &dy)
    };
    assert_close("average", &dx, &central_differences(&x, 0.5, mean), 1e-4);
}

#[test]
fn bad_arguments_are_named() {
    let s = square(1, 4, 2, 2, 2);
    let error = max_pool2d_forward(&s, &[0.0; 31], &mut [0.0; 8], &mut [0; 8]);
    assert_eq!(error, Err(ShapeError::Length { op: "max_pool2d_forward", name: "x", expected: 32, got: 31 }));
    let error = avg_pool2d_backward(&s, &[0.0; 7], &mut [0.0; 32]);
    assert_eq!(error, Err(ShapeError::Length { op: "avg_pool2d_backward", name: "dy", expected: 8, got: 7 }));
    let error = max_pool2d_backward(&s, &[0.0; 8], &[0, 1, 2, 16, 0, 0, 0, 0], &mut [0.0; 32]);
    let (op, name) = ("max_pool2d_backward", "indices");
    assert_eq!(error, Err(ShapeError::IndexOutOfRange { op, name, at: 3, below: 16, got: 16 }));
    assert_eq!(
        Pool2dShape { kernel: 5, ..s }.checked(),
        Err(ShapeError::WindowTooLarge { op: "pool2d", kernel: [5, 5], image: [4, 4] })
    );
    assert_eq!(
        Pool2dShape { stride: 0, ..s }.checked(),
        Err(ShapeError::Zero { op: "pool2d", name: "stride" })
    );
    let error = global_avg_pool2d_forward(1, 0, 3, &[], &mut [0.0; 3]);
    assert_eq!(error, Err(ShapeError::Zero { op: "global_avg_pool2d_forward", name: "positions" }));
}

#[test]
fn an_empty_batch_has_no_output() {
    let s = square(0, 4, 2, 2, 2);
    assert_eq!(max_pool(&s, &[]), (vec![], vec![]));
    max_pool2d_backward(&s, &[], &[], &mut []).unwrap();
    avg_pool2d_forward(&s, &[], &mut []).unwrap();
    avg_pool2d_backward(&s, &[], &mut []).unwrap();
    global_avg_pool2d_forward(0, 16, 2, &[], &mut []).unwrap();
}
