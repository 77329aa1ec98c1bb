use super::*;
use crate::testing::{assert_close, assert_same_on_any_threads, golden, golden_layer, uniform, values};

fn forward(x: &[f32]) -> Vec<f32> {
    let mut y = vec![f32::NAN; x.len()];
    gelu_forward(x, &mut y).unwrap();
    y
}

fn backward(x: &[f32], dy: &[f32]) -> Vec<f32> {
    let mut dx = vec![f32::NAN; x.len()];
    gelu_backward(x, dy, &mut dx).unwrap();
    dx
}

#[test]
fn the_definitions_distribution_is_the_normal_one() {
    // mpmath: erfc(-x/√2)/2 with 30 digits.
    for (x, want) in [
        (-14.0, 7.793_536_819_192_8e-45),
        (-5.0, 2.866_515_718_791_939e-7),
        (-3.0, 0.001_349_898_031_630_094_5),
        (-1.0, 0.158_655_253_931_457_05),
        (-0.25, 0.401_293_674_317_076_3),
        (0.5, 0.691_462_461_274_013_1),
        (2.0, 0.977_249_868_051_820_8),
        (4.5, 0.999_996_602_326_875_3),
    ] {
        let got = reference::distribution(x);
        assert!((got / want - 1.0).abs() < 1e-12, "Φ({x}): {got}, want {want}");
    }
}

#[test]
fn agrees_with_pytorch() {
    // y = F.gelu(x); y.backward(g), x in [-4, 4). Elementwise, so the order of the axes does not matter.
    let case = golden_layer("gelu");
    let (x, dy) = (uniform(golden::SEED + 11, 512, 4.0), uniform(golden::SEED + 12, 512, 1.0));
    assert_close("y", &forward(&x), &values(&case, "y"), 2e-7);
    assert_close("dx", &backward(&x, &dy), &values(&case, "grad_x"), 3e-7);
}

#[test]
fn every_place_is_as_exact_as_stated() {
    // 2.4e-8 of the polynomial, and some four roundings of 6e-8 each.
    let x: Vec<f32> = (-160_000..=160_000).map(|i| i as f32 * 1e-4 + 3e-5).collect();
    let dy = vec![1.0; x.len()];
    let (y, dx) = (forward(&x), backward(&x, &dy));
    for ((x, y), dx) in x.iter().zip(y).zip(dx) {
        let wide = f64::from(*x);
        let want = wide * reference::distribution(wide);
        let error = (f64::from(y) - want).abs();
        assert!(error <= 2e-7 * wide.abs().max(1.0), "gelu({x}) = {y}, want {want}");
        let error = (f64::from(dx) - reference::slope(wide)).abs();
        assert!(error <= 3e-7, "gelu'({x}) = {dx}, want {}", reference::slope(wide));
        // The left tail fades without a step, and with the right sign.
        if (-8.0..0.0).contains(&wide) {
            assert!((f64::from(y) / want - 1.0).abs() < 1e-5, "gelu({x}) = {y}, want {want}");
        }
    }
}

#[test]
fn agrees_with_the_definition_at_every_length() {
    for n in [0, 1, 7, 16, 17, 40_003] {
        let (x, dy) = (uniform(1, n, 6.0), uniform(2, n, 1.0));
        // Of values that may be as small as 0.07, which loosens what is relative to them.
        assert_close("y", &forward(&x), &reference::gelu_forward(&x), 1e-6);
        assert_close("dx", &backward(&x, &dy), &reference::gelu_backward(&x, &dy), 1e-6);
    }
}

#[test]
fn far_away_it_is_a_rectifier_and_nan_passes() {
    assert_eq!(
        forward(&[-20.0, -1e30, 20.0, 1e30, f32::INFINITY, 0.0])[2..],
        [20.0, 1e30, f32::INFINITY, 0.0]
    );
    assert_eq!(forward(&[-20.0, -1e30]), [0.0, 0.0]);
    assert_eq!(backward(&[-1e30, -20.0, 20.0, 1e30, 0.0], &[2.0; 5]), [0.0, 0.0, 2.0, 2.0, 1.0]);
    assert!(forward(&[f32::NAN, f32::NEG_INFINITY]).iter().all(|v| v.is_nan()));
    assert!(backward(&[f32::NAN], &[1.0])[0].is_nan());
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let x = uniform(3, 100_003, 5.0);
    assert_same_on_any_threads("gelu", || [forward(&x), backward(&x, &x)].concat());
}

#[test]
fn wrong_lengths_are_named() {
    let error = gelu_forward(&[0.0; 3], &mut []);
    assert_eq!(error, Err(ShapeError::Length { op: "gelu_forward", name: "y", expected: 3, got: 0 }));
    let error = gelu_backward(&[0.0; 3], &[0.0; 2], &mut [0.0; 3]);
    assert_eq!(error, Err(ShapeError::Length { op: "gelu_backward", name: "dy", expected: 3, got: 2 }));
    let error = gelu_backward(&[0.0; 3], &[0.0; 3], &mut [0.0; 4]);
    assert_eq!(error, Err(ShapeError::Length { op: "gelu_backward", name: "dx", expected: 3, got: 4 }));
}
