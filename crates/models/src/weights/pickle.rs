//! From the objects of a pickle to descriptions of tensors.
//!
//! `torch.save` writes a tensor as a call of `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, ...)`
//! and its storage as a persistent id `('storage', class, key, location, length)`; candle's reader keeps both as data.

use std::io::BufRead;

use candle_core::DType;
use candle_core::pickle::{Object, Stack};

/// A tensor as a pickle tells of it: a strided view of a storage that lies elsewhere in the file.
#[derive(Debug, Clone)]
pub(super) struct StoredTensor {
    pub(super) storage: Storage,
    /// Elements before the first.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    /// Elements between neighbours along each axis.
    pub(super) stride: Vec<usize>,
}

/// A run of elements of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Storage {
    pub(super) key: String,
    /// PyTorch's class: `FloatStorage`.
    pub(super) class: String,
    /// Elements.
    pub(super) len: usize,
}

impl Storage {
    /// The type of floating-point storages.
    pub(super) fn float_type(&self) -> Option<DType> {
        match self.class.as_str() {
            "FloatStorage" => Some(DType::F32),
            "DoubleStorage" => Some(DType::F64),
            "HalfStorage" => Some(DType::F16),
            "BFloat16Storage" => Some(DType::BF16),
            _ => None,
        }
    }

    /// Bytes of an element.
    pub(super) fn element_size(&self) -> Option<usize> {
        match self.class.as_str() {
            "DoubleStorage" | "LongStorage" | "ComplexFloatStorage" => Some(8),
            "FloatStorage" | "IntStorage" => Some(4),
            "HalfStorage" | "BFloat16Storage" | "ShortStorage" => Some(2),
            "CharStorage" | "ByteStorage" | "BoolStorage" | "UntypedStorage" => Some(1),
            _ => None,
        }
    }
}

/// Reads one pickle, up to and including its end mark.
pub(super) fn read(reader: &mut impl BufRead) -> candle_core::Result<Object> {
    let mut stack = Stack::empty();
    stack.read_loop(reader)?;
    stack.finalize()
}

/// The named tensors of a checkpoint: those under a usual key, or at the top. The error tells what there is instead.
pub(super) fn state_dict(root: &Object) -> Result<Vec<(String, StoredTensor)>, String> {
    const KEYS: [&str; 4] = ["net", "state_dict", "model_state_dict", "model"];
    let Object::Dict(entries) = root else {
        return Err(match root {
            Object::Reduce { callable, .. } | Object::Build { callable, .. } => {
                format!("a whole object{}", class_of(callable))
            }
            _ => "a single value".to_owned(),
        });
    };
    let under =
        |key: &str| entries.iter().find(|(k, _)| matches!(k, Object::Unicode(k) if k == key)).map(|(_, v)| v);
    let places = KEYS.iter().filter_map(|key| under(key)).chain([root]);
    let found = places.map(tensors).find(|list| !list.is_empty());
    found.ok_or_else(|| {
        let keys: Vec<_> = entries.iter().filter_map(|(k, _)| text(k)).map(|k| format!("`{k}`")).collect();
        if keys.is_empty() {
            "an empty dictionary".to_owned()
        } else {
            format!("a dictionary without tensors under {}", keys.join(", "))
        }
    })
}

/// Every storage that anything below `root` refers to.
pub(super) fn storages(root: &Object) -> Vec<Storage> {
    let mut found = Vec::new();
    // A list of what is still to be seen instead of recursion: depth is the file's choice.
    let mut open = vec![root];
    while let Some(object) = open.pop() {
        match object {
            Object::PersistentLoad(_) => found.extend(storage(object)),
            Object::Tuple(items) | Object::List(items) => open.extend(items),
            Object::Dict(entries) => open.extend(entries.iter().flat_map(|(k, v)| [k, v])),
            Object::Reduce { callable, args } | Object::Build { callable, args } => {
                open.extend([callable.as_ref(), args.as_ref()]);
            }
            _ => {}
        }
    }
    found
}

/// The strings of a list.
pub(super) fn strings(object: &Object) -> Option<Vec<String>> {
    let Object::List(items) = object else { return None };
    items.iter().map(|item| text(item).map(str::to_owned)).collect()
}

fn tensors(object: &Object) -> Vec<(String, StoredTensor)> {
    let Object::Dict(entries) = object else { return Vec::new() };
    entries.iter().filter_map(|(name, value)| Some((text(name)?.to_owned(), tensor(value)?))).collect()
}

fn tensor(object: &Object) -> Option<StoredTensor> {
    let Object::Reduce { callable, args } = object else { return None };
    let (Object::Class { module_name, class_name }, Object::Tuple(args)) = (callable.as_ref(), args.as_ref())
    else {
        return None;
    };
    match (module_name.as_str(), class_name.as_str(), args.as_slice()) {
        ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor", [from, offset, shape, stride, ..]) => {
            Some(StoredTensor {
                storage: storage(from)?,
                offset: integer(offset)?,
                shape: integers(shape)?,
                stride: integers(stride)?,
            })
        }
        // A `Parameter` around a tensor.
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state", [inner, ..]) => {
            tensor(inner)
        }
        // A subclass of `Tensor`: the call that makes it, its class, the arguments of the call.
        ("torch._tensor", "_rebuild_from_type_v2", [callable, _, args, ..]) => {
            let (callable, args) = (Box::new(callable.clone()), Box::new(args.clone()));
            tensor(&Object::Reduce { callable, args })
        }
        _ => None,
    }
}

fn storage(object: &Object) -> Option<Storage> {
    let Object::PersistentLoad(id) = object else { return None };
    let Object::Tuple(id) = id.as_ref() else { return None };
    match id.as_slice() {
        [_, Object::Class { class_name, .. }, key, _location, len, ..] => {
            Some(Storage { key: text(key)?.to_owned(), class: class_name.clone(), len: integer(len)? })
        }
        _ => None,
    }
}

fn text(object: &Object) -> Option<&str> {
    if let Object::Unicode(text) = object { Some(text) } else { None }
}

fn integer(object: &Object) -> Option<usize> {
    match object {
        Object::Int(i) => usize::try_from(*i).ok(),
        Object::Long(i) => usize::try_from(*i).ok(),
        _ => None,
    }
}

fn integers(object: &Object) -> Option<Vec<usize>> {
    let Object::Tuple(items) = object else { return None };
    items.iter().map(integer).collect()
}

fn class_of(callable: &Object) -> String {
    match callable {
        Object::Class { module_name, class_name } => format!(" of class {module_name}.{class_name}"),
        Object::Reduce { callable, .. } => class_of(callable),
        _ => String::new(),
    }
}
