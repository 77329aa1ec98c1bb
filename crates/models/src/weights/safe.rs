//! Reading safetensors.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors};

use super::{Metadata, is_batch_counter};
use crate::error::ModelError;

/// Whether a file that begins with `head` is safetensors: a length below that of any sane header, then JSON.
pub(super) fn recognises(head: &[u8]) -> bool {
    const LONGEST: u64 = 100_000_000;
    match head.split_first_chunk() {
        Some((length, [b'{', ..])) => u64::from_le_bytes(*length) <= LONGEST,
        _ => false,
    }
}

/// The floating-point tensors, cast to f32, and the metadata.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<(BTreeMap<String, Tensor>, Metadata), ModelError> {
    let malformed = |e: SafeTensorError| match e {
        SafeTensorError::InvalidHeaderLength | SafeTensorError::MetadataIncompleteBuffer => {
            cut_short(path, bytes)
        }
        e => ModelError::Malformed { path: path.to_owned(), reason: format!("as safetensors, {e}") },
    };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(malformed)?;
    let metadata = Metadata::from_entries(header.metadata().clone().unwrap_or_default());
    let file = SafeTensors::deserialize(bytes).map_err(malformed)?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        let dtype = match view.dtype() {
            Dtype::F32 => DType::F32,
            Dtype::F64 => DType::F64,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            _ if is_batch_counter(name) => continue,
            other => {
                let (path, tensor) = (path.to_owned(), name.to_owned());
                return Err(ModelError::UnsupportedType { path, tensor, got: format!("{other:?}") });
            }
        };
        let tensor = Tensor::from_raw_buffer(view.data(), dtype, view.shape(), &Device::Cpu)?;
        tensors.insert(name.to_owned(), tensor.to_dtype(DType::F32)?);
    }
    Ok((tensors, metadata))
}

/// Says how much is missing, from what can still be read of the header.
fn cut_short(path: &Path, bytes: &[u8]) -> ModelError {
    let length = bytes.first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
    let (path, after_length) = (path.to_owned(), bytes.get(8..).unwrap_or_default());
    let Some((header, data)) = usize::try_from(length).ok().and_then(|n| after_length.split_at_checked(n))
    else {
        let got = after_length.len() as u64;
        return ModelError::Truncated { path, part: "header".to_owned(), expected: length, got };
    };
    let header: serde_json::Value = serde_json::from_slice(header).unwrap_or_default();
    let ends = header.as_object().into_iter().flat_map(|o| o.values());
    let expected = ends.filter_map(|t| t.get("data_offsets")?.get(1)?.as_u64()).max().unwrap_or(0);
    let got = data.len() as u64;
    if got > expected {
        let reason = format!("as safetensors, it has {} bytes after its last tensor", got - expected);
        return ModelError::Malformed { path, reason };
    }
    ModelError::Truncated { path, part: "tensors".to_owned(), expected, got }
}
