//! Every refusal says what was expected and what was found.

use crate::tensor;
use candle_core::{Device, Tensor};
use wick_gradcam::{CamError, Explanation, Target, explain, grad_cam, heatmaps, normalise, resize_bilinear};

fn message<T>(result: Result<T, CamError>) -> String {
    match result {
        Ok(_) => panic!("accepted"),
        Err(e) => e.to_string(),
    }
}

fn explained(
    images: &Tensor,
    head: impl Fn(&Tensor) -> candle_core::Result<Tensor>,
    target: &Target,
) -> Result<Explanation, CamError> {
    explain(images, |x| Ok(x.clone()), head, target, grad_cam)
}

fn mean(activations: &Tensor) -> candle_core::Result<Tensor> {
    activations.mean((1, 2))
}

/// Two images of 2×2 pixels and 3 channels, a bad value in the second.
fn with(bad: f32) -> Tensor {
    let mut values = vec![1f32; 2 * 2 * 2 * 3];
    values[17] = bad;
    Tensor::from_vec(values, (2, 2, 2, 3), &Device::Cpu).unwrap()
}

#[test]
fn values_that_are_no_numbers_name_their_image() {
    let nan = message(explained(&with(f32::NAN), mean, &Target::Predicted));
    assert_eq!(nan, "the activations of image 1 hold NaN: the network's weights or its input are not finite");
    let root = |a: &Tensor| a.mean((1, 2))?.sqrt();
    let negative = message(explained(&with(-9.0), root, &Target::Predicted));
    assert!(negative.starts_with("the logits of image 1 hold NaN"), "{negative}");
    let (good, infinite) = (with(1.0), with(f32::NEG_INFINITY));
    assert!(message(grad_cam(&good, &infinite)).starts_with("the gradients of image 1 hold -inf"));
    let huge = with(3e38);
    let overflow = message(grad_cam(&(&huge * 10.0).unwrap().minimum(&huge).unwrap(), &huge));
    assert!(overflow.starts_with("the maps of image 1 hold inf"), "{overflow}");
    let map = with(f32::NAN).narrow(3, 2, 1).unwrap().squeeze(3).unwrap();
    assert!(message(normalise(&map)).starts_with("the maps of image 1 hold NaN"));
    let score = |logits: &Tensor| logits.sum(1)?.log();
    let negative = message(explained(&with(-99.0), mean, &Target::function(score)));
    assert!(negative.starts_with("the scores of image 1 hold NaN"), "{negative}");
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let images = tensor(1, (2, 4, 4, 3), 1.0);
    let flat = images.flatten(1, 2).unwrap();
    let shape = message(explained(&flat, mean, &Target::Predicted));
    assert_eq!(shape, "the activations must be (N, h, w, C), none of them 0, got [2, 16, 3]");
    let logits = message(explained(&images, |a| a.mean((0, 1, 2)), &Target::Predicted));
    assert_eq!(logits, "the logits must be (N, K), none of them 0, got [3]");
    let one = message(explained(&images, |a| a.mean((1, 2))?.narrow(0, 0, 1), &Target::Predicted));
    assert_eq!(one, "the logits must be (2, K), a row an image, got [1, 3]");
    let scores = message(explained(&images, mean, &Target::function(|l| l.sum_all())));
    assert_eq!(scores, "the scores of the target function must be (2,), one an image, got []");
    let method = explain(&images, |x| Ok(x.clone()), mean, &Target::Predicted, |a, _| Ok(a.clone()));
    assert_eq!(message(method), "the maps must be [2, 4, 4], got [2, 4, 4, 3]");
    let gradients = tensor(2, (2, 4, 4, 5), 1.0);
    assert_eq!(
        message(grad_cam(&images, &gradients)),
        "the gradients must be like the activations, [2, 4, 4, 3], got [2, 4, 4, 5]"
    );
    assert!(message(normalise(&images)).contains("(N, h, w)"));
    assert!(message(heatmaps(&tensor(1, (1, 2, 2), 1.0), 0, 4)).contains("the new size (0, 4) above 0"));
    assert!(message(resize_bilinear(&[1.0], (2, 2), (4, 4))).contains("(2, 2) values"));
    assert!(message(resize_bilinear(&[1.0], (usize::MAX, 2), (4, 4))).contains("values"));
}

#[test]
fn targets_that_do_not_fit_are_named() {
    let images = tensor(1, (2, 4, 4, 3), 1.0);
    let target = |target: Target| message(explained(&images, mean, &target));
    assert_eq!(
        target(Target::Classes(vec![2, 3])),
        "class 3 was asked for, for image 1, but the network knows 3, numbered from 0"
    );
    assert!(target(Target::Class(10)).starts_with("class 10 was asked for, for image 0"));
    assert_eq!(target(Target::Classes(vec![1])), "1 target classes for 2 images: one an image is needed");
    assert!(target(Target::Difference { of: vec![0, 1], and: vec![] }).starts_with("0 target classes for 2"));
    let constant = Target::function(|logits| logits.detach().sum(1));
    assert!(target(constant).starts_with("the target's score does not depend on the activations"));
}
