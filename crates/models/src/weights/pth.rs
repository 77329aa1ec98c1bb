//! Reading PyTorch's `.pth` and `.pt` files, of `torch.save`: zip archives (PyTorch ≥ 1.6), and the older stream of
//! pickles.

use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read};
use std::path::Path;

use candle_core::pickle::Object;
use candle_core::{DType, Device, Tensor};
use zip::ZipArchive;
use zip::result::ZipError;

use super::is_batch_counter;
use super::pickle::{self, Storage, StoredTensor};
use crate::error::ModelError;

const ZIP: &[u8] = b"PK\x03\x04";
/// A pickle (protocol 2) of the magic number 0x1950a86a20f9469cfc6c.
const LEGACY: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";

/// Whether a file that begins with `head` is one of these.
pub(super) fn recognises(head: &[u8]) -> bool {
    head.starts_with(ZIP) || head.starts_with(LEGACY)
}

/// The floating-point tensors of the state_dict, cast to f32.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, ModelError> {
    let file = File { path, bytes };
    if bytes.starts_with(ZIP) { file.read_zip() } else { file.read_legacy() }
}

struct File<'a> {
    path: &'a Path,
    bytes: &'a [u8],
}

impl File<'_> {
    /// `<name>/data.pkl` with the objects, `<name>/data/<key>` with each storage, perhaps `<name>/byteorder`.
    fn read_zip(&self) -> Result<BTreeMap<String, Tensor>, ModelError> {
        let damaged =
            |e: ZipError| self.malformed(format!("its zip archive is unreadable ({e}); it may be cut short"));
        let mut zip = ZipArchive::new(Cursor::new(self.bytes)).map_err(damaged)?;
        let name = zip.file_names().flatten().find(|n| *n == "data.pkl" || n.ends_with("/data.pkl"));
        let Some(name) = name.map(|n| n.into_owned()) else {
            let found = "is a zip archive without the data.pkl that torch.save writes".to_owned();
            return Err(ModelError::NotACheckpoint { path: self.path.to_owned(), found });
        };
        let folder = name.strip_suffix("data.pkl").unwrap_or_default().to_owned();
        let mut member = |name: &str| {
            let mut bytes = Vec::new();
            let mut member = zip.by_name(&format!("{folder}{name}"))?;
            member.read_to_end(&mut bytes)?;
            Ok::<_, ZipError>(bytes)
        };
        let root = self.unpickle(&mut Cursor::new(member("data.pkl").map_err(damaged)?))?;
        if member("byteorder").is_ok_and(|order| order == b"big") {
            return Err(self.malformed("it was written on a big-endian machine".to_owned()));
        }
        self.tensors(&root, |storage| member(&format!("data/{}", storage.key)).map_err(damaged))
    }

    /// Pickles of a magic number, a version, facts of the system, the objects, the keys of the storages in the order
    /// in which they follow, each as its length in elements (i64) and its elements.
    fn read_legacy(&self) -> Result<BTreeMap<String, Tensor>, ModelError> {
        let mut reader = Cursor::new(&self.bytes[LEGACY.len()..]);
        let _version = self.unpickle(&mut reader)?;
        let _system = self.unpickle(&mut reader)?;
        let root = self.unpickle(&mut reader)?;
        let keys = self.unpickle(&mut reader)?;
        let keys = pickle::strings(&keys)
            .ok_or_else(|| self.malformed("the list of its storages is no list of names".to_owned()))?;
        let by_key: HashMap<String, Storage> =
            pickle::storages(&root).into_iter().map(|s| (s.key.clone(), s)).collect();

        let mut rest = reader.get_ref().get(reader.position() as usize..).unwrap_or_default();
        let mut contents = HashMap::new();
        for key in keys {
            let size = by_key.get(&key).and_then(Storage::element_size);
            let size = size.ok_or_else(|| self.malformed(format!("storage {key} is of an unknown type")))?;
            let len = self.cut(&mut rest, 8, &key)?;
            let len = len.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte));
            let bytes = self.cut(&mut rest, len.saturating_mul(size as u64), &key)?;
            contents.insert(key, bytes);
        }
        self.tensors(&root, |storage| {
            let bytes = contents.get(&storage.key).copied();
            bytes
                .map(<[u8]>::to_vec)
                .ok_or_else(|| self.malformed(format!("storage {} is missing", storage.key)))
        })
    }

    fn tensors(
        &self,
        root: &Object,
        mut contents: impl FnMut(&Storage) -> Result<Vec<u8>, ModelError>,
    ) -> Result<BTreeMap<String, Tensor>, ModelError> {
        let list = pickle::state_dict(root)
            .map_err(|found| ModelError::NoStateDict { path: self.path.to_owned(), found })?;
        // Tensors may share a storage.
        let mut values: HashMap<String, Vec<f32>> = HashMap::new();
        let mut tensors = BTreeMap::new();
        for (name, stored) in list {
            if is_batch_counter(&name) {
                continue;
            }
            let storage = &stored.storage;
            let Some(dtype) = storage.float_type() else {
                let (path, got) = (self.path.to_owned(), storage.class.clone());
                return Err(ModelError::UnsupportedType { path, tensor: name, got });
            };
            if !values.contains_key(&storage.key) {
                let loaded = self.values(storage, dtype, &contents(storage)?)?;
                values.insert(storage.key.clone(), loaded);
            }
            let view = values.get(&storage.key).and_then(|values| view(&stored, values));
            let view =
                view.ok_or_else(|| self.malformed(format!("tensor `{name}` reaches past its storage")))?;
            tensors.insert(name, Tensor::from_vec(view, stored.shape, &Device::Cpu)?);
        }
        Ok(tensors)
    }

    fn values(&self, storage: &Storage, dtype: DType, bytes: &[u8]) -> Result<Vec<f32>, ModelError> {
        let expected = storage.len.checked_mul(dtype.size_in_bytes());
        if expected != Some(bytes.len()) {
            return Err(ModelError::Truncated {
                path: self.path.to_owned(),
                part: format!("storage {}", storage.key),
                expected: expected.map_or(u64::MAX, |n| n as u64),
                got: bytes.len() as u64,
            });
        }
        let tensor = Tensor::from_raw_buffer(bytes, dtype, &[storage.len], &Device::Cpu)?;
        Ok(tensor.to_dtype(DType::F32)?.to_vec1()?)
    }

    fn unpickle(&self, reader: &mut Cursor<impl AsRef<[u8]>>) -> Result<Object, ModelError> {
        pickle::read(reader)
            .map_err(|e| self.malformed(format!("its pickle is unreadable ({e}); it may be cut short")))
    }

    /// Takes `n` bytes off the front of `rest`.
    fn cut<'a>(&self, rest: &mut &'a [u8], n: u64, key: &str) -> Result<&'a [u8], ModelError> {
        let parts = usize::try_from(n).ok().and_then(|n| rest.split_at_checked(n));
        let Some((front, back)) = parts else {
            let (path, part, got) = (self.path.to_owned(), format!("storage {key}"), rest.len() as u64);
            return Err(ModelError::Truncated { path, part, expected: n, got });
        };
        *rest = back;
        Ok(front)
    }

    fn malformed(&self, reason: String) -> ModelError {
        ModelError::Malformed { path: self.path.to_owned(), reason }
    }
}

