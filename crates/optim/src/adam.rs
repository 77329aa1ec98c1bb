use crate::OptimError;
use crate::check::{below_one, not_negative};
use crate::fused::{Buffers, Fused, Gradient, Real, Rule, update_with_two};
use serde::{Deserialize, Serialize};

/// Adam (Kingma & Ba 2015) with [`AdamOptions`].
pub type Adam = Fused<AdamOptions>;

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019) with [`AdamWOptions`].
pub type AdamW = Fused<AdamWOptions>;

/// Options of [`Adam`], whose step `t` on a parameter `p` with gradient `g` is that of `torch.optim.Adam`:
///
/// ```text
/// g ← g + weight_decay·p
/// m ← m + (1 − β₁)·(g − m)
/// v ← β₂·v + (1 − β₂)·g²
/// p ← p − learning_rate/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + epsilon)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamOptions {
    /// Size of a step, 1e-3 unless told. At least 0.
    #[serde(rename = "lr")]
    pub learning_rate: f64,
    /// How much of the mean of the gradients is kept, .9 unless told. In `[0, 1)`.
    pub beta1: f64,
    /// How much of the mean of their squares is kept, .999 unless told. In `[0, 1)`.
    pub beta2: f64,
    /// Keeps the division from exploding, 1e-8 unless told. At least 0.
    pub epsilon: f64,
    /// L2 penalty: its gradient `weight_decay·p` joins the loss's, 0 unless told. At least 0.
    pub weight_decay: f64,
}

impl Default for AdamOptions {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

/// Options of [`AdamW`], whose step is [`Adam`]'s without the first line, after `p ← (1 − learning_rate·weight_decay)·p`
/// (`torch.optim.AdamW`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWOptions {
    /// Size of a step, 1e-3 unless told. At least 0.
    #[serde(rename = "lr")]
    pub learning_rate: f64,
    /// How much of the mean of the gradients is kept, .9 unless told. In `[0, 1)`.
    pub beta1: f64,
    /// How much of the mean of their squares is kept, .999 unless told. In `[0, 1)`.
    pub beta2: f64,
    /// Keeps the division from exploding, 1e-8 unless told. At least 0.
    pub epsilon: f64,
    /// The parameter shrinks by `learning_rate·weight_decay` of itself a step, whatever its gradient; .01 unless told. At
    /// least 0.
    pub weight_decay: f64,
}

impl Default for AdamWOptions {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 1e-2 }
    }
}

impl AdamWOptions {
    /// The same numbers, without what the decay means.
    fn numbers(&self) -> AdamOptions {
        let Self { learning_rate, beta1, beta2, epsilon, weight_decay } = *self;
        AdamOptions { learning_rate, beta1, beta2, epsilon, weight_decay }
    }
}

/// Where the weight decay enters.
#[derive(Clone, Copy)]
enum Decay {
    Gradient,
    Parameter,
}

const SLOTS: &[&str] = &["exp_avg", "exp_avg_sq"];

impl Rule for AdamOptions {
    const SLOTS: &'static [&'static str] = SLOTS;

    fn check(&self) -> Result<(), OptimError> {
        not_negative("lr", self.learning_rate)?;
        below_one("beta1", self.beta1)?;
        below_one("beta2", self.beta2)?;
        not_negative("epsilon", self.epsilon)?;
        not_negative("weight_decay", self.weight_decay)
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
        Some(self.beta1)
    }

    fn with_momentum(&self, beta1: f64) -> Option<Self> {
        Some(Self { beta1, ..*self })
    }

    fn update<T: Real>(&self, parameter: &mut [T], gradient: Gradient<'_, T>, buffers: &mut Buffers<T>) {
        adam(self, Decay::Gradient, parameter, gradient, buffers);
    }
}

impl Rule for AdamWOptions {
    const SLOTS: &'static [&'static str] = SLOTS;

    fn check(&self) -> Result<(), OptimError> {
        self.numbers().check()
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
        Some(self.beta1)
    }

    fn with_momentum(&self, beta1: f64) -> Option<Self> {
        Some(Self { beta1, ..*self })
    }

    fn update<T: Real>(&self, parameter: &mut [T], gradient: Gradient<'_, T>, buffers: &mut Buffers<T>) {
        adam(&self.numbers(), Decay::Parameter, parameter, gradient, buffers);
    }
}

fn adam<T: Real>(
    options: &AdamOptions,
    decay: Decay,
    parameter: &mut [T],
    gradient: Gradient<'_, T>,
    buffers: &mut Buffers<T>,
) {
    let AdamOptions { learning_rate, beta1, beta2, epsilon, weight_decay } = *options;
    let t = buffers.steps as f64;
    // The scalars are f64 to the last; the order of operations is PyTorch's.
    let step_size = T::from_f64(learning_rate / (1.0 - beta1.powf(t)));
    let v_correction = T::from_f64((1.0 - beta2.powf(t)).sqrt());
    let (shrink, penalty) = match decay {
        Decay::Gradient => (T::one(), T::from_f64(weight_decay)),
        Decay::Parameter => (T::from_f64(1.0 - learning_rate * weight_decay), T::zero()),
    };
    let (new_m, keep_v, new_v) = (T::from_f64(1.0 - beta1), T::from_f64(beta2), T::from_f64(1.0 - beta2));
    let epsilon = T::from_f64(epsilon);
    let ([m, v], _) = buffers.slots(parameter.len());
    update_with_two(parameter, gradient, m, v, move |p, g, m, v| {
        *p *= shrink;
        let g = g + penalty * *p;
        *m += new_m * (g - *m);
        *v = keep_v * *v + new_v * g * g;
        *p -= step_size * *m / (v.sqrt() / v_correction + epsilon);
    });
}
