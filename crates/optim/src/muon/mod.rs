mod orthogonal;

use crate::OptimError;
use crate::check::{not_negative, require};
use crate::fused::{Buffers, CHUNK, Fused, Gradient, Real, Rule, norm, update_with_two};
use crate::sgd::{Momentum, SgdOptions};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Muon (Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>) on filters and SGD on all else, with [`MuonOptions`].
pub type Muon = Fused<MuonOptions>;

/// Options of [`Muon`], whose step on a filter `p` with gradient `g`, by its momentum `m`, is
///
/// ```text
/// b ← m·b + g
/// u ← newton_schulz(g | b | g + m·b)                   none | heavy | Nesterov
/// p ← (1 − learning_rate·weight_decay)·p               free filters
/// p ← √C_out/‖p‖ · p                                   rescaled filters
/// p ← p − learning_rate·u
/// ```
///
/// `newton_schulz` sees a filter as the matrix `(C_out, C_in·KH·KW)` and brings its singular values near 1: from `x = u/(‖u‖ + 1e-7)`, each
/// step is `x ← 3.4445·x − 4.775·(xxᵀ)x + 2.0315·(xxᵀ)²x`.
///
/// Filters are the variables of four axes, `(KH, KW, C_in, C_out)`. All others are taken by [`Sgd`](crate::Sgd), weight decay included, as
/// `elsewhere` says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MuonOptions {
    /// Size of a step of filters, .02 unless told. At least 0.
    #[serde(rename = "lr")]
    pub learning_rate: f64,
    /// Of filters; Nesterov's .95 unless told.
    pub momentum: Momentum,
    /// 0 unless told. At least 0. Of no effect on filters that are rescaled.
    pub weight_decay: f64,
    /// Newton–Schulz steps, 5 unless told. 1 to 20.
    pub steps: usize,
    /// Free unless told.
    pub filters: Filters,
    /// SGD's own.
    pub elsewhere: Elsewhere,
}

/// What becomes of a filter's norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filters {
    /// Nothing.
    #[default]
    Free,
    /// Before each step it is made √C_out, as a normalisation that follows allows. A filter of zeros stays one.
    Rescaled,
}

/// What SGD does on variables that are no filters. In a configuration file `elsewhere = { lr = 2.8, momentum = { nesterov = 0.85 } }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Elsewhere {
    /// How often the filters' learning rate, 1 unless told: a schedule moves both. At least 0.
    #[serde(rename = "lr")]
    pub learning_rate: f64,
    /// None unless told. A schedule that cycles the momentum leaves this one alone.
    pub momentum: Momentum,
}

impl Default for Elsewhere {
    fn default() -> Self {
        Self { learning_rate: 1.0, momentum: Momentum::None }
    }
}

impl Default for MuonOptions {
    fn default() -> Self {
        Self {
            learning_rate: 0.02,
            momentum: Momentum::Nesterov(0.95),
            weight_decay: 0.0,
            steps: 5,
            filters: Filters::Free,
            elsewhere: Elsewhere::default(),
        }
    }
}

impl MuonOptions {
    fn elsewhere(&self) -> SgdOptions {
        SgdOptions {
            learning_rate: self.elsewhere.learning_rate * self.learning_rate,
            momentum: self.elsewhere.momentum,
            dampening: 0.0,
            weight_decay: self.weight_decay,
        }
    }

    /// What is orthogonalised.
    fn direction<T: Real>(
        &self,
        parameter: &mut [T],
        gradient: Gradient<'_, T>,
        buffers: &mut Buffers<T>,
    ) -> Vec<T> {
        let (own, keep) = match self.momentum {
            Momentum::None => (T::one(), T::zero()),
            Momentum::Heavy(_) => (T::zero(), T::one()),
            Momentum::Nesterov(m) => (T::one(), T::from_f64(m)),
        };
        let m = T::from_f64(self.momentum.coefficient());
        let mut direction = vec![T::zero(); parameter.len()];
        let ([buffer], _) = buffers.slots(parameter.len());
        update_with_two(parameter, gradient, buffer, &mut direction, move |_, g, b, d| {
            *b = m * *b + g;
            *d = own * g + keep * *b;
        });
        direction
    }
}

impl Rule for MuonOptions {
    const SLOTS: &'static [&'static str] = &["momentum_buffer"];

    fn check(&self) -> Result<(), OptimError> {
        not_negative("lr", self.learning_rate)?;
        not_negative("weight_decay", self.weight_decay)?;
        self.momentum.check("momentum")?;
        require((1..=20).contains(&self.steps), "steps", self.steps, "1 to 20")?;
        not_negative("elsewhere.lr", self.elsewhere.learning_rate)?;
        self.elsewhere.momentum.check("elsewhere.momentum")
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
        self.elsewhere().update(parameter, gradient, buffers);
    }

    fn update_shaped<T: Real>(
        &self,
        shape: &[usize],
        parameter: &mut [T],
        gradient: Gradient<'_, T>,
        buffers: &mut Buffers<T>,
    ) -> candle_core::Result<()> {
        let &[kh, kw, c_in, c_out] = shape else {
            self.update(parameter, gradient, buffers);
            return Ok(());
        };
        let direction = self.direction(parameter, gradient, buffers);
        let step = orthogonal::newton_schulz(direction, [kh * kw * c_in, c_out], self.steps)?;
        let scale = match self.filters {
            Filters::Free => 1.0 - self.learning_rate * self.weight_decay,
            Filters::Rescaled => match norm(parameter) {
                0.0 => 1.0,
                norm => (c_out as f64).sqrt() / norm,
            },
        };
        let (lr, scale) = (T::from_f64(self.learning_rate), T::from_f64(scale));
        parameter.par_chunks_mut(CHUNK).zip(step.par_chunks(CHUNK)).for_each(|(p, u)| {
            for (p, &u) in p.iter_mut().zip(u) {
                *p = scale * *p - lr * u;
            }
        });
        Ok(())
    }
}
