//! Ghost batch normalisation and its gradients.

use proptest::prelude::*;
use wick_kernels::*;

use crate::dot;
use crate::testing::{
    assert_close, assert_same_on_any_threads, central_differences, golden, golden_layer, uniform, values,
};

fn shape(batch: usize, positions: usize, channels: usize, splits: usize) -> GhostBatchNormShape {
    GhostBatchNormShape { batch, positions, channels, splits }
}

fn statistics_of(s: &GhostBatchNormShape, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let nan = || vec![f32::NAN; s.statistics_len()];
    let (mut mean, mut variance) = (nan(), nan());
    ghost_batch_norm_statistics(s, x, &mut mean, &mut variance).unwrap();
    (mean, variance)
}

fn normalise(s: &GhostBatchNormShape, x: &[f32], statistics: NormStatistics, affine: NormAffine) -> Vec<f32> {
    let mut y = vec![f32::NAN; x.len()];
    ghost_batch_norm_normalise(s, x, statistics, affine, &mut y).unwrap();
    y
}

/// `dx`, `dweight` and `dbias`.
fn backward(s: &GhostBatchNormShape, pass: NormPass) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let nan = |n| vec![f32::NAN; n];
    let (mut dx, mut dweight, mut dbias) = (nan(s.len()), nan(s.channels), nan(s.channels));
    let out = NormGradients { dx: &mut dx, dweight: &mut dweight, dbias: &mut dbias };
    ghost_batch_norm_backward(s, pass, out).unwrap();
    (dx, dweight, dbias)
}

#[test]
fn agrees_with_pytorch() {
    for (name, splits) in [("ghost_batch_norm_2", 2), ("ghost_batch_norm_4", 4)] {
        let case = golden_layer(name);
        let (s, nchw) = (shape(8, 25, 6, splits), [8, 6, 5, 5]);
        let w: Vec<f32> = uniform(golden::SEED + 1, 6, 0.3).iter().map(|v| 1.0 + v).collect();
        let b = uniform(golden::SEED + 2, 6, 0.3);
        let x: Vec<f32> = uniform(golden::SEED + 3, 1200, 2.0).iter().map(|v| v + 0.5).collect();
        let x = golden::nchw_to_nhwc(&x, nchw);
        let dy = golden::nchw_to_nhwc(&uniform(golden::SEED + 4, 1200, 1.0), nchw);
        let nhwc = |key: &str| golden::nchw_to_nhwc(&values(&case, key), nchw);

        // f32 on both sides, sums over 50 and 100 values in another order.
        let activation = Activation::None;
        let (mean, variance) = statistics_of(&s, &x);
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
        let affine = NormAffine { weight: &w, bias: &b, activation };
        assert_close("y", &normalise(&s, &x, statistics, affine), &nhwc("y"), 2e-6);
        let pass = NormPass { x: &x, y: &[], dy: &dy, statistics, weight: &w, activation };
        let (dx, dw, db) = backward(&s, pass);
        assert_close("dx", &dx, &nhwc("grad_x"), 2e-6);
        assert_close("dweight", &dw, &values(&case, "grad_weight"), 2e-6);
        assert_close("dbias", &db, &values(&case, "grad_bias"), 2e-6);
    }
}

