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
    #[error("the {what} of image {image} hold {value}: the network's weights or its input are not finite")]
    NotFinite {
        /// Which tensor.
        what: &'static str,
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

    /// candle, or the model within a closure, refused.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}
