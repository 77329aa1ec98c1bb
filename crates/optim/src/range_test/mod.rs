//! The LR range test (Smith 2017): raise the learning rate step by step, watch the loss, suggest a peak.

mod driver;
mod options;
mod recorder;
mod suggest;

pub use driver::{RangeTest, range_test, sweep};
pub use options::{RangeTestLoss, RangeTestOptions, Spacing};
pub use recorder::{Ending, Next, Reading, Recorder};
pub use suggest::{Suggestion, suggest_minimum_tenth, suggest_steepest, suggest_valley};