proptest! {
    /// Among them splits with one image, with none, with images of a single position, and all of these at once.
    #[test]
    fn odd_shapes_agree_with_the_definition(
        batch in 1usize..8,
        positions in prop::sample::select(vec![1usize, 2, 3, 49, 129, 700]),
        channels in prop::sample::select(vec![1usize, 3, 17, 100]),
        splits in 1usize..6,
        offset in -3f32..3.0,
        relu in any::<bool>(),
    ) {
        let s = shape(batch, positions, channels, splits);
        let activation = if relu { Activation::Relu } else { Activation::None };
        let x: Vec<f32> = uniform(41, s.len(), 1.0).iter().map(|v| v + offset).collect();
        let (w, b) = (uniform(42, channels, 2.0), uniform(43, channels, 1.0));
        let dy = uniform(44, s.len(), 1.0);
        let eps = 1e-3;
        let (mean, variance) = statistics_of(&s, &x);
        let (want_mean, want_variance) = reference::ghost_batch_norm_statistics(&s, &x);
        for (got, want) in mean.iter().zip(&want_mean) {
            // Of values of at most 4, rounded to 2e-7; one that cancels has no digits of its own.
            prop_assert!((f64::from(*got) - want).abs() <= 1e-6, "mean {got}, want {want}");
        }
        for (got, want) in variance.iter().zip(&want_variance) {
            prop_assert!((f64::from(*got) - want).abs() <= 1e-5 * want + 1e-12, "variance {got}, want {want}");
        }
        // Everything below starts from the same f32 statistics.
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps };
        let affine = NormAffine { weight: &w, bias: &b, activation };
        let y = normalise(&s, &x, statistics, affine);
        assert_close("y", &y, &reference::ghost_batch_norm_normalise(&s, &x, statistics, affine), 1e-5);
        let pass = NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation };
        let (got, want) = (backward(&s, pass), reference::ghost_batch_norm_backward(&s, pass));
        // Where the statistics are those of one or two values, dx cancels to nearly nothing: hold it to its terms.
        let steepest = variance.iter().map(|v| 2.0 / (v + eps).sqrt()).fold(0f32, f32::max);
        for (got, want) in got.0.iter().zip(&want.0) {
            prop_assert!((got - want).abs() <= 1e-5 * steepest, "dx {got}, want {want}");
        }
        let values = (batch * positions) as f32;
        for (got, want) in got.1.iter().chain(&got.2).zip(want.1.iter().chain(&want.2)) {
            prop_assert!((got - want).abs() <= 1e-5 * values + 1e-5, "parameter {got}, want {want}");
        }
    }
}

#[test]
fn one_split_is_the_batch_norm() {
    let s = shape(5, 49, 17, 1);
    let x = uniform(51, s.len(), 1.0);
    let (mean, variance) = statistics_of(&s, &x);
    let (want_mean, want_variance) = reference::batch_norm_statistics(&x, 17);
    let narrow = |v: &[f64]| v.iter().map(|v| *v as f32).collect::<Vec<_>>();
    // Rounded once on both sides, summed in another order.
    assert_close("mean", &mean, &narrow(&want_mean), 1e-6);
    assert_close("variance", &variance, &narrow(&want_variance), 1e-6);
}

#[test]
fn a_split_without_images_or_with_a_single_value_gives_no_nan() {
    // Two images of one position, three splits: two have one value a channel, one has none.
    let s = shape(2, 1, 2, 3);
    assert_eq!([0, 1, 2].map(|split| s.values(split)), [1, 1, 0]);
    let (x, w, b) = ([3.0, -7.0, 11.0, 5.0], [2.0, -1.0], [0.5, -0.25]);
    let (mean, variance) = statistics_of(&s, &x);
    assert_eq!(mean, [3.0, -7.0, 11.0, 5.0, 0.0, 0.0]);
    assert_eq!(variance, [0.0; 6]);
    let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
    let activation = Activation::None;
    // What is its own mean is normalised to 0, and nothing changes that: the bias is left, and dx is 0.
    let y = normalise(&s, &x, statistics, NormAffine { weight: &w, bias: &b, activation });
    assert_eq!(y, [0.5, -0.25, 0.5, -0.25]);
    let dy = [1.0, 2.0, 3.0, 4.0];
    let (dx, dw, db) = backward(&s, NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation });
    assert_eq!((dx, dw, db), (vec![0.0; 4], vec![0.0; 2], vec![4.0, 6.0]));
}

