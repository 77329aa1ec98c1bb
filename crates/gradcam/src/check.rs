//! Checks of the tensors that go in and out.

use crate::CamError;
use candle_core::{DType, Storage, Tensor};

/// `tensor`'s dimensions, if there are `R` of them and none is 0.
pub(crate) fn dims<const R: usize>(
    what: &'static str,
    expected: &str,
    tensor: &Tensor,
) -> Result<[usize; R], CamError> {
    match <[usize; R]>::try_from(tensor.dims()) {
        Ok(dims) if !dims.contains(&0) => Ok(dims),
        _ => Err(CamError::Shape {
            what,
            expected: format!("{expected}, none of them 0"),
            got: tensor.shape().clone(),
        }),
    }
}

/// The dimensions of `activations`, `(N, h, w, C)`, if `gradients` have them too.
pub(crate) fn alike(activations: &Tensor, gradients: &Tensor) -> Result<[usize; 4], CamError> {
    let dims = dims("activations", "(N, h, w, C)", activations)?;
    if gradients.dims() != dims {
        return Err(CamError::Shape {
            what: "gradients",
            expected: format!("like the activations, {dims:?}"),
            got: gradients.shape().clone(),
        });
    }
    Ok(dims)
}

/// [`alike`], and that both hold numbers.
pub(crate) fn pair(activations: &Tensor, gradients: &Tensor) -> Result<[usize; 4], CamError> {
    let dims = alike(activations, gradients)?;
    finite("activations", activations)?;
    finite("gradients", gradients)?;
    Ok(dims)
}

/// Refuses a tensor whose rows along the first dimension, one an image, are not all finite.
pub(crate) fn finite(what: &'static str, tensor: &Tensor) -> Result<(), CamError> {
    let first = |values: &[f32]| values.iter().position(|v| !v.is_finite());
    let row = tensor.elem_count() / tensor.dim(0)?.max(1);
    // Large activations are looked through where they lie.
    let bad = match &*tensor.storage_and_layout().0 {
        Storage::Cpu(storage) if tensor.dtype() == DType::F32 && tensor.is_contiguous() => {
            let start = tensor.layout().start_offset();
            let values = &storage.as_slice::<f32>()?[start..start + tensor.elem_count()];
            first(values).map(|i| (i / row, f64::from(values[i])))
        }
        _ => {
            let rows = rows(tensor)?;
            let bad = |(image, values): (usize, &Vec<f64>)| {
                values.iter().find(|v| !v.is_finite()).map(|&value| (image, value))
            };
            rows.iter().enumerate().find_map(bad)
        }
    };
    match bad {
        Some((image, value)) => Err(CamError::NotFinite { what, image, value, layer: None }),
        None => Ok(()),
    }
}

/// The values of each image, the first dimension being the images.
pub(crate) fn rows(tensor: &Tensor) -> Result<Vec<Vec<f64>>, CamError> {
    let images = tensor.dim(0)?;
    Ok(tensor.reshape((images, ()))?.to_dtype(DType::F64)?.to_vec2()?)
}
