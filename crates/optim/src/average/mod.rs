//! Averages of weights over a run's steps.

mod options;
mod pass;

pub use options::{Alpha, AverageConfig, EmaOptions, LookaheadOptions, Mixing, SwaOptions};

use crate::fused::take;
use crate::{Length, OptimError};
use candle_core::{DType, Device, Shape, Tensor, Var};
use pass::{Pass, Values};
use std::collections::HashMap;

const COUNT: &str = "averaged";

/// Which weights variables hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// Those that the optimiser goes on from.
    Trained,
    /// Their average, which judges and remains; the trained ones where there is none yet.
    Averaged,
}

/// The average of some variables while a run trains them. It holds one copy of each: of the average while they are trained, of the
/// trained values while they [show](Self::show) the average.
///
/// Give it all that training changes, batch norm's running statistics too: they are averaged as the parameters are, as
/// `torch.optim.swa_utils.AveragedModel(use_buffers=True)` and cifar10-airbench do. Computing them anew would take a pass over the training
/// images before each evaluation. A long equal average may profit from one: its weights' statistics are not the average's of theirs.
///
/// ```
/// use candle_core::{Device, Var};
/// use wick_optim::{Average, AverageConfig, EmaOptions, Length, Weights};
///
/// let x = Var::new(&[0f64], &Device::Cpu)?;
/// let config = AverageConfig::Ema(EmaOptions { decay: 0.5 });
/// let mut average = Average::new(config, vec![("x".into(), x.clone())], Length { epochs: 1, steps_per_epoch: 3 })?;
/// for step in 1..=3 {
///     x.set(&(x.as_tensor() + 1.0)?)?; // a training step
///     average.after_step(step)?;
/// }
/// average.show(Weights::Averaged)?;
/// assert_eq!(x.to_vec1::<f64>()?, [2.25]); // of 1, 2, 3
/// average.show(Weights::Trained)?;
/// assert_eq!(x.to_vec1::<f64>()?, [3.0]);
/// # Ok::<(), wick_optim::OptimError>(())
/// ```
#[derive(Debug)]
pub struct Average {
    config: AverageConfig,
    length: Length,
    copies: Vec<Kept>,
    /// Weights that are in the average.
    count: u64,
    shown: Weights,
}

#[derive(Debug)]
struct Kept {
    name: String,
    var: Var,
    values: Values,
}

impl Average {
    /// The average of `variables` (F32 or F64, on the CPU) over a run of that length that has not begun.
    ///
    /// # Errors
    /// What [`AverageConfig::check`] finds; an average that would begin after the run's end; [`OptimError::VariableDType`],
    /// [`OptimError::VariableDevice`] for a variable that cannot be averaged.
    pub fn new(
        config: AverageConfig,
        variables: Vec<(String, Var)>,
        length: Length,
    ) -> Result<Self, OptimError> {
        config.check()?;
        let (count, variables) = match config {
            AverageConfig::None {} => (0, Vec::new()),
            AverageConfig::Lookahead(LookaheadOptions { every, .. }) => {
                // They would never meet, and the slow weights, which remain, stay the initial ones.
                let expected = "no more than the steps of the run";
                crate::check::require(every <= length.steps(), "average.every", every, expected)?;
                (1, variables)
            }
            AverageConfig::Ema(_) => (0, variables),
            AverageConfig::Swa(SwaOptions { start }) => {
                let expected = "an epoch of the run, from 1";
                crate::check::require(start <= length.epochs, "average.start", start, expected)?;
                (0, variables)
            }
        };
        let copies = variables
            .into_iter()
            .map(|(name, var)| {
                if !matches!(var.device(), Device::Cpu) {
                    return Err(OptimError::VariableDevice { name, got: var.device().location() });
                }
                Ok(Kept { values: Values::of(&name, &var)?, name, var })
            })
            .collect::<Result<_, OptimError>>()?;
        Ok(Self { config, length, copies, count, shown: Weights::Trained })
    }

