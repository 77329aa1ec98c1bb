//! What can go wrong with a graph or its run.

use wick_kernels::ShapeError;

use crate::Shape;

/// Why a graph could not be built, compiled or run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// A layer was given what it cannot read.
    #[error("{layer} reads {expected}, but was given {got}")]
    Input {
        /// The layer.
        layer: String,
        /// What it reads, in words.
        expected: String,
        /// The shape of what it was given.
        got: Shape,
    },
    /// A layer whose sizes are impossible.
    #[error("the layer {layer} cannot be: {source}")]
    Layer {
        /// The layer.
        layer: String,
        /// Why.
        source: ShapeError,
    },
    /// An option outside of its range.
    #[error("{layer}: `{option}` is {got}, expected {expected}")]
    Option {
        /// The layer.
        layer: String,
        /// The option.
        option: &'static str,
        /// Its range, in words.
        expected: String,
        /// Its value.
        got: String,
    },
    /// Two layers of one name.
    #[error("there are two parameters named `{name}`; give each layer a name of its own")]
    Repeated {
        /// The parameter's name.
        name: String,
    },
    /// A name that is no parameter's.
    #[error("this graph has no parameter named `{name}`")]
    UnknownParameter {
        /// The name given.
        name: String,
    },
    /// A layer that was marked twice.
    #[error("there are two layers named `{layer}`; give each a name of its own")]
    RepeatedLayer {
        /// The name.
        layer: String,
    },
    /// A name that is no layer's.
    #[error("this graph cannot be cut behind `{layer}`, which is none of its layers: {known}")]
    UnknownLayer {
        /// The name given.
        layer: String,
        /// The layers there are.
        known: String,
    },
    /// What is behind a layer reads more than that layer.
    #[error(
        "nothing can be cut off behind {layer}: {reader}, which is behind it, also reads {other}, which is not; expected a layer that everything goes through"
    )]
    Uncut {
        /// The layer.
        layer: String,
        /// What is behind it.
        reader: String,
        /// What is not.
        other: String,
    },
    /// A value of another graph.
    #[error("{layer} reads a value that is not of this graph")]
    Foreign {
        /// The layer.
        layer: String,
    },
    /// A layer that nothing reads.
    #[error(
        "nothing reads the output of {layer}; only the last layer, which makes the logits, may be left unread"
    )]
    Unread {
        /// The layer.
        layer: String,
    },
    /// The last layer makes no logits.
    #[error(
        "the last layer, {layer}, leaves {got}; expected logits: end with `flatten` or `global_avg_pool2d`, then `linear`"
    )]
    NoLogits {
        /// The layer.
        layer: String,
        /// What it leaves.
        got: Shape,
    },
    /// Parameters, gradients or images of another number.
    #[error("{what}: expected {expected} values, got {got}")]
    Length {
        /// Which.
        what: String,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// A graph whose features are the mean of no map.
    #[error(
        "the features are not the mean of one map that is written, so that there is none to give; expected a graph that ends with a map's `global_avg_pool2d`"
    )]
    NoMap,
    /// A batch without images.
    #[error("a batch needs at least one image")]
    Empty,
    /// A kernel refused its arguments.
    #[error(transparent)]
    Kernel(#[from] ShapeError),
}
