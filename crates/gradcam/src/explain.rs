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

/// Explains a batch of images.
///
/// `features` computes the activations `(N, h, w, C)` of the layer to look at (a model that works channels-first permutes
/// them), `head` the logits `(N, K)` from them. The graph is cut between the two: only the head is differentiated, so
/// `features` may well run without recording one. `method` makes maps of activations and their gradients:
/// [`grad_cam`](crate::grad_cam), or a function of your own.
///
/// All images go through at once, and the gradient is that of the sum of their scores. This is each image's own gradient as
/// long as the head treats them independently: batch norm must be in evaluation mode.
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
    let activations = features(images)?.detach();
    let [n, h, w, _] = dims("activations", "(N, h, w, C)", &activations)?;
    finite("activations", &activations)?;

    let leaf = Var::from_tensor(&activations)?;
    let logits = head(&leaf)?;
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
    let gradients = scores.sum_all()?.backward()?;
    let gradients = gradients.get(&leaf).ok_or(CamError::NoGradient)?;
    let raw = method(&activations, gradients)?;
    if raw.dims() != [n, h, w] {
        return Err(CamError::Shape {
            what: "maps",
            expected: format!("{:?}", [n, h, w]),
            got: raw.shape().clone(),
        });
    }
    Ok(Explanation {
        logits: logits.detach(),
        classes: target.classes(&predicted),
        predicted,
        scores: rows(&scores)?.concat(),
        raw: raw.detach(),
    })
}

/// The first of the highest.
fn argmax(row: &[f64]) -> u32 {
    let best = row.iter().enumerate().fold(0, |best, (k, &v)| if v > row[best] { k } else { best });
    best as u32
}
