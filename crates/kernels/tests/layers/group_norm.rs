//! Group and layer normalisation and their gradients.

use proptest::prelude::*;
use wick_kernels::*;

use crate::dot;
use crate::testing::{
    assert_close, assert_same_on_any_threads, central_differences, golden, golden_layer, uniform, values,
};

fn shape(batch: usize, positions: usize, channels: usize, groups: usize) -> GroupNormShape {
    GroupNormShape { batch, positions, channels, groups }
}

/// `y`, `mean` and `variance`.
fn forward(s: &GroupNormShape, x: &[f32], affine: NormAffine, eps: f32) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let nan = |n| vec![f32::NAN; n];
    let (mut y, mut mean, mut variance) = (nan(s.len()), nan(s.statistics_len()), nan(s.statistics_len()));
    group_norm_forward(s, x, affine, eps, &mut y, &mut mean, &mut variance).unwrap();
    (y, mean, variance)
}

/// `dx`, `dweight` and `dbias`.
fn backward(s: &GroupNormShape, pass: NormPass) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let nan = |n| vec![f32::NAN; n];
    let (mut dx, mut dweight, mut dbias) = (nan(s.len()), nan(s.channels), nan(s.channels));
    let out = NormGradients { dx: &mut dx, dweight: &mut dweight, dbias: &mut dbias };
    group_norm_backward(s, pass, out).unwrap();
    (dx, dweight, dbias)
}

#[test]
fn agrees_with_pytorch() {
    for (name, groups) in [("layer_norm_group1", 1), ("group_norm_3", 3)] {
        // m = nn.GroupNorm(groups, 6); y = m(x); y.backward(g)
        let case = golden_layer(name);
        let nchw = [8, 6, 5, 5];
        let s = shape(8, 25, 6, groups);
        let w: Vec<f32> = uniform(golden::SEED + 1, 6, 0.3).iter().map(|v| 1.0 + v).collect();
        let b = uniform(golden::SEED + 2, 6, 0.3);
        let x: Vec<f32> = uniform(golden::SEED + 3, 1200, 2.0).iter().map(|v| v + 0.5).collect();
        let x = golden::nchw_to_nhwc(&x, nchw);
        let dy = golden::nchw_to_nhwc(&uniform(golden::SEED + 4, 1200, 1.0), nchw);
        let nhwc = |key: &str| golden::nchw_to_nhwc(&values(&case, key), nchw);

        // f32 on both sides, sums over 50 and 150 values in another order.
        let activation = Activation::None;
        let affine = NormAffine { weight: &w, bias: &b, activation };
        let (y, mean, variance) = forward(&s, &x, affine, 1e-5);
        assert_close("y", &y, &nhwc("y"), 2e-6);
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
        let pass = NormPass { x: &x, y: &[], dy: &dy, statistics, weight: &w, activation };
        let (dx, dw, db) = backward(&s, pass);
        assert_close("dx", &dx, &nhwc("grad_x"), 2e-6);
        assert_close("dweight", &dw, &values(&case, "grad_weight"), 2e-6);
        assert_close("dbias", &db, &values(&case, "grad_bias"), 2e-6);
    }
}

#[test]
fn a_layer_norm_of_each_value_agrees_with_pytorch() {
    // m = nn.LayerNorm((6, 5, 5)); y = m(x); y.backward(g)
    let case = golden_layer("layer_norm_chw");
    let nchw = [8, 6, 5, 5];
    let s = GroupNormShape::layer(8, 150);
    let of_image = |v: &[f32]| golden::nchw_to_nhwc(v, [1, 6, 5, 5]);
    let w: Vec<f32> = uniform(golden::SEED + 1, 150, 0.3).iter().map(|v| 1.0 + v).collect();
    let (w, b) = (of_image(&w), of_image(&uniform(golden::SEED + 2, 150, 0.3)));
    let x: Vec<f32> = uniform(golden::SEED + 3, 1200, 2.0).iter().map(|v| v + 0.5).collect();
    let x = golden::nchw_to_nhwc(&x, nchw);
    let dy = golden::nchw_to_nhwc(&uniform(golden::SEED + 4, 1200, 1.0), nchw);
    let nhwc = |key: &str| golden::nchw_to_nhwc(&values(&case, key), nchw);

    // f32 on both sides, sums over 150 values in another order.
    let activation = Activation::None;
    let affine = NormAffine { weight: &w, bias: &b, activation };
    let (y, mean, variance) = forward(&s, &x, affine, 1e-5);
    assert_close("y", &y, &nhwc("y"), 2e-6);
    let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
    let pass = NormPass { x: &x, y: &[], dy: &dy, statistics, weight: &w, activation };
    let (dx, dw, db) = backward(&s, pass);
    assert_close("dx", &dx, &nhwc("grad_x"), 2e-6);
    assert_close("dweight", &dw, &of_image(&values(&case, "grad_weight")), 2e-6);
    assert_close("dbias", &db, &of_image(&values(&case, "grad_bias")), 2e-6);
}

