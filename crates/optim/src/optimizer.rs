use crate::OptimError;
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};

/// What became of a step's gradients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Their Euclidean norm before they were clipped, the penalty's share included; `None` where nothing asked for it.
    pub gradient_norm: Option<f64>,
    /// What the penalty adds to the loss.
    pub penalty: f64,
}

/// What a training loop asks of an optimiser, whichever it is.
///
/// The learning rate and the momentum are set before a step, since schedules change both.
pub trait Optimizer: Send {
    /// Updates every variable that has a gradient, in place. A variable without one is left alone, its state too, as
    /// PyTorch does where `grad` is `None`.
    ///
    /// All gradients are checked before any variable changes.
    ///
    /// # Errors
    /// [`OptimError::Gradient`] for one whose shape or type is not its variable's.
    fn step(&mut self, gradients: &GradStore) -> Result<StepReport, OptimError>;

    /// The learning rate of the next step.
    fn learning_rate(&self) -> f64;

    /// Sets the learning rate of the next step.
    ///
    /// # Errors
    /// [`OptimError::Option`] if it is negative or not finite.
    fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), OptimError>;

    /// The momentum of the next step (Adam's: β₁), if the optimiser has one.
    fn momentum(&self) -> Option<f64>;

    /// Sets the momentum of the next step (Adam's: β₁).
    ///
    /// # Errors
    /// [`OptimError::NoMomentum`] if there is none to set, [`OptimError::Option`] if it is outside `[0, 1)`.
    fn set_momentum(&mut self, momentum: f64) -> Result<(), OptimError>;

    /// Leaves the variables that have one of these in their names alone, their states too, from the next step on, as if they had no
    /// gradient: PyTorch's `requires_grad = False`. Neither norms nor penalties count them. All others are updated (again).
    fn freeze(&mut self, named: &[&str]);

    /// The variables, in the order in which they were given.
    fn variables(&self) -> Vec<(&str, &Var)>;

    /// Steps taken: the most that any variable has seen.
    fn steps(&self) -> u64;

    /// Everything that later steps depend on besides the variables and the options, as tensors: for each variable
    /// `step/<variable>`, `(1,)` i64, and once it was updated a `<slot>/<variable>` of the variable's shape and type for
    /// each slot of the optimiser (`momentum_buffer`; `exp_avg`, `exp_avg_sq`). Copies: later steps do not change them.
    ///
    /// # Errors
    /// [`OptimError::Candle`] if a tensor cannot be made.
    fn state(&self) -> Result<Vec<(String, Tensor)>, OptimError>;

    /// Takes over what [`state`](Self::state) gave, in any order, bit for bit. Nothing changes if it does not fit.
    ///
    /// # Errors
    /// [`OptimError::StateMissing`], [`OptimError::StateUnexpected`], [`OptimError::State`]: each names the first tensor
    /// that does not fit.
    fn load_state(&mut self, state: &[(String, Tensor)]) -> Result<(), OptimError>;
}
