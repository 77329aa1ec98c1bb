//! Batches, made ahead of the step that wants them.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use wick_augment::{Ahead, Augmentation, ahead};
use wick_cifar::Split;

use super::Data;
use crate::recipe::LastBatch;
use crate::{Recipe, TrainError};

/// Batches waiting at most: enough to hide one that takes long, little memory.
const DEPTH: usize = 4;

/// Images and labels of one step.
#[derive(Debug)]
pub struct Batch {
    /// Normalised pixels, `(N, H, W, 3)` f32.
    pub images: Tensor,
    /// Labels, `(N)`.
    pub targets: Vec<u32>,
    /// The same labels, for counting.
    pub labels: Vec<usize>,
}

/// Which batches to make.
#[derive(Debug, Clone, Copy)]
pub struct BatchPlan {
    /// Keys order and augmentation.
    pub seed: u64,
    /// From 1; the range test uses 0.
    pub epoch: u64,
    /// Images a batch.
    pub batch_size: usize,
    /// What becomes of a last batch that is not full.
    pub last_batch: LastBatch,
    /// Batches of the epoch that have been used already, after an interruption.
    pub skip: usize,
}

impl BatchPlan {
    /// The batches of `epoch` as `recipe` wants them.
    pub fn of(recipe: &Recipe, epoch: u64) -> Self {
        Self {
            seed: recipe.seed,
            epoch,
            batch_size: recipe.train.batch_size,
            last_batch: recipe.train.last_batch,
            skip: 0,
        }
    }
}

/// The augmented training batches of one epoch, produced on a thread of their own.
pub fn training_batches(
    data: &Arc<Data>,
    augmentation: &Augmentation,
    plan: BatchPlan,
) -> Ahead<Result<Batch, TrainError>> {
    let order = data.epoch_order(plan.seed, plan.epoch);
    let (data, augmentation) = (Arc::clone(data), augmentation.clone());
    let full_only = plan.last_batch == LastBatch::Drop;
    let chunks: Vec<Vec<usize>> = order
        .chunks(plan.batch_size)
        .skip(plan.skip)
        .filter(|chunk| !full_only || chunk.len() == plan.batch_size)
        .map(<[usize]>::to_vec)
        .collect();
    ahead(
        DEPTH,
        chunks
            .into_iter()
            .map(move |indices| batch(&augmentation, &data.dataset.train, plan.seed, plan.epoch, &indices)),
    )
}

/// The images of a split at `indices`, in that order, as the deterministic part of `augmentation` leaves them.
pub fn evaluation_batches<'a>(
    augmentation: &Augmentation,
    split: &'a Split,
    indices: &'a [usize],
    batch_size: usize,
) -> impl Iterator<Item = Result<Batch, TrainError>> + 'a {
    let augmentation = augmentation.test();
    indices.chunks(batch_size.max(1)).map(move |indices| batch(&augmentation, split, 0, 0, indices))
}

fn batch(
    augmentation: &Augmentation,
    split: &Split,
    seed: u64,
    epoch: u64,
    indices: &[usize],
) -> Result<Batch, TrainError> {
    let mut pixels = Vec::new();
    augmentation.batch(seed, epoch, indices, split.images(), &mut pixels).map_err(TrainError::Augment)?;
    let labels: Vec<usize> = indices.iter().map(|&i| usize::from(split.label(i))).collect();
    let targets: Vec<u32> = labels.iter().map(|&label| label as u32).collect();
    let size = augmentation.output();
    let shape = (indices.len(), size.height, size.width, wick_augment::CHANNELS);
    Ok(Batch { images: Tensor::from_vec(pixels, shape, &Device::Cpu)?, targets, labels })
}
