//! cuDNN's descriptors: bags of attributes that are finalised once.

use std::ffi::c_void;
use std::ptr;

use cudarc::cudnn::sys::{
    self, cudnnBackendAttributeName_t as Name, cudnnBackendAttributeType_t as Type,
    cudnnBackendDescriptor_t as Raw, cudnnBackendDescriptorType_t as Kind,
};

use super::status;
use crate::CudaError;

/// A descriptor; destroyed with its owner.
#[derive(Debug)]
pub(super) struct Descriptor(Raw);

/// Values of an attribute.
#[derive(Debug)]
pub(super) enum Attribute<'a> {
    Handle(sys::cudnnHandle_t),
    DataType(sys::cudnnDataType_t),
    Mode(sys::cudnnConvolutionMode_t),
    Heuristics(sys::cudnnBackendHeurMode_t),
    Ints(&'a [i64]),
    Float(f32),
    Pointers(&'a [*mut c_void]),
    Descriptors(&'a [&'a Descriptor]),
}

impl Descriptor {
    pub fn new(kind: Kind) -> Result<Self, CudaError> {
        let mut raw = ptr::null_mut();
        // SAFETY: writes one pointer.
        status("make a descriptor", unsafe { sys::cudnnBackendCreateDescriptor(kind, &mut raw) })?;
        Ok(Self(raw))
    }

    /// A descriptor with these attributes, finalised.
    pub fn of(kind: Kind, attributes: &[(Name, Attribute<'_>)]) -> Result<Self, CudaError> {
        let descriptor = Self::new(kind)?;
        for (name, attribute) in attributes {
            descriptor.set(*name, attribute)?;
        }
        descriptor.finalize()?;
        Ok(descriptor)
    }

    fn set(&self, name: Name, attribute: &Attribute<'_>) -> Result<(), CudaError> {
        let raws: Vec<Raw>;
        let one = |value: *const c_void, kind| (kind, 1, value);
        let (kind, count, values) = match attribute {
            Attribute::Handle(v) => one(ptr::from_ref(v).cast(), Type::CUDNN_TYPE_HANDLE),
            Attribute::DataType(v) => one(ptr::from_ref(v).cast(), Type::CUDNN_TYPE_DATA_TYPE),
            Attribute::Mode(v) => one(ptr::from_ref(v).cast(), Type::CUDNN_TYPE_CONVOLUTION_MODE),
            Attribute::Heuristics(v) => one(ptr::from_ref(v).cast(), Type::CUDNN_TYPE_HEUR_MODE),
            Attribute::Float(v) => one(ptr::from_ref(v).cast(), Type::CUDNN_TYPE_FLOAT),
            Attribute::Ints(v) => (Type::CUDNN_TYPE_INT64, v.len(), v.as_ptr().cast()),
            Attribute::Pointers(v) => (Type::CUDNN_TYPE_VOID_PTR, v.len(), v.as_ptr().cast()),
            Attribute::Descriptors(v) => {
                raws = v.iter().map(|d| d.0).collect();
                (Type::CUDNN_TYPE_BACKEND_DESCRIPTOR, raws.len(), raws.as_ptr().cast())
            }
        };
        // SAFETY: `count` values of that type lie at `values`, which cuDNN copies.
        status("describe a convolution", unsafe {
            sys::cudnnBackendSetAttribute(self.0, name, kind, count as i64, values)
        })
    }

    pub fn finalize(&self) -> Result<(), CudaError> {
        // SAFETY: made by `new`.
        status("compute this", unsafe { sys::cudnnBackendFinalize(self.0) })
    }

    pub fn int(&self, name: Name) -> Result<i64, CudaError> {
        let (mut value, mut count) = (0i64, 0i64);
        // SAFETY: room for one value.
        status("tell an attribute", unsafe {
            let to = ptr::from_mut(&mut value).cast();
            sys::cudnnBackendGetAttribute(self.0, name, Type::CUDNN_TYPE_INT64, 1, &mut count, to)
        })?;
        Ok(value)
    }

    /// The descriptors of an attribute, at most `most`.
    pub fn descriptors(&self, name: Name, kind: Kind, most: usize) -> Result<Vec<Self>, CudaError> {
        let mut found = (0..most).map(|_| Self::new(kind)).collect::<Result<Vec<_>, _>>()?;
        let mut raws: Vec<Raw> = found.iter().map(|d| d.0).collect();
        let (mut count, to) = (0i64, raws.as_mut_ptr().cast());
        let descriptor = Type::CUDNN_TYPE_BACKEND_DESCRIPTOR;
        // SAFETY: room for `most` pointers to descriptors of that kind, which cuDNN fills in.
        status("tell an attribute", unsafe {
            sys::cudnnBackendGetAttribute(self.0, name, descriptor, most as i64, &mut count, to)
        })?;
        found.truncate(usize::try_from(count).unwrap_or(0));
        Ok(found)
    }

    /// What is known of an engine's arithmetic.
    pub fn numerical_notes(&self) -> Result<Vec<sys::cudnnBackendNumericalNote_t>, CudaError> {
        const MOST: usize = 32;
        let mut notes = [u32::MAX; MOST];
        let mut count = 0i64;
        // SAFETY: room for as many notes, each of 32 bits. They are read as integers: a newer cuDNN may know others.
        status("tell an engine's notes", unsafe {
            let (kind, to) = (Type::CUDNN_TYPE_NUMERICAL_NOTE, notes.as_mut_ptr().cast());
            let name = Name::CUDNN_ATTR_ENGINE_NUMERICAL_NOTE;
            sys::cudnnBackendGetAttribute(self.0, name, kind, MOST as i64, &mut count, to)
        })?;
        use sys::cudnnBackendNumericalNote_t as Note;
        let known = [
            Note::CUDNN_NUMERICAL_NOTE_TENSOR_CORE,
            Note::CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS,
            Note::CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION,
            Note::CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC,
            Note::CUDNN_NUMERICAL_NOTE_WINOGRAD,
        ];
        let count = usize::try_from(count).unwrap_or(0).min(MOST);
        Ok(known.into_iter().filter(|note| notes[..count].contains(&(*note as u32))).collect())
    }

    pub fn raw(&self) -> Raw {
        self.0
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: made by `new`, destroyed once. There is nobody to tell of an error.
        let _ = unsafe { sys::cudnnBackendDestroyDescriptor(self.0) };
    }
}
