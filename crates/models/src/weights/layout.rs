//! Between the layouts in memory and on disk.

use candle_core::{Result, Tensor};

/// Filters `(KH, KW, C_in, C_out)` to `(C_out, C_in, KH, KW)`; everything else as it is.
pub(super) fn to_disk(tensor: &Tensor) -> Result<Tensor> {
    if tensor.rank() == 4 { tensor.permute((3, 2, 0, 1)) } else { Ok(tensor.clone()) }
}

/// Filters `(C_out, C_in, KH, KW)` to `(KH, KW, C_in, C_out)`; everything else as it is.
pub(super) fn to_memory(tensor: &Tensor) -> Result<Tensor> {
    if tensor.rank() == 4 { tensor.permute((2, 3, 1, 0)) } else { Ok(tensor.clone()) }
}
