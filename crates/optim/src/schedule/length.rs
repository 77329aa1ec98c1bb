//! How long a run is, and whether a schedule fits into it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ScheduleConfig, Span};
use crate::OptimError;

/// What a schedule counts. `t` is 0 throughout the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tick {
    /// Epochs.
    #[default]
    Epoch,
    /// Steps of the optimiser.
    Step,
}

impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Epoch => "epoch",
            Self::Step => "step",
        })
    }
}

/// How long a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// Passes over the training images.
    pub epochs: usize,
    /// Steps of the optimiser in each.
    pub steps_per_epoch: usize,
}

impl Length {
    /// Steps of all epochs.
    pub fn steps(&self) -> usize {
        self.epochs.saturating_mul(self.steps_per_epoch)
    }

    /// Its ticks.
    pub fn ticks(&self, per: Tick) -> usize {
        match per {
            Tick::Epoch => self.epochs,
            Tick::Step => self.steps(),
        }
    }
}

/// `4 epochs of 25 steps, 100 in all`
impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (epochs, steps) = (counted(self.epochs, Tick::Epoch), counted(self.steps_per_epoch, Tick::Step));
        write!(f, "{epochs} of {steps}, {} in all", self.steps())
    }
}

fn counted(n: usize, of: Tick) -> String {
    if n == 1 { format!("1 {of}") } else { format!("{n} {of}s") }
}

/// What a schedule has to fit into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// All of a run.
    Run(Length),
    /// A turn in a sequence.
    Turn {
        /// How long it lasts.
        ticks: usize,
        /// What those are.
        per: Tick,
        /// The run.
        of: Length,
    },
}

impl Room {
    fn ticks(&self, per: Tick) -> usize {
        match self {
            Self::Run(length) => length.ticks(per),
            Self::Turn { ticks, .. } => *ticks,
        }
    }

    fn length(&self) -> Length {
        match self {
            Self::Run(length) | Self::Turn { of: length, .. } => *length,
        }
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Turn { ticks, per, .. } = self {
            write!(f, "its turn of {} in ", counted(*ticks, *per))?;
        }
        write!(f, "the run of {}", self.length())
    }
}

/// A schedule that does not fit into its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLong {
    /// The option that says how long it is.
    pub key: String,
    /// Its value.
    pub value: String,
    /// What that counts.
    pub per: Tick,
    /// What there is for it.
    pub room: Room,
    /// What would never happen.
    pub lost: &'static str,
    /// What to do.
    pub fix: &'static str,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, per, room, lost, fix } = self;
        write!(f, "{key} = {value} (per = \"{per}\") does not fit into {room}: {lost}; {fix}")
    }
}

impl ScheduleConfig {
    /// The same for a run of that length: with numbers in the place of [`Span::Run`].
    #[must_use]
    pub fn over(self, length: Length) -> Self {
        let ticks = length.ticks(self.counts());
        self.over_ticks(ticks)
    }

    fn over_ticks(mut self, ticks: usize) -> Self {
        match &mut self {
            Self::Cosine(options) => options.t_max = options.t_max.over(ticks),
            Self::Polynomial(options) => options.total = options.total.over(ticks),
            Self::Linear(options) => options.total = options.total.over(ticks),
            Self::ConstantFactor(options) => options.total = options.total.over(ticks),
            Self::Sequential(options) => {
                let turns: Vec<usize> =
                    (0..options.schedules.len()).map(|i| options.turn(i, ticks)).collect();
                for (schedule, turn) in options.schedules.iter_mut().zip(turns) {
                    *schedule = std::mem::take(schedule).over_ticks(turn);
                }
            }
            Self::Constant {}
            | Self::OneCycle(_)
            | Self::Step(_)
            | Self::MultiStep(_)
            | Self::Exponential(_)
            | Self::CosineRestarts(_)
            | Self::Cyclic(_)
            | Self::Plateau(_) => {}
        }
        self
    }

    /// Whether it does all that it says within a run of that length: comes to its end where it has one, reaches each milestone,
    /// ends its first cycle. [`build`](Self::build) does not ask.
    ///
    /// # Errors
    /// [`OptimError::TooLong`], naming key and value.
    pub fn check_length(&self, length: Length) -> Result<(), OptimError> {
        self.check_room(Room::Run(length), "schedule.")
    }

    fn check_room(&self, room: Room, path: &str) -> Result<(), OptimError> {
        let per = self.counts();
        let ticks = room.ticks(per);
        let too_long = |key: &str, value: String, lost: &'static str, fix: &'static str| {
            let key = format!("{path}{key}");
            OptimError::TooLong(Box::new(TooLong { key, value, per, room, lost, fix }))
        };
        let span = |key: &str, span: Span, lost: &'static str| match span {
            Span::Ticks(n) if n > ticks => Err(too_long(key, n.to_string(), lost, OR_RUN)),
            Span::Ticks(_) | Span::Run => Ok(()),
        };
        let milestones = |milestones: &[usize]| match milestones.last() {
            Some(last) if *last >= ticks => {
                let lost = "its last milestone would never come";
                Err(too_long("milestones", format!("{milestones:?}"), lost, SHORTER))
            }
            _ => Ok(()),
        };
        match self {
            Self::MultiStep(options) => milestones(&options.milestones),
            Self::Cosine(options) => span("t_max", options.t_max, "it would never reach its minimum"),
            Self::CosineRestarts(options) if options.t_0 > ticks => {
                let lost = "its first wave would not come to its end";
                Err(too_long("t_0", options.t_0.to_string(), lost, SHORTER))
            }
            Self::Cyclic(options) => {
                let (up, down) = options.sizes();
                if up.saturating_add(down) <= ticks {
                    return Ok(());
                }
                let (key, value) = ("step_size_up + step_size_down", format!("{up} + {down}"));
                Err(too_long(key, value, "its first cycle would not come to its end", SHORTER))
            }
            Self::Polynomial(options) => span("total", options.total, "it would never reach 0"),
            Self::Linear(options) => span("total", options.total, "its line would not come to its end"),
            Self::ConstantFactor(options) => {
                span("total", options.total, "the factor would never be taken back")
            }
            Self::Sequential(options) => {
                milestones(&options.milestones)?;
                for (i, schedule) in options.schedules.iter().enumerate() {
                    let turn = Room::Turn { ticks: options.turn(i, ticks), per, of: room.length() };
                    schedule.check_room(turn, &format!("{path}schedules[{i}]."))?;
                }
                Ok(())
            }
            // As long as the run, whatever that is, or without an end.
            Self::Constant {}
            | Self::OneCycle(_)
            | Self::Step(_)
            | Self::Exponential(_)
            | Self::CosineRestarts(_)
            | Self::Plateau(_) => Ok(()),
        }
    }
}

const SHORTER: &str = "make it shorter, or train for more epochs";
const OR_RUN: &str = "make it shorter, say \"run\" for as long as that, or train for more epochs";
