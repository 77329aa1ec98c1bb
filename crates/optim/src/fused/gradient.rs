//! What a rule sees of a loss's gradient: with a penalty's share, clipped.

use super::Real;
use serde::{Deserialize, Serialize};

use crate::OptimError;
use crate::check::{not_negative, positive};

/// What is done to gradients before the optimiser's own rule: first the penalty's gradient is added, then all is clipped.
///
/// In a configuration file `l1 = 1e-5` and `clip = { value = 0.1 }` or `clip = { norm = 1.0 }`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientOptions {
    /// The penalty `l1·Σ|p|` over all parameters that have a gradient: `l1·sign(p)` joins it. 0 unless told.
    pub l1: f64,
    /// None unless told.
    pub clip: Clip,
}

/// How gradients are kept from being too large.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clip {
    /// They are not.
    #[default]
    None,
    /// Each value to within ± this, as `torch.nn.utils.clip_grad_value_`.
    Value(f64),
    /// All of them together by one factor, to a Euclidean norm of this, as `torch.nn.utils.clip_grad_norm_`.
    Norm(f64),
}

impl GradientOptions {
    /// Whether every option is in its range.
    ///
    /// # Errors
    /// [`OptimError::Option`], naming key and value.
    pub fn check(&self) -> Result<(), OptimError> {
        not_negative("gradients.l1", self.l1)?;
        match self.clip {
            Clip::None => Ok(()),
            Clip::Value(limit) => positive("gradients.clip.value", limit),
            Clip::Norm(most) => positive("gradients.clip.norm", most),
        }
    }

    /// For gradients whose norm, the penalty's share included, is `norm`.
    pub(super) fn treatment(&self, norm: f64) -> Treatment {
        let (scale, limit) = match self.clip {
            Clip::None => (1.0, f64::INFINITY),
            Clip::Value(limit) => (1.0, limit),
            // PyTorch's: a NaN stays one.
            Clip::Norm(most) => ((most / (norm + 1e-6)).clamp(0.0, 1.0), f64::INFINITY),
        };
        Treatment { l1: self.l1, scale, limit }
    }
}

/// What becomes of each value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Treatment {
    pub(super) l1: f64,
    scale: f64,
    limit: f64,
}

/// A variable's gradient as a rule sees it: [`update`](super::update) and its kin hand its values to their functions.
#[derive(Debug, Clone, Copy)]
pub struct Gradient<'a, T> {
    values: &'a [T],
    l1: T,
    scale: T,
    limit: T,
}

impl<'a, T: Real> Gradient<'a, T> {
    pub(super) fn new(values: &'a [T], treatment: Treatment) -> Self {
        let [l1, scale, limit] = [treatment.l1, treatment.scale, treatment.limit].map(T::from_f64);
        Self { values, l1, scale, limit }
    }

    /// In chunks of so many values.
    pub(super) fn chunks(self, size: usize) -> impl rayon::iter::IndexedParallelIterator<Item = Self> {
        use rayon::prelude::*;
        self.values.par_chunks(size).map(move |values| Self { values, ..self })
    }

    /// The values, not yet treated.
    pub(super) fn untreated(self) -> &'a [T] {
        self.values
    }

    /// What `value`, the gradient of the parameter `p`, becomes. NaN stays NaN.
    #[inline(always)]
    pub(super) fn treated(&self, value: T, p: T) -> T {
        let g = self.scale * (value + self.l1 * sign(p));
        if g > self.limit {
            self.limit
        } else if g < -self.limit {
            -self.limit
        } else {
            g
        }
    }
}

/// 0 of 0, as PyTorch's gradient of `abs`.
#[inline(always)]
pub(super) fn sign<T: Real>(p: T) -> T {
    if p > T::zero() {
        T::one()
    } else if p < T::zero() {
        -T::one()
    } else {
        T::zero()
    }
}
