//! Reading straight from the `.tar.gz`, in one pass and without unpacking it anywhere.

mod reading;
mod watched;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use crate::{CifarError, Dataset};
use reading::Reading;
use watched::{Progress, Watched};

/// The two bytes that a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What may follow the archive's end: tar fills its last block.
const PADDING: u64 = 1 << 20;

pub(crate) fn load(path: &Path) -> Result<Dataset, CifarError> {
    let mut file = File::open(path).map_err(|source| CifarError::io("open", path, source))?;
    let mut magic = Vec::new();
    file.by_ref().take(2).read_to_end(&mut magic).map_err(|source| CifarError::io("read", path, source))?;
    if magic != GZIP {
        let reason = format!("expected it to begin with gzip's bytes {GZIP:02x?}, got {magic:02x?}");
        return Err(CifarError::NotAnArchive { path: path.to_path_buf(), reason });
    }
    let file = BufReader::with_capacity(1 << 17, GZIP.as_slice().chain(file));
    let progress = Rc::new(Progress::default());
    let mut archive =
        tar::Archive::new(Watched { inner: MultiGzDecoder::new(file), progress: Rc::clone(&progress) });

    let mut reading = Reading::new(path, progress);
    reading.members(&mut archive)?;
    // The decoder compares its checksum only when it comes to the end.
    io::copy(&mut archive.into_inner().take(PADDING), &mut io::sink())
        .map_err(|source| reading.fault("the end", 0, 0, source))?;
    reading.finish()
}
