use crate::OptimError;
use crate::check::{below_one, not_negative};
use crate::fused::{Buffers, Fused, Gradient, Real, Rule, update_with_two};
use serde::{Deserialize, Serialize};

/// RMSprop (Hinton 2012) with [`RmsPropOptions`].
pub type RmsProp = Fused<RmsPropOptions>;

/// Options of [`RmsProp`], whose step on a parameter `p` with gradient `g` is that of `torch.optim.RMSprop`, not centred:
///
/// ```text
/// g ← g + weight_decay·p
/// v ← alpha·v + (1 − alpha)·g²
/// b ← momentum·b + g / (√v + epsilon)
/// p ← p − learning_rate·b
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsPropOptions {
    /// Size of a step, 1e-2 unless told. At least 0.
    #[serde(rename = "lr")]
    pub learning_rate: f64,
    /// How much of the mean of the gradients' squares is kept, .99 unless told. In `[0, 1)`.
    pub alpha: f64,
    /// Keeps the division from exploding, 1e-8 unless told. At least 0.
    pub epsilon: f64,
    /// L2 penalty: its gradient `weight_decay·p` joins the loss's, 0 unless told. At least 0.
    pub weight_decay: f64,
    /// How much of the last step is taken again, 0 unless told. In `[0, 1)`.
    pub momentum: f64,
}

impl Default for RmsPropOptions {
    fn default() -> Self {
        Self { learning_rate: 1e-2, alpha: 0.99, epsilon: 1e-8, weight_decay: 0.0, momentum: 0.0 }
    }
}

impl Rule for RmsPropOptions {
    const SLOTS: &'static [&'static str] = &["square_avg", "momentum_buffer"];

    fn check(&self) -> Result<(), OptimError> {
        not_negative("lr", self.learning_rate)?;
        below_one("alpha", self.alpha)?;
        not_negative("epsilon", self.epsilon)?;
        not_negative("weight_decay", self.weight_decay)?;
        below_one("momentum", self.momentum)
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn with_learning_rate(&self, learning_rate: f64) -> Self {
        Self { learning_rate, ..*self }
    }

    fn weight_decay(&self) -> f64 {
        self.weight_decay
    }

    fn with_weight_decay(&self, weight_decay: f64) -> Self {
        Self { weight_decay, ..*self }
    }

    fn momentum(&self) -> Option<f64> {
        (self.momentum > 0.0).then_some(self.momentum)
    }

    fn with_momentum(&self, momentum: f64) -> Option<Self> {
        (self.momentum > 0.0).then_some(Self { momentum, ..*self })
    }

    fn update<T: Real>(&self, parameter: &mut [T], gradient: Gradient<'_, T>, buffers: &mut Buffers<T>) {
        let step_size = T::from_f64(self.learning_rate);
        let (keep, new) = (T::from_f64(self.alpha), T::from_f64(1.0 - self.alpha));
        let [epsilon, penalty, again] = [self.epsilon, self.weight_decay, self.momentum].map(T::from_f64);
        let ([v, b], _) = buffers.slots(parameter.len());
        update_with_two(parameter, gradient, v, b, move |p, g, v, b| {
            let g = g + penalty * *p;
            *v = keep * *v + new * g * g;
            *b = again * *b + g / (v.sqrt() + epsilon);
            *p -= step_size * *b;
        });
    }
}
