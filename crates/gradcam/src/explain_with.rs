use crate::check::{dims, finite};
use crate::explain::{Cut, Gradients, Pass, pass};
use crate::heatmap::{average, of_layers};
use crate::methods::{INPUT, first_components, guided_gradients, saliency, times_maps, weigh};
use crate::options::FACTORS;
use crate::{CamError, CamOptions, Heatmap, Layer, Method, Needs, Smoothing, Target};
use candle_core::Tensor;

/// Where a network looked in each image of a batch, at one or several layers.
#[derive(Debug, Clone)]
pub struct Explained {
    /// What the network said, `(N, K)`.
    pub logits: Tensor,
    /// Each image's class of highest logit.
    pub predicted: Vec<u32>,
    /// Each image's class that was explained, where the target is the logit of a class.
    pub classes: Option<Vec<u32>>,
    /// Each image's score that was explained.
    pub scores: Vec<f64>,
    /// The maps `(N, h, w)` of each layer as the method gives them for the images as they are, before ReLU and scaling. Those of
    /// guided methods are of the images' size.
    pub raw: Vec<Tensor>,
    /// From 0 to 1 and of the images' size, averaged over layers, and over altered copies where that was asked for.
    pub heatmaps: Vec<Heatmap>,
    /// Of guided methods: the gradients of the images as they are, of their shape; those of guided Grad-CAM are times the first layer's
    /// maps. They are not averaged over altered copies, even where the heatmaps are.
    pub image_gradients: Option<Tensor>,
}

