//! What decides what training computes, as one hash.

use std::fmt;

use wick_runs::sha256_bytes;

use super::{Recipe, TrainConfig, is_default, is_whole};

/// `[train]` as it was when the first checkpoints were made, which hold its hash.
struct First<'a>(&'a TrainConfig);

impl fmt::Debug for First<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TrainConfig {
            epochs,
            batch_size,
            last_batch,
            label_smoothing,
            precision,
            convolution,
            // When checkpoints are written changes no bit of a run.
            checkpoint_minutes: _,
            // Younger: see `identity`.
            accumulate: _,
            mix: _,
            freeze: _,
        } = self.0;
        f.debug_struct("TrainConfig")
            .field("epochs", epochs)
            .field("batch_size", batch_size)
            .field("last_batch", last_batch)
            .field("label_smoothing", label_smoothing)
            .field("precision", precision)
            .field("convolution", convolution)
            .field("checkpoint_minutes", &1.0)
            .finish()
    }
}

impl Recipe {
    /// SHA-256 of everything that decides what training computes and how each epoch is judged: all but names, what is drawn and what was
    /// published.
    pub fn identity(&self) -> String {
        let Self { seed, data, model, train, optim, schedule, transforms, .. } = self;
        let mut text = format!("{:?}", (seed, data, model, First(train), optim, schedule, transforms));
        // Checkpoints are older than these keys, which are therefore appended, and only where there are any.
        if !is_whole(&train.accumulate) || !is_default(&self.average) {
            text += &format!("{}{:?}", train.accumulate, self.average);
        }
        if !is_default(&self.gradients) || !self.groups.is_empty() {
            text += &format!("{:?}{:?}", self.gradients, self.groups);
        }
        if !train.freeze.is_empty() {
            text += &format!("{:?}", train.freeze);
        }
        if !is_default(&train.mix) {
            text += &format!("{:?}", train.mix);
        }
        if !is_default(&self.evaluate.views) {
            text += &format!("{:?}", self.evaluate.views);
        }
        sha256_bytes(text.as_bytes())
    }
}
