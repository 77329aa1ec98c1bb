use candle_core::{Result, Tensor};

/// A part of a model, from tensor to tensor.
type Part<'a> = Box<dyn Fn(&Tensor) -> Result<Tensor> + 'a>;

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
        Self { name: name.into(), features: Box::new(features), head: Box::new(head), guided: None }
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

    pub(crate) fn guided_model(&self) -> Option<&Part<'a>> {
        self.guided.as_ref()
    }
}

impl std::fmt::Debug for Layer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layer")
            .field("name", &self.name)
            .field("guided", &self.guided.is_some())
            .finish_non_exhaustive()
    }
}
