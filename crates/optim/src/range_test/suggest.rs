use super::{RangeTestOptions, Reading};
use crate::OptimError;
use serde::{Deserialize, Serialize};

/// A learning rate that a rule suggests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The step of the range test that it was read from.
    pub step: usize,
    /// The learning rate: that step's, or what the rule makes of it.
    pub learning_rate: f64,
}

/// Where the smoothed loss falls fastest from one reading to the next: the least central difference (one-sided at the
/// two ends, like `numpy.gradient`), the first of equals. torch-lr-finder's rule.
///
/// # Errors
/// [`OptimError::TooFewReadings`] if fewer than 2 readings are left after skipping.
pub fn suggest_steepest(readings: &[Reading], options: &RangeTestOptions) -> Result<Suggestion, OptimError> {
    let kept = trim(readings, options)?;
    let last = kept.len() - 1;
    let slope = |i: usize| match i {
        0 => kept[1].smoothed - kept[0].smoothed,
        i if i == last => kept[last].smoothed - kept[last - 1].smoothed,
        i => (kept[i + 1].smoothed - kept[i - 1].smoothed) / 2.0,
    };
    let steepest = (1..=last).fold(0, |best, i| if slope(i) < slope(best) { i } else { best });
    Ok(suggestion(kept, steepest))
}

/// Halfway along the longest valley: of the longest decreasing subsequence of the smoothed losses, a point one third plus one
/// sixth of the way from its start to its end. fastai's default rule (`valley` in `fastai/callback/schedule.py`).
///
/// fastai places the valley's start at its end minus the subsequence's *length*; so does this.
///
/// # Errors
/// [`OptimError::TooFewReadings`] if fewer than 2 readings are left after skipping.
pub fn suggest_valley(readings: &[Reading], options: &RangeTestOptions) -> Result<Suggestion, OptimError> {
    let kept = trim(readings, options)?;
    // lengths[i]: of the longest decreasing subsequence that ends at i.
    let mut lengths = vec![1usize; kept.len()];
    let mut end = 0;
    for i in 1..kept.len() {
        let before = (0..i).filter(|&j| kept[i].smoothed < kept[j].smoothed).map(|j| lengths[j]).max();
        lengths[i] = before.unwrap_or(0) + 1;
        if lengths[i] > lengths[end] {
            end = i;
        }
    }
    // Nothing decreases: the start. (fastai's `max_start` stays 0 there too.)
    let length = if end == 0 { 0 } else { lengths[end] };
    // In floating point as fastai has it; the start may be one before the first reading.
    let section = length as f64 / 3.0;
    let index = (end + section as usize + (section / 2.0) as usize).saturating_sub(length);
    Ok(suggestion(kept, index))
}

/// A tenth of the learning rate at the smallest smoothed loss, the first of equals: where the loss has stopped falling is an
/// order of magnitude too far. fastai's `minimum` in `fastai/callback/schedule.py`.
///
/// # Errors
/// [`OptimError::TooFewReadings`] if fewer than 2 readings are left after skipping.
pub fn suggest_minimum_tenth(
    readings: &[Reading],
    options: &RangeTestOptions,
) -> Result<Suggestion, OptimError> {
    let kept = trim(readings, options)?;
    let least =
        (1..kept.len()).fold(0, |best, i| if kept[i].smoothed < kept[best].smoothed { i } else { best });
    let Suggestion { step, learning_rate } = suggestion(kept, least);
    Ok(Suggestion { step, learning_rate: learning_rate / 10.0 })
}

fn trim<'a>(readings: &'a [Reading], options: &RangeTestOptions) -> Result<&'a [Reading], OptimError> {
    let needed = options.needed();
    if readings.len() < needed {
        return Err(OptimError::TooFewReadings {
            got: readings.len(),
            needed,
            skip_start: options.skip_start,
            skip_end: options.skip_end,
            hint: "test lower learning rates, or take more steps",
        });
    }
    Ok(&readings[options.skip_start..readings.len() - options.skip_end])
}

fn suggestion(kept: &[Reading], index: usize) -> Suggestion {
    let Reading { step, learning_rate, .. } = kept[index];
    Suggestion { step, learning_rate }
}