proptest! {
    #[test]
    fn odd_shapes_agree_with_the_definition(
        batch in 1usize..4,
        positions in prop::sample::select(vec![1usize, 2, 3, 7, 49, 127, 128, 129, 700]),
        (groups, group) in prop::sample::select(vec![(1usize, 1usize), (1, 3), (1, 17), (1, 64), (3, 2), (5, 1), (4, 16), (1, 2100)]),
        offset in -3f32..3.0,
        relu in any::<bool>(),
    ) {
        let s = shape(batch, positions, groups * group, groups);
        let activation = if relu { Activation::Relu } else { Activation::None };
        let x: Vec<f32> = uniform(41, s.len(), 1.0).iter().map(|v| v + offset).collect();
        let (w, b) = (uniform(42, s.channels, 2.0), uniform(43, s.channels, 1.0));
        let dy = uniform(44, s.len(), 1.0);
        let eps = 1e-3;
        let affine = NormAffine { weight: &w, bias: &b, activation };
        let (y, mean, variance) = forward(&s, &x, affine, eps);
        let (want_mean, want_variance) = reference::group_norm_statistics(&s, &x);
        for (got, want) in mean.iter().zip(&want_mean) {
            prop_assert!((f64::from(*got) - want).abs() <= 1e-6, "mean {got}, want {want}");
        }
        for (got, want) in variance.iter().zip(&want_variance) {
            // Of values of at most 4, rounded to 2e-7; where there is but one, it is exactly 0.
            prop_assert!((f64::from(*got) - want).abs() <= 1e-6 * want + 1e-12, "variance {got}, want {want}");
        }
        // Everything below starts from the same f32 statistics.
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps };
        let want = reference::group_norm_normalise(&s, &x, statistics, affine);
        assert_close("y", &y, &want, 1e-5);
        let pass = NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation };
        let (got, want) = (backward(&s, pass), reference::group_norm_backward(&s, pass));
        // Where a group is but a few values, dx cancels to nearly nothing: hold it to its terms.
        let steepest = variance.iter().map(|v| 2.0 / (v + eps).sqrt()).fold(0f32, f32::max);
        for (got, want) in got.0.iter().zip(&want.0) {
            prop_assert!((got - want).abs() <= 1e-5 * steepest, "dx {got}, want {want}");
        }
        let values = (batch * positions) as f32;
        for (got, want) in got.1.iter().chain(&got.2).zip(want.1.iter().chain(&want.2)) {
            prop_assert!((got - want).abs() <= 1e-6 * values + 1e-5, "parameter {got}, want {want}");
        }
    }
}

#[test]
fn statistics_hold_far_from_zero() {
    // A mean 1000 times the deviation, at the size of a network's first layer; f32 keeps the input itself to 6e-8 of the
    // mean, which is 6e-5 of the deviation, and errors of single values average out.
    let s = shape(2, 32 * 32, 64, 1);
    let x: Vec<f32> = uniform(51, s.len(), 1.0).iter().map(|v| v + 577.0).collect();
    let (w, b) = (vec![1.0; 64], vec![0.0; 64]);
    let affine = NormAffine { weight: &w, bias: &b, activation: Activation::None };
    let (_, mean, variance) = forward(&s, &x, affine, 1e-5);
    let (want_mean, want_variance) = reference::group_norm_statistics(&s, &x);
    for n in 0..2 {
        let (mean, variance) = (f64::from(mean[n]), f64::from(variance[n]));
        assert!((variance / want_variance[n] - 1.0).abs() < 1e-5, "{variance}, want {}", want_variance[n]);
        assert!(
            (mean - want_mean[n]).abs() < 1e-4 * want_variance[n].sqrt(),
            "{mean}, want {}",
            want_mean[n]
        );
    }
    let constant = vec![12345.678; s.len()];
    let (y, mean, variance) = forward(&s, &constant, affine, 1e-5);
    assert_eq!((mean, variance), (vec![12345.678; 2], vec![0.0; 2]));
    assert!(y.iter().all(|v| *v == 0.0));
}

