//! How Muon is asked for.

use super::super::rule::{Momentum, Rates};

/// Muon on filters, which are the variables of four axes, and SGD on everything else. The momentum of a step's rates is the filters';
/// their buffer is made with any momentum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Muon {
    /// Of filters; how much, each step says.
    pub momentum: Momentum,
    /// Newton–Schulz steps.
    pub steps: usize,
    /// What becomes of a filter's norm.
    pub filters: Filters,
    /// What becomes of everything else.
    pub elsewhere: Elsewhere,
}

/// What becomes of a filter's norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filters {
    /// Nothing but what the weight decay, which does not go through the gradient, takes off.
    Free,
    /// Before each step it is made √C_out. There is no weight decay. A filter of zeros stays one.
    Rescaled,
}

/// SGD with a momentum of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Elsewhere {
    /// How often the filters' learning rate.
    pub learning_rate: f64,
    /// Which momentum.
    pub momentum: Momentum,
    /// How much; 0 where there is none.
    pub coefficient: f64,
}

impl Muon {
    /// What filters' kernels need of a step's rates.
    pub(super) fn numbers(&self, rates: Rates) -> [f32; 2] {
        let momentum = if self.momentum == Momentum::None { 0.0 } else { rates.momentum };
        [rates.learning_rate, momentum].map(|number| number as f32)
    }

    /// What the kernel of SGD needs. A buffer of zeros, decayed, and the gradient are the gradient: the first step is as any.
    pub(in super::super) fn numbers_elsewhere(&self, rates: Rates) -> [f32; 4] {
        let Elsewhere { learning_rate, coefficient, .. } = self.elsewhere;
        [learning_rate * rates.learning_rate, coefficient, coefficient, 1.0].map(|number| number as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_moves_both_rates_and_one_momentum() {
        let elsewhere = Elsewhere { learning_rate: 4.0, momentum: Momentum::Nesterov, coefficient: 0.5 };
        let muon = Muon { momentum: Momentum::Heavy, steps: 5, filters: Filters::Free, elsewhere };
        let rates = Rates { learning_rate: 0.25, momentum: 0.75 };
        assert_eq!(muon.numbers(rates), [0.25, 0.75]);
        assert_eq!(muon.numbers_elsewhere(rates), [1.0, 0.5, 0.5, 1.0]);
        assert_eq!(Muon { momentum: Momentum::None, ..muon }.numbers(rates), [0.25, 0.0]);
    }
}
