//! Every refusal says what was expected and what was found.

use crate::tensor;
use candle_core::{Device, Tensor};
use wick_gradcam::{
    CamError, CamOptions, Explanation, ImageLayout, Layer, Method, Target, ablation_cam, explain,
    explain_with, grad_cam, guided_backprop, guided_grad_cam, heatmaps, normalise, resize_bilinear,
    score_cam,
};

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
    let layer = Layer::new("pixels", |x: &Tensor| Ok(x.clone()), mean)
        .differentiated(|_: &Tensor, dlogits: &Tensor| Ok(dlogits.clone()));
    let options = CamOptions::default();
    let own = explain_with(Method::GradCam, &images, &[layer], &Target::Predicted, &options);
    assert_eq!(message(own), "the gradients must be like the activations, [2, 4, 4, 3], got [2, 3]");
    assert!(message(normalise(&images)).contains("(N, h, w)"));
    assert!(message(heatmaps(&tensor(1, (1, 2, 2), 1.0), 0, 4)).contains("the new size (0, 4) above 0"));
    assert!(message(resize_bilinear(&[1.0], (2, 2), (4, 4))).contains("(2, 2) values"));
    assert!(message(resize_bilinear(&[1.0], (usize::MAX, 2), (4, 4))).contains("values"));
    for to in [(usize::MAX, 2), (20_000, 20_000)] {
        assert!(message(resize_bilinear(&[1.0], (1, 1), to)).contains("at most 100000000 pixels"));
    }
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

#[test]
fn values_that_are_no_numbers_name_their_layer() {
    let layer =
        |name: &str, bad: f64| Layer::new(name, move |x: &Tensor| x.affine(1.0, 1.0)?.affine(bad, 0.0), mean);
    let explain = |method, layers: &[Layer<'_>], images: &Tensor| {
        message(explain_with(method, images, layers, &Target::Class(0), &CamOptions::default()))
    };
    let layers = [layer("layer3", 1.0), layer("layer4", f64::NAN)];
    let nan = explain(Method::GradCam, &layers, &with(1.0));
    assert_eq!(
        nan,
        "the activations of image 0 at layer4 hold NaN: the network's weights or its input are not finite"
    );
    let root = [Layer::new("root", |x: &Tensor| Ok(x.clone()), |a: &Tensor| mean(a)?.sqrt())];
    assert!(
        explain(Method::EigenCam, &root, &with(-9.0)).starts_with("the logits of image 1 at root hold NaN")
    );
    // The root's slope at 0.
    let zeros = with(0.0).zeros_like().unwrap();
    let infinite = explain(Method::GradCam, &root, &zeros);
    assert!(infinite.starts_with("the gradients of image 0 at root hold inf"), "{infinite}");
    let image = explain(Method::GradCam, &layers, &with(f32::INFINITY));
    assert!(image.starts_with("the pixels of image 1 hold inf"), "{image}");
}

/// A layer's activations are looked at before the image's gradients; of those it is said that they are of the input.
#[test]
fn guided_methods_name_what_is_no_number_and_where() {
    let explain = |method, features: fn(&Tensor) -> candle_core::Result<Tensor>, guided: Guided| {
        let layers = [Layer::new("layer4", features, mean).guided(guided)];
        message(explain_with(method, &with(1.0), &layers, &Target::Class(0), &CamOptions::default()))
    };
    type Guided = fn(&Tensor) -> candle_core::Result<Tensor>;
    let same: Guided = |x| Ok(x.clone());
    let not_a_number: Guided = |x| x.affine(f64::NAN, 0.0);
    for method in [Method::GuidedBackprop, Method::GuidedGradCam] {
        let activations = explain(method, not_a_number, |x| mean(x)?.affine(f64::NAN, 0.0));
        assert!(activations.starts_with("the activations of image 0 at layer4 hold NaN"), "{activations}");
        let logits = explain(method, same, |x| mean(x)?.affine(f64::NAN, 0.0));
        assert!(
            logits.starts_with("the logits of image 0 at the end of the guided model hold NaN"),
            "{logits}"
        );
        // 1 − 1 is 0, where the root's slope is infinite.
        let gradients = explain(method, same, |x| mean(&x.affine(1.0, -1.0)?.sqrt()?));
        assert!(
            gradients.starts_with("the guided gradients of image 0 at the input hold inf"),
            "{gradients}"
        );
    }
    let alone = message(guided_backprop(&with(f32::NAN), mean, &Target::Class(0)));
    assert!(alone.starts_with("the pixels of image 1 hold NaN"), "{alone}");
}

#[test]
fn what_a_method_needs_is_asked_for() {
    let images = tensor(1, (2, 4, 4, 3), 1.0);
    let explain = |method, layers: &[Layer<'_>], target: &Target, options: &CamOptions| {
        message(explain_with(method, &images, layers, target, options))
    };
    let (class, options) = (Target::Class(0), CamOptions::default());
    let layers = || [Layer::new("layer1", |x: &Tensor| Ok(x.clone()), mean)];
    for method in Method::ALL {
        assert_eq!(explain(method, &[], &class, &options), "no layer was given: at least one is needed");
    }
    assert_eq!(
        explain(Method::GuidedGradCam, &layers(), &class, &options),
        "guided-gradcam differentiates the whole network with guided rectifiers, and layer1 was given without: add it with Layer::guided"
    );
    let none = CamOptions { batch_size: 0, ..options };
    assert_eq!(
        explain(Method::ScoreCam, &layers(), &class, &none),
        "the batch size is 0: it must be at least 1"
    );
    let nothing = Target::Difference { of: vec![0, 1], and: vec![1, 1] };
    let zero = explain(Method::AblationCam, &layers(), &nothing, &options);
    assert!(zero.starts_with("the score of image 1 is 0, so that no drop is relative to it"), "{zero}");
}

#[test]
fn forward_passes_of_another_shape_are_named() {
    let (images, activations) = (tensor(1, (2, 4, 4, 3), 1.0), tensor(2, (2, 2, 2, 5), 1.0));
    let options = CamOptions::default();
    let score = |batch: &Tensor, _: usize| batch.sum((1, 2, 3));
    let one = message(score_cam(&images.narrow(0, 0, 1).unwrap(), &activations, score, &options));
    assert_eq!(one, "the images must be 2, one for each of the activations, got [1, 4, 4, 3]");
    let flat = message(score_cam(&images, &activations, |batch, _| batch.sum((1, 2)), &options));
    assert_eq!(flat, "the scores of changed images must be (5,), one an image, got [5, 3]");
    let nan =
        message(score_cam(&images, &activations, |batch, _| batch.sum((1, 2, 3))? * f64::NAN, &options));
    assert!(nan.starts_with("the scores of changed copies of image 0 hold NaN"), "{nan}");
    let few = message(ablation_cam(&activations, &[1.0], score, &options));
    assert_eq!(few, "the scores must be (2,), one an image, got [1]");
    let maps = normalise(&tensor(3, (2, 2, 4), 1.0)).unwrap();
    assert_eq!(
        message(guided_grad_cam(&images, &maps, ImageLayout::ChannelsLast)),
        "the gradients must be of the maps' number and size, 2 of 2×4, got [2, 4, 4, 3]"
    );
}
