//! Checks of the tensors that go in and out.

use crate::CamError;
use candle_core::{DType, Tensor};

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

/// Refuses a tensor whose rows along the first dimension, one an image, are not all finite.
pub(crate) fn finite(what: &'static str, tensor: &Tensor) -> Result<(), CamError> {
    for (image, values) in rows(tensor)?.into_iter().enumerate() {
        if let Some(&value) = values.iter().find(|v| !v.is_finite()) {
            return Err(CamError::NotFinite { what, image, value });
        }
    }
    Ok(())
}

/// The values of each image, the first dimension being the images.
pub(crate) fn rows(tensor: &Tensor) -> Result<Vec<Vec<f64>>, CamError> {
    let images = tensor.dim(0)?;
    Ok(tensor.reshape((images, ()))?.to_dtype(DType::F64)?.to_vec2()?)
}
