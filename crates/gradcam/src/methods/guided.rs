use crate::check::{dims, finite};
use crate::explain::{Cut, Gradients, pass};
use crate::{CamError, Heatmap, ImageLayout, Target};
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CudaStorage, CustomOp1, Layout, MetalStorage, Result, Shape, Tensor};

/// `max(x, 0)`, whose backward pass lets a gradient through only where both the input and the gradient are above 0
/// (Springenberg et al. 2015, <https://arxiv.org/abs/1412.6806>). For a model that is to be explained by
/// [`guided_backprop`]; of any shape and type, on any device.
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// use wick_gradcam::guided_relu;
///
/// let x = Var::new(&[-1f32, 2., 3.], &Device::Cpu)?;
/// let from_above = Tensor::new(&[5f32, 5., -5.], &Device::Cpu)?;
/// let y = guided_relu(&x)?;
/// assert_eq!(y.to_vec1::<f32>()?, [0., 2., 3.]);
/// let gradients = (y * from_above)?.sum_all()?.backward()?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec1::<f32>()?, [0., 5., 0.]);
/// # Ok::<(), candle_core::Error>(())
/// ```
///
/// # Errors
/// candle's.
pub fn guided_relu(x: &Tensor) -> Result<Tensor> {
    x.relu()?.apply_op1(Guide)
}

/// The identity, applied to a rectifier's output, which has the rectifier's input above 0 where it is above 0 itself.
struct Guide;

impl CustomOp1 for Guide {
    fn name(&self) -> &'static str {
        "guided_relu"
    }

    fn cpu_fwd(&self, y: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((y.try_clone(layout)?, layout.shape().clone()))
    }

    fn cuda_fwd(&self, y: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        Ok((y.try_clone(layout)?, layout.shape().clone()))
    }

    fn metal_fwd(&self, y: &MetalStorage, layout: &Layout) -> Result<(MetalStorage, Shape)> {
        Ok((y.try_clone(layout)?, layout.shape().clone()))
    }

    fn bwd(&self, y: &Tensor, _: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        // candle's own rectifier passes gradients at 0 too; PyTorch's does not.
        let active = y.gt(0.0)?.to_dtype(dy.dtype())?;
        Ok(Some((dy.relu()? * active)?))
    }
}

/// Guided backpropagation (Springenberg et al. 2015, <https://arxiv.org/abs/1412.6806>): the gradient of the score
/// with respect to the images, of their shape, in a `model` whose rectifiers let through positive gradients only.
///
/// `model` computes the logits `(N, K)` from the images, with its rectifiers guided (see [`guided_relu`]): where they are not, this is
/// the plain gradient. [`explain_with`](crate::explain_with) also makes maps of it, the greatest absolute value over the
/// channels of each pixel (Simonyan et al. 2014, <https://arxiv.org/abs/1312.6034>, section 3.1).
///
/// ```
/// use candle_core::{Device, Tensor};
/// use wick_gradcam::{Target, guided_backprop, guided_relu};
///
/// let image = Tensor::new(&[[1f32, -2.], [3., 4.]], &Device::Cpu)?.reshape((1, 2, 2, 1))?;
/// // The lower row speaks against the only class.
/// let weight = Tensor::new(&[1f32, 1., -1., -1.], &Device::Cpu)?.reshape((4, 1))?;
/// let model = |x: &Tensor| guided_relu(x)?.reshape((1, 4))?.matmul(&weight);
/// let gradients = guided_backprop(&image, model, &Target::Class(0))?;
/// assert_eq!(gradients.flatten_all()?.to_vec1::<f32>()?, [1., 0., 0., 0.]);
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// As [`explain`](crate::explain).
pub fn guided_backprop(
    images: &Tensor,
    model: impl Fn(&Tensor) -> Result<Tensor>,
    target: &Target,
) -> std::result::Result<Tensor, CamError> {
    guided_gradients(images, &model, target)
}

