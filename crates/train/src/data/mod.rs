//! The data of a run: which images it trains on, which it is judged by.

mod batches;
mod mix;
mod record;

use std::path::{Path, PathBuf};

use wick_augment::Key;
use wick_augment::random::Stream;
use wick_cifar::{Dataset, Split, Variant};
use wick_runs::sha256_chunks;

use crate::recipe::{DataConfig, DatasetKind};
use crate::{Recipe, TrainError};

pub(crate) use batches::Drawn;
pub use batches::{Batch, BatchPlan, Partners, evaluation_batches, training_batches};
pub use record::DataRecord;

/// Transforms draw from positions of their own list; what is drawn here lies beyond any list.
const SPLIT_STREAM: u64 = 1 << 32;
const ORDER_STREAM: u64 = SPLIT_STREAM + 1;
/// Of one step.
const MIX_STREAM: u64 = SPLIT_STREAM + 2;
const DROPOUT_STREAM: u64 = SPLIT_STREAM + 3;
const SAMPLE_STREAM: u64 = SPLIT_STREAM + 4;
/// The stand-in is one data set, whatever the run's seed.
const SYNTHETIC_SEED: u64 = 0;

/// A data set, divided for a run.
#[derive(Debug, Clone)]
pub struct Data {
    /// The data set.
    pub dataset: Dataset,
    /// Where it came from.
    pub source: DataSource,
    /// Indices of the training images used, ascending.
    pub train_indices: Vec<usize>,
    /// Indices of the training images set aside, ascending; empty for none.
    pub holdout_indices: Vec<usize>,
    /// SHA-256 of all labels and pixels, in order.
    pub sha256: String,
}

/// Where images came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataSource {
    /// A folder or archive.
    Path(PathBuf),
    /// Drawn by Wick.
    Synthetic,
}

impl Data {
    /// Loads what `recipe` names, from `path` where it is CIFAR, and divides it.
    ///
    /// # Errors
    /// No path where one is needed, unreadable data, a limit or holdout larger than the data set.
    pub fn load(recipe: &Recipe, path: Option<&Path>) -> Result<Self, TrainError> {
        let (dataset, source) = match recipe.data.dataset {
            DatasetKind::Synthetic => {
                let DataConfig { synthetic_train, synthetic_test, .. } = recipe.data;
                let dataset = wick_cifar::synthetic_dataset(SYNTHETIC_SEED, synthetic_train, synthetic_test);
                (dataset, DataSource::Synthetic)
            }
            DatasetKind::Cifar => {
                let path = path.ok_or(TrainError::NoData)?;
                (wick_cifar::load(path)?, DataSource::Path(path.to_owned()))
            }
        };
        let data = Self::divide(dataset, source, recipe.data.limit, recipe.data.holdout)?;
        if recipe.steps_per_epoch(data.train_indices.len()) == 0 {
            return Err(TrainError::NoSteps { batch_size: recipe.train.batch_size });
        }
        let (asked, available) = (recipe.train.batch_size, data.train_indices.len());
        if asked > available {
            return Err(TrainError::TooFewImages { key: "train.batch_size", asked, available });
        }
        Ok(data)
    }

    /// Divides a data set: of one fixed shuffle of the training images, the first `holdout` are set aside and the next
    /// `limit` used (0 for all). The shuffle depends on no seed, so that seeds are compared on the same images.
    ///
    /// # Errors
    /// A limit or holdout larger than the data set, or one that leaves nothing to train on.
    pub fn divide(
        dataset: Dataset,
        source: DataSource,
        limit: usize,
        holdout: usize,
    ) -> Result<Self, TrainError> {
        let available = dataset.train.len();
        let mut order: Vec<usize> = (0..available).collect();
        if limit > 0 || holdout > 0 {
            Stream::new(Key { seed: 0, epoch: 0, index: 0 }, SPLIT_STREAM).shuffle(&mut order);
        }
        if holdout >= available.max(1) {
            return Err(TrainError::TooFewImages { key: "data.holdout", asked: holdout, available });
        }
        let mut train_indices = order.split_off(holdout);
        if limit > train_indices.len() {
            let available = train_indices.len();
            return Err(TrainError::TooFewImages { key: "data.limit", asked: limit, available });
        }
        if limit > 0 {
            train_indices.truncate(limit);
        }
        let mut holdout_indices = order;
        train_indices.sort_unstable();
        holdout_indices.sort_unstable();
        let sha256 = hash(&dataset);
        Ok(Self { dataset, source, train_indices, holdout_indices, sha256 })
    }

    /// The split that judges, and its indices: the images set aside if any, else the test split.
    pub fn judging(&self) -> (&Split, Vec<usize>) {
        if self.holdout_indices.is_empty() {
            (&self.dataset.test, (0..self.dataset.test.len()).collect())
        } else {
            (&self.dataset.train, self.holdout_indices.clone())
        }
    }

    /// The same, and so many of its indices, ascending: the first of a shuffle that depends on no seed, or all where there are fewer.
    pub fn judging_sample(&self, images: usize) -> (&Split, Vec<usize>) {
        let (split, mut indices) = self.judging();
        if images < indices.len() {
            Stream::new(Key { seed: 0, epoch: 0, index: 0 }, SAMPLE_STREAM).shuffle(&mut indices);
            indices.truncate(images);
            indices.sort_unstable();
        }
        (split, indices)
    }

    /// The data set's name, for records.
    pub fn name(&self) -> &'static str {
        match (&self.source, self.dataset.variant) {
            (DataSource::Synthetic, _) => "synthetic",
            (_, Variant::Cifar10) => "cifar10",
            (_, Variant::Cifar100) => "cifar100",
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.dataset.class_names.len()
    }

    /// The order of the training images in an epoch (from 1; 0 is the range test's): a function of seed and epoch only.
    pub fn epoch_order(&self, seed: u64, epoch: u64) -> Vec<usize> {
        let mut order = self.train_indices.clone();
        Stream::new(Key { seed, epoch, index: 0 }, ORDER_STREAM).shuffle(&mut order);
        order
    }
}

fn hash(dataset: &Dataset) -> String {
    sha256_chunks([
        dataset.train.labels(),
        dataset.train.images(),
        dataset.test.labels(),
        dataset.test.images(),
    ])
}
