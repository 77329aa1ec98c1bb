//! Max-pooling, without parameters.

use candle_core::{Result, Tensor};
use wick_ops::PoolOptions;

/// The largest value of each `kernel` × `kernel` square, squares side by side, an incomplete last one left out.
pub(crate) fn max_pool(x: &Tensor, kernel: usize) -> Result<Tensor> {
    wick_ops::max_pool2d(x, PoolOptions { kernel, stride: kernel })
}

/// The shape that [`max_pool`] leaves of `(N, H, W, C)`.
pub(crate) fn max_pooled([n, h, w, c]: [usize; 4], kernel: usize) -> [usize; 4] {
    [n, h / kernel, w / kernel, c]
}

/// [`max_pool`] that leaves one place of a map: `(N, H, W, C)` to `(N, C)`.
pub(crate) fn max_pool_to_one(x: &Tensor, kernel: usize) -> Result<Tensor> {
    let pooled = max_pool(x, kernel)?;
    match *pooled.dims() {
        [n, 1, 1, c] => pooled.reshape((n, c)),
        _ => candle_core::bail!(
            "the last pooling, {kernel}×{kernel}, must leave one place of the map, got {:?}: this network is for images \
             of 32×32",
            x.dims()
        ),
    }
}
