//! What tells one archive from another.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use md5::{Digest, Md5};

/// How to recognise an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checksum {
    /// MD5, in lower-case hexadecimal.
    pub(crate) md5: String,
    /// Length in bytes.
    pub(crate) bytes: u64,
}

impl Checksum {
    /// That of <https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz>, as its page gives it.
    pub(crate) fn official() -> Self {
        Self { md5: "c32a1d4ab5d03f1284b67883e8d87530".into(), bytes: 170_052_171 }
    }

    /// That of a file.
    pub(crate) fn of(path: &Path) -> anyhow::Result<Self> {
        let read = || format!("cannot read {}", path.display());
        let mut file = File::open(path).with_context(read)?;
        let (mut md5, mut bytes, mut buffer) = (Md5::new(), 0, vec![0; 1 << 20]);
        loop {
            let n = file.read(&mut buffer).with_context(read)?;
            if n == 0 {
                let md5 = md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                return Ok(Self { md5, bytes });
            }
            md5.update(buffer.get(..n).unwrap_or_default());
            bytes += n as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "message digest").unwrap();
        // RFC 1321, appendix A.5.
        let expected = Checksum { md5: "f96b697d7cb7938d525a2f31aaf161d0".into(), bytes: 14 };
        assert_eq!(Checksum::of(&path).unwrap(), expected);
        assert!(Checksum::of(&folder.path().join("none")).is_err());
    }
}
