use super::*;
use crate::testing::{assert_close, central_differences, golden, golden_layer, uniform, values};

const CLASSES: usize = 10;
const TARGETS: [u32; 5] = [0, 9, 3, 3, 7];

fn gradient(logits: &[f32], smoothing: f32) -> Vec<f32> {
    let mut out = vec![f32::NAN; logits.len()];
    cross_entropy_backward(logits, CLASSES, &TARGETS, smoothing, &mut out).unwrap();
    out
}

#[test]
fn agrees_with_pytorch_and_the_definition() {
    let logits = uniform(golden::SEED + 10, 50, 3.0);
    for (name, smoothing) in [("cross_entropy_smoothing_0.0", 0.0), ("cross_entropy_smoothing_0.2", 0.2)] {
        let case = golden_layer(name);
        // Ours is summed in f64 and rounded once; PyTorch's was made in f32.
        let want = case["loss"].as_f64().unwrap();
        let loss = f64::from(cross_entropy_forward(&logits, CLASSES, &TARGETS, smoothing).unwrap());
        assert!((loss / want - 1.0).abs() < 1e-6, "{name}: {loss}, want {want}");
        assert_close(name, &gradient(&logits, smoothing), &values(&case, "grad"), 1e-6);
        let want = reference::cross_entropy_forward(&logits, CLASSES, &TARGETS, smoothing);
        assert!((loss / want - 1.0).abs() < 1e-7, "{name}: {loss}, want {want}");
        let want = reference::cross_entropy_backward(&logits, CLASSES, &TARGETS, smoothing);
        assert_close(name, &gradient(&logits, smoothing), &want, 1e-6);
    }
}

#[test]
fn the_gradient_agrees_with_central_differences() {
    let logits = uniform(5, 50, 2.0);
    let loss = |z: &[f32]| cross_entropy_forward(z, CLASSES, &TARGETS, 0.1).unwrap();
    // A loss of about 3 rounded to 2e-7, over a step of 4e-2, against gradients of up to 0.2; the step's square is 4e-4.
    assert_close("dlogits", &gradient(&logits, 0.1), &central_differences(&logits, 2e-2, loss), 1e-3);
}

#[test]
fn huge_logits_do_not_overflow() {
    let loss = cross_entropy_forward(&[1e30, -1e30, 0.0], 3, &[0], 0.0).unwrap();
    assert_eq!(loss, 0.0);
    let loss = cross_entropy_forward(&[500.0, 0.0, 0.0], 3, &[1], 0.0).unwrap();
    assert_eq!(loss, 500.0);
    let mut gradient = [0.0; 3];
    cross_entropy_backward(&[500.0, 0.0, 0.0], 3, &[1], 0.0, &mut gradient).unwrap();
    assert_eq!(gradient, [1.0, -1.0, 0.0]);
}

#[test]
fn nan_shows() {
    assert!(cross_entropy_forward(&[f32::NAN, 1.0], 2, &[1], 0.0).unwrap().is_nan());
    assert!(cross_entropy_forward(&[f32::NAN, f32::NAN], 2, &[1], 0.0).unwrap().is_nan());
}

#[test]
fn bad_arguments_are_named() {
    let (op, name) = ("cross_entropy_forward", "targets");
    assert_eq!(
        cross_entropy_forward(&[0.0; 6], 3, &[2, 3], 0.0),
        Err(ShapeError::IndexOutOfRange { op, name, at: 1, below: 3, got: 3 })
    );
    assert_eq!(
        cross_entropy_forward(&[0.0; 5], 3, &[2, 1], 0.0),
        Err(ShapeError::Length { op, name: "logits", expected: 6, got: 5 })
    );
    assert_eq!(
        cross_entropy_forward(&[0.0; 3], 3, &[0], 1.5),
        Err(ShapeError::NotAFraction { op, name: "label_smoothing", got: 1.5 })
    );
    assert_eq!(cross_entropy_forward(&[], 0, &[], 0.0), Err(ShapeError::Zero { op, name: "classes" }));
    let error = cross_entropy_backward(&[0.0; 3], 3, &[0], 0.0, &mut [0.0; 2]);
    let op = "cross_entropy_backward";
    assert_eq!(error, Err(ShapeError::Length { op, name: "dlogits", expected: 3, got: 2 }));
}

#[test]
fn an_empty_batch_has_no_loss() {
    assert_eq!(cross_entropy_forward(&[], CLASSES, &[], 0.1), Ok(0.0));
    assert_eq!(cross_entropy_backward(&[], CLASSES, &[], 0.1, &mut []), Ok(()));
}
