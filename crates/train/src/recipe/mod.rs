//! The recipe: one typed description of an experiment.
//!
//! A recipe is TOML in layers: the base, then what a recipe file changes, then what the command line changes. Tables
//! merge key by key, other values replace; a table whose `kind` changes, and one that names a choice
//! (`momentum = { nesterov = 0.9 }`), is replaced whole. The resolved recipe holds every value, and replays the run.

mod check;
mod freeze;
mod identity;
mod layers;
mod mix;
mod published;

use serde::{Deserialize, Serialize};
use wick_augment::{Augmentation, Size, Transform};
use wick_models::{Algorithm, Architecture, CompileOptions, Normalisation, Parameters};
use wick_optim::{
    Average, AverageConfig, GradientOptions, Group, Length, Optimizer, OptimizerConfig, RangeTestOptions,
    Schedule, ScheduleConfig,
};

use crate::TrainError;
use crate::evaluate::{EvaluationOptions, Views};

pub use freeze::Freeze;
pub use layers::Layers;
pub use mix::Mix;
pub use published::{Published, PublishedSummary};

/// Everything that decides what a run computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The name under which runs are kept.
    pub name: String,
    /// One sentence on what it is.
    pub description: String,
    /// Keys every random number: initial weights, order of images, augmentation.
    pub seed: u64,
    /// What is learnt from.
    pub data: DataConfig,
    /// The network.
    pub model: ModelConfig,
    /// How long, in which portions.
    pub train: TrainConfig,
    /// The optimiser.
    pub optim: OptimizerConfig,
    /// A penalty on all parameters, and how gradients are clipped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub gradients: GradientOptions,
    /// Parameters that are optimised otherwise than the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// The average of weights that judges and remains.
    #[serde(default, skip_serializing_if = "is_default")]
    pub average: AverageConfig,
    /// The learning rate over the steps.
    pub schedule: ScheduleConfig,
    /// The learning-rate range test.
    pub lr_finder: RangeTestOptions,
    /// Evaluation and what is drawn of it.
    pub evaluate: EvaluateConfig,
    /// What is done to each training image; the deterministic part also to test images.
    pub transforms: Vec<Transform>,
    /// What a published run of this recipe logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
}

/// `[data]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Which data set.
    pub dataset: DatasetKind,
    /// Training images to use, the first of a seeded shuffle; 0 for all.
    pub limit: usize,
    /// Training images set aside for choosing by; 0 for none. What is called test is then these.
    pub holdout: usize,
    /// Images that the synthetic set generates for training.
    pub synthetic_train: usize,
    /// Images that the synthetic set generates for testing.
    pub synthetic_test: usize,
}

/// Where images come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetKind {
    /// CIFAR's binary files, 10 or 100 classes.
    Cifar,
    /// Ten classes of drawn shapes, generated.
    Synthetic,
}

/// `[model]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The network's name.
    pub architecture: Architecture,
}

/// `[train]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images a step.
    pub batch_size: usize,
    /// Parts in which a step's images are computed, to need less memory; 1 for all at once.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub accumulate: usize,
    /// What becomes of a last batch that is not full.
    pub last_batch: LastBatch,
    /// Share of the target spread over all classes.
    pub label_smoothing: f64,
    /// What each image gets of another one, and its label with it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mix: Mix,
    /// How activations are stored; the weights' master copies are f32 in any case.
    #[serde(default)]
    pub precision: Precision,
    /// How 3×3 convolutions are computed.
    #[serde(default)]
    pub convolution: Convolution,
    /// Minutes between checkpoints within an epoch; one is written at each epoch's end besides.
    pub checkpoint_minutes: f64,
    /// Parameters that are not trained to the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<Freeze>,
}

/// How activations, and the factors of products, are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 24 significant bits.
    #[default]
    F32,
    /// The same, but for the factors of products: 11 significant bits, on a GPU alone.
    Tf32,
    /// bfloat16: 8 significant bits; sums, statistics and weights stay f32.
    Bf16,
}

/// How 3×3 convolutions of stride 1 are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Convolution {
    /// As sums of products.
    Direct,
    /// Winograd's F(2×2, 3×3).
    Tiles2,
    /// Winograd's F(4×4, 3×3), the fastest.
    #[default]
    Tiles4,
}

/// What becomes of a last batch that is not full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastBatch {
    /// It is a step like any other.
    Keep,
    /// Its images sit this epoch out.
    Drop,
}

