//! Writing safetensors (format: <https://github.com/huggingface/safetensors>): the header's length in eight
//! bytes, the header in JSON, the tensors.

use std::io::{self, Write};
use std::path::Path;

use candle_core::{DType, Device};
use serde_json::{Map, Value, json};

use super::{BATCH_COUNTER, Metadata, layout};
use crate::error::ModelError;
use crate::parameters::Parameters;

/// Writes every variable of `parameters`, filters as `(O, I, KH, KW)`, to `path`.
///
/// The file is written beside `path` and renamed when whole, so that a crash leaves the old file. The same weights
/// and metadata give the same bytes. Beside each `running_var` goes PyTorch's `num_batches_tracked`, as 0:
/// PyTorch's strict loading asks for it, and only a norm with `momentum=None` ever reads it.
///
/// # Errors
/// A folder that does not exist or cannot be written to.
pub fn save(path: &Path, parameters: &Parameters, metadata: &Metadata) -> Result<(), ModelError> {
    let io_error = |source| ModelError::Io { action: "write", path: path.to_owned(), source };
    let parameters = parameters.all();
    // Counters first: they are the widest type, and so everything stays aligned.
    let counters: Vec<String> = parameters
        .iter()
        .filter_map(|p| p.name.strip_suffix("running_var").map(|prefix| format!("{prefix}{BATCH_COUNTER}")))
        .collect();
    let mut header = Header::default();
    for name in &counters {
        header.push(name, "I64", &[], 8);
    }
    let mut tensors = Vec::with_capacity(parameters.len());
    for parameter in &parameters {
        let tensor =
            layout::to_disk(parameter.var.as_tensor())?.to_device(&Device::Cpu)?.to_dtype(DType::F32)?;
        header.push(&parameter.name, "F32", tensor.dims(), 4 * tensor.elem_count());
        tensors.push(tensor);
    }
    let header = header.finish(metadata).map_err(|e| io_error(e.into()))?;

    write_beside_and_rename(path, |file| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        for _ in &counters {
            file.write_all(&0i64.to_le_bytes())?;
        }
        for tensor in &tensors {
            let values = tensor.flatten_all().and_then(|t| t.to_vec1::<f32>()).map_err(io::Error::other)?;
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            file.write_all(&bytes)?;
        }
        Ok(())
    })
    .map_err(io_error)
}

#[derive(Default)]
struct Header {
    tensors: Map<String, Value>,
    end: usize,
}

impl Header {
    fn push(&mut self, name: &str, dtype: &str, shape: &[usize], bytes: usize) {
        let range = [self.end, self.end + bytes];
        self.end += bytes;
        self.tensors.insert(name.to_owned(), json!({"dtype": dtype, "shape": shape, "data_offsets": range}));
    }

    fn finish(mut self, metadata: &Metadata) -> serde_json::Result<Vec<u8>> {
        self.tensors.insert("__metadata__".to_owned(), json!(metadata.entries()?));
        let mut text = serde_json::to_vec(&self.tensors)?;
        text.resize(text.len().next_multiple_of(8), b' ');
        Ok(text)
    }
}

fn write_beside_and_rename(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".checkpoint-");
    #[cfg(unix)]
    {
        // As any other new file, readable as the user's mask says: a temporary file is otherwise its owner's alone.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder)?;
    let mut buffer = io::BufWriter::new(file);
    write(&mut buffer)?;
    let file = buffer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
