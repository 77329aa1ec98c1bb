use super::*;
use crate::testing::{assert_close, assert_same_on_any_threads, uniform};

fn backward(dy: &[f32], channels: usize) -> Vec<f32> {
    let mut dbias = vec![f32::NAN; channels];
    bias_backward(dy, &mut dbias).unwrap();
    dbias
}

#[test]
fn agrees_with_the_definition_over_odd_shapes() {
    for (rows, channels) in [(0, 3), (1, 1), (7, 5), (961, 24), (40_003, 1), (3, 20_000)] {
        let (x, bias) = (uniform(1, rows * channels, 1.0), uniform(2, channels, 1.0));
        let mut y = vec![f32::NAN; x.len()];
        bias_forward(&x, &bias, &mut y).unwrap();
        assert_eq!(y, reference::bias_forward(&x, &bias));
        // Sums of at most 1024 values in f32, of either sign.
        let dbias = backward(&x, channels);
        assert_close("dbias", &dbias, &reference::bias_backward(&x, channels), 1e-5);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let dy = uniform(3, 20_000 * 17, 1.0);
    assert_same_on_any_threads("bias", || backward(&dy, 17));
}

#[test]
fn wrong_lengths_are_named() {
    let error = bias_forward(&[0.0; 5], &[0.0; 2], &mut [0.0; 5]);
    assert_eq!(error, Err(ShapeError::NotAMultiple { op: "bias_forward", name: "x", of: 2, got: 5 }));
    let error = bias_forward(&[0.0; 4], &[0.0; 2], &mut [0.0; 5]);
    assert_eq!(error, Err(ShapeError::Length { op: "bias_forward", name: "y", expected: 4, got: 5 }));
    let error = bias_backward(&[0.0; 4], &mut []);
    assert_eq!(error, Err(ShapeError::Zero { op: "bias_backward", name: "channels" }));
}
