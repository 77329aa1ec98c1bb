//! Passes that compute each value by itself: what they read, and what becomes of it.

use wick_graph::Activation;
use wick_graph::plan::{Gate, NormId};

use super::place::Place;

/// How a value is made from what is in memory.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    Plain(Place),
    Normalised {
        x: Place,
        norm: Option<NormId>,
        activation: Activation,
    },
    Gradient {
        g: Place,
        y: Place,
        norm: NormId,
    },
    /// The gradient of the features, over all pixels.
    Spread,
    /// The images as they were uploaded, in f32.
    Images,
    /// The maxima of a pool's windows.
    Pool {
        pool: usize,
        x: Box<Source>,
    },
    /// The gradient of a pool's output, where the maxima were.
    PoolGradient {
        pool: usize,
        dy: Box<Source>,
    },
}

/// What becomes of the values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ending {
    Nothing,
    /// `Σv` and `Σv²` of each channel.
    Statistics,
    /// `Σv`.
    Sum,
    Affine {
        norm: Option<NormId>,
        residual: Option<Place>,
        activation: Activation,
    },
    /// Times the derivative; `Σg` and each `Σg·y`.
    Gradient {
        gate: Gate,
        with: Vec<Place>,
    },
}

impl Ending {
    /// Sums that are left for each channel and part of an image.
    pub fn slots(&self) -> usize {
        match self {
            Self::Nothing | Self::Affine { .. } => 0,
            Self::Sum => 1,
            Self::Statistics => 2,
            Self::Gradient { with, .. } => 1 + with.len(),
        }
    }
}

/// One pass.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Elementwise {
    /// Of an image of the tensor that it writes, or measures.
    pub pixels: usize,
    pub channels: usize,
    /// At most three, which are added.
    pub sources: Vec<Source>,
    pub ending: Ending,
    pub to: Option<Place>,
    /// The pool whose maxima's places are kept.
    pub keeps: Option<usize>,
    /// What the features' gradient is multiplied by where it is spread over pixels.
    pub share: f64,
}

impl Elementwise {
    /// What it does, for people.
    pub fn label(&self) -> String {
        let read = |source: &Source| match source {
            Source::Plain(_) => "plain",
            Source::Normalised { .. } => "normalised",
            Source::Gradient { .. } => "gradient",
            Source::Spread => "spread",
            Source::Images => "images",
            Source::Pool { .. } => "pool",
            Source::PoolGradient { .. } => "pool gradient",
        };
        let ending = match &self.ending {
            Ending::Nothing => "",
            Ending::Statistics => ", statistics",
            Ending::Sum => ", sum",
            Ending::Affine { .. } => ", affine",
            Ending::Gradient { .. } => ", gate",
        };
        let reads: Vec<&str> = self.sources.iter().map(read).collect();
        format!("pass {}x{} {}{ending}", self.pixels, self.channels, reads.join(" + "))
    }
}
