use crate::TooLong;
use candle_core::{DType, DeviceLocation, Shape};

/// What can go wrong in this crate; each message says what was expected and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptimError {
    /// An option outside its range.
    #[error("{key} is {value}: it must be {expected}")]
    Option {
        /// The option's name, as in a configuration file.
        key: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },

    /// Two options that cannot be combined.
    #[error("{key} = {value} cannot be combined with {other_key} = {other_value}: {reason}")]
    Conflict {
        /// The first option.
        key: &'static str,
        /// Its value.
        value: String,
        /// The other option.
        other_key: &'static str,
        /// Its value.
        other_value: String,
        /// Why not.
        reason: &'static str,
    },

    /// A schedule that does not fit into its run.
    #[error("{0}")]
    TooLong(Box<TooLong>),

    /// A momentum was set on an optimiser that has none.
    #[error("the momentum cannot be set to {momentum}: this optimiser was made without momentum")]
    NoMomentum {
        /// What was to be set.
        momentum: f64,
    },

    /// A group without members.
    #[error("group {group} has none of the variables: it must name some that are trained")]
    EmptyGroup {
        /// What it asks for.
        group: String,
    },

    /// The same name, or the same variable, was given twice.
    #[error("variable {name:?} repeats {other:?}: each variable must be given once, under its own name")]
    Repeated {
        /// The later one.
        name: String,
        /// The earlier one.
        other: String,
    },

    /// A variable of a type that optimisers do not update.
    #[error("variable {name:?} is {got:?}: optimisers update F32 and F64 variables")]
    VariableDType {
        /// The variable.
        name: String,
        /// Its type.
        got: DType,
    },

    /// A variable that is not in the CPU's memory.
    #[error("variable {name:?} is on {got:?}: optimisers update variables on the CPU")]
    VariableDevice {
        /// The variable.
        name: String,
        /// Where it is.
        got: DeviceLocation,
    },

    /// A gradient that does not fit its variable.
    #[error(
        "the gradient of {name:?} is {got:?} {got_dtype:?}, the variable {expected:?} {expected_dtype:?}: they must be alike"
    )]
    Gradient {
        /// The variable.
        name: String,
        /// The variable's shape.
        expected: Shape,
        /// The gradient's shape.
        got: Shape,
        /// The variable's type.
        expected_dtype: DType,
        /// The gradient's type.
        got_dtype: DType,
    },

    /// A saved state lacks a tensor.
    #[error("the saved optimiser state has no tensor {name:?}: it is of another model or another optimiser")]
    StateMissing {
        /// The tensor.
        name: String,
    },

    /// A saved state has a tensor that belongs to nothing here.
    #[error(
        "the saved optimiser state has a tensor {name:?} that fits no variable: it is of another model or another optimiser"
    )]
    StateUnexpected {
        /// The tensor.
        name: String,
    },

    /// A tensor of a saved state that does not fit.
    #[error(
        "tensor {name:?} of the saved optimiser state is {got:?} {got_dtype:?}, expected {expected:?} {expected_dtype:?}: it is of another model or another optimiser"
    )]
    State {
        /// The tensor.
        name: String,
        /// The shape it must have.
        expected: Shape,
        /// The shape it has.
        got: Shape,
        /// The type it must have.
        expected_dtype: DType,
        /// The type it has.
        got_dtype: DType,
    },

    /// A range test that left too little to suggest from.
    #[error(
        "the range test left {got} usable losses, a suggestion needs {needed} (the first {skip_start} and last {skip_end} are skipped, and a slope takes 2): {hint}"
    )]
    TooFewReadings {
        /// Losses before the test ended.
        got: usize,
        /// How many it takes.
        needed: usize,
        /// Skipped at the start.
        skip_start: usize,
        /// Skipped at the end.
        skip_end: usize,
        /// What to do.
        hint: &'static str,
    },

    /// A schedule still holds `max_lr = "find"`.
    #[error("max_lr is \"find\": run the range test first, or give a number")]
    PeakNotFound,

    /// candle refused.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}
