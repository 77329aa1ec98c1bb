//! Accuracy, confusion, calibration and mistakes, by hand-made examples and by their laws.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use wick_metrics::{
    Calibration, ConfusionMatrix, MetricsError, Order, accuracy, argmax, misclassified, top_k_accuracy,
};

#[test]
fn accuracy_by_hand() {
    assert_eq!(accuracy(&[0, 1, 2, 1], &[0, 2, 2, 0]).unwrap(), 0.5);
    let error = accuracy(&[0, 1], &[0]).unwrap_err();
    assert_eq!(error.to_string(), "got 1 predicted classes, expected 2");
    assert!(matches!(accuracy(&[], &[]).unwrap_err(), MetricsError::TooFew { .. }));
}

#[test]
fn top_k_breaks_ties_by_the_lower_class() {
    let scores = [0.2, 0.5, 0.5, -3.0, 7.0, 7.0];
    assert_eq!(argmax(&scores, 3).unwrap(), [1, 1]);
    for (truth, right) in [([1, 1], [1.0, 1.0]), ([2, 2], [0.0, 1.0]), ([0, 0], [0.0, 0.0])] {
        for (k, right) in [1, 2].into_iter().zip(right) {
            assert_eq!(top_k_accuracy(&truth, &scores, 3, k).unwrap(), right, "{truth:?}, top {k}");
        }
        assert_eq!(top_k_accuracy(&truth, &scores, 3, 3).unwrap(), 1.0);
    }
}

#[test]
fn scores_are_checked() {
    let top =
        |truth: &[usize], scores: &[f32], classes, k| top_k_accuracy(truth, scores, classes, k).unwrap_err();
    assert!(matches!(top(&[0], &[1.0, 2.0, 3.0], 2, 1), MetricsError::Lengths { .. }));
    assert!(matches!(top(&[0, 1], &[1.0, 2.0], 2, 1), MetricsError::Lengths { expected: 2, got: 1, .. }));
    assert!(matches!(
        top(&[0, 2], &[1.0; 4], 2, 1),
        MetricsError::Class { index: 1, classes: 2, got: 2, .. }
    ));
    assert!(matches!(top(&[0], &[1.0, f32::NAN], 2, 1), MetricsError::Value { index: 1, .. }));
    for k in [0, 3] {
        assert!(matches!(top(&[0], &[1.0, 2.0], 2, k), MetricsError::Option { .. }));
    }
    assert!(matches!(top(&[0], &[], 0, 1), MetricsError::Option { .. }));
}

/// Three classes; class 2 never occurs, class 1 is never predicted.
#[test]
fn confusion_by_hand() {
    let matrix = ConfusionMatrix::new(3, &[0, 0, 0, 1, 1], &[0, 0, 2, 0, 2]).unwrap();
    assert_eq!(matrix.counts(), [2, 0, 1, 1, 0, 1, 0, 0, 0]);
    assert_eq!((matrix.count(0, 2), matrix.count(2, 0), matrix.count(3, 0)), (1, 0, 0));
    assert_eq!(matrix.accuracy(), Some(0.4));
    assert_eq!(matrix.per_class_accuracy(), [Some(2.0 / 3.0), Some(0.0), None]);
    assert_eq!([0, 1, 2].map(|c| matrix.precision(c)), [Some(2.0 / 3.0), None, Some(0.0)]);
    assert_eq!([0, 1, 2].map(|c| matrix.f1(c)), [Some(4.0 / 6.0), Some(0.0), Some(0.0)]);
    assert_eq!((matrix.actual(0), matrix.predicted(0), matrix.total()), (3, 3, 5));
    assert_eq!(ConfusionMatrix::from_counts(3, matrix.counts().to_vec()).unwrap(), matrix);

    assert_eq!(ConfusionMatrix::new(2, &[], &[]).unwrap().accuracy(), None);
    assert!(ConfusionMatrix::from_counts(3, vec![0; 8]).is_err());
    let error = ConfusionMatrix::new(3, &[0, 1], &[0, 3]).unwrap_err();
    assert_eq!(error.to_string(), "predicted class of sample 1 is class 3, expected 0 to 2");
}

/// Confidences .5 (at a bin's upper edge: the lower bin), .6, .8 and 1, of which the second and fourth are right.
#[test]
fn calibration_by_hand() {
    let probabilities = [0.5, 0.5, 0.4, 0.6, 0.8, 0.2, 0.0, 1.0];
    let calibration = Calibration::new(&[1, 1, 1, 1], &probabilities, 2, 4).unwrap();
    let counts: Vec<_> = calibration.bins.iter().map(|bin| bin.count).collect();
    assert_eq!(counts, [0, 1, 1, 2]);
    assert_eq!((calibration.bins[1].lower, calibration.bins[1].upper), (0.25, 0.5));
    assert_eq!((calibration.bins[0].confidence, calibration.bins[0].accuracy), (None, None));
    assert_eq!((calibration.bins[1].confidence, calibration.bins[1].accuracy), (Some(0.5), Some(0.0)));
    assert_eq!(calibration.bins[3].accuracy, Some(0.5));
    // (1 · |0 − .5| + 1 · |1 − .6| + 2 · |.5 − .9|) / 4; f32 probabilities carry 1e-7
    assert!((calibration.expected_error - 0.425).abs() < 1e-7, "{}", calibration.expected_error);
    assert_eq!(calibration.maximum_error, 0.5);
}

