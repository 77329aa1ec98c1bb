//! `data.safetensors`: what later stages need to know of the data.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use wick_augment::CHANNELS;
use wick_cifar::IMAGE_BYTES;
use wick_runs::write_atomic;

use super::{Data, DataSource};
use crate::{Recipe, TrainError};

/// What `data.safetensors` holds.
#[derive(Debug, Clone, PartialEq)]
pub struct DataRecord {
    /// The data set's name.
    pub name: String,
    /// SHA-256 of all its labels and pixels.
    pub sha256: String,
    /// Folder or archive; none for the generated set.
    pub path: Option<PathBuf>,
    /// Class names, by label.
    pub class_names: Vec<String>,
    /// Per-channel mean of the training images used, of bytes / 255.
    pub mean: [f64; CHANNELS],
    /// Per-channel standard deviation, likewise.
    pub std: [f64; CHANNELS],
    /// Indices of the training images used.
    pub train_indices: Vec<u32>,
    /// Indices of the training images set aside.
    pub holdout_indices: Vec<u32>,
    /// Images in the test split.
    pub test_images: usize,
}

impl DataRecord {
    /// Describes divided data.
    pub fn of(data: &Data) -> Self {
        let (mean, std) = statistics(data);
        let small = |v: &[usize]| v.iter().map(|&i| i as u32).collect();
        Self {
            name: data.name().to_owned(),
            sha256: data.sha256.clone(),
            path: match &data.source {
                DataSource::Path(path) => Some(std::path::absolute(path).unwrap_or_else(|_| path.clone())),
                DataSource::Synthetic => None,
            },
            class_names: data.dataset.class_names.clone(),
            mean,
            std,
            train_indices: small(&data.train_indices),
            holdout_indices: small(&data.holdout_indices),
            test_images: data.dataset.test.len(),
        }
    }

    /// Loads the data again, from `path` or from where they were, and makes sure that they are the same.
    ///
    /// # Errors
    /// Unreadable data, or other data than those recorded.
    pub fn load(&self, recipe: &Recipe, path: Option<&Path>) -> Result<Data, TrainError> {
        let data = Data::load(recipe, path.or(self.path.as_deref()))?;
        if data.sha256 != self.sha256 {
            return Err(TrainError::OtherData { expected: self.sha256.clone(), got: data.sha256 });
        }
        Ok(data)
    }

    /// Writes the record, whole or not at all.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), TrainError> {
        let cpu = &Device::Cpu;
        let tensors = [
            ("holdout_indices", Tensor::new(self.holdout_indices.as_slice(), cpu)?),
            ("mean", Tensor::new(&self.mean, cpu)?),
            ("std", Tensor::new(&self.std, cpu)?),
            ("test_images", Tensor::new(&[self.test_images as i64], cpu)?),
            ("train_indices", Tensor::new(self.train_indices.as_slice(), cpu)?),
        ];
        let mut metadata = HashMap::from([
            ("name".to_owned(), self.name.clone()),
            ("sha256".to_owned(), self.sha256.clone()),
            ("class_names".to_owned(), serde_json::to_string(&self.class_names).unwrap_or_default()),
        ]);
        if let Some(path) = &self.path {
            metadata.insert("path".to_owned(), path.to_string_lossy().into_owned());
        }
        let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(|e| checkpoint(file, &e))?;
        Ok(write_atomic(file, &bytes)?)
    }

    /// Reads a record.
    ///
    /// # Errors
    /// A missing file (the stage `prepare` writes it), or one that is no such record.
    pub fn read(file: &Path) -> Result<Self, TrainError> {
        let bytes = std::fs::read(file).map_err(|source| TrainError::Read {
            path: file.to_owned(),
            what: "the prepared data",
            source,
        })?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| checkpoint(file, &e))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)?;
        let missing =
            |name: &str| checkpoint(file, &format!("`{name}` is missing; run the stage `prepare` again"));
        let text = |name: &str| metadata.get(name).cloned().ok_or_else(|| missing(name));
        let tensor = |name: &str, dtype: DType| match tensors.get(name) {
            Some(tensor) if tensor.dtype() == dtype => Ok(tensor),
            _ => Err(missing(name)),
        };
        let channels = |name: &str| -> Result<[f64; CHANNELS], TrainError> {
            tensor(name, DType::F64)?.to_vec1::<f64>()?.try_into().map_err(|_| missing(name))
        };
        Ok(Self {
            name: text("name")?,
            sha256: text("sha256")?,
            path: metadata.get("path").map(PathBuf::from),
            class_names: serde_json::from_str(&text("class_names")?).map_err(|_| missing("class_names"))?,
            mean: channels("mean")?,
            std: channels("std")?,
            train_indices: tensor("train_indices", DType::U32)?.to_vec1()?,
            holdout_indices: tensor("holdout_indices", DType::U32)?.to_vec1()?,
            test_images: tensor("test_images", DType::I64)?.to_vec1::<i64>()?.iter().sum::<i64>() as usize,
        })
    }
}

fn checkpoint(file: &Path, message: &dyn std::fmt::Display) -> TrainError {
    TrainError::Checkpoint { path: file.to_owned(), message: message.to_string() }
}

/// Mean and population standard deviation of each channel, from exact integer sums.
fn statistics(data: &Data) -> ([f64; CHANNELS], [f64; CHANNELS]) {
    let (mut sum, mut squares) = ([0u64; CHANNELS], [0u64; CHANNELS]);
    for &i in &data.train_indices {
        for pixel in data.dataset.train.image(i).as_chunks::<CHANNELS>().0 {
            for c in 0..CHANNELS {
                let v = u64::from(pixel[c]);
                sum[c] += v;
                squares[c] += v * v;
            }
        }
    }
    let n = (data.train_indices.len() * IMAGE_BYTES / CHANNELS) as f64;
    let mean = sum.map(|s| s as f64 / n);
    let std = std::array::from_fn(|c| (squares[c] as f64 / n - mean[c] * mean[c]).max(0.0).sqrt() / 255.0);
    (mean.map(|m| m / 255.0), std)
}
