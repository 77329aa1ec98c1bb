//! Whole explanations of a network whose maps are known in closed form.

use crate::small_network::{self, SmallNetwork, channels_first, target};
use crate::{golden, tensor, values};
use candle_core::{DType, Tensor};
use wick_gradcam::{
    CamError, CamOptions, Explanation, Layer, MapStatus, Method, Smoothing, Target, explain, explain_with,
    grad_cam,
};

const SHAPE: (usize, usize, usize, usize) = (3, 5, 3, 7);
const CLASSES: usize = 4;

/// Average pooling and a linear layer: the gradient of logit k is `weight[k, c] / (h·w)` everywhere, so that Grad-CAM is the
/// original class activation map (Zhou et al. 2016) over h·w.
struct Linear {
    weight: Tensor,
}

impl Linear {
    fn new() -> Self {
        Self { weight: tensor(7, (CLASSES, SHAPE.3), 1.0) }
    }

    fn head(&self, activations: &Tensor) -> candle_core::Result<Tensor> {
        activations.mean((1, 2))?.matmul(&self.weight.t()?)
    }

    fn explain(&self, images: &Tensor, target: &Target) -> Result<Explanation, CamError> {
        explain(images, |x| x.relu(), |a| self.head(a), target, grad_cam)
    }

    /// `Σ_c w[c]·relu(x)[n, y, x, c] / (h·w)`, `w` being a linear combination of rows of the weight, for each image.
    fn expected(&self, images: &Tensor, combination: &[[f32; CLASSES]]) -> Vec<f32> {
        let (weight, activations) = (values(&self.weight), values(&images.relu().unwrap()));
        let (_, h, w, c) = SHAPE;
        let pixels = activations.chunks(c).enumerate();
        let row = |coefficients: &[f32; CLASSES], k: usize| -> f32 {
            (0..CLASSES).map(|class| coefficients[class] * weight[class * c + k]).sum()
        };
        pixels
            .map(|(i, pixel)| {
                let coefficients = &combination[i / (h * w)];
                (0..c).map(|k| row(coefficients, k) * pixel[k]).sum::<f32>() / (h * w) as f32
            })
            .collect()
    }
}

fn unit(class: usize) -> [f32; CLASSES] {
    std::array::from_fn(|k| f32::from(k == class))
}

/// A few f32 roundings.
const TOLERANCE: f32 = 1e-5;

#[test]
fn a_linear_head_gives_its_own_weights_times_the_activations() {
    let (network, images) = (Linear::new(), tensor(3, SHAPE, 2.0));
    for class in 0..CLASSES {
        let explanation = network.explain(&images, &Target::Class(class as u32)).unwrap();
        assert_eq!(explanation.raw.dims(), [3, 5, 3]);
        let expected = network.expected(&images, &[unit(class); 3]);
        golden::assert_close("one class", &values(&explanation.raw), &expected, TOLERANCE);
        assert_eq!(explanation.classes, Some(vec![class as u32; 3]));
    }
    let explanation = network.explain(&images, &Target::Classes(vec![2, 0, 3])).unwrap();
    let expected = network.expected(&images, &[unit(2), unit(0), unit(3)]);
    golden::assert_close("a class each", &values(&explanation.raw), &expected, TOLERANCE);
}

#[test]
fn logits_predictions_and_scores_are_those_of_the_network() {
    let (network, images) = (Linear::new(), tensor(3, SHAPE, 2.0));
    let explanation = network.explain(&images, &Target::Predicted).unwrap();
    let logits = network.head(&images.relu().unwrap()).unwrap();
    assert_eq!(values(&explanation.logits), values(&logits));
    let best: Vec<u32> = logits.argmax(1).unwrap().to_vec1().unwrap();
    assert_eq!(explanation.predicted, best);
    assert_eq!(explanation.classes, Some(best.clone()));
    let highest: Vec<f64> = logits.max(1).unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap();
    assert_eq!(explanation.scores, highest);
    let expected = network.expected(&images, &[0, 1, 2].map(|i| unit(best[i] as usize)));
    golden::assert_close("predicted", &values(&explanation.raw), &expected, TOLERANCE);
}

#[test]
fn a_difference_of_logits_is_the_difference_of_their_maps() {
    let (network, images) = (Linear::new(), tensor(3, SHAPE, 2.0));
    let target = Target::Difference { of: vec![0, 1, 2], and: vec![3, 3, 0] };
    let explanation = network.explain(&images, &target).unwrap();
    let expected = network.expected(&images, &[[1., 0., 0., -1.], [0., 1., 0., -1.], [-1., 0., 1., 0.]]);
    golden::assert_close("difference", &values(&explanation.raw), &expected, TOLERANCE);
    assert_eq!(explanation.classes, None);
}

#[test]
fn any_function_of_the_logits_can_be_explained() {
    let (network, images) = (Linear::new(), tensor(3, SHAPE, 2.0));
    // The logarithm of the probability of class 1, whose gradient is the unit vector minus the probabilities.
    let log_probability = |logits: &Tensor| {
        let others = logits.exp()?.sum(1)?.log()?;
        logits.narrow(1, 1, 1)?.squeeze(1)? - others
    };
    let explanation = network.explain(&images, &Target::function(log_probability)).unwrap();
    let combination: Vec<[f32; CLASSES]> = values(&explanation.logits)
        .chunks(CLASSES)
        .map(|logits| {
            let sum: f32 = logits.iter().map(|v| v.exp()).sum();
            std::array::from_fn(|k| f32::from(k == 1) - logits[k].exp() / sum)
        })
        .collect();
    let expected = network.expected(&images, &combination);
    golden::assert_close("log probability", &values(&explanation.raw), &expected, 1e-4);
    assert!(explanation.scores.iter().all(|&s| s < 0.0));
}

