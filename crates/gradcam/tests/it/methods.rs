//! Every method against pytorch-grad-cam 1.5.7: on given tensors, and of a small network from images to heatmaps.

use crate::small_network::{SmallNetwork, channels_first};
use crate::{given, golden, reference, reference_in, tensor, values};
use candle_core::{DType, Tensor};
use wick_gradcam::{
    CamError, CamOptions, Explained, Method, Needs, Reduction, Smoothing, eigen_cam, eigen_grad_cam,
    grad_cam, grad_cam_plus_plus, hires_cam, layer_cam, x_grad_cam,
};

type Cam = fn(&Tensor, &Tensor) -> Result<Tensor, CamError>;

const OF_GIVEN: [(&str, Cam); 7] = [
    ("GradCAM", grad_cam),
    ("GradCAMPlusPlus", grad_cam_plus_plus),
    ("HiResCAM", hires_cam),
    ("XGradCAM", x_grad_cam),
    ("LayerCAM", layer_cam),
    ("EigenCAM", |a, _| eigen_cam(a)),
    ("EigenGradCAM", eigen_grad_cam),
];

/// `values` of each of `images`, in the sign in which they agree with `like`, if the sign is open.
fn up_to_sign(name: &str, values: Vec<f32>, like: &[f32], images: usize) -> Vec<f32> {
    if !name.starts_with("Eigen") {
        return values;
    }
    let size = values.len() / images;
    let signed = |(values, like): (&[f32], &[f32])| {
        let product: f32 = values.iter().zip(like).map(|(a, b)| a * b).sum();
        values.iter().map(|v| v * product.signum()).collect::<Vec<_>>()
    };
    values.chunks(size).zip(like.chunks(size)).flat_map(signed).collect()
}

// pytorch_grad_cam.<name>(...).get_cam_image(...) of given activations and gradients, f64; ours are f32, then f64.
#[test]
fn maps_of_given_tensors_as_the_reference() {
    let (activations, gradients) = given();
    for (name, cam) in OF_GIVEN {
        let want = reference(&format!("{name}_of_given"));
        let raw = cam(&activations, &gradients).unwrap();
        assert_eq!(raw.dims(), [2, 4, 4], "{name}");
        golden::assert_close(name, &up_to_sign(name, values(&raw), &want, 2), &want, 1e-4);
        let [activations, gradients] = [&activations, &gradients].map(|t| t.to_dtype(DType::F64).unwrap());
        let raw = cam(&activations, &gradients).unwrap();
        let raw = values(&raw.to_dtype(DType::F32).unwrap());
        golden::assert_close(name, &up_to_sign(name, raw, &want, 2), &want, 1e-6);
    }
}

fn flat(explained: &Explained) -> Vec<f32> {
    explained.heatmaps.iter().flat_map(|map| map.values.clone()).collect()
}

/// Both sides compute in f64, but scale and resize, and Score-CAM's scores, in f32.
const TOLERANCE: f32 = 1e-5;

#[test]
fn every_method_explains_a_small_network_as_the_reference_does() {
    let network = SmallNetwork::new();
    for method in Method::ALL.into_iter().filter(|method| method.needs() != Needs::GuidedModel) {
        for layer in ["last", "block"] {
            let explained = network.explain(method, layer, &channels_first());
            let case = format!("{method} {layer}");
            golden::assert_close(
                &case,
                &flat(&explained),
                &reference_in("small_cams.json", &case),
                TOLERANCE,
            );
        }
        let options = CamOptions { reduction: Reduction::FirstEigenvector, ..channels_first() };
        let case = format!("{method} last eigen");
        let explained = network.explain(method, "last", &options);
        golden::assert_close(&case, &flat(&explained), &reference_in("small_cams.json", &case), TOLERANCE);
    }
}

