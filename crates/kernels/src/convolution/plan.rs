//! How each convolution is computed: every choice by shape in one place. Nothing here may depend on the number of
//! threads, or results would.

use super::Conv2dShape;

/// How a forward pass, or an input gradient seen as one, is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forward {
    /// The input is the matrix: 1×1, stride 1, no padding.
    Direct,
    /// Windows are written out, a block of output rows at a time.
    Im2col,
}

pub(super) fn forward(s: &Conv2dShape) -> Forward {
    if is_product(s) { Forward::Direct } else { Forward::Im2col }
}

/// How an input gradient is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputGradient {
    /// `dx = dy · wᵀ`: 1×1, stride 1, no padding.
    Direct,
    /// As the forward pass of this convolution of `dy`, with flipped weights.
    Flipped(Conv2dShape),
    /// Gradients of the windows, summed back.
    Col2im,
}

pub(super) fn input_gradient(s: &Conv2dShape) -> InputGradient {
    let [kh, kw] = s.kernel;
    if is_product(s) {
        InputGradient::Direct
    } else if s.stride == 1 && kh == kw && s.padding < kh {
        InputGradient::Flipped(Conv2dShape {
            height: s.out_height(),
            width: s.out_width(),
            in_channels: s.out_channels,
            out_channels: s.in_channels,
            padding: kh - 1 - s.padding,
            ..*s
        })
    } else {
        InputGradient::Col2im
    }
}

/// How a weight gradient is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WeightGradient {
    /// The output rows are dealt to this many partial sums.
    Splits(usize),
    /// Each tap of the window, and each group of this many input channels, on its own: for weights so large that
    /// partial sums would cost more than they gain.
    Taps {
        /// Channels of a group.
        channels: usize,
    },
}

pub(super) fn weight_gradient(s: &Conv2dShape) -> WeightGradient {
    if s.weight_len() <= 256 * 1024 {
        WeightGradient::Splits(8.min(s.out_rows()).max(1))
    } else {
        WeightGradient::Taps { channels: s.in_channels.div_ceil(2).max(128) }
    }
}

/// Output rows whose windows are written out at a time: half an L2 of them, but enough pixels that reading the weights
/// again for each block does not matter.
pub(super) fn rows_per_block(s: &Conv2dShape) -> usize {
    const WINDOWS: usize = 128 * 1024; // values, 512 KiB
    let pixels = (WINDOWS / (s.taps() * s.in_channels)).clamp(256, 2048);
    pixels.div_ceil(s.out_width()).max(1)
}

/// Whether the convolution is a plain matrix product.
pub(super) fn is_product(s: &Conv2dShape) -> bool {
    s.kernel == [1, 1] && s.stride == 1 && s.padding == 0
}
