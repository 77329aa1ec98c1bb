//! Student's t against reference values and closed forms.
#![allow(clippy::unwrap_used, clippy::excessive_precision)]

use std::f64::consts::PI;

use proptest::prelude::*;
use wick_metrics::{MetricsError, student_t_cdf, student_t_quantile};

/// Degrees of freedom, t, P(T > t); mpmath at 40 digits:
/// `betainc(v/2, 1/2, 0, v/(v + t*t), regularized=True) / 2`.
#[rustfmt::skip]
const TAILS: &[(f64, f64, f64)] = &[
    (1.0, 0.5, 0.35241638234956674),
    (1.0, 2.5, 0.1211189415908434),
    (1.0, 10.0, 0.03172551743055357),
    (1.0, 60.0, 0.005304673632623271),
    (2.0, 0.5, 0.3333333333333333),
    (2.0, 2.5, 0.06480586011075541),
    (2.0, 10.0, 0.004926228511662845),
    (2.0, 60.0, 0.00013883104529733935),
    (2.5, 0.5, 0.32884895993485735),
    (2.5, 2.5, 0.05228498153907769),
    (2.5, 10.0, 0.0022207478836537126),
    (2.5, 60.0, 2.577880575173425e-05),
    (4.0, 0.5, 0.32166498159093165),
    (4.0, 2.5, 0.03338327240599407),
    (4.0, 10.0, 0.00028100181135799556),
    (4.0, 60.0, 2.3105343638175642e-07),
    (7.0, 0.5, 0.3162035678446421),
    (7.0, 2.5, 0.020496109292876447),
    (7.0, 10.0, 1.0697101445386406e-05),
    (7.0, 60.0, 4.688800329164508e-11),
    (29.0, 0.5, 0.3104240420968907),
    (29.0, 2.5, 0.009162672169213038),
    (29.0, 10.0, 3.299931288216756e-11),
    (29.0, 60.0, 2.854021679701053e-32),
    (100.0, 0.5, 0.3090867829154433),
    (100.0, 2.5, 0.007022894562038588),
    (100.0, 10.0, 4.9508444922970696e-17),
    (100.0, 60.0, 1.5688071595706945e-80),
    (1000.0, 0.01, 0.4960116409660936),
    (1000.0, 2.5, 0.006289283900545398),
    (1000.0, 10.0, 8.335351479300033e-23),
];

/// P(T > t), degrees of freedom, t; by bisection of the above.
#[rustfmt::skip]
const QUANTILES: &[(f64, f64, f64)] = &[
    (0.4, 1.0, 0.32491969623290634),
    (0.05, 1.0, 6.313751514675043),
    (0.025, 1.0, 12.706204736174705),
    (0.005, 1.0, 63.65674116287158),
    (1e-6, 1.0, 318309.8861827435),
    (0.4, 2.0, 0.28867513459481287),
    (0.05, 2.0, 2.9199855803537256),
    (0.025, 2.0, 4.302652729749464),
    (0.005, 2.0, 9.924843200918293),
    (1e-6, 2.0, 707.1057205259337),
    (0.4, 4.0, 0.2707222947075974),
    (0.05, 4.0, 2.1318467863266504),
    (0.025, 4.0, 2.7764451051977943),
    (0.005, 4.0, 4.604094871349993),
    (1e-6, 4.0, 41.577854150450975),
    (0.4, 9.0, 0.260955336473911),
    (0.05, 9.0, 1.8331129326562372),
    (0.025, 9.0, 2.2621571627982053),
    (0.005, 9.0, 3.2498355415921263),
    (1e-6, 9.0, 10.7201604099095),
    (0.4, 30.0, 0.2556053649519128),
    (0.05, 30.0, 1.6972608865939578),
    (0.025, 30.0, 2.042272456301238),
    (0.005, 30.0, 2.7499956535672254),
    (1e-6, 30.0, 5.871117120418883),
    (0.4, 99.5, 0.2540255801184435),
    (0.05, 99.5, 1.66031234330733),
    (0.025, 99.5, 1.9840936109906242),
    (0.005, 99.5, 2.626146672063148),
    (1e-6, 99.5, 5.050394126984337),
    (0.4, 1000.0, 0.25341451583949876),
    (0.05, 1000.0, 1.6463788172854648),
    (0.025, 1000.0, 1.9623390808264085),
    (0.005, 1000.0, 2.580754698065951),
    (1e-6, 1000.0, 4.781608620458351),
];

/// The tolerance is what ln Γ loses: it is some thousands at 1,000 degrees of freedom, so that 1e-12 is its last digits.
#[track_caller]
fn assert_close(got: f64, expected: f64, tolerance: f64) {
    assert!((got - expected).abs() <= tolerance * expected.abs(), "got {got:e}, expected {expected:e}");
}

#[test]
fn tails_agree_with_mpmath() {
    for &(freedom, t, tail) in TAILS {
        assert_close(student_t_cdf(-t, freedom).unwrap(), tail, 2e-12);
        assert_close(student_t_cdf(t, freedom).unwrap(), 1.0 - tail, 2e-12);
    }
}

#[test]
fn quantiles_agree_with_mpmath() {
    for &(tail, freedom, t) in QUANTILES {
        assert_close(student_t_quantile(tail, freedom).unwrap(), -t, 2e-12);
        // 1 - 1e-6 is rounded, by 1e-10 of the tail.
        assert_close(student_t_quantile(1.0 - tail, freedom).unwrap(), t, 2e-10);
    }
    assert_eq!(student_t_quantile(0.5, 3.0).unwrap(), 0.0);
}

#[test]
fn what_is_out_of_range_is_an_error() {
    for (probability, freedom) in
        [(0.0, 3.0), (1.0, 3.0), (f64::NAN, 3.0), (0.5, 0.0), (0.5, f64::NAN), (0.5, f64::INFINITY)]
    {
        let error = student_t_quantile(probability, freedom).unwrap_err();
        assert!(matches!(error, MetricsError::Option { .. }), "{error}");
    }
    assert!(student_t_cdf(f64::NAN, 3.0).is_err());
    assert_eq!(student_t_cdf(f64::INFINITY, 3.0).unwrap(), 1.0);
    assert_eq!(student_t_cdf(f64::NEG_INFINITY, 3.0).unwrap(), 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// With one degree of freedom the distribution is Cauchy's, with two it has a closed form.
    #[test]
    fn closed_forms(t in -50.0_f64..50.0) {
        prop_assert!((student_t_cdf(t, 1.0).unwrap() - (0.5 + t.atan() / PI)).abs() < 1e-14);
        let two = 0.5 + t / (2.0 * (2.0 + t * t).sqrt());
        prop_assert!((student_t_cdf(t, 2.0).unwrap() - two).abs() < 1e-14);
    }

    #[test]
    fn the_quantile_undoes_the_distribution(p in 0.0005_f64..0.9995, freedom in 1.0_f64..300.0) {
        let t = student_t_quantile(p, freedom).unwrap();
        prop_assert!((student_t_cdf(t, freedom).unwrap() - p).abs() < 1e-12);
    }
}
