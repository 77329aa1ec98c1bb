use crate::OptimError;
use crate::check::{below_one, not_negative, require};
use crate::fused::{Buffers, Fused, Gradient, Real, Rule, update, update_with_one};
use serde::{Deserialize, Serialize};

/// Stochastic gradient descent with [`SgdOptions`].
pub type Sgd = Fused<SgdOptions>;

/// Which momentum, and how much. In a configuration file `"none"`, `{ heavy = 0.9 }` or `{ nesterov = 0.9 }`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Momentum {
    /// The step follows the gradient alone.
    #[default]
    None,
    /// The classical heavy ball: the step follows the buffer.
    Heavy(f64),
    /// The step follows the gradient as it would look after another step along the buffer (Nesterov's, in the form of
    /// Sutskever et al. 2013 that PyTorch uses).
    Nesterov(f64),
}

impl Momentum {
    /// The coefficient; 0 for none.
    pub fn coefficient(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Heavy(m) | Self::Nesterov(m) => m,
        }
    }

    /// The coefficient, if there is a momentum.
    pub(crate) fn get(self) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Heavy(m) | Self::Nesterov(m) => Some(m),
        }
    }

    /// The same kind with another coefficient, unchecked; `None` where there is no momentum.
    pub(crate) fn with(self, momentum: f64) -> Option<Self> {
        match self {
            Self::None => None,
            Self::Heavy(_) => Some(Self::Heavy(momentum)),
            Self::Nesterov(_) => Some(Self::Nesterov(momentum)),
        }
    }

    /// Whether the coefficient is in its range.
    pub(crate) fn check(self, key: &'static str) -> Result<(), OptimError> {
        below_one(key, self.coefficient())?;
        match self {
            Self::Nesterov(momentum) => require(momentum > 0.0, key, momentum, "above 0 for Nesterov"),
            Self::None | Self::Heavy(_) => Ok(()),
        }
    }
}

/// Options of [`Sgd`], whose step on a parameter `p` with gradient `g` is that of `torch.optim.SGD`:
///
/// ```text
/// g ← g + weight_decay·p
/// b ← g at the first step, then momentum·b + (1 − dampening)·g
/// p ← p − learning_rate·(g | b | g + momentum·b)       none | heavy | Nesterov
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdOptions {
    /// Size of a step, 1e-3 unless told. At least 0.
    #[serde(rename = "lr")]
    pub learning_rate: f64,
    /// None unless told.
    pub momentum: Momentum,
    /// How much less of each new gradient enters the buffer, 0 unless told. Must be 0 for Nesterov.
    pub dampening: f64,
    /// L2 penalty: its gradient `weight_decay·p` joins the loss's, 0 unless told. At least 0.
    pub weight_decay: f64,
}

impl Default for SgdOptions {
    fn default() -> Self {
        Self { learning_rate: 1e-3, momentum: Momentum::None, dampening: 0.0, weight_decay: 0.0 }
    }
}

impl Rule for SgdOptions {
    const SLOTS: &'static [&'static str] = &["momentum_buffer"];

    fn check(&self) -> Result<(), OptimError> {
        not_negative("lr", self.learning_rate)?;
        not_negative("weight_decay", self.weight_decay)?;
        require(self.dampening.is_finite(), "dampening", self.dampening, "a finite number")?;
        self.momentum.check("momentum")?;
        match self.momentum {
            Momentum::Nesterov(momentum) if self.dampening != 0.0 => Err(OptimError::Conflict {
                key: "momentum",
                value: format!("{{ nesterov = {momentum} }}"),
                other_key: "dampening",
                other_value: self.dampening.to_string(),
                reason: "Nesterov's momentum looks ahead along an undampened buffer",
            }),
            _ => Ok(()),
        }
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
        self.momentum.get()
    }

    fn with_momentum(&self, momentum: f64) -> Option<Self> {
        Some(Self { momentum: self.momentum.with(momentum)?, ..*self })
    }

    fn update<T: Real>(&self, parameter: &mut [T], gradient: Gradient<'_, T>, buffers: &mut Buffers<T>) {
        let lr = T::from_f64(self.learning_rate);
        let decay = T::from_f64(self.weight_decay);
        let m = self.momentum.coefficient();
        if m == 0.0 {
            return update(parameter, gradient, move |p, g| *p -= lr * (g + decay * *p));
        }
        let ([buffer], fresh) = buffers.slots(parameter.len());
        // A fresh buffer becomes the gradient itself, dampening or not.
        let (keep, take) = if fresh { (0.0, 1.0) } else { (m, 1.0 - self.dampening) };
        let (m, keep, take) = (T::from_f64(m), T::from_f64(keep), T::from_f64(take));
        if let Momentum::Nesterov(_) = self.momentum {
            update_with_one(parameter, gradient, buffer, move |p, g, b| {
                let g = g + decay * *p;
                *b = keep * *b + take * g;
                *p -= lr * (g + m * *b);
            });
        } else {
            update_with_one(parameter, gradient, buffer, move |p, g, b| {
                let g = g + decay * *p;
                *b = keep * *b + take * g;
                *p -= lr * *b;
            });
        }
    }
}
