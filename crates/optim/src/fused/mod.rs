//! The frame of every optimiser here: named variables, their buffers, and a rule's step over both: one fused pass, unless it needs more.
//!
//! A [`Rule`] is plain options plus the arithmetic on slices; [`Fused`] makes an [`Optimizer`] of it.

mod elementwise;
mod gradient;
mod norms;
mod op;
mod rule;
mod state;

pub(crate) use elementwise::CHUNK;
pub use elementwise::{update, update_with_one, update_with_two};
pub use gradient::{Clip, Gradient, GradientOptions};
pub(crate) use norms::norm;
pub use rule::{Buffers, Real, Rule};
pub(crate) use state::take;

use crate::{Group, OptimError, Optimizer, StepReport};
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use norms::Sums;
use op::State;
use std::collections::HashMap;

/// An optimiser over named variables that follows the rule `R`.
#[derive(Debug)]
pub struct Fused<R> {
    rule: R,
    gradients: GradientOptions,
    parameters: Vec<Parameter>,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    name: String,
    var: Var,
    /// How often the rule's learning rate and weight decay.
    times: [f64; 2],
    progress: Progress,
    state: State,
}

/// Whether steps change a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Trained,
    Frozen,
}

impl<R: Rule> Fused<R> {
    /// An optimiser of `variables` (F32 or F64, on the CPU) that has taken no step yet.
    ///
    /// # Errors
    /// What [`Rule::check`] finds; [`OptimError::Repeated`], [`OptimError::VariableDType`],
    /// [`OptimError::VariableDevice`] for a variable that cannot be updated.
    pub fn new(variables: Vec<(String, Var)>, options: R) -> Result<Self, OptimError> {
        options.check()?;
        let mut names = HashMap::new();
        let mut ids = HashMap::new();
        for (name, var) in &variables {
            if !matches!(var.device(), Device::Cpu) {
                return Err(OptimError::VariableDevice { name: name.clone(), got: var.device().location() });
            }
            let earlier = names.insert(name, name).or_else(|| ids.insert(var.id(), name));
            if let Some(other) = earlier {
                return Err(OptimError::Repeated { name: name.clone(), other: other.clone() });
            }
        }
        let parameters = variables
            .into_iter()
            .map(|(name, var)| {
                let (state, progress) = (State::new(&name, &var)?, Progress::Trained);
                Ok(Parameter { state, name, var, times: [1.0; 2], progress })
            })
            .collect::<Result<_, OptimError>>()?;
        Ok(Self { rule: options, gradients: GradientOptions::default(), parameters })
    }

    /// The same, with gradients penalised and clipped.
    ///
    /// # Errors
    /// Those of [`GradientOptions::check`].
    pub fn with_gradients(self, gradients: GradientOptions) -> Result<Self, OptimError> {
        gradients.check()?;
        Ok(Self { gradients, ..self })
    }

    /// The same, with groups of variables optimised otherwise; the last group that has a variable counts.
    ///
    /// # Errors
    /// Those of [`Group::check`]; [`OptimError::EmptyGroup`] for a group that has none of the variables.
    pub fn with_groups(mut self, groups: &[Group]) -> Result<Self, OptimError> {
        for group in groups {
            group.check()?;
            let members = self.parameters.iter_mut().filter(|p| group.has(&p.name, p.var.rank()));
            let count = members.map(|p| p.times = [group.learning_rate, group.weight_decay]).count();
            if count == 0 {
                return Err(OptimError::EmptyGroup { group: group.of.to_string() });
            }
        }
        Ok(self)
    }

    /// The options in force, with the learning rate and momentum last set.
    pub fn options(&self) -> &R {
        &self.rule
    }

    fn gradients<'a>(&self, store: &'a GradStore) -> Result<Vec<Option<&'a Tensor>>, OptimError> {
        self.parameters
            .iter()
            .map(|p| {
                let trained = (p.progress == Progress::Trained).then_some(&p.var);
                let Some(gradient) = trained.and_then(|var| store.get(var)) else { return Ok(None) };
                if gradient.shape() != p.var.shape() || gradient.dtype() != p.var.dtype() {
                    return Err(OptimError::Gradient {
                        name: p.name.clone(),
                        expected: p.var.shape().clone(),
                        got: gradient.shape().clone(),
                        expected_dtype: p.var.dtype(),
                        got_dtype: gradient.dtype(),
                    });
                }
                Ok(Some(gradient))
            })
            .collect()
    }
}

impl<R: Rule> Optimizer for Fused<R> {
    fn step(&mut self, gradients: &GradStore) -> Result<StepReport, OptimError> {
        let gradients = self.gradients(gradients)?;
        let l1 = self.gradients.l1;
        let known = l1 > 0.0 || matches!(self.gradients.clip, Clip::Norm(_));
        let mut sums = Sums::default();
        if known {
            for (p, gradient) in self.parameters.iter().zip(&gradients) {
                if let Some(gradient) = gradient {
                    sums = sums.plus(op::sums(&p.var, gradient, l1)?);
                }
            }
        }
        let norm = sums.squares.sqrt();
        let treatment = self.gradients.treatment(norm);
        for (p, gradient) in self.parameters.iter_mut().zip(gradients) {
            if let Some(gradient) = gradient {
                let [lr, decay] = p.times;
                let rule = self.rule.with_learning_rate(lr * self.rule.learning_rate());
                let rule = rule.with_weight_decay(decay * self.rule.weight_decay());
                op::apply(&rule, &p.var, gradient, treatment, &mut p.state)?;
            }
        }
        Ok(StepReport { gradient_norm: known.then_some(norm), penalty: l1 * sums.magnitudes })
    }

    fn learning_rate(&self) -> f64 {
        self.rule.learning_rate()
    }

    fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), OptimError> {
        let rule = self.rule.with_learning_rate(learning_rate);
        rule.check()?;
        self.rule = rule;
        Ok(())
    }

    fn momentum(&self) -> Option<f64> {
        self.rule.momentum()
    }

    fn set_momentum(&mut self, momentum: f64) -> Result<(), OptimError> {
        let rule = self.rule.with_momentum(momentum).ok_or(OptimError::NoMomentum { momentum })?;
        rule.check()?;
        self.rule = rule;
        Ok(())
    }

    fn freeze(&mut self, named: &[&str]) {
        for p in &mut self.parameters {
            let frozen = named.iter().any(|part| p.name.contains(part));
            p.progress = if frozen { Progress::Frozen } else { Progress::Trained };
        }
    }

    fn variables(&self) -> Vec<(&str, &Var)> {
        self.parameters.iter().map(|p| (p.name.as_str(), &p.var)).collect()
    }

    fn steps(&self) -> u64 {
        self.parameters.iter().map(|p| p.state.steps()).max().unwrap_or(0)
    }

    fn state(&self) -> Result<Vec<(String, Tensor)>, OptimError> {
        state::save(R::SLOTS, &self.parameters)
    }

    fn load_state(&mut self, state: &[(String, Tensor)]) -> Result<(), OptimError> {
        let states = state::read(R::SLOTS, &self.parameters, state)?;
        for (p, state) in self.parameters.iter_mut().zip(states) {
            p.state = state;
        }
        Ok(())
    }
}
