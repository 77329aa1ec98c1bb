//! One schedule after another.

use serde::{Deserialize, Serialize};

use super::{Point, ScheduleConfig, Tick};
use crate::OptimError;
use crate::check::require;

/// Schedules that take turns, each from its own beginning, as `torch.optim.lr_scheduler.SequentialLR`: for instance a
/// [`Linear`](super::Linear) warm-up before a [`CosineAnnealing`](super::CosineAnnealing).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequential {
    /// Ticks at which the next one takes over, in order: one fewer than schedules.
    pub milestones: Vec<usize>,
    /// Functions of the tick: all but one-cycle schedules, plateaus and sequences. All of them count the same ticks.
    pub schedules: Vec<ScheduleConfig>,
    /// What a tick is.
    #[serde(default)]
    pub per: Tick,
}

impl Sequential {
    /// The learning rate and momentum at tick `t`, of an optimiser's `base`.
    pub(super) fn at(&self, base: f64, t: usize) -> Point {
        let passed = self.milestones.partition_point(|milestone| *milestone <= t);
        let since = if passed == 0 { 0 } else { self.milestones[passed - 1] };
        self.schedules[passed].at_tick(base, t - since)
    }

    /// How many of a run's ticks are the turn of schedule `i`.
    pub(super) fn turn(&self, i: usize, ticks: usize) -> usize {
        let milestone = |i: Option<usize>| i.and_then(|i| self.milestones.get(i)).copied();
        let (from, to) = (milestone(i.checked_sub(1)), milestone(Some(i)));
        to.unwrap_or(ticks).saturating_sub(from.unwrap_or(0))
    }

    pub(super) fn check(&self) -> Result<(), OptimError> {
        let told = || format!("{:?}", self.milestones);
        let rises = |from: usize, to: &[usize]| to.first().is_none_or(|first| *first > from);
        let in_order = rises(0, &self.milestones) && self.milestones.windows(2).all(|pair| pair[0] < pair[1]);
        require(in_order, "milestones", told(), "ticks from 1 on, each later than the one before")?;
        if self.milestones.len() + 1 != self.schedules.len() {
            return Err(OptimError::Conflict {
                key: "milestones",
                value: told(),
                other_key: "schedules",
                other_value: format!("a list of {}", self.schedules.len()),
                reason: "the first schedule needs no milestone, and each of the others needs one",
            });
        }
        for schedule in &self.schedules {
            let conflict = |reason| OptimError::Conflict {
                key: "kind",
                value: "\"sequential\"".to_owned(),
                other_key: "schedules",
                other_value: format!("{schedule:?}"),
                reason,
            };
            match schedule.per() {
                Some(per) if per != self.per => {
                    return Err(conflict("all of a sequence count the same ticks (per)"));
                }
                None if *schedule != (ScheduleConfig::Constant {}) => {
                    return Err(conflict("only functions of the tick can be in a sequence"));
                }
                _ => schedule.check()?,
            }
        }
        Ok(())
    }
}
