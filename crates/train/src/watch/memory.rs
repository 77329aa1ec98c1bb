//! What a watch remembers, for a run that goes on to be watched as if it had not stopped.

use serde::{Deserialize, Serialize};

use super::cause::Leap;
use super::warning::Kind;

/// What is remembered of a run to tell whether it goes wrong. Part of a checkpoint, and no part of what is computed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Memory {
    /// Kinds of warnings that were given.
    pub(super) told: Vec<Kind>,
    /// The first step's loss.
    pub(super) first_loss: Option<f64>,
    /// The last losses, of steps of enough images.
    pub(super) recent: Vec<f64>,
    /// Where the loss rose far, unless it has fallen since.
    pub(super) leap: Option<Leap>,
    /// The highest learning rate.
    pub(super) highest_rate: f64,
    pub(super) window: Window,
    pub(super) norms: Norms,
}

/// Sums over steps that are looked at together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    pub steps: usize,
    pub loss: f64,
    pub penalty: f64,
    pub images: usize,
    /// Images that were classified rightly.
    pub correct: usize,
    /// Of each step, the images that were taken for its commonest class.
    pub commonest: usize,
}

/// How large gradients are.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Norms {
    /// Moving mean of their logarithms.
    pub mean: f64,
    pub count: usize,
}

impl Norms {
    /// Takes in a norm, unless it is a hundred times the usual one, which is then returned. What is not finite is never taken in: it
    /// would be the mean from then on.
    ///
    /// Networks begin with gradients far from those that they have later, so nothing is unusual before `step` 100.
    pub fn usual_before(&mut self, step: u64, norm: f64) -> Option<f64> {
        /// Norms that count as a whole, where one in so many steps is known; and those that must be known.
        const REMEMBERED: usize = 100;
        const ENOUGH: usize = 20;
        if !norm.is_finite() || norm <= 0.0 {
            return None;
        }
        if step > 100 && self.count >= ENOUGH && norm > 100.0 * self.mean.exp() {
            return Some(self.mean.exp());
        }
        self.count += 1;
        self.mean += (norm.ln() - self.mean) / self.count.min(REMEMBERED) as f64;
        None
    }
}
