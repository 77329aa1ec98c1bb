//! How many ticks a schedule takes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::OptimError;
use crate::check::require;

/// How many ticks something takes: a number, or `"run"`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// So many.
    Ticks(usize),
    /// As many as the run has; in a [`Sequential`](super::Sequential), as many as the schedule's turn has. Endless until
    /// [`ScheduleConfig::over`](super::ScheduleConfig::over) puts a number in its place.
    Run,
}

impl Span {
    pub(super) fn ticks(self) -> usize {
        match self {
            Self::Ticks(ticks) => ticks,
            Self::Run => usize::MAX,
        }
    }

    /// The same where a run, or a turn, has so many ticks.
    pub(super) fn over(self, ticks: usize) -> Self {
        match self {
            // A turn of none is never taken, and dividing by 1 does no harm.
            Self::Run => Self::Ticks(ticks.max(1)),
            Self::Ticks(_) => self,
        }
    }

    pub(super) fn check(self, key: &'static str) -> Result<(), OptimError> {
        require(self != Self::Ticks(0), key, self, "at least 1, or \"run\"")
    }
}

impl From<usize> for Span {
    fn from(ticks: usize) -> Self {
        Self::Ticks(ticks)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ticks(ticks) => write!(f, "{ticks}"),
            Self::Run => write!(f, "\"run\""),
        }
    }
}

/// A number is written as it was before there was `"run"`: checkpoints hold hashes of this text.
impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ticks(ticks) => ticks.serialize(serializer),
            Self::Run => serializer.serialize_str("run"),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of ticks or \"run\"")
            }

            fn visit_i64<E: serde::de::Error>(self, v: i64) -> Result<Span, E> {
                let ticks = usize::try_from(v);
                ticks.map(Span::Ticks).map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(v), &self))
            }

            fn visit_u64<E: serde::de::Error>(self, v: u64) -> Result<Span, E> {
                let ticks = usize::try_from(v);
                ticks
                    .map(Span::Ticks)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(v), &self))
            }

            fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Span, E> {
                match v {
                    "run" => Ok(Span::Run),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(v), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
