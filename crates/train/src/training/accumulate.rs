//! A step's gradients, of a batch in one piece or in several.

use std::ops::Range;

use candle_core::Var;
use candle_core::backprop::GradStore;
use wick_models::{Compiled, Mixed, Network, StepOptions, parts};

use crate::data::Batch;
use crate::{Recipe, TrainError};

/// Computes gradients of batches in as many parts as the recipe says, which need less memory than the whole.
#[derive(Debug)]
pub(crate) struct Accumulation {
    parts: usize,
    smoothing: f32,
    variables: Vec<Var>,
    sum: GradStore,
}

/// What a batch leaves, whatever its parts.
#[derive(Debug)]
pub(crate) struct Whole<'a> {
    /// Mean over all images.
    pub loss: f64,
    /// `(N, classes)`.
    pub logits: Vec<f32>,
    /// Of the mean loss over all images.
    pub gradients: &'a GradStore,
}

impl Accumulation {
    pub(crate) fn new(recipe: &Recipe, network: &Network) -> Self {
        let variables = network.parameters.trainable().into_iter().map(|(_, var)| var).collect();
        let smoothing = recipe.train.label_smoothing as f32;
        Self { parts: recipe.train.accumulate, smoothing, variables, sum: GradStore::default() }
    }

    /// Loss, logits and gradients of a batch. Parts differ by one image at most and count by their images; of a small last
    /// batch there are fewer. Running statistics are updated, and batches normalised, part by part.
    pub(crate) fn step<'a>(
        &'a mut self,
        compiled: &'a mut Compiled,
        batch: &Batch,
    ) -> Result<Whole<'a>, TrainError> {
        let images = batch.targets.len();
        let options = |part: Range<usize>| StepOptions {
            label_smoothing: self.smoothing,
            mixed: batch
                .partners
                .as_ref()
                .map(|p| Mixed { labels: &p.targets[part.clone()], weight: p.weight }),
            dropout_seed: batch.dropout_seed.wrapping_add(part.start as u64),
        };
        let parts: Vec<_> = parts(images, self.parts).collect();
        if parts.len() <= 1 {
            let step = compiled.training_step(&batch.images, &batch.targets, options(0..images))?;
            let (loss, logits) = (f64::from(step.loss), step.logits.to_vec());
            return Ok(Whole { loss, logits, gradients: step.gradients });
        }
        let (mut loss, mut logits) = (0.0, Vec::new());
        for Range { start, end } in parts {
            let pixels = batch.images.narrow(0, start, end - start)?;
            let step = compiled.training_step(&pixels, &batch.targets[start..end], options(start..end))?;
            let share = (end - start) as f64 / images as f64;
            loss += share * f64::from(step.loss);
            logits.extend_from_slice(step.logits);
            for var in &self.variables {
                let Some(gradient) = step.gradients.get(var) else { continue };
                let gradient = (gradient * share)?;
                let sum = match self.sum.get(var) {
                    Some(sum) if start > 0 => (sum + gradient)?,
                    _ => gradient,
                };
                self.sum.insert(var, sum);
            }
        }
        Ok(Whole { loss, logits, gradients: &self.sum })
    }
}
