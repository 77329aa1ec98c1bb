//! Which way an algorithm takes.

use super::Algorithm;
use super::strided;
use super::tiles::{Four, Tile, Two};
use crate::convolution::Conv2dShape;

/// How a convolution is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Direct,
    Tiles2,
    Tiles4,
    Strided,
}

/// The way of the algorithm, or the direct one where tiles do not apply or do not pay: with few channels, the transforms cost
/// more than they save; of small images, most of a tile lies outside.
pub(super) fn way(s: &Conv2dShape, algorithm: Algorithm) -> Way {
    let (way, tile, products) = match (algorithm, s.stride) {
        (Algorithm::Tiles2, 1) => (Way::Tiles2, Two::OUT, Two::IN * Two::IN),
        (Algorithm::Tiles4, 1) => (Way::Tiles4, Four::OUT, Four::IN * Four::IN),
        (Algorithm::Tiles4, 2) => (Way::Strided, strided::OUT, strided::PRODUCTS),
        _ => return Way::Direct,
    };
    let applies = match way {
        // Whole registers, of bf16 too: a sum's rows are multiplied as one.
        Way::Strided => s.padding == 1 && s.in_channels.is_multiple_of(32),
        _ => s.padding <= 2,
    };
    let tiles = s.out_height().div_ceil(tile) * s.out_width().div_ceil(tile);
    let saving = (9 * s.out_height() * s.out_width()) as f64 / (tiles * products) as f64;
    let channels = s.in_channels.min(s.out_channels);
    if applies && s.kernel == [3, 3] && channels >= 16 && saving >= 1.5 { way } else { Way::Direct }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_and_pays_is_tiled() {
        use Algorithm::{Direct, Tiles2, Tiles4};
        let s = Conv2dShape {
            batch: 2,
            height: 8,
            width: 8,
            in_channels: 16,
            out_channels: 16,
            kernel: [3, 3],
            stride: 1,
            padding: 1,
        };
        let two = Conv2dShape { height: 16, width: 16, in_channels: 32, stride: 2, ..s };
        for (shape, algorithm, want) in [
            (s, Direct, Way::Direct),
            (s, Tiles2, Way::Tiles2),
            (s, Tiles4, Way::Tiles4),
            (Conv2dShape { in_channels: 15, ..s }, Tiles4, Way::Direct),
            (Conv2dShape { out_channels: 15, ..s }, Tiles4, Way::Direct),
            (Conv2dShape { kernel: [3, 2], ..s }, Tiles4, Way::Direct),
            (Conv2dShape { padding: 2, ..s }, Tiles4, Way::Tiles4),
            (Conv2dShape { padding: 3, ..s }, Tiles4, Way::Direct),
            // 36 products for 54, 36 and 45 of them.
            (Conv2dShape { height: 2, width: 3, ..s }, Tiles4, Way::Tiles4),
            (Conv2dShape { height: 2, width: 2, ..s }, Tiles4, Way::Direct),
            (Conv2dShape { height: 1, width: 5, ..s }, Tiles4, Way::Direct),
            (two, Tiles4, Way::Strided),
            (two, Tiles2, Way::Direct),
            (two, Direct, Way::Direct),
            (Conv2dShape { padding: 0, ..two }, Tiles4, Way::Direct),
            (Conv2dShape { in_channels: 31, ..two }, Tiles4, Way::Direct),
            (Conv2dShape { in_channels: 48, ..two }, Tiles4, Way::Direct),
            (Conv2dShape { stride: 3, ..two }, Tiles4, Way::Direct),
        ] {
            assert_eq!(way(&shape, algorithm), want, "{algorithm:?} of {shape:?}");
        }
    }
}
