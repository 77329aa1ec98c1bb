//! Batch normalisation and its gradients.

use proptest::prelude::*;
use wick_kernels::*;

use crate::dot;
use crate::testing::{
    assert_close, assert_same_on_any_threads, central_differences, golden, golden_layer, uniform, values,
};

fn statistics_of(x: &[f32], channels: usize) -> (Vec<f32>, Vec<f32>) {
    let (mut mean, mut variance) = (vec![f32::NAN; channels], vec![f32::NAN; channels]);
    batch_norm_statistics(x, &mut mean, &mut variance).unwrap();
    (mean, variance)
}

fn normalise(x: &[f32], statistics: NormStatistics, affine: NormAffine) -> Vec<f32> {
    let mut y = vec![f32::NAN; x.len()];
    batch_norm_normalise(x, statistics, affine, &mut y).unwrap();
    y
}

type Gradients = (Vec<f32>, Vec<f32>, Vec<f32>);

type Backward = fn(NormPass, NormGradients) -> Result<(), ShapeError>;

fn backward(f: Backward, pass: NormPass) -> Gradients {
    let nan = |n| vec![f32::NAN; n];
    let (mut dx, mut dweight, mut dbias) =
        (nan(pass.x.len()), nan(pass.weight.len()), nan(pass.weight.len()));
    f(pass, NormGradients { dx: &mut dx, dweight: &mut dweight, dbias: &mut dbias }).unwrap();
    (dx, dweight, dbias)
}

#[test]
fn agrees_with_pytorch() {
    let case = golden_layer("batch_norm");
    let shape = [8, 6, 5, 5];
    let w: Vec<f32> = uniform(golden::SEED + 1, 6, 0.3).iter().map(|v| 1.0 + v).collect();
    let b = uniform(golden::SEED + 2, 6, 0.3);
    let x: Vec<f32> = uniform(golden::SEED + 3, 1200, 2.0).iter().map(|v| v + 0.5).collect();
    let x = golden::nchw_to_nhwc(&x, shape);
    let dy = golden::nchw_to_nhwc(&uniform(golden::SEED + 4, 1200, 1.0), shape);
    let nhwc = |key: &str| golden::nchw_to_nhwc(&values(&case, key), shape);

    // f32 on both sides, sums over 200 rows in another order: well below 1e-4 of scale.
    let (mean, variance) = statistics_of(&x, 6);
    let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
    let activation = Activation::None;
    let affine = NormAffine { weight: &w, bias: &b, activation };
    assert_close("y", &normalise(&x, statistics, affine), &nhwc("y"), 1e-4);
    let pass = NormPass { x: &x, y: &[], dy: &dy, statistics, weight: &w, activation };
    let (dx, dw, db) = backward(batch_norm_backward, pass);
    assert_close("dx", &dx, &nhwc("grad_x"), 1e-4);
    assert_close("dweight", &dw, &values(&case, "grad_weight"), 1e-4);
    assert_close("dbias", &db, &values(&case, "grad_bias"), 1e-4);

    // PyTorch's running statistics after one step of momentum 0.1 from 0 and 1; it keeps the unbiased variance.
    let running_mean: Vec<f32> = mean.iter().map(|m| 0.1 * m).collect();
    let running_var: Vec<f32> = variance.iter().map(|v| 0.9 + 0.1 * v * 200.0 / 199.0).collect();
    assert_close("running mean", &running_mean, &values(&case, "running_mean"), 1e-4);
    assert_close("running variance", &running_var, &values(&case, "running_var"), 1e-4);
    let statistics = NormStatistics { mean: &running_mean, variance: &running_var, eps: 1e-5 };
    let evaluated = normalise(&x, statistics, affine);
    assert_close("y of evaluation", &evaluated, &nhwc("y_eval"), 1e-4);
}

