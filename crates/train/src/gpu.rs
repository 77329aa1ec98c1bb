//! What a GPU's trainer is made of, for programs that drive it themselves.

pub use wick_cuda::training::{
    Clip, Data, Decay, Drawn, Epoch, Group, Mix, Mixing, Momentum, Rates, Rule, Settings, Step, StepReport,
    Trainer,
};
pub use wick_cuda::{CudaError, Device, Executor, Numbers, Options};
pub use wick_models::GraphBatch as Batch;

pub use crate::compute::{numbers, values};