/// `[evaluate]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluateConfig {
    /// Images evaluated at a time; changes no result but by rounding.
    pub batch_size: usize,
    /// Misclassified images shown and explained.
    pub misclassified: usize,
    /// The layer whose activations class activation maps weigh.
    pub cam_layer: String,
    /// The methods by which images are explained.
    #[serde(default = "usual_methods")]
    pub cam_methods: Vec<String>,
    /// Of which views of an image the logits are averaged, wherever a network is judged.
    #[serde(default, skip_serializing_if = "is_default")]
    pub views: Views,
}

impl EvaluateConfig {
    /// How a network is judged.
    pub fn options(&self) -> EvaluationOptions {
        EvaluationOptions { batch_size: self.batch_size, views: self.views }
    }
}

impl Recipe {
    /// Steps of one epoch over `images` training images.
    pub fn steps_per_epoch(&self, images: usize) -> usize {
        match self.train.last_batch {
            LastBatch::Keep => images.div_ceil(self.train.batch_size),
            LastBatch::Drop => images / self.train.batch_size,
        }
    }

    /// How long a run over `images` training images is.
    pub fn length(&self, images: usize) -> Length {
        Length { epochs: self.train.epochs, steps_per_epoch: self.steps_per_epoch(images) }
    }

    /// Whether its schedule fits into a run of that length: what is too long would be cut off before its end.
    ///
    /// # Errors
    /// A schedule that is longer than the run, with its key and value.
    pub fn check_length(&self, length: Length) -> Result<(), TrainError> {
        Ok(self.schedule.check_length(length)?)
    }

    /// The recipe of a run of that length, whose schedule has numbers in the place of `"run"`. To training both are the same, but not to
    /// [`identity`](Self::identity).
    #[must_use]
    pub fn over(mut self, length: Length) -> Self {
        self.schedule = self.schedule.over(length);
        self
    }

    /// How the network is to be computed.
    pub fn compile_options(&self) -> CompileOptions {
        let precision = match self.train.precision {
            // A network that was trained so is judged in f32.
            Precision::F32 | Precision::Tf32 => wick_models::Precision::F32,
            Precision::Bf16 => wick_models::Precision::Bf16,
        };
        let algorithm = match self.train.convolution {
            Convolution::Direct => Algorithm::Direct,
            Convolution::Tiles2 => Algorithm::Tiles2,
            Convolution::Tiles4 => Algorithm::Tiles4,
        };
        CompileOptions { precision, algorithm, ..CompileOptions::default() }
    }

    /// The optimiser of a network's parameters.
    ///
    /// # Errors
    /// Options that contradict each other; a group that has none of the parameters.
    pub fn optimizer(&self, parameters: &Parameters) -> Result<Box<dyn Optimizer>, TrainError> {
        Ok(self.optim.build_with(parameters.trainable(), self.gradients, &self.groups)?)
    }

    /// The average of a network's parameters and running statistics over a run of that length.
    ///
    /// # Errors
    /// Options that are out of range, or do not go with the length.
    pub fn average(&self, parameters: &Parameters, length: Length) -> Result<Average, TrainError> {
        let variables = [parameters.trainable(), parameters.buffers()].concat();
        Ok(Average::new(self.average, variables, length)?)
    }

    /// The schedule of a run of that length; `found` is the range test's suggestion, for a recipe that asks for it.
    ///
    /// # Errors
    /// Options that contradict each other, or a missing suggestion.
    pub fn schedule(&self, length: Length, found: Option<f64>) -> Result<Schedule, TrainError> {
        let config = match found {
            Some(lr) => self.schedule.clone().with_found(lr),
            None => self.schedule.clone(),
        };
        Ok(config.build(self.optim.learning_rate(), length)?)
    }

    /// The transforms of a training image.
    ///
    /// # Errors
    /// Transforms that cannot be carried out on a CIFAR image, or that leave another size.
    pub fn augmentation(&self) -> Result<Augmentation, TrainError> {
        let size = Size::new(wick_cifar::HEIGHT, wick_cifar::WIDTH);
        Augmentation::new(&self.transforms, size)
            .and_then(|a| a.with_output(size))
            .map_err(TrainError::Augment)
    }

    /// How images are normalised, if they are.
    pub fn normalisation(&self) -> Option<Normalisation> {
        self.transforms.iter().find_map(|t| match *t {
            Transform::Normalize { mean, std, .. } => Some(Normalisation { mean, std }),
            _ => None,
        })
    }
}

fn usual_methods() -> Vec<String> {
    vec!["gradcam".to_owned()]
}

fn whole() -> usize {
    1
}

fn is_whole(parts: &usize) -> bool {
    *parts == whole()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