proptest! {
    #[test]
    fn odd_shapes_agree_with_the_definition(
        rows in prop::sample::select(vec![1usize, 2, 3, 4, 5, 7, 64, 129, 1500]),
        channels in prop::sample::select(vec![1usize, 3, 5, 17, 64, 100]),
        offset in -3f32..3.0,
        relu in any::<bool>(),
        through_statistics in any::<bool>(),
    ) {
        let activation = if relu { Activation::Relu } else { Activation::None };
        let x: Vec<f32> = uniform(41, rows * channels, 1.0).iter().map(|v| v + offset).collect();
        let (w, b) = (uniform(42, channels, 2.0), uniform(43, channels, 1.0));
        let dy = uniform(44, x.len(), 1.0);
        let (mean, variance) = statistics_of(&x, channels);
        let (want_mean, want_variance) = reference::batch_norm_statistics(&x, channels);
        for (got, want) in mean.iter().zip(&want_mean) {
            // Of values of at most 4, rounded to 2e-7; one that cancels has no digits of its own.
            prop_assert!((f64::from(*got) - want).abs() <= 1e-6, "mean {got}, want {want}");
        }
        for (got, want) in variance.iter().zip(&want_variance) {
            // One rounding of the mean, of at most 4, squared; the variance of these values is about 1/3 or exactly 0.
            prop_assert!((f64::from(*got) - want).abs() <= 1e-5 * want + 1e-12, "variance {got}, want {want}");
        }
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-3 };
        let affine = NormAffine { weight: &w, bias: &b, activation };
        let y = normalise(&x, statistics, affine);
        // Everything below starts from the same f32 statistics; sums of at most 1500 f32 terms round by less than 1e-5.
        assert_close("y", &y, &reference::batch_norm_normalise(&x, statistics, affine), 1e-5);
        let pass = NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation };
        let (got, want) = if through_statistics {
            (backward(batch_norm_backward, pass), reference::batch_norm_backward(pass))
        } else {
            (backward(batch_norm_backward_frozen, pass), reference::batch_norm_backward_frozen(pass))
        };
        // Where the statistics are those of one or two rows, dx cancels to nearly nothing: hold it to its terms.
        let steepest = w.iter().zip(&variance).map(|(w, v)| (w / (v + 1e-3).sqrt()).abs()).fold(0f32, f32::max);
        for (got, want) in got.0.iter().zip(&want.0) {
            prop_assert!((got - want).abs() <= 1e-5 * steepest, "dx {got}, want {want}");
        }
        for (got, want) in got.1.iter().chain(&got.2).zip(want.1.iter().chain(&want.2)) {
            prop_assert!((got - want).abs() <= 1e-5 * rows as f32 + 1e-5, "parameter {got}, want {want}");
        }
    }
}

#[test]
fn statistics_hold_at_the_size_of_a_training_batch_and_far_from_zero() {
    // The first layer of a ResNet at batch 128, a mean 1000 times the deviation; f32 keeps the input itself to 6e-8 of
    // the mean, which is 6e-5 of the deviation, and errors of single values average out.
    let (rows, channels) = (128 * 32 * 32, 8);
    let x: Vec<f32> = uniform(51, rows * channels, 1.0)
        .iter()
        .enumerate()
        .map(|(i, v)| v + 577.0 * (i % 2) as f32)
        .collect();
    let (mean, variance) = statistics_of(&x, channels);
    let (want_mean, want_variance) = reference::batch_norm_statistics(&x, channels);
    for c in 0..channels {
        let (mean, variance) = (f64::from(mean[c]), f64::from(variance[c]));
        assert!(
            (variance / want_variance[c] - 1.0).abs() < 1e-5,
            "{c}: {variance}, want {}",
            want_variance[c]
        );
        assert!(
            (mean - want_mean[c]).abs() < 1e-4 * want_variance[c].sqrt(),
            "{c}: {mean}, want {}",
            want_mean[c]
        );
    }
}

#[test]
fn a_constant_channel_has_no_variance() {
    let x = vec![12345.678; 3 * 5000];
    let (mean, variance) = statistics_of(&x, 3);
    assert_eq!((mean, variance), (vec![12345.678; 3], vec![0.0; 3]));
}

