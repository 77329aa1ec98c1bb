use crate::CamError;
use candle_core::{Device, Tensor};

/// From logits `(N, K)` to scores `(N,)`, in candle's differentiable operations. Each score must depend on its own image's
/// logits only.
pub type ScoreFunction = Box<dyn Fn(&Tensor) -> candle_core::Result<Tensor> + Send + Sync>;

/// What is to be explained: a score of each image, computed from its logits.
pub enum Target {
    /// Each image's highest logit.
    Predicted,
    /// The logit of one class, for all images.
    Class(u32),
    /// The logit of a class of its own for each image.
    Classes(Vec<u32>),
    /// What speaks for one class rather than another: the difference of two logits, for each image.
    Difference {
        /// The classes whose logits count.
        of: Vec<u32>,
        /// The classes whose logits are subtracted.
        and: Vec<u32>,
    },
    /// Any function of the logits.
    Function(ScoreFunction),
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Predicted => f.write_str("Predicted"),
            Self::Class(class) => f.debug_tuple("Class").field(class).finish(),
            Self::Classes(classes) => f.debug_tuple("Classes").field(classes).finish(),
            Self::Difference { of, and } => {
                f.debug_struct("Difference").field("of", of).field("and", and).finish()
            }
            Self::Function(_) => f.write_str("Function(..)"),
        }
    }
}

impl Target {
    /// A target that is any function of the logits.
    pub fn function(score: impl Fn(&Tensor) -> candle_core::Result<Tensor> + Send + Sync + 'static) -> Self {
        Self::Function(Box::new(score))
    }

    /// The class whose logit the score is, for each image, if it is one.
    pub(crate) fn classes(&self, predicted: &[u32]) -> Option<Vec<u32>> {
        match self {
            Self::Predicted => Some(predicted.to_vec()),
            Self::Class(class) => Some(vec![*class; predicted.len()]),
            Self::Classes(classes) => Some(classes.clone()),
            Self::Difference { .. } | Self::Function(_) => None,
        }
    }

    /// The same target, for copies of the images whose own predictions may differ from `predicted`.
    pub(crate) fn fixed(&self, predicted: &[u32]) -> Option<Self> {
        matches!(self, Self::Predicted).then(|| Self::Classes(predicted.to_vec()))
    }

    /// The scores `(M,)` of `logits` `(M, K)` that variants of one image of the batch got.
    pub(crate) fn scores_of_image(
        &self,
        logits: &Tensor,
        predicted: &[u32],
        image: usize,
    ) -> Result<Tensor, CamError> {
        let repeated = |classes: &[u32]| vec![classes[image]; logits.dims()[0]];
        let one = match self {
            Self::Predicted => Self::Classes(repeated(predicted)),
            Self::Classes(classes) => Self::Classes(repeated(classes)),
            Self::Difference { of, and } => Self::Difference { of: repeated(of), and: repeated(and) },
            Self::Class(class) => Self::Class(*class),
            Self::Function(_) => return self.scores(logits, &[]),
        };
        one.scores(logits, &[])
    }

    /// The scores `(N,)` of finite `logits` `(N, K)`.
    pub(crate) fn scores(&self, logits: &Tensor, predicted: &[u32]) -> Result<Tensor, CamError> {
        let (images, classes) = logits.dims2()?;
        let logit = |of: &[u32]| -> Result<Tensor, CamError> {
            check(of, images, classes)?;
            // A product with zeros and ones, rather than an indexing op whose gradient scatters.
            let hot = of.iter().flat_map(|&class| (0..classes).map(move |k| f32::from(k == class as usize)));
            let hot = Tensor::from_vec(hot.collect(), (images, classes), &Device::Cpu)?;
            let hot = hot.to_dtype(logits.dtype())?.to_device(logits.device())?;
            Ok((logits * hot)?.sum(1)?)
        };
        match self {
            Self::Predicted => logit(predicted),
            Self::Class(class) => logit(&vec![*class; images]),
            Self::Classes(classes) => logit(classes),
            Self::Difference { of, and } => Ok((logit(of)? - logit(and)?)?),
            Self::Function(score) => {
                let scores = score(logits)?;
                if scores.dims() != [images] {
                    return Err(CamError::Shape {
                        what: "scores of the target function",
                        expected: format!("({images},), one an image"),
                        got: scores.shape().clone(),
                    });
                }
                Ok(scores)
            }
        }
    }
}

fn check(of: &[u32], images: usize, classes: usize) -> Result<(), CamError> {
    if of.len() != images {
        return Err(CamError::TargetCount { expected: images, got: of.len() });
    }
    match of.iter().enumerate().find(|(_, class)| **class as usize >= classes) {
        Some((image, &class)) => Err(CamError::Class { class, image, classes }),
        None => Ok(()),
    }
}
