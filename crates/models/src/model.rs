//! What every network of this crate can do.

use std::fmt::{Debug, Display};

use candle_core::{ModuleT, Result, Tensor};

use crate::error::ModelError;
use crate::summary::Outline;

/// Whether a network learns or answers: which statistics its normalisation uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The batch's own statistics, which also update the running ones.
    Train,
    /// The running statistics, left as they are.
    Evaluate,
}

impl Mode {
    /// The mode that candle's `train` flag stands for.
    pub fn from_train_flag(train: bool) -> Self {
        if train { Mode::Train } else { Mode::Evaluate }
    }
}

/// A network of any architecture, behind one type.
pub type Model = Box<dyn CifarModel>;

/// A classifier of images `(N, H, W, C)`: layers that keep a map, then a head that makes logits `(N, classes)`.
///
/// Its [`ModuleT::forward_t`] is the whole of it, from images to logits. The other functions cut it in two, where
/// an explanation wants to look: for each of [`layers`](CifarModel::layers),
/// `forward_from(forward_until(x, layer), layer)` is the whole again.
pub trait CifarModel: ModuleT + Debug + Send + Sync {
    /// The names of the layers one can cut after, first to last.
    fn layers(&self) -> &'static [&'static str];

    /// Runs the layer at `index` of [`layers`](CifarModel::layers): the first from images `(N, H, W, 3)`, any other from
    /// the output `(N, h, w, C)` of the one before.
    ///
    /// # Errors
    /// No such layer ([`ModelError::UnknownLayer`], wrapped); an input of another shape.
    fn forward_layer(&self, x: &Tensor, index: usize, mode: Mode) -> Result<Tensor>;

    /// Runs from images `(N, H, W, 3)` to the output `(N, h, w, C)` of `layer`, that layer included.
    ///
    /// # Errors
    /// A layer that is none of [`layers`](CifarModel::layers) ([`ModelError::UnknownLayer`], wrapped); images of
    /// another shape.
    fn forward_until(&self, x: &Tensor, layer: &str, mode: Mode) -> Result<Tensor> {
        let last = layer_index(self.layers(), layer)?;
        (0..=last).try_fold(x.clone(), |x, index| self.forward_layer(&x, index, mode))
    }

    /// Runs from the output `(N, h, w, C)` of `layer` to logits `(N, classes)`, that layer excluded.
    ///
    /// # Errors
    /// As [`forward_until`](CifarModel::forward_until).
    fn forward_from(&self, features: &Tensor, layer: &str, mode: Mode) -> Result<Tensor> {
        let next = layer_index(self.layers(), layer)? + 1;
        let mut rest = next..self.layers().len();
        let x = rest.try_fold(features.clone(), |x, index| self.forward_layer(&x, index, mode))?;
        self.forward_head(&x)
    }

    /// Runs from images to the last layer's output, `(N, h, w, C)`.
    ///
    /// # Errors
    /// Images of another shape.
    fn forward_features(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        match self.layers().last() {
            Some(layer) => self.forward_until(x, layer, mode),
            None => Ok(x.clone()),
        }
    }

    /// Runs from the last layer's output to logits `(N, classes)`.
    ///
    /// # Errors
    /// Features of another shape.
    fn forward_head(&self, features: &Tensor) -> Result<Tensor>;

    /// Writes its layers into `outline`, for an input `(N, H, W, C)`.
    ///
    /// # Errors
    /// Parameters of another rank.
    fn outline(&self, outline: &mut Outline, input: [usize; 4]) -> Result<()>;
}

/// The position of `layer` among `layers`.
fn layer_index(layers: &[&str], layer: &str) -> Result<usize> {
    layers.iter().position(|l| *l == layer).ok_or_else(|| unknown_layer(layers, layer))
}

/// The error of a `layer` that is none of `layers`.
pub(crate) fn unknown_layer(layers: &[&str], layer: impl Display) -> candle_core::Error {
    ModelError::UnknownLayer { layer: layer.to_string(), known: layers.join(", ") }.into()
}
