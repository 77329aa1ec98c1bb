//! Means, deviations and paired comparisons.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use wick_metrics::{MetricsError, PairedComparison, mean, standard_deviation};

#[test]
fn mean_and_deviation_by_hand() {
    assert_eq!(mean(&[1.0, 2.0, 6.0]).unwrap(), 3.0);
    assert_eq!(standard_deviation(&[1.0, 2.0, 6.0]).unwrap(), 7.0_f64.sqrt());
    assert!(matches!(mean(&[]).unwrap_err(), MetricsError::TooFew { expected: 1, .. }));
    assert!(matches!(standard_deviation(&[1.0]).unwrap_err(), MetricsError::TooFew { expected: 2, .. }));
    assert!(matches!(mean(&[1.0, f64::NAN]).unwrap_err(), MetricsError::Value { index: 1, .. }));
}

/// The extra hours of sleep of Student's 1908 paper (R's `sleep`): `t.test(group1, group2, paired = TRUE)` prints
/// t = −4.0621, p = 0.002833, interval −2.4598858 to −0.7001142, mean −1.58. The tolerance is half of its last digit.
#[test]
fn students_own_example() {
    let a = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    let b = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    let comparison = PairedComparison::new(&a, &b, 0.95).unwrap();
    assert_eq!(comparison.n, 10);
    assert!((comparison.mean_difference + 1.58).abs() < 1e-12);
    let t = comparison.mean_difference / (comparison.standard_deviation / 10.0_f64.sqrt());
    assert!((t + 4.0621).abs() < 5e-5, "{t}");
    assert!((comparison.interval.lower + 2.459_885_8).abs() < 5e-8, "{:?}", comparison.interval);
    assert!((comparison.interval.upper + 0.700_114_2).abs() < 5e-8, "{:?}", comparison.interval);
    assert!((comparison.p_value - 0.002_833).abs() < 5e-7, "{}", comparison.p_value);
    assert!(!comparison.interval.contains(0.0));
}

#[test]
fn equal_values_differ_by_nothing() {
    let same = PairedComparison::new(&[0.5, 0.75], &[0.5, 0.75], 0.95).unwrap();
    assert_eq!((same.mean_difference, same.p_value), (0.0, 1.0));
    assert_eq!((same.interval.lower, same.interval.upper), (0.0, 0.0));
    let shifted = PairedComparison::new(&[0.5, 0.75], &[0.25, 0.5], 0.95).unwrap();
    assert_eq!((shifted.mean_difference, shifted.standard_deviation, shifted.p_value), (0.25, 0.0, 0.0));
}

#[test]
fn comparisons_are_checked() {
    assert!(matches!(
        PairedComparison::new(&[1.0, 2.0], &[1.0], 0.95).unwrap_err(),
        MetricsError::Lengths { .. }
    ));
    assert!(matches!(PairedComparison::new(&[1.0], &[1.0], 0.95).unwrap_err(), MetricsError::TooFew { .. }));
    assert!(PairedComparison::new(&[1.0, f64::INFINITY], &[1.0, 1.0], 0.95).is_err());
    for level in [0.0, 1.0, -0.5, f64::NAN] {
        let error = PairedComparison::new(&[1.0, 2.0], &[1.0, 1.0], level).unwrap_err();
        assert!(matches!(error, MetricsError::Option { .. }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The interval at level 1 − p ends at 0.
    #[test]
    fn p_value_and_interval_agree(pairs in prop::collection::vec((0.0_f64..1.0, 0.0_f64..1.0), 2..12)) {
        let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let comparison = PairedComparison::new(&a, &b, 0.95).unwrap();
        let level = 1.0 - comparison.p_value;
        prop_assume!(level > 1e-6 && level < 1.0 - 1e-6);
        let at_p = PairedComparison::new(&a, &b, level).unwrap().interval;
        let nearest = at_p.lower.abs().min(at_p.upper.abs());
        prop_assert!(nearest < 1e-8, "{:?} {:?}", comparison, at_p);
        let swapped = PairedComparison::new(&b, &a, 0.95).unwrap();
        prop_assert!((swapped.interval.lower + comparison.interval.upper).abs() < 1e-12);
    }
}
