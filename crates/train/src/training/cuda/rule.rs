//! A recipe's optimiser as a GPU knows it.

use wick_cuda::training::{Decay, Elsewhere, Filters, Momentum, Muon, Rule};
use wick_optim::{MuonOptions, OptimizerConfig};

/// An optimiser's rule, and how the CPU's keeps its state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Chosen {
    pub rule: Rule,
    pub weight_decay: f64,
    pub buffers: Buffers,
}

/// What the CPU's optimiser calls its buffers, and which variables have any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Buffers {
    pub names: &'static [&'static str],
    owners: Owners,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owners {
    All,
    /// Variables of four axes: what else Muon's SGD takes has no momentum.
    Filters,
}

impl Buffers {
    /// Whether a variable of so many axes has them.
    pub fn are_kept(self, axes: usize) -> bool {
        match self.owners {
            Owners::All => true,
            Owners::Filters => axes == 4,
        }
    }
}

impl Chosen {
    pub fn of(optim: &OptimizerConfig) -> Self {
        let adam = |beta2, epsilon, decay| Rule::Adam { beta2, epsilon, decay };
        let all = |rule, weight_decay, names| Self {
            rule,
            weight_decay,
            buffers: Buffers { names, owners: Owners::All },
        };
        match optim {
            OptimizerConfig::Sgd(o) => {
                let momentum = momentum(o.momentum);
                // Without a momentum there is no buffer.
                let names: &[_] = if momentum == Momentum::None { &[] } else { &["momentum_buffer"] };
                all(Rule::Sgd { momentum, dampening: o.dampening }, o.weight_decay, names)
            }
            OptimizerConfig::Adam(o) => {
                let rule = adam(o.beta2, o.epsilon, Decay::Gradient);
                all(rule, o.weight_decay, &["exp_avg", "exp_avg_sq"])
            }
            OptimizerConfig::AdamW(o) => {
                let rule = adam(o.beta2, o.epsilon, Decay::Parameter);
                all(rule, o.weight_decay, &["exp_avg", "exp_avg_sq"])
            }
            OptimizerConfig::RmsProp(o) => {
                let rule = Rule::RmsProp { alpha: o.alpha, epsilon: o.epsilon };
                all(rule, o.weight_decay, &["square_avg", "momentum_buffer"])
            }
            OptimizerConfig::Muon(o) => Self::muon(o),
        }
    }

    fn muon(o: &MuonOptions) -> Self {
        let coefficient = o.elsewhere.momentum.coefficient();
        let elsewhere = Elsewhere {
            learning_rate: o.elsewhere.learning_rate,
            momentum: momentum(o.elsewhere.momentum),
            coefficient,
        };
        let filters = match o.filters {
            wick_optim::Filters::Free => Filters::Free,
            wick_optim::Filters::Rescaled => Filters::Rescaled,
        };
        let owners = if coefficient == 0.0 { Owners::Filters } else { Owners::All };
        Self {
            rule: Rule::Muon(Muon { momentum: momentum(o.momentum), steps: o.steps, filters, elsewhere }),
            weight_decay: o.weight_decay,
            buffers: Buffers { names: &["momentum_buffer"], owners },
        }
    }
}

fn momentum(momentum: wick_optim::Momentum) -> Momentum {
    match momentum {
        wick_optim::Momentum::None => Momentum::None,
        wick_optim::Momentum::Heavy(_) => Momentum::Heavy,
        wick_optim::Momentum::Nesterov(_) => Momentum::Nesterov,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_without_a_momentum_have_no_buffer() {
        let kept = |momentum| {
            let elsewhere = wick_optim::Elsewhere { learning_rate: 2.0, momentum };
            let chosen = Chosen::of(&OptimizerConfig::Muon(MuonOptions { elsewhere, ..Default::default() }));
            [1, 2, 4].map(|axes| chosen.buffers.are_kept(axes))
        };
        assert_eq!(kept(wick_optim::Momentum::None), [false, false, true]);
        assert_eq!(kept(wick_optim::Momentum::Heavy(0.5)), [true; 3]);
    }

    #[test]
    fn muon_is_taken_over_with_its_options() {
        let options = MuonOptions {
            weight_decay: 0.25,
            steps: 3,
            filters: wick_optim::Filters::Rescaled,
            elsewhere: wick_optim::Elsewhere {
                learning_rate: 2.5,
                momentum: wick_optim::Momentum::Heavy(0.75),
            },
            ..Default::default()
        };
        let chosen = Chosen::of(&OptimizerConfig::Muon(options));
        let elsewhere = Elsewhere { learning_rate: 2.5, momentum: Momentum::Heavy, coefficient: 0.75 };
        let want = Muon { momentum: Momentum::Nesterov, steps: 3, filters: Filters::Rescaled, elsewhere };
        assert_eq!((chosen.rule, chosen.weight_decay), (Rule::Muon(want), 0.25));
    }
}