#[test]
fn gradients_agree_with_central_differences() {
    for s in [shape(2, 4, 6, 1), shape(2, 4, 6, 3), shape(1, 5, 3, 3)] {
        let (x, w, b) =
            (uniform(73, s.len(), 2.0), uniform(62, s.channels, 1.0), uniform(63, s.channels, 1.0));
        let dy = uniform(64, x.len(), 1.0);
        for activation in [Activation::None, Activation::Relu] {
            let forward = |x: &[f32], weight: &[f32], bias: &[f32]| {
                forward(&s, x, NormAffine { weight, bias, activation }, 1e-2)
            };
            let (y, mean, variance) = forward(&x, &w, &b);
            assert!(activation == Activation::None || y.contains(&0.0), "the case must cut something");
            let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-2 };
            let pass = NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation };
            let (dx, dw, db) = backward(&s, pass);
            // No value of these is within 0.06 of the kink, so a step of 2e-3 does not cross it; it leaves an error of its square (4e-6) and of rounding, 1e-7 / 2e-3.
            let loss = |x: &[f32], w: &[f32], b: &[f32]| dot(&forward(x, w, b).0, &dy);
            assert_close("dx", &dx, &central_differences(&x, 2e-3, |x| loss(x, &w, &b)), 2e-3);
            assert_close("dweight", &dw, &central_differences(&w, 2e-3, |w| loss(&x, w, &b)), 2e-3);
            assert_close("dbias", &db, &central_differences(&b, 2e-3, |b| loss(&x, &w, b)), 2e-3);
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let s = shape(7, 300, 34, 2);
    let x = uniform(71, s.len(), 1.0);
    let (w, b, dy) = (uniform(72, 34, 1.0), uniform(73, 34, 1.0), uniform(74, s.len(), 1.0));
    assert_same_on_any_threads("group norm", || {
        let activation = Activation::Relu;
        let (y, mean, variance) = forward(&s, &x, NormAffine { weight: &w, bias: &b, activation }, 1e-5);
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
        let pass = NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation };
        let (dx, dw, db) = backward(&s, pass);
        [y, mean, variance, dx, dw, db].concat()
    });
}

#[test]
fn nan_stays_in_its_group() {
    let s = shape(2, 2, 4, 2);
    let mut x = uniform(81, s.len(), 1.0);
    x[5] = f32::NAN; // the second position of the first image's first group
    let affine = NormAffine { weight: &[1.0; 4], bias: &[0.0; 4], activation: Activation::Relu };
    let (y, _, _) = forward(&s, &x, affine, 1e-5);
    for (i, y) in y.iter().enumerate() {
        assert_eq!(y.is_nan(), i < 8 && i % 4 < 2, "{i}: {y}");
    }
}

#[test]
fn wrong_shapes_are_named() {
    let call = |s: GroupNormShape, w: &[f32]| {
        let (mut y, mut mean, mut variance) = ([0.0; 12], [0.0; 4], [0.0; 4]);
        let affine = NormAffine { weight: w, bias: &[0.0; 3], activation: Activation::None };
        group_norm_forward(&s, &[0.0; 12], affine, 0.0, &mut y, &mut mean, &mut variance)
    };
    let op = "group_norm";
    let want = ShapeError::NotAMultiple { op, name: "channels", of: 2, got: 3 };
    assert_eq!(call(shape(2, 2, 3, 2), &[0.0; 3]), Err(want));
    assert_eq!(call(shape(2, 2, 3, 0), &[0.0; 3]), Err(ShapeError::Zero { op, name: "groups" }));
    let huge = call(shape(usize::MAX, 2, 3, 3), &[0.0; 3]);
    assert_eq!(huge, Err(ShapeError::Overflow { op, name: "x" }));
    let op = "group_norm_forward";
    let want = ShapeError::Length { op, name: "weight", expected: 3, got: 2 };
    assert_eq!(call(shape(4, 1, 3, 1), &[0.0; 2]), Err(want));
    let want = ShapeError::Length { op, name: "mean", expected: 2, got: 4 };
    assert_eq!(call(shape(2, 2, 3, 1), &[0.0; 3]), Err(want));
    let s = shape(1, 1, 1, 1);
    let statistics = NormStatistics { mean: &[0.0], variance: &[0.0], eps: 1e-5 };
    let (x, activation) = (&[1.0], Activation::Relu);
    let pass = NormPass { x, y: &[], dy: x, statistics, weight: x, activation };
    let out = NormGradients { dx: &mut [0.0], dweight: &mut [0.0], dbias: &mut [0.0] };
    let error = group_norm_backward(&s, pass, out);
    let op = "group_norm_backward";
    assert_eq!(error, Err(ShapeError::Length { op, name: "y", expected: 1, got: 0 }));
}

#[test]
fn nothing_gives_zeros() {
    for s in [shape(0, 5, 4, 2), shape(2, 0, 4, 2)] {
        let (weight, activation) = (&[1.0; 4], Activation::Relu);
        let (y, mean, variance) = forward(&s, &[], NormAffine { weight, bias: &[0.0; 4], activation }, 1e-5);
        assert!(y.is_empty() && mean.iter().chain(&variance).all(|v| *v == 0.0));
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
        let pass = NormPass { x: &[], y: &[], dy: &[], statistics, weight, activation };
        assert_eq!(backward(&s, pass), (vec![], vec![0.0; 4], vec![0.0; 4]));
    }
}
