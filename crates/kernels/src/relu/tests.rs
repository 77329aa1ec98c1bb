use super::*;
use crate::testing::uniform;

#[test]
fn agrees_with_the_definition_at_every_length() {
    for n in [0, 1, 7, 16, 17, 40_003] {
        let (a, b, dy) = (uniform(1, n, 1.0), uniform(2, n, 1.0), uniform(3, n, 1.0));
        let (mut y, mut dx) = (vec![f32::NAN; n], vec![f32::NAN; n]);
        relu_forward(&a, &mut y).unwrap();
        assert_eq!(y, reference::relu_forward(&a));
        relu_backward(&y, &dy, &mut dx).unwrap();
        assert_eq!(dx, reference::relu_backward(&y, &dy));
        add_relu_forward(&a, &b, &mut y).unwrap();
        assert_eq!(y, reference::add_relu_forward(&a, &b));
    }
}

#[test]
fn zero_is_cut_and_nan_passes() {
    let mut y = [1.0; 4];
    relu_forward(&[f32::NAN, -0.0, f32::NEG_INFINITY, f32::INFINITY], &mut y).unwrap();
    assert!(y[0].is_nan());
    assert_eq!(y[1..].iter().map(|v| v.to_bits()).collect::<Vec<_>>(), [0, 0, f32::INFINITY.to_bits()]);
    let mut dx = [0.0; 3];
    relu_backward(&[f32::NAN, 0.0, 1e-30], &[2.0, 3.0, 4.0], &mut dx).unwrap();
    assert_eq!(dx, [2.0, 0.0, 4.0]);
}

#[test]
fn wrong_lengths_are_named() {
    let error = add_relu_forward(&[0.0; 3], &[0.0; 2], &mut [0.0; 3]);
    assert_eq!(error, Err(ShapeError::Length { op: "add_relu_forward", name: "b", expected: 3, got: 2 }));
    let error = relu_backward(&[0.0; 3], &[0.0; 3], &mut [0.0; 4]);
    assert_eq!(error, Err(ShapeError::Length { op: "relu_backward", name: "dx", expected: 3, got: 4 }));
    let error = relu_forward(&[0.0; 3], &mut []);
    assert_eq!(error, Err(ShapeError::Length { op: "relu_forward", name: "y", expected: 3, got: 0 }));
}
