//! How each convolution is computed: every choice by shape in one place. Nothing here may depend on the number of
//! threads, or results would. The figures behind the thresholds are in the README.

use super::Conv2dShape;
use super::winograd::{Order, Share, Tiles};

/// How a forward pass, or an input gradient seen as one, is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forward {
    /// The input is the matrix: 1×1, stride 1, no padding.
    Direct,
    /// Windows are written out, a block of output rows at a time.
    Im2col,
    /// 3×3, stride 1, padding 1, in tiles.
    Winograd(Tiles, Order),
}

pub(super) fn forward(s: &Conv2dShape) -> Forward {
    if is_product(s) {
        Forward::Direct
    } else if let Some(tiles) = winograd(s).filter(|_| s.out_rows() * s.out_width() >= MANY_PIXELS) {
        Forward::Winograd(tiles, order(&tiles, s.in_channels, s.out_channels))
    } else {
        Forward::Im2col
    }
}

/// Output pixels of a batch from which on a forward pass may be computed in tiles.
///
/// Tiles round some five times as much as direct sums (1.2e-6 to 0.25e-6 of the rms), and so turn more ReLUs that stand near
/// zero the other way. Over few pixels a single one of them shows in a weight's gradient (1e-2 of its rms, ResNet-18, four
/// images), over many it does not, and there is the time to gain. Gradients are linear in their inputs: no such step.
const MANY_PIXELS: usize = 8192;

/// How an input gradient is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputGradient {
    /// `dx = dy · wᵀ`: 1×1, stride 1, no padding.
    Direct,
    /// As the forward pass of this convolution of `dy`, with turned weights.
    Turned(Conv2dShape),
    /// Gradients of the windows, summed back.
    Col2im,
    /// As a forward pass with turned weights, in tiles.
    Winograd(Tiles, Order),
}

pub(super) fn input_gradient(s: &Conv2dShape) -> InputGradient {
    let [kh, kw] = s.kernel;
    if is_product(s) {
        InputGradient::Direct
    } else if let Some(tiles) = winograd(s) {
        InputGradient::Winograd(tiles, order(&tiles, s.out_channels, s.in_channels))
    } else if s.stride == 1 && kh == kw && s.padding < kh {
        InputGradient::Turned(Conv2dShape {
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
    /// 3×3, stride 1, padding 1, in tiles.
    Winograd(Tiles, Share),
}

pub(super) fn weight_gradient(s: &Conv2dShape) -> WeightGradient {
    let large = s.weight_len() > 256 * 1024;
    if let Some(tiles) = winograd(s) {
        let (c, k) = (s.in_channels, s.out_channels);
        let share = if large {
            // Transformed tiles of at most 20 MB, which the last-level cache keeps, and of half that if it takes several
            // times: the sums have to stay there too.
            let most = |bytes: usize| bytes / (4 * 36 * (c + k) * tiles.across);
            let rows = if tiles.rows <= most(20 << 20) { tiles.rows } else { most(10 << 20) };
            Share::Channels { group: 48, rows: rows.max(1) }
        } else {
            Share::Tiles { splits: (tiles.count() / 128).clamp(1, 8), rows: rows_of_tiles(&tiles) }
        };
        return WeightGradient::Winograd(tiles, share);
    }
    if large {
        WeightGradient::Taps { channels: s.in_channels.div_ceil(2).max(128) }
    } else {
        WeightGradient::Splits(8.min(s.out_rows()).max(1))
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

/// The tiles, if Winograd's way wins: from 16 channels on, unless most of the tiles lies outside the image.
fn winograd(s: &Conv2dShape) -> Option<Tiles> {
    Tiles::of(s).filter(|tiles| tiles.saving() >= 1.5)
}

/// Weights first where, transformed, they are larger than the tiles and their products.
fn order(tiles: &Tiles, c: usize, k: usize) -> Order {
    if c * k > tiles.count() * (c + k) { Order::Weights } else { Order::Tiles { rows: rows_of_tiles(tiles) } }
}

/// Rows of tiles of a block: some 48 tiles, which leave room in the L2 where channels are few, are still enough that reading
/// the weights again does not matter where they are many, and are whole tiles of the matrix product.
fn rows_of_tiles(tiles: &Tiles) -> usize {
    48usize.div_ceil(tiles.across)
}
