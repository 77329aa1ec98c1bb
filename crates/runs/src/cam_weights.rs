//! Of which weights class activation maps are: the maps say it themselves.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::SafeTensors;

use crate::{RunsError, sha256_file};

/// The weights of the network that `cam/<method>/raw.safetensors` explains, kept among the file's metadata as `weights`: a line as
/// `sha256sum` writes it. (One entry, for safetensors keeps several in no order.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CamWeights {
    /// The file's name, without its folder.
    pub file: String,
    /// The file's SHA-256.
    pub sha256: String,
}

impl CamWeights {
    const KEY: &'static str = "weights";
    /// Between the hash and the name.
    const GAP: &'static str = "  ";

    /// Those of a file, as it is now.
    ///
    /// # Errors
    /// [`RunsError::Missing`] or [`RunsError::Io`] where it cannot be read.
    pub fn of(weights: &Path) -> Result<Self, RunsError> {
        let file = weights.file_name().unwrap_or(weights.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { file, sha256: sha256_file(weights)? })
    }

    /// As the metadata of maps.
    pub fn metadata(&self) -> HashMap<String, String> {
        [(Self::KEY.to_owned(), format!("{}{}{}", self.sha256, Self::GAP, self.file))].into()
    }

    /// Those of which the maps in a file are, where it says so: earlier versions did not write it.
    ///
    /// # Errors
    /// [`RunsError::Missing`] or [`RunsError::Io`] where it cannot be read.
    pub fn read(maps: &Path) -> Result<Option<Self>, RunsError> {
        let bytes = fs::read(maps).map_err(RunsError::io("read", maps))?;
        // A damaged file says nothing; whoever reads its maps says what is wrong with it.
        let Ok((_, header)) = SafeTensors::read_metadata(&bytes) else { return Ok(None) };
        let told = header.metadata().as_ref().and_then(|metadata| metadata.get(Self::KEY));
        Ok(told
            .and_then(|line| line.split_once(Self::GAP))
            .map(|(sha256, file)| Self { file: file.to_owned(), sha256: sha256.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use safetensors::{Dtype, tensor::TensorView};

    use super::*;

    #[test]
    fn maps_say_of_which_weights_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (weights, maps) = (folder.path().join("my  own.pth"), folder.path().join("raw.safetensors"));
        fs::write(&weights, b"abc").unwrap();
        let of = CamWeights::of(&weights).unwrap();
        // FIPS 180-2, appendix B.1.
        assert_eq!(of.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let write = |metadata: Option<HashMap<String, String>>| {
            let heatmap = TensorView::new(Dtype::U8, vec![1], &[7]).unwrap();
            fs::write(&maps, safetensors::serialize([("heatmap", heatmap)], metadata).unwrap()).unwrap();
            CamWeights::read(&maps).unwrap()
        };
        assert_eq!(write(Some(of.metadata())), Some(of));
        assert_eq!(write(None), None);
        fs::write(&maps, b"no tensors").unwrap();
        assert_eq!(CamWeights::read(&maps).unwrap(), None);
        assert!(CamWeights::read(&weights.with_extension("none")).unwrap_err().is_missing());
    }
}
