use candle_core::{Result, Tensor};

/// A part of a model, from tensor to tensor.
type Part<'a> = Box<dyn Fn(&Tensor) -> Result<Tensor> + 'a>;
/// A part's gradient, from what it reads and the gradient of what it leaves.
type Gradient<'a> = dyn Fn(&Tensor, &Tensor) -> Result<Tensor> + 'a;

/// A layer to look at: the model, cut in two behind it.
///
/// ```
/// use candle_core::Tensor;
/// use wick_gradcam::Layer;
///
/// let layer = Layer::new("the only layer", |x: &Tensor| x.relu(), |a: &Tensor| a.mean((1, 2)))
///     .guided(|x: &Tensor| wick_gradcam::guided_relu(x)?.mean((1, 2)));
/// assert_eq!(layer.name(), "the only layer");
/// ```
pub struct Layer<'a> {
    name: String,
    features: Part<'a>,
    head: Part<'a>,
    head_gradient: Option<Box<Gradient<'a>>>,
    guided: Option<Part<'a>>,
}

impl<'a> Layer<'a> {
    /// `features` computes the activations `(N, h, w, C)` from the images (a model that works channels-first permutes them),
    /// `head` the logits `(N, K)` from them. Errors call the layer by its `name`.
    ///
    /// Only the head is differentiated, so `features` may well run without recording a graph.
    pub fn new(
        name: impl Into<String>,
        features: impl Fn(&Tensor) -> Result<Tensor> + 'a,
        head: impl Fn(&Tensor) -> Result<Tensor> + 'a,
    ) -> Self {
        let (features, head) = (Box::new(features), Box::new(head));
        Self { name: name.into(), features, head, head_gradient: None, guided: None }
    }

    /// Says how to differentiate the head where candle does not record what it computes, on another device for instance: `gradient` takes
    /// the activations `(N, h, w, C)` and the gradient `(N, K)` of a score with respect to the logits, and gives that score's gradient with
    /// respect to the activations.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use wick_gradcam::{CamOptions, Layer, Method, Target, explain_with};
    ///
    /// // Two means, of which the second counts twice.
    /// let factors = Tensor::new(&[1f32, 2.], &Device::Cpu)?;
    /// let layer = Layer::new("the only layer", |x: &Tensor| Ok(x.clone()), |a: &Tensor| {
    ///     a.detach().mean((1, 2))?.broadcast_mul(&factors)
    /// })
    /// .differentiated(|a: &Tensor, dlogits: &Tensor| {
    ///     let (n, h, w, c) = a.dims4()?;
    ///     let each = (dlogits.broadcast_mul(&factors)? / (h * w) as f64)?;
    ///     each.reshape((n, 1, 1, c))?.broadcast_as((n, h, w, c))?.contiguous()
    /// });
    /// let image = Tensor::new(&[[1f32, 3.], [0., 4.]], &Device::Cpu)?.reshape((1, 1, 2, 2))?;
    /// let options = CamOptions::default();
    /// let explained = explain_with(Method::HiResCam, &image, &[layer], &Target::Class(1), &options)?;
    /// assert_eq!(explained.raw[0].flatten_all()?.to_vec1::<f32>()?, [3., 4.]); // of the second channel: 2 / 2 times its values
    /// # Ok::<(), wick_gradcam::CamError>(())
    /// ```
    pub fn differentiated(mut self, gradient: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + 'a) -> Self {
        self.head_gradient = Some(Box::new(gradient));
        self
    }

    /// Adds what guided backpropagation and guided Grad-CAM need: `model` computes the logits `(N, K)` from the images, with a
    /// graph recorded from end to end, and with rectifiers that are [`guided`](crate::guided_relu).
    pub fn guided(mut self, model: impl Fn(&Tensor) -> Result<Tensor> + 'a) -> Self {
        self.guided = Some(Box::new(model));
        self
    }

    /// What the layer is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn features(&self, images: &Tensor) -> Result<Tensor> {
        (self.features)(images)
    }

    pub(crate) fn head(&self, activations: &Tensor) -> Result<Tensor> {
        (self.head)(activations)
    }

    pub(crate) fn head_gradient(&self) -> Option<&Gradient<'a>> {
        self.head_gradient.as_deref()
    }

    pub(crate) fn guided_model(&self) -> Option<&Part<'a>> {
        self.guided.as_ref()
    }
}

impl std::fmt::Debug for Layer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layer")
            .field("name", &self.name)
            .field("differentiated", &self.head_gradient.is_some())
            .field("guided", &self.guided.is_some())
            .finish_non_exhaustive()
    }
}