#[test]
fn gradients_agree_with_central_differences() {
    let s = shape(5, 3, 3, 2);
    let (x, w, b) = (uniform(61, s.len(), 2.0), uniform(62, 3, 1.0), uniform(63, 3, 1.0));
    let dy = uniform(64, s.len(), 1.0);
    for activation in [Activation::None, Activation::Relu] {
        let forward = |x: &[f32], w: &[f32], b: &[f32]| {
            let (mean, variance) = statistics_of(&s, x);
            let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-2 };
            normalise(&s, x, statistics, NormAffine { weight: w, bias: b, activation })
        };
        let (mean, variance) = statistics_of(&s, &x);
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-2 };
        let y = forward(&x, &w, &b);
        assert!(activation == Activation::None || y.contains(&0.0), "the case must cut something");
        let pass = NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation };
        let (dx, dw, db) = backward(&s, pass);
        // A step of 2e-3 crosses no kink here; it leaves an error of its square (4e-6) and of rounding, 1e-7 / 2e-3.
        let loss = |x: &[f32], w: &[f32], b: &[f32]| dot(&forward(x, w, b), &dy);
        assert_close("dx", &dx, &central_differences(&x, 2e-3, |x| loss(x, &w, &b)), 2e-3);
        assert_close("dweight", &dw, &central_differences(&w, 2e-3, |w| loss(&x, w, &b)), 2e-3);
        assert_close("dbias", &db, &central_differences(&b, 2e-3, |b| loss(&x, &w, b)), 2e-3);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let s = shape(9, 2500, 17, 4);
    let x = uniform(71, s.len(), 1.0);
    let (w, b) = (uniform(72, 17, 1.0), uniform(73, 17, 1.0));
    let dy = uniform(74, x.len(), 1.0);
    assert_same_on_any_threads("ghost batch norm", || {
        let (mean, variance) = statistics_of(&s, &x);
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
        let activation = Activation::Relu;
        let y = normalise(&s, &x, statistics, NormAffine { weight: &w, bias: &b, activation });
        let pass = NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation };
        let (dx, dw, db) = backward(&s, pass);
        [mean, variance, y, dx, dw, db].concat()
    });
}

#[test]
fn wrong_lengths_are_named() {
    let s = shape(2, 1, 2, 2);
    let error = ghost_batch_norm_statistics(&s, &[0.0; 4], &mut [0.0; 2], &mut [0.0; 4]);
    let op = "ghost_batch_norm_statistics";
    assert_eq!(error, Err(ShapeError::Length { op, name: "mean", expected: 4, got: 2 }));
    let none = GhostBatchNormShape { splits: 0, ..s };
    let error = ghost_batch_norm_statistics(&none, &[0.0; 4], &mut [], &mut []);
    assert_eq!(error, Err(ShapeError::Zero { op: "ghost_batch_norm", name: "splits" }));
    let statistics = NormStatistics { mean: &[0.0; 4], variance: &[1.0; 4], eps: 0.0 };
    let affine = NormAffine { weight: &[1.0], bias: &[0.0; 2], activation: Activation::None };
    let error = ghost_batch_norm_normalise(&s, &[0.0; 4], statistics, affine, &mut [0.0; 4]);
    let op = "ghost_batch_norm_normalise";
    assert_eq!(error, Err(ShapeError::Length { op, name: "weight", expected: 2, got: 1 }));
}

#[test]
fn no_images_give_zeros() {
    for s in [shape(0, 4, 3, 2), shape(4, 0, 3, 2)] {
        let (mean, variance) = statistics_of(&s, &[]);
        assert_eq!((&mean, &variance), (&vec![0.0; 6], &vec![0.0; 6]));
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
        let (weight, activation) = (&[1.0; 3], Activation::Relu);
        let pass = NormPass { x: &[], y: &[], dy: &[], statistics, weight, activation };
        assert_eq!(backward(&s, pass), (vec![], vec![0.0; 3], vec![0.0; 3]));
    }
}
