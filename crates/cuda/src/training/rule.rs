//! How parameters follow their gradients.

use super::muon::Muon;

/// Which momentum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Momentum {
    /// None.
    None,
    /// The step follows the buffer.
    Heavy,
    /// The step follows the gradient as it would look after another step along the buffer.
    Nesterov,
}

/// An optimiser's rule, as PyTorch has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// Buffers: of momentum, if there is one.
    Sgd {
        /// Which momentum; how much, each step says.
        momentum: Momentum,
        /// How much less of each new gradient enters the buffer.
        dampening: f64,
    },
    /// Buffers: means of gradients, of their squares. The momentum is β₁.
    Adam {
        /// How much of the mean of squares is kept.
        beta2: f64,
        /// Keeps the division from exploding.
        epsilon: f64,
        /// Where the weight decay enters.
        decay: Decay,
    },
    /// Buffers: means of squares, steps.
    RmsProp {
        /// How much of the mean of squares is kept.
        alpha: f64,
        /// Keeps the division from exploding.
        epsilon: f64,
    },
    /// Buffers: of momentum.
    Muon(Muon),
}

/// Where a weight decay enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    /// Into the gradient.
    Gradient,
    /// Into the parameter (AdamW).
    Parameter,
}

/// How gradients are kept from being too large.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Clip {
    /// They are not.
    #[default]
    None,
    /// Each to within ± this.
    Value(f64),
    /// All together to a norm of this.
    Norm(f64),
}

/// Factors of learning rate and weight decay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    /// How often the learning rate.
    pub learning_rate: f64,
    /// How often the weight decay.
    pub weight_decay: f64,
}

/// A step's learning rate and momentum (Adam's: β₁).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Size of the step.
    pub learning_rate: f64,
    /// 0 where there is none.
    pub momentum: f64,
}

/// Everything that decides how parameters follow their gradients, but for the rates.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The rule.
    pub rule: Rule,
    /// The weight decay, before groups' factors.
    pub weight_decay: f64,
    /// The factor of the penalty `Σ|p|`.
    pub l1: f64,
    /// How gradients are clipped.
    pub clip: Clip,
    /// Groups: 255 at most.
    pub groups: Vec<Group>,
    /// The group of each parameter of the graph; of what is not updated, none.
    pub group_of: Vec<Option<usize>>,
}

impl Momentum {
    /// By which number kernels know it.
    pub(super) fn number(self) -> usize {
        match self {
            Self::None => 0,
            Self::Heavy => 1,
            Self::Nesterov => 2,
        }
    }
}

impl Clip {
    /// The most that a value and the norm may be; 0: anything.
    pub(super) fn numbers(self) -> (f32, f32) {
        match self {
            Self::None => (0.0, 0.0),
            Self::Value(limit) => (limit as f32, 0.0),
            Self::Norm(most) => (0.0, most as f32),
        }
    }
}

impl Settings {
    /// Whether the sums over all gradients are needed.
    pub(super) fn needs_sums(&self) -> bool {
        self.l1 > 0.0 || matches!(self.clip, Clip::Norm(_))
    }
}

impl Rule {
    /// The number of buffers.
    pub fn slots(&self) -> usize {
        match self {
            Self::Sgd { momentum: Momentum::None, .. } => 0,
            Self::Sgd { .. } | Self::Muon(_) => 1,
            Self::Adam { .. } | Self::RmsProp { .. } => 2,
        }
    }

    /// By which number the kernel knows it: Muon as what it does elsewhere than on filters.
    pub(super) fn number(&self) -> usize {
        match self {
            Self::Sgd { momentum, .. } => momentum.number(),
            Self::Muon(muon) => muon.elsewhere.momentum.number(),
            Self::Adam { decay: Decay::Gradient, .. } => 3,
            Self::Adam { decay: Decay::Parameter, .. } => 4,
            Self::RmsProp { .. } => 5,
        }
    }

    /// How much of a second buffer is kept, and what keeps its division from exploding.
    pub(super) fn constants(&self) -> (f64, f64) {
        match *self {
            Self::Sgd { .. } | Self::Muon(_) => (0.0, 0.0),
            Self::Adam { beta2, epsilon, .. } => (beta2, epsilon),
            Self::RmsProp { alpha, epsilon } => (alpha, epsilon),
        }
    }

    /// What the kernel needs of a step's rates, with `steps` updates before it.
    pub(super) fn numbers(&self, rates: Rates, steps: u64) -> [f32; 4] {
        let Rates { learning_rate: lr, momentum } = rates;
        let numbers = match *self {
            // A fresh buffer becomes the gradient itself, dampening or not.
            Self::Sgd { .. } if steps == 0 => [lr, momentum, 0.0, 1.0],
            Self::Sgd { dampening, .. } => [lr, momentum, momentum, 1.0 - dampening],
            Self::Adam { beta2, .. } => {
                let t = (steps + 1) as f64;
                [lr, 1.0 - momentum, 1.0 - momentum.powf(t), (1.0 - beta2.powf(t)).sqrt()]
            }
            Self::RmsProp { .. } => [lr, momentum, 0.0, 0.0],
            Self::Muon(muon) => return muon.numbers_elsewhere(rates),
        };
        numbers.map(|number| number as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_buffer_is_the_gradient() {
        let rule = Rule::Sgd { momentum: Momentum::Heavy, dampening: 0.5 };
        let rates = Rates { learning_rate: 0.1, momentum: 0.9 };
        assert_eq!(rule.numbers(rates, 0), [0.1, 0.9, 0.0, 1.0]);
        assert_eq!(rule.numbers(rates, 1), [0.1, 0.9, 0.9, 0.5]);
    }

    /// Kingma & Ba 2015: the means are corrected by 1 − β^t, t = 2 for the second step.
    #[test]
    fn adam_corrects_its_means() {
        let rule = Rule::Adam { beta2: 0.75, epsilon: 1e-8, decay: Decay::Gradient };
        let numbers = rule.numbers(Rates { learning_rate: 0.5, momentum: 0.5 }, 1);
        assert_eq!(numbers, [0.5, 0.5, 0.75, 0.4375f32.sqrt()]);
    }
}
