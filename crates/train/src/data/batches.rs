//! Batches, made ahead of the step that wants them.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use wick_augment::random::Stream;
use wick_augment::{Ahead, Augmentation, Key, Size, ahead};
use wick_cifar::Split;

use super::mix::{Mixing, draw};
use super::{DROPOUT_STREAM, Data, MIX_STREAM};
use crate::recipe::{LastBatch, Mix};
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
    /// What is counted as right: the same labels, or those of the partners where these weigh more.
    pub labels: Vec<usize>,
    /// Where images are mixed, with what.
    pub partners: Option<Partners>,
    /// By what the network's dropouts draw in this step.
    pub dropout_seed: u64,
}

/// What the images of a batch are mixed with.
#[derive(Debug, Clone, PartialEq)]
pub struct Partners {
    /// Labels of the images mixed in, `(N)`.
    pub targets: Vec<u32>,
    /// The share of the images' own labels in the loss; the partners' have the rest.
    pub weight: f32,
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
    /// How images are mixed; keyed by seed, epoch and step.
    pub mix: Mix,
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
            mix: recipe.train.mix,
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
    let chunks: Vec<(u64, Vec<usize>)> = (0..)
        .zip(order.chunks(plan.batch_size))
        .skip(plan.skip)
        .filter(|(_, chunk)| !full_only || chunk.len() == plan.batch_size)
        .map(|(step, chunk)| (step, chunk.to_vec()))
        .collect();
    ahead(
        DEPTH,
        chunks.into_iter().map(move |(step, indices)| {
            let drawn = Drawn { seed: plan.seed, epoch: plan.epoch, step, mix: plan.mix };
            batch(&augmentation, &data.dataset.train, drawn, &indices)
        }),
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
    indices
        .chunks(batch_size.max(1))
        .map(move |indices| batch(&augmentation, split, Drawn::default(), indices))
}

/// By what a batch is drawn.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Drawn {
    pub seed: u64,
    pub epoch: u64,
    /// Of the epoch, from 0.
    pub step: u64,
    pub mix: Mix,
}

impl Drawn {
    /// How `images` images of `size` are mixed, and by what the network's dropouts draw.
    pub fn of(self, images: usize, size: Size) -> (Option<Mixing>, u64) {
        let key = Key { seed: self.seed, epoch: self.epoch, index: self.step };
        let mixing = draw(self.mix, &mut Stream::new(key, MIX_STREAM), images, size);
        (mixing, Stream::new(key, DROPOUT_STREAM).next_u64())
    }
}

fn batch(
    augmentation: &Augmentation,
    split: &Split,
    drawn: Drawn,
    indices: &[usize],
) -> Result<Batch, TrainError> {
    let mut pixels = Vec::new();
    augmentation
        .batch(drawn.seed, drawn.epoch, indices, split.images(), &mut pixels)
        .map_err(TrainError::Augment)?;
    let labels: Vec<usize> = indices.iter().map(|&i| usize::from(split.label(i))).collect();
    let targets: Vec<u32> = labels.iter().map(|&label| label as u32).collect();
    let size = augmentation.output();
    let (mixing, dropout_seed) = drawn.of(indices.len(), size);
    let partners = mixing.as_ref().map(|mixing| {
        mixing.apply(&mut pixels, size);
        let targets = mixing.partners.iter().map(|&i| targets[i]).collect();
        Partners { targets, weight: mixing.weight }
    });
    let labels = match &mixing {
        None => labels,
        Some(mixing) => (0..labels.len()).map(|i| labels[mixing.counted(i)]).collect(),
    };
    let shape = (indices.len(), size.height, size.width, wick_augment::CHANNELS);
    let images = Tensor::from_vec(pixels, shape, &Device::Cpu)?;
    Ok(Batch { images, targets, labels, partners, dropout_seed })
}