    /// Averages, where it is due, after so many steps of the run (1 after the first). The variables show the trained weights then.
    ///
    /// # Errors
    /// [`OptimError::Candle`] for variables that were made anew in another shape.
    pub fn after_step(&mut self, steps: u64) -> Result<(), OptimError> {
        self.show(Weights::Trained)?;
        let Some(mixing) = self.config.mixing(steps, self.length, self.count) else { return Ok(()) };
        if let Some(weight) = mixing.weight {
            self.add(weight)?;
        }
        if mixing.gives {
            self.pass(Pass::Give)?;
        }
        Ok(())
    }

    /// Has the variables hold these weights.
    ///
    /// # Errors
    /// As [`after_step`](Self::after_step).
    pub fn show(&mut self, weights: Weights) -> Result<(), OptimError> {
        if self.shown != weights && self.count > 0 {
            self.pass(Pass::Swap)?;
        }
        self.shown = weights;
        Ok(())
    }

    /// Shows the average, for the variables to be saved with it, and returns what they do not tell then: how many weights are in it
    /// (`averaged`, `(1,)` i64), and the trained ones as `trained/<variable>`, if it has begun. Nothing where nothing is averaged.
    ///
    /// # Errors
    /// As [`after_step`](Self::after_step).
    pub fn state(&mut self) -> Result<Vec<(String, Tensor)>, OptimError> {
        self.show(Weights::Averaged)?;
        if matches!(self.config, AverageConfig::None {}) {
            return Ok(Vec::new());
        }
        let count = i64::try_from(self.count).unwrap_or(i64::MAX);
        let mut tensors = vec![(COUNT.to_owned(), Tensor::new(&[count], &Device::Cpu)?)];
        if self.count > 0 {
            for copy in &self.copies {
                tensors.push((trained(&copy.name), copy.values.tensor(&copy.var)?));
            }
        }
        Ok(tensors)
    }

    /// Takes over what [`state`](Self::state) gave, in any order, where the variables hold what they showed then; they show the
    /// trained weights afterwards. Nothing changes if it does not fit.
    ///
    /// # Errors
    /// [`OptimError::StateMissing`], [`OptimError::StateUnexpected`], [`OptimError::State`]: each names the first tensor that does
    /// not fit.
    pub fn load_state(&mut self, state: &[(String, Tensor)]) -> Result<(), OptimError> {
        let mut saved: HashMap<&str, &Tensor> = state.iter().map(|(k, t)| (k.as_str(), t)).collect();
        let (mut count, mut values) = (0, Vec::new());
        if !matches!(self.config, AverageConfig::None {}) {
            let tensor = take(&mut saved, COUNT, &Shape::from(1), DType::I64)?;
            count = tensor.to_vec1::<i64>()?[0].max(0).unsigned_abs();
            if count > 0 {
                for Kept { name, var, .. } in &self.copies {
                    let tensor = take(&mut saved, &trained(name), var.shape(), var.dtype())?;
                    values.push(Values::of(name, &tensor)?);
                }
            }
        }
        if let Some(name) = saved.keys().min() {
            return Err(OptimError::StateUnexpected { name: name.to_string() });
        }
        for (copy, values) in self.copies.iter_mut().zip(values) {
            copy.values = values;
        }
        (self.count, self.shown) = (count, Weights::Averaged);
        self.show(Weights::Trained)
    }

    /// Counts the trained weights in, with that weight, or alone if they are the first.
    fn add(&mut self, weight: f64) -> Result<(), OptimError> {
        self.pass(if self.count == 0 { Pass::Take } else { Pass::Mix(weight) })?;
        self.count += 1;
        Ok(())
    }

    fn pass(&mut self, pass: Pass) -> Result<(), OptimError> {
        for copy in &mut self.copies {
            copy.values.pass(&copy.var, pass)?;
        }
        Ok(())
    }
}

fn trained(name: &str) -> String {
    format!("trained/{name}")
}
