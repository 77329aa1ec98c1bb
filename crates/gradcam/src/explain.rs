use crate::check::{dims, finite, rows};
use crate::{CamError, Target};
use candle_core::{Tensor, Var};

/// Where a network looked in each image of a batch.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// What the network said, `(N, K)`.
    pub logits: Tensor,
    /// Each image's class of highest logit.
    pub predicted: Vec<u32>,
    /// Each image's class that was explained, where the target is the logit of a class.
    pub classes: Option<Vec<u32>>,
    /// Each image's score that was explained.
    pub scores: Vec<f64>,
    /// The maps `(N, h, w)` as the method gives them, before ReLU and scaling.
    pub raw: Tensor,
}

/// Explains a batch of images by a method that is a function: [`grad_cam`](crate::grad_cam), or one of your own.
/// [`explain_with`](crate::explain_with) takes a method by its name, several layers, and smooths.
///
/// `features` computes the activations `(N, h, w, C)` of the layer to look at (a model that works channels-first permutes
/// them), `head` the logits `(N, K)` from them. The graph is cut between the two: only the head is differentiated, so
/// `features` may well run without recording one. `method` makes maps of activations and their gradients.
///
/// All images go through at once, and the gradient is that of the sum of their scores. This is each image's own gradient as
/// long as the head treats them independently: batch norm must be in evaluation mode.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use wick_gradcam::{Target, explain};
///
/// let image = Tensor::new(&[[1f32, 0.], [0., 2.]], &Device::Cpu)?.reshape((1, 2, 2, 1))?;
/// let head = |a: &Tensor| a.sum((1, 2));
/// let own = |activations: &Tensor, gradients: &Tensor| Ok((activations.sqr()? * gradients)?.sum(3)?);
/// let explanation = explain(&image, |x| x.relu(), head, &Target::Predicted, own)?;
/// assert_eq!(explanation.scores, [3.]);
/// assert_eq!(explanation.raw.flatten_all()?.to_vec1::<f32>()?, [1., 0., 0., 4.]);
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// [`CamError::Shape`] for activations, logits or scores of another shape; [`CamError::NotFinite`], which names the image;
/// [`CamError::Class`] and [`CamError::TargetCount`] for a target that does not fit; [`CamError::NoGradient`] if the
/// score does not depend on the activations; what the closures return.
pub fn explain(
    images: &Tensor,
    features: impl Fn(&Tensor) -> candle_core::Result<Tensor>,
    head: impl Fn(&Tensor) -> candle_core::Result<Tensor>,
    target: &Target,
    method: impl Fn(&Tensor, &Tensor) -> Result<Tensor, CamError>,
) -> Result<Explanation, CamError> {
    let pass = pass(
        images,
        &Cut { features: &features, head: &head, gradient: None },
        target,
        Gradients::OfTheScore,
    )?;
    let gradients = pass.gradients.as_ref().ok_or(CamError::NoGradient)?;
    let raw = method(&pass.activations, gradients)?;
    let [n, h, w, _] = dims("activations", "(N, h, w, C)", &pass.activations)?;
    if raw.dims() != [n, h, w] {
        return Err(CamError::Shape {
            what: "maps",
            expected: format!("{:?}", [n, h, w]),
            got: raw.shape().clone(),
        });
    }
    Ok(Explanation {
        logits: pass.logits,
        classes: target.classes(&pass.predicted),
        predicted: pass.predicted,
        scores: pass.scores,
        raw: raw.detach(),
    })
}

/// A model, cut in two.
pub(crate) struct Cut<'a> {
    /// From images to activations `(N, h, w, C)`.
    pub(crate) features: &'a dyn Fn(&Tensor) -> candle_core::Result<Tensor>,
    /// From there to logits `(N, K)`.
    pub(crate) head: &'a dyn Fn(&Tensor) -> candle_core::Result<Tensor>,
    /// How the head is differentiated, where candle does not do it.
    pub(crate) gradient: Option<HeadGradient<'a>>,
}

/// From activations and the gradient of the logits to that of the activations.
type HeadGradient<'a> = &'a dyn Fn(&Tensor, &Tensor) -> candle_core::Result<Tensor>;

/// Whether the head is differentiated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gradients {
    OfTheScore,
    Unneeded,
}

/// What one pass over a batch gives. All of it is finite.
pub(crate) struct Pass {
    pub(crate) activations: Tensor,
    pub(crate) logits: Tensor,
    pub(crate) predicted: Vec<u32>,
    pub(crate) scores: Vec<f64>,
    pub(crate) gradients: Option<Tensor>,
}

pub(crate) fn pass(
    images: &Tensor,
    cut: &Cut<'_>,
    target: &Target,
    gradients: Gradients,
) -> Result<Pass, CamError> {
    let activations = (cut.features)(images)?.detach();
    let [n, ..] = dims::<4>("activations", "(N, h, w, C)", &activations)?;
    finite("activations", &activations)?;

    // What is differentiated by candle: from the activations on, or only from the logits.
    let leaf = match (gradients, cut.gradient) {
        (Gradients::OfTheScore, None) => Some(Var::from_tensor(&activations)?),
        _ => None,
    };
    let mut logits = (cut.head)(leaf.as_deref().unwrap_or(&activations))?;
    let leaf = match (gradients, cut.gradient) {
        (Gradients::OfTheScore, Some(_)) => {
            let leaf = Var::from_tensor(&logits.detach())?;
            logits = leaf.as_tensor().clone();
            Some(leaf)
        }
        _ => leaf,
    };
    let [rows_of_logits, _] = dims("logits", "(N, K)", &logits)?;
    if rows_of_logits != n {
        return Err(CamError::Shape {
            what: "logits",
            expected: format!("({n}, K), a row an image"),
            got: logits.shape().clone(),
        });
    }
    finite("logits", &logits)?;

    let predicted: Vec<u32> = rows(&logits)?.iter().map(|row| argmax(row)).collect();
    let scores = target.scores(&logits, &predicted)?;
    finite("scores", &scores)?;
    let gradients = match &leaf {
        Some(leaf) => {
            let of_leaf = scores.sum_all()?.backward()?.remove(leaf).ok_or(CamError::NoGradient)?;
            let gradients = match cut.gradient {
                None => of_leaf,
                Some(gradient) => gradient(&activations, &of_leaf.detach())?,
            };
            if gradients.dims() != activations.dims() {
                return Err(CamError::Shape {
                    what: "gradients",
                    expected: format!("like the activations, {:?}", activations.dims()),
                    got: gradients.shape().clone(),
                });
            }
            finite("gradients", &gradients)?;
            Some(gradients.detach())
        }
        None => None,
    };
    let scores = rows(&scores)?.concat();
    Ok(Pass { activations, logits: logits.detach(), predicted, scores, gradients })
}

/// The first of the highest.
fn argmax(row: &[f64]) -> u32 {
    let best = row.iter().enumerate().fold(0, |best, (k, &v)| if v > row[best] { k } else { best });
    best as u32
}