/// A head that is not linear, so that gradients differ from place to place.
#[test]
fn a_batch_is_explained_as_its_images_are_one_by_one() {
    let network = Linear::new();
    let images = tensor(3, SHAPE, 2.0);
    let head = |a: &Tensor| network.head(&a.sqr()?.tanh()?);
    let all = explain(&images, |x| x.relu(), head, &Target::Predicted, grad_cam).unwrap();
    for i in 0..SHAPE.0 {
        let image = images.narrow(0, i, 1).unwrap();
        let one = explain(&image, |x| x.relu(), head, &Target::Predicted, grad_cam).unwrap();
        golden::assert_close("map", &values(&all.raw.get(i).unwrap()), &values(&one.raw), TOLERANCE);
        assert_eq!(all.predicted[i], one.predicted[0]);
    }
}

#[test]
fn a_method_of_ones_own_sees_activations_and_gradients() {
    let (network, images) = (Linear::new(), tensor(3, SHAPE, 2.0));
    let product = |a: &Tensor, g: &Tensor| Ok((a * g)?.sum(3)?);
    let own = explain(&images, |x| x.relu(), |a| network.head(a), &Target::Class(1), product).unwrap();
    // Where gradients are the same everywhere, weighting by them or by their mean is one.
    let expected = network.expected(&images, &[unit(1); 3]);
    golden::assert_close("own method", &values(&own.raw), &expected, TOLERANCE);
}

#[test]
fn features_that_are_the_input_itself_are_cut_off_too() {
    let network = Linear::new();
    let images = candle_core::Var::from_tensor(&tensor(3, SHAPE, 2.0)).unwrap();
    let explanation =
        explain(&images, |x| Ok(x.clone()), |a| network.head(a), &Target::Class(0), grad_cam).unwrap();
    assert_eq!(explanation.raw.dims(), [3, 5, 3]);
}

/// Bright on the left: class 0. Mirrored it would be class 1.
#[test]
fn altered_copies_are_explained_for_the_class_of_the_image_as_it_is() {
    let sides =
        |a: &Tensor| Tensor::cat(&[a.narrow(2, 0, 2)?.mean((1, 2))?, a.narrow(2, 2, 2)?.mean((1, 2))?], 1);
    let layers = [Layer::new("pixels", |x: &Tensor| x.relu(), sides)];
    let image = Tensor::new(&[[0.9f32, 0.5, 0.1, 0.2]], &candle_core::Device::Cpu).unwrap();
    let image = image.reshape((1, 1, 4, 1)).unwrap();
    let options = CamOptions { smoothing: Smoothing::Augmentations, ..CamOptions::default() };
    let of = |target: Target| explain_with(Method::HiResCam, &image, &layers, &target, &options).unwrap();
    let predicted = of(Target::Predicted);
    assert_eq!(predicted.classes, Some(vec![0]));
    assert_eq!(predicted.heatmaps, of(Target::Class(0)).heatmaps);
    // Half the copies see class 0 on the right; were they explained for their own class, nothing would be there.
    let right = &predicted.heatmaps[0].values[2..];
    assert!(right[0] > 0.2 && right[1] > 0.4, "{right:?}");
}

#[test]
fn a_map_that_speaks_against_the_target_throughout_is_said_to() {
    let layers = ["first", "second"]
        .map(|name| Layer::new(name, |x: &Tensor| x.abs(), |a: &Tensor| a.neg()?.mean((1, 2))));
    let images = tensor(3, SHAPE, 2.0);
    for smoothing in [Smoothing::None, Smoothing::Augmentations] {
        let options = CamOptions { smoothing, ..CamOptions::default() };
        let explained = explain_with(Method::GradCam, &images, &layers, &Target::Class(0), &options).unwrap();
        assert!(explained.raw.iter().flat_map(values).all(|v| v < 0.0));
        for map in explained.heatmaps {
            assert_eq!(map.status, MapStatus::AllNegative);
            assert!(map.values.iter().all(|v| *v == 0.0));
        }
    }
}

/// In f64: the same sums, but for the order in which candle adds gradients.
#[test]
fn a_head_may_be_differentiated_elsewhere() {
    let network = SmallNetwork::new();
    let square = || {
        Target::function(|logits: &Tensor| {
            let logit = |k| logits.narrow(1, k, 1)?.squeeze(1);
            (logit(2)? - logit(0)?.affine(0.5, 0.0)?)?.sqr()
        })
    };
    for method in Method::ALL {
        for target in [Target::Predicted, target(), square()] {
            let explain = |layers: [Layer<'_>; 2]| {
                explain_with(method, &small_network::images(), &layers, &target, &channels_first()).unwrap()
            };
            let want = explain(["block", "last"].map(|name| network.layer(name)));
            let got = explain(["block", "last"].map(|name| network.foreign_layer(name)));
            assert_eq!((&got.predicted, &got.scores), (&want.predicted, &want.scores), "{method}");
            for (got, want) in got.raw.iter().zip(&want.raw) {
                let [got, want] = [got, want].map(|map| values(&map.to_dtype(DType::F32).unwrap()));
                golden::assert_close(method.name(), &got, &want, 1e-6);
            }
        }
    }
}
