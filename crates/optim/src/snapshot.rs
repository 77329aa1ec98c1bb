use crate::{OptimError, Optimizer};
use candle_core::{Tensor, Var};

/// Copies of variables and of an optimiser's state, to go back to.
///
/// Give it *every* variable that training changes, batch norm's running statistics too.
#[derive(Debug)]
pub struct Snapshot {
    variables: Vec<(Var, Tensor)>,
    state: Vec<(String, Tensor)>,
    learning_rate: f64,
    momentum: Option<f64>,
}

impl Snapshot {
    /// Copies the `variables` and what `optimizer` holds.
    ///
    /// # Errors
    /// [`OptimError::Candle`] if a copy cannot be made.
    pub fn take<'a>(
        variables: impl IntoIterator<Item = &'a Var>,
        optimizer: &dyn Optimizer,
    ) -> Result<Self, OptimError> {
        let variables = variables
            .into_iter()
            .map(|var| Ok((var.clone(), var.as_detached_tensor().copy()?)))
            .collect::<Result<_, OptimError>>()?;
        Ok(Self {
            variables,
            state: optimizer.state()?,
            learning_rate: optimizer.learning_rate(),
            momentum: optimizer.momentum(),
        })
    }

    /// Puts everything back, bit for bit: the variables, the optimiser's state, its learning rate and momentum.
    ///
    /// # Errors
    /// [`OptimError`] if `optimizer` is not the one that was copied.
    pub fn restore(&self, optimizer: &mut dyn Optimizer) -> Result<(), OptimError> {
        for (var, copy) in &self.variables {
            var.set(copy)?;
        }
        optimizer.load_state(&self.state)?;
        optimizer.set_learning_rate(self.learning_rate)?;
        match self.momentum {
            Some(momentum) => optimizer.set_momentum(momentum),
            None => Ok(()),
        }
    }
}
