//! Differentiable candle functions over Wick's kernels.