/// Elements that a view may have which repeats those of its storage, as `Tensor.expand` makes them. Larger ones, which no network
/// has, are taken for damage rather than made.
const REPEATED: usize = 1 << 22;

/// The elements of a strided view in row-major order; none if it reaches past `values`, or repeats them too often.
fn view(tensor: &StoredTensor, values: &[f32]) -> Option<Vec<f32>> {
    let StoredTensor { offset, shape, stride, .. } = tensor;
    if shape.len() != stride.len() {
        return None;
    }
    let count = shape.iter().try_fold(1usize, |n, &side| n.checked_mul(side))?;
    if count == 0 {
        return Some(Vec::new());
    }
    let last = shape
        .iter()
        .zip(stride)
        .try_fold(*offset, |at, (&side, &step)| at.checked_add((side - 1).checked_mul(step)?))?;
    if last >= values.len() || count > values.len().max(REPEATED) {
        return None;
    }
    let mut out = Vec::with_capacity(count);
    let mut index = vec![0; shape.len()];
    let mut at = *offset;
    for _ in 0..count {
        out.push(values[at]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += stride[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= index[axis] * stride[axis];
            index[axis] = 0;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(offset: usize, shape: &[usize], stride: &[usize]) -> StoredTensor {
        let storage = Storage { key: String::new(), class: "FloatStorage".to_owned(), len: 0 };
        StoredTensor { storage, offset, shape: shape.to_vec(), stride: stride.to_vec() }
    }

    #[test]
    fn views_follow_their_strides() {
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(view(&stored(1, &[2, 3], &[3, 1]), &values).unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(view(&stored(0, &[3, 2], &[1, 3]), &values).unwrap(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(view(&stored(6, &[], &[]), &values).unwrap(), [6.0]);
        assert_eq!(view(&stored(5, &[3, 2], &[0, 1]), &values).unwrap(), [5.0, 6.0, 5.0, 6.0, 5.0, 6.0]);
        assert_eq!(view(&stored(9, &[0, 2], &[2, 1]), &values).unwrap(), [0.0; 0]);
    }

    #[test]
    fn views_past_their_storage_are_refused() {
        let values = [0.0; 6];
        for bad in [
            stored(1, &[2, 3], &[3, 1]),
            stored(0, &[usize::MAX, 2], &[1, 1]),
            stored(0, &[2], &[usize::MAX]),
            stored(usize::MAX, &[2], &[1]),
            stored(0, &[REPEATED + 1], &[0]),
            stored(0, &[2], &[1, 1]),
        ] {
            assert_eq!(view(&bad, &values), None, "{bad:?}");
        }
    }
}