pub(crate) fn guided_gradients(
    images: &Tensor,
    model: &dyn Fn(&Tensor) -> Result<Tensor>,
    target: &Target,
) -> std::result::Result<Tensor, CamError> {
    dims::<4>("images", "(N, H, W, C) or (N, C, H, W)", images)?;
    let whole = Cut { features: &|x| Ok(x.clone()), head: model, gradient: None };
    let pass = pass(images, &whole, target, Gradients::OfTheScore).map_err(of_the_image)?;
    pass.gradients.ok_or(CamError::NoGradient)
}

/// Where guided backpropagation looks, in errors.
pub(crate) const INPUT: &str = "the input";

/// A value that is no number, called by what it is here: the activations are the image's pixels.
fn of_the_image(error: CamError) -> CamError {
    let CamError::NotFinite { what, image, value, layer: None } = error else { return error };
    let (what, place) = match what {
        "activations" => ("pixels", None),
        "gradients" => ("guided gradients", Some(INPUT)),
        _ => (what, Some("the end of the guided model")),
    };
    CamError::NotFinite { what, image, value, layer: place.map(str::to_owned) }
}

/// Guided Grad-CAM (Selvaraju et al. 2017): the gradients of [`guided_backprop`], of the images' shape, times maps of
/// the images' size, such as Grad-CAM's [`heatmaps`](crate::heatmaps), for each channel.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use wick_gradcam::{ImageLayout, guided_grad_cam, heatmaps};
///
/// let gradients = Tensor::new(&[[1f32, 2.], [3., 4.]], &Device::Cpu)?.reshape((1, 1, 2, 2))?; // 2 pixels, 2 channels
/// let maps = heatmaps(&Tensor::new(&[[[0f32, 1.]]], &Device::Cpu)?, 1, 2)?;
/// let product = guided_grad_cam(&gradients, &maps, ImageLayout::ChannelsLast)?;
/// for (got, want) in product.flatten_all()?.to_vec1::<f32>()?.iter().zip([0f32, 0., 3., 4.]) {
///     assert!((got - want).abs() < 1e-6);
/// }
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// [`CamError::Shape`] if the maps are not of the images' number and size.
pub fn guided_grad_cam(
    gradients: &Tensor,
    maps: &[Heatmap],
    layout: ImageLayout,
) -> std::result::Result<Tensor, CamError> {
    finite("gradients", gradients)?;
    times_maps(gradients, maps, layout)
}

pub(crate) fn times_maps(
    gradients: &Tensor,
    maps: &[Heatmap],
    layout: ImageLayout,
) -> std::result::Result<Tensor, CamError> {
    let image: [usize; 4] = dims("gradients", "(N, H, W, C) or (N, C, H, W)", gradients)?;
    let (n, [height, width, _]) = (image[0], layout.axes().map(|axis| image[axis]));
    if maps.len() != n || maps.iter().any(|map| (map.height, map.width) != (height, width)) {
        return Err(CamError::Shape {
            what: "gradients",
            expected: format!("of the maps' number and size, {}", size(maps)),
            got: gradients.shape().clone(),
        });
    }
    let values: Vec<f32> = maps.iter().flat_map(|map| map.values.iter().copied()).collect();
    let shape = match layout {
        ImageLayout::ChannelsLast => (n, height, width, 1),
        ImageLayout::ChannelsFirst => (n, 1, height, width),
    };
    let maps = Tensor::from_vec(values, shape, gradients.device())?.to_dtype(gradients.dtype())?;
    Ok(gradients.broadcast_mul(&maps)?)
}

fn size(maps: &[Heatmap]) -> String {
    match maps.first() {
        Some(map) => format!("{} of {}×{}", maps.len(), map.height, map.width),
        None => "0".to_owned(),
    }
}

/// The maps `(N, H, W)` of gradients of the images: of each pixel the greatest absolute value over its channels.
pub(crate) fn saliency(gradients: &Tensor, layout: ImageLayout) -> Result<Tensor> {
    let [_, _, channels] = layout.axes();
    gradients.abs()?.max(channels)
}