/// Explains a batch of images by any method, looking at any layers: whole, from images to heatmaps of their size.
///
/// Several layers' maps are each scaled to 0..1, enlarged and averaged, as pytorch-grad-cam does. [`CamOptions`] choose
/// the images' layout, the two kinds of smoothing and the batch size. With [`Smoothing::Augmentations`] the class that the images
/// as they are were taken for is explained in their copies too; the copies' maps are averaged in `heatmaps` alone: logits, scores, `raw`
/// and `image_gradients` stay those of the images as they are. [`Reduction::FirstEigenvector`](crate::Reduction) changes `raw` and with it
/// `heatmaps`; of `image_gradients`, only those of guided Grad-CAM, which are times the map so reduced.
///
/// All images go through at once: the model must treat them independently, batch norm in evaluation mode.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use wick_gradcam::{CamOptions, Layer, Method, Target, explain_with};
///
/// let features = |x: &Tensor| Tensor::cat(&[x, &(1.0 - x)?], 3)?.relu(); // brightness, darkness
/// let head = |a: &Tensor| a.mean((1, 2));
/// let guided = |x: &Tensor| wick_gradcam::guided_relu(&Tensor::cat(&[x, &(1.0 - x)?], 3)?)?.mean((1, 2));
/// let layers = [Layer::new("the only layer", features, head).guided(guided)];
///
/// let image = Tensor::new(&[[0.1f32, 0.2], [0.3, 0.9]], &Device::Cpu)?.reshape((1, 2, 2, 1))?;
/// for method in Method::ALL {
///     let explained = explain_with(method, &image, &layers, &Target::Class(0), &CamOptions::default())?;
///     assert_eq!(explained.predicted, [1], "{method}");
///     assert_eq!(explained.heatmaps[0].values.len(), 4, "{method}");
/// }
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// As [`explain`](crate::explain), values that are no numbers naming the layer; [`CamError::NoLayer`];
/// [`CamError::NoGuidedModel`]; [`CamError::BatchSize`]; [`CamError::ZeroScore`] with Ablation-CAM.
pub fn explain_with(
    method: Method,
    images: &Tensor,
    layers: &[Layer<'_>],
    target: &Target,
    options: &CamOptions,
) -> Result<Explained, CamError> {
    dims::<4>("images", "(N, H, W, C) or (N, C, H, W)", images)?;
    finite("pixels", images)?;
    if options.batch_size == 0 {
        return Err(CamError::BatchSize);
    }
    let mut explained = unsmoothed(method, images, layers, target, options)?;
    if options.smoothing == Smoothing::None {
        return Ok(explained);
    }
    let fixed = target.fixed(&explained.predicted);
    let target = fixed.as_ref().unwrap_or(target);
    let [_, width_axis, _] = options.layout.axes();
    let mirrored = images.flip(&[width_axis])?;
    let mut copies = Vec::new();
    for factor in FACTORS {
        let maps = |images: &Tensor| -> Result<Vec<Heatmap>, CamError> {
            Ok(unsmoothed(method, &(images * factor)?, layers, target, options)?.heatmaps)
        };
        copies.push(if factor == 1.0 { explained.heatmaps.clone() } else { maps(images)? });
        copies.push(maps(&mirrored)?.into_iter().map(Heatmap::mirrored).collect());
    }
    explained.heatmaps = average(&copies);
    Ok(explained)
}

fn unsmoothed(
    method: Method,
    images: &Tensor,
    layers: &[Layer<'_>],
    target: &Target,
    options: &CamOptions,
) -> Result<Explained, CamError> {
    let [height, width, _] = options.layout.axes().map(|axis| images.dims()[axis]);
    // Guided backpropagation looks at no layer: the first serves for what the network says.
    let layers = if method == Method::GuidedBackprop { &layers[..layers.len().min(1)] } else { layers };
    let [first, ..] = layers else { return Err(CamError::NoLayer) };
    let guided_model = match (method.needs(), first.guided_model()) {
        (Needs::GuidedModel, None) => {
            return Err(CamError::NoGuidedModel { method, layer: first.name().to_owned() });
        }
        (Needs::GuidedModel, model) => model,
        _ => None,
    };

    let mut raw = Vec::with_capacity(layers.len());
    // Of guided methods: the images' gradients through guided rectifiers, and those that the maps are made of.
    let mut guided: Option<Tensor> = None;
    let mut image_gradients = None;
    let mut said = None;
    for layer in layers {
        // First, so that what is no number is found at a layer before it is found in the image's gradients.
        let pass = pass_of(method, images, layer, target).map_err(|e| e.at(layer.name()))?;
        let cam = || maps(method, images, layer, &pass, target, options).map_err(|e| e.at(layer.name()));
        let map = match guided_model {
            None => cam()?,
            Some(model) => {
                let gradients = match guided.take() {
                    Some(gradients) => gradients,
                    None => guided_gradients(images, model, target)?,
                };
                let product = match method {
                    Method::GuidedGradCam => {
                        let maps = of_layers(&[cam()?], height, width)?;
                        times_maps(&gradients, &maps, options.layout)?
                    }
                    _ => gradients.clone(),
                };
                guided = Some(gradients);
                let maps = saliency(&product, options.layout)?;
                image_gradients.get_or_insert(product);
                maps
            }
        };
        let place = if method == Method::GuidedBackprop { INPUT } else { layer.name() };
        finite("maps", &map).map_err(|e| e.at(place))?;
        raw.push(map);
        said.get_or_insert(pass);
    }
    let Some(said) = said else { return Err(CamError::NoLayer) };
    let heatmaps = of_layers(&raw, height, width)?;
    let Pass { logits, predicted, scores, .. } = said;
    let classes = target.classes(&predicted);
    Ok(Explained { logits, predicted, classes, scores, raw, heatmaps, image_gradients })
}

/// What the network says, with the gradients that the method needs.
fn pass_of(method: Method, images: &Tensor, layer: &Layer<'_>, target: &Target) -> Result<Pass, CamError> {
    let features = |images: &Tensor| layer.features(images);
    let head = |activations: &Tensor| layer.head(activations);
    let gradients = match method.needs() {
        Needs::Gradients => Gradients::OfTheScore,
        _ if method == Method::GuidedGradCam => Gradients::OfTheScore,
        _ => Gradients::Unneeded,
    };
    let cut = Cut { features: &features, head: &head, gradient: layer.head_gradient() };
    pass(images, &cut, target, gradients)
}

/// The raw maps `(N, h, w)` of one layer; for guided Grad-CAM those that the gradients are multiplied with.
fn maps(
    method: Method,
    images: &Tensor,
    layer: &Layer<'_>,
    pass: &Pass,
    target: &Target,
    options: &CamOptions,
) -> Result<Tensor, CamError> {
    let a = &pass.activations;
    let g = || pass.gradients.as_ref().ok_or(CamError::NoGradient);
    let score = |logits: &Tensor, image: usize| target.scores_of_image(logits, &pass.predicted, image);
    let weights = match method {
        Method::GradCam | Method::GuidedGradCam => weigh::grad_cam(a, g()?)?,
        Method::GradCamPlusPlus => weigh::grad_cam_plus_plus(a, g()?)?,
        Method::HiResCam => weigh::hires_cam(a, g()?)?,
        Method::XGradCam => weigh::x_grad_cam(a, g()?)?,
        Method::LayerCam => weigh::layer_cam(a, g()?)?,
        Method::ScoreCam => {
            let masked = |batch: &Tensor, image| score(&layer.head(&layer.features(batch)?)?.detach(), image);
            weigh::score_cam(images, a, masked, options)?
        }
        Method::AblationCam => {
            let ablated = |batch: &Tensor, image| score(&layer.head(batch)?.detach(), image);
            weigh::ablation_cam(a, &pass.scores, ablated, options)?
        }
        Method::EigenCam => return first_components(a),
        Method::EigenGradCam => return first_components(&(a * g()?)?),
        Method::GuidedBackprop => {
            return Err(CamError::NoGuidedModel { method, layer: layer.name().to_owned() });
        }
    };
    weights.maps(a, options.reduction)
}