#[test]
fn layers_are_averaged_and_copies_smoothed_as_the_reference_does() {
    let network = SmallNetwork::new();
    let check = |method: Method, layers: &str, smoothing, reduction, suffix: &str| {
        let options = CamOptions { smoothing, reduction, ..channels_first() };
        let explained = network.explain(method, layers, &options);
        let case = format!("{method} {layers}{suffix}");
        golden::assert_close(&case, &flat(&explained), &reference_in("small_cams.json", &case), TOLERANCE);
        assert_eq!(explained.raw.len(), layers.split('+').count());
    };
    use Smoothing::{Augmentations, None};
    for method in [Method::GradCam, Method::HiResCam, Method::EigenGradCam, Method::ScoreCam] {
        check(method, "last", Augmentations, Reduction::Sum, " aug");
        check(method, "block+last", None, Reduction::Sum, "");
    }
    check(Method::GradCam, "block+last", Augmentations, Reduction::FirstEigenvector, " aug eigen");
}

#[test]
fn guided_gradients_are_the_references() {
    let network = SmallNetwork::new();
    for method in [Method::GuidedBackprop, Method::GuidedGradCam] {
        let explained = network.explain(method, "last", &channels_first());
        let case = if method == Method::GuidedBackprop { "guided-backprop" } else { "guided-gradcam last" };
        let want = reference_in("small_cams.json", case);
        let gradients = explained.image_gradients.as_ref().unwrap().to_dtype(DType::F32).unwrap();
        assert_eq!(gradients.dims(), [2, 3, 10, 12]);
        let got = values(&gradients.permute((0, 2, 3, 1)).unwrap());
        golden::assert_close(case, &got, &want, TOLERANCE);
        // Its map is each pixel's greatest absolute value over the channels.
        let greatest: Vec<f32> =
            want.chunks(3).map(|pixel| pixel.iter().fold(0f32, |m, v| m.max(v.abs()))).collect();
        let raw = values(&explained.raw[0].to_dtype(DType::F32).unwrap());
        golden::assert_close(case, &raw, &greatest, TOLERANCE);
    }
}

#[test]
fn forward_passes_give_the_same_in_batches_of_any_size() {
    let network = SmallNetwork::new();
    for method in [Method::ScoreCam, Method::AblationCam] {
        let of = |batch_size| {
            flat(&network.explain(method, "last", &CamOptions { batch_size, ..channels_first() }))
        };
        let whole = of(100);
        for batch_size in [1, 3, 8] {
            golden::assert_close("batches", &of(batch_size), &whole, 1e-6);
        }
    }
}

#[test]
fn names_are_read_back() {
    for method in Method::ALL {
        assert_eq!(method.to_string().parse::<Method>().unwrap(), method);
        assert_eq!(method.name().to_uppercase().parse::<Method>().unwrap(), method);
    }
    for name in ["gradcamplusplus", "gradcampp", "gradcam++"] {
        assert_eq!(name.parse::<Method>().unwrap(), Method::GradCamPlusPlus);
    }
    let unknown = "grad".parse::<Method>().unwrap_err().to_string();
    assert!(
        unknown.starts_with("there is no method \"grad\": expected one of gradcam, gradcam++, "),
        "{unknown}"
    );
}

/// A map of one pixel, one channel, no square, one image: every method gives finite maps of the right size.
#[test]
fn odd_shapes() {
    for (seed, shape) in
        [(1, (1, 1, 1, 1)), (2, (1, 1, 1, 5)), (3, (2, 1, 6, 1)), (4, (1, 7, 2, 3)), (5, (3, 30, 1, 40))]
    {
        let (n, h, w, _) = shape;
        let (activations, gradients) =
            (tensor(seed, shape, 1.0).relu().unwrap(), tensor(seed + 9, shape, 1.0));
        for (name, cam) in OF_GIVEN {
            let raw = cam(&activations, &gradients).unwrap();
            assert_eq!(raw.dims(), [n, h, w], "{name}");
            // Less its mean, one pixel is nothing.
            if name.starts_with("Eigen") && h * w == 1 {
                assert_eq!(values(&raw), [0.0], "{name}");
            }
        }
        let one_channel = shape.3 == 1;
        if one_channel {
            let want = values(&(&activations * &gradients).unwrap());
            let raw = hires_cam(&activations, &gradients).unwrap();
            golden::assert_close("one channel", &values(&raw), &want, 1e-6);
        }
    }
}
