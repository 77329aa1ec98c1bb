//! Optimisers, learning-rate schedules and the LR range test for candle, with PyTorch's arithmetic.
//!
//! - [`Sgd`], [`Adam`], [`AdamW`], [`RmsProp`]: one fused pass over each parameter a step, in place; [`Muon`], which multiplies matrices
//!   besides; all of them are an [`Optimizer`].
//! - [`OneCycle`] and the other schedules of PyTorch: the learning rate and momentum of a step, as a pure function of the step,
//!   or of the metrics so far.
//! - [`Average`]: lookahead, an exponential moving average or an equal one of the weights, shown in the variables when asked.
//! - [`range_test`]: sweep the learning rate, watch the loss, suggest a peak; everything it touched is put back.
//!
//! Every options struct is serde data that refuses unknown keys, so that it can sit in a configuration file.
//!
//! ```
//! use candle_core::{Device, Var};
//! use wick_optim::{Momentum, OneCycle, OneCycleOptions, Optimizer, Sgd, SgdOptions};
//!
//! // Minimise (x - 3)² under a one-cycle schedule of 100 steps.
//! let x = Var::new(0f64, &Device::Cpu)?;
//! let options = SgdOptions { momentum: Momentum::Nesterov(0.9), ..Default::default() };
//! let mut sgd = Sgd::new(vec![("x".to_string(), x.clone())], options)?;
//! let schedule = OneCycle::new(&OneCycleOptions { max_lr: 0.1.into(), ..Default::default() }, 100)?;
//! for step in 0..100 {
//!     let point = schedule.at(step);
//!     sgd.set_learning_rate(point.learning_rate)?;
//!     if let Some(momentum) = point.momentum {
//!         sgd.set_momentum(momentum)?;
//!     }
//!     let loss = (x.as_tensor() - 3.0)?.sqr()?;
//!     sgd.step(&loss.backward()?)?;
//! }
//! assert!((x.to_scalar::<f64>()? - 3.0).abs() < 1e-2);
//! # Ok::<(), wick_optim::OptimError>(())
//! ```

mod adam;
mod average;
mod check;
mod config;
mod error;
pub mod fused;
mod group;
mod muon;
mod optimizer;
mod range_test;
mod rmsprop;
mod schedule;
mod sgd;
mod snapshot;

pub use adam::{Adam, AdamOptions, AdamW, AdamWOptions};
pub use average::{Alpha, Average, AverageConfig, EmaOptions, LookaheadOptions, Mixing, SwaOptions, Weights};
pub use config::OptimizerConfig;
pub use error::OptimError;
pub use fused::{Clip, Fused, GradientOptions};
pub use group::{Group, Members};
pub use muon::{Elsewhere, Filters, Muon, MuonOptions};
pub use optimizer::{Optimizer, StepReport};
pub use range_test::{
    Ending, Next, RangeTest, RangeTestLoss, RangeTestOptions, Reading, Recorder, Spacing, Suggestion,
    range_test, suggest_minimum_tenth, suggest_steepest, suggest_valley, sweep,
};
pub use rmsprop::{RmsProp, RmsPropOptions};
pub use schedule::{
    Anneal, ConstantFactor, CosineAnnealing, CosineRestarts, CycleMomentum, Cyclic, CyclicMode,
    ExponentialDecay, Judged, Length, Linear, MultiStepDecay, OneCycle, OneCycleOptions, Peak, Phases,
    Plateau, PlateauMode, PlateauOptions, Point, Polynomial, Room, Schedule, ScheduleConfig, Sequential,
    Span, StepDecay, ThresholdMode, Tick, TooLong,
};
pub use sgd::{Momentum, Sgd, SgdOptions};
pub use snapshot::Snapshot;
