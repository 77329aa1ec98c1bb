//! Between the layouts in memory and on disk.

use candle_core::{Result, Tensor};

/// Filters `(KH, KW, C_in, C_out)` to `(C_out, C_in, KH, KW)`, maps `(H, W, C)` to `(C, H, W)`; everything else as it is.
pub(super) fn to_disk(tensor: &Tensor) -> Result<Tensor> {
    match tensor.rank() {
        4 => tensor.permute((3, 2, 0, 1)),
        3 => tensor.permute((2, 0, 1)),
        _ => Ok(tensor.clone()),
    }
}

/// Filters `(C_out, C_in, KH, KW)` to `(KH, KW, C_in, C_out)`, maps `(C, H, W)` to `(H, W, C)`; everything else as it is.
pub(super) fn to_memory(tensor: &Tensor) -> Result<Tensor> {
    match tensor.rank() {
        4 => tensor.permute((2, 3, 1, 0)),
        3 => tensor.permute((1, 2, 0)),
        _ => Ok(tensor.clone()),
    }
}
