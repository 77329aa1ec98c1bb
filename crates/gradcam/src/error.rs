use crate::Method;
use candle_core::Shape;

/// What can go wrong in this crate; each message says what was expected and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CamError {
    /// A tensor of the wrong shape.
    #[error("the {what} must be {expected}, got {got:?}")]
    Shape {
        /// Which tensor.
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        got: Shape,
    },

    /// A value that is infinite or not a number.
    #[error(
        "the {what} of image {image}{} hold {value}: the network's weights or its input are not finite",
        layer.as_ref().map(|name| format!(" at {name}")).unwrap_or_default()
    )]
    NotFinite {
        /// Which tensor.
        what: &'static str,
        /// At which layer, where it has a name.
        layer: Option<String>,
        /// Which image of the batch, the first being 0.
        image: usize,
        /// The first such value.
        value: f64,
    },

    /// A class that the network does not know.
    #[error(
        "class {class} was asked for, for image {image}, but the network knows {classes}, numbered from 0"
    )]
    Class {
        /// The class.
        class: u32,
        /// For which image of the batch.
        image: usize,
        /// How many classes there are.
        classes: usize,
    },

    /// Not one target class an image.
    #[error("{got} target classes for {expected} images: one an image is needed")]
    TargetCount {
        /// Images.
        expected: usize,
        /// Target classes.
        got: usize,
    },

    /// The score has no gradient with respect to the activations.
    #[error(
        "the target's score does not depend on the activations: the head must compute the logits from the tensor it is given, with candle's graph recorded"
    )]
    NoGradient,

    /// Guided backpropagation was asked for of a layer without a guided model.
    #[error(
        "{method} differentiates the whole network with guided rectifiers, and {layer} was given without: add it with Layer::guided"
    )]
    NoGuidedModel {
        /// The method.
        method: Method,
        /// The layer's name.
        layer: String,
    },

    /// No layer to look at.
    #[error("no layer was given: at least one is needed")]
    NoLayer,

    /// Forward passes of no image.
    #[error("the batch size is 0: it must be at least 1")]
    BatchSize,

    /// A score whose relative drop is undefined.
    #[error(
        "the score of image {image} is 0, so that no drop is relative to it: explain another target with Ablation-CAM, or this one with another method"
    )]
    ZeroScore {
        /// Which image of the batch, the first being 0.
        image: usize,
    },

    /// No method of this name.
    #[error("there is no method {name:?}: expected one of {}", Method::names())]
    UnknownMethod {
        /// The name.
        name: String,
    },

    /// An option out of range.
    #[error("{name} is {got}; expected {expected}")]
    Setting {
        /// Which option.
        name: &'static str,
        /// What is allowed.
        expected: String,
        /// What it is.
        got: String,
    },

    /// candle, or the model within a closure, refused.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl CamError {
    /// The same error, naming the layer where that is what one needs to know.
    pub(crate) fn at(self, name: &str) -> Self {
        match self {
            Self::NotFinite { what, image, value, layer: None } => {
                Self::NotFinite { what, image, value, layer: Some(name.to_owned()) }
            }
            other => other,
        }
    }
}