#[test]
fn gradients_agree_with_central_differences() {
    let (rows, channels) = (6, 3);
    let (x, w, b) =
        (uniform(61, rows * channels, 2.0), uniform(62, channels, 1.0), uniform(63, channels, 1.0));
    let dy = uniform(64, x.len(), 1.0);
    for activation in [Activation::None, Activation::Relu] {
        let forward = |x: &[f32], w: &[f32], b: &[f32]| {
            let (mean, variance) = statistics_of(x, channels);
            let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-2 };
            normalise(x, statistics, NormAffine { weight: w, bias: b, activation })
        };
        let (mean, variance) = statistics_of(&x, channels);
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-2 };
        let y = forward(&x, &w, &b);
        assert!(activation == Activation::None || y.contains(&0.0), "the case must cut something");
        let pass = NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation };
        let (dx, dw, db) = backward(batch_norm_backward, pass);
        // A step of 2e-3 crosses no kink here; it leaves an error of its square (4e-6) and of rounding, 1e-7 / 2e-3.
        let loss = |x: &[f32], w: &[f32], b: &[f32]| dot(&forward(x, w, b), &dy);
        assert_close("dx", &dx, &central_differences(&x, 2e-3, |x| loss(x, &w, &b)), 2e-3);
        assert_close("dweight", &dw, &central_differences(&w, 2e-3, |w| loss(&x, w, &b)), 2e-3);
        assert_close("dbias", &db, &central_differences(&b, 2e-3, |b| loss(&x, &w, b)), 2e-3);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let channels = 17;
    let x = uniform(71, 20_000 * channels, 1.0);
    let (w, b) = (uniform(72, channels, 1.0), uniform(73, channels, 1.0));
    let dy = uniform(74, x.len(), 1.0);
    assert_same_on_any_threads("batch norm", || {
        let (mean, variance) = statistics_of(&x, channels);
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
        let activation = Activation::Relu;
        let y = normalise(&x, statistics, NormAffine { weight: &w, bias: &b, activation });
        let pass = NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation };
        let (dx, dw, db) = backward(batch_norm_backward, pass);
        [mean, variance, y, dx, dw, db].concat()
    });
}

#[test]
fn nan_passes_through_the_rectifier() {
    let statistics = NormStatistics { mean: &[0.0], variance: &[1.0], eps: 0.0 };
    let affine = NormAffine { weight: &[1.0], bias: &[0.0], activation: Activation::Relu };
    let y = normalise(&[f32::NAN, -1.0, 2.0], statistics, affine);
    assert!(y[0].is_nan());
    assert_eq!(&y[1..], [0.0, 2.0]);
}

#[test]
fn wrong_lengths_are_named() {
    let (mut mean, mut variance) = ([0.0; 2], [0.0; 2]);
    assert_eq!(
        batch_norm_statistics(&[0.0; 5], &mut mean, &mut variance),
        Err(ShapeError::NotAMultiple { op: "batch_norm_statistics", name: "x", of: 2, got: 5 })
    );
    assert_eq!(
        batch_norm_statistics(&[], &mut [], &mut []),
        Err(ShapeError::Zero { op: "batch_norm_statistics", name: "channels" })
    );
    let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 0.0 };
    let affine = NormAffine { weight: &[1.0], bias: &[0.0; 2], activation: Activation::None };
    let error = batch_norm_normalise(&[0.0; 4], statistics, affine, &mut [0.0; 4]);
    assert_eq!(
        error,
        Err(ShapeError::Length { op: "batch_norm_normalise", name: "weight", expected: 2, got: 1 })
    );
    let (x, weight, activation) = (&[0.0; 4], &[1.0; 2], Activation::Relu);
    let pass = NormPass { x, y: &[], dy: x, statistics, weight, activation };
    let out = NormGradients { dx: &mut [0.0; 4], dweight: &mut [0.0; 2], dbias: &mut [0.0; 2] };
    let error = batch_norm_backward(pass, out);
    assert_eq!(error, Err(ShapeError::Length { op: "batch_norm_backward", name: "y", expected: 4, got: 0 }));
}

#[test]
fn no_rows_give_zeros() {
    let (mean, variance) = statistics_of(&[], 3);
    assert_eq!((&mean, &variance), (&vec![0.0; 3], &vec![0.0; 3]));
    let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
    let (weight, activation) = (&[1.0; 3], Activation::Relu);
    let pass = NormPass { x: &[], y: &[], dy: &[], statistics, weight, activation };
    assert_eq!(backward(batch_norm_backward, pass), (vec![], vec![0.0; 3], vec![0.0; 3]));
}