#[test]
fn calibration_takes_probabilities_only() {
    let new = |probabilities: &[f32]| Calibration::new(&[0], probabilities, 2, 10);
    assert!(new(&[1.000_000_1, 0.0]).is_ok());
    assert!(new(&[0.3333, 0.6666]).is_ok());
    assert!(matches!(new(&[3.0, -2.0]).unwrap_err(), MetricsError::Value { index: 0, .. }));
    assert!(matches!(new(&[0.2, 0.2]).unwrap_err(), MetricsError::Value { index: 0, expected: "1", .. }));
    assert!(Calibration::new(&[0], &[1.0, 0.0], 2, 0).is_err());
    assert!(Calibration::new(&[], &[], 2, 10).is_err());
}

#[test]
fn mistakes_in_each_order() {
    let probabilities = [0.9, 0.1, 0.6, 0.4, 0.3, 0.7, 0.6, 0.4];
    let indices = |order| -> Vec<usize> {
        let mistakes = misclassified(&[1, 1, 1, 1], &probabilities, 2, order).unwrap();
        mistakes.iter().map(|mistake| mistake.index).collect()
    };
    assert_eq!(indices(Order::Index), [0, 1, 3]);
    assert_eq!(indices(Order::MostConfident), [0, 1, 3]);
    assert_eq!(indices(Order::LeastConfident), [1, 3, 0]);
    let first = misclassified(&[1, 1, 1, 1], &probabilities, 2, Order::Index).unwrap()[0];
    assert_eq!((first.truth, first.predicted, first.confidence), (1, 0, 0.9));
    assert_eq!(misclassified(&[], &[], 2, Order::Index).unwrap(), []);
}

const CLASSES: usize = 4;

/// True classes and rows of probabilities.
fn samples() -> impl Strategy<Value = (Vec<usize>, Vec<f32>)> {
    prop::collection::vec((0..CLASSES, prop::array::uniform4(0.01_f32..1.0)), 1..60).prop_map(|samples| {
        let rows = samples.iter().flat_map(|(_, row)| {
            let sum: f32 = row.iter().sum();
            row.map(|p| p / sum)
        });
        (samples.iter().map(|sample| sample.0).collect(), rows.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_figures_tell_the_same((truth, probabilities) in samples(), bins in 1_usize..20) {
        let predicted = argmax(&probabilities, CLASSES).unwrap();
        let right = accuracy(&truth, &predicted).unwrap();
        prop_assert_eq!(top_k_accuracy(&truth, &probabilities, CLASSES, 1).unwrap(), right);
        let top = |k| top_k_accuracy(&truth, &probabilities, CLASSES, k).unwrap();
        prop_assert!(top(1) <= top(2) && top(2) <= top(3) && top(CLASSES) == 1.0);

        let matrix = ConfusionMatrix::new(CLASSES, &truth, &predicted).unwrap();
        prop_assert_eq!(matrix.accuracy(), Some(right));
        prop_assert_eq!(matrix.total(), truth.len() as u64);
        for c in 0..CLASSES {
            if let (Some(p), Some(r), Some(f1)) = (matrix.precision(c), matrix.recall(c), matrix.f1(c)) {
                let harmonic = if p + r > 0.0 { 2.0 * p * r / (p + r) } else { 0.0 };
                prop_assert!((f1 - harmonic).abs() < 1e-12);
            }
        }

        let wrong = misclassified(&truth, &probabilities, CLASSES, Order::MostConfident).unwrap();
        prop_assert_eq!(wrong.len(), truth.len() - (right * truth.len() as f64).round() as usize);
        prop_assert!(wrong.windows(2).all(|two| two[0].confidence >= two[1].confidence));

        let calibration = Calibration::new(&truth, &probabilities, CLASSES, bins).unwrap();
        prop_assert_eq!(calibration.bins.iter().map(|bin| bin.count).sum::<usize>(), truth.len());
        for bin in &calibration.bins {
            // Rounding may lift a confidence over its bin's edge, by an ulp.
            let inside = |c: f64| bin.lower - 1e-12 <= c && c <= bin.upper + 1e-12;
            prop_assert!(bin.confidence.is_none_or(inside), "{:?}", bin);
        }
        prop_assert!(calibration.expected_error <= calibration.maximum_error + 1e-12);
    }
}
