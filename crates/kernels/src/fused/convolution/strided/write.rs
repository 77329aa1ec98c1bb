//! Outputs of tiles, from sums at the points.
#![allow(unsafe_code)]
#![allow(clippy::needless_range_loop)] // as in `tiles`

use super::transforms::{OUT, POINTS, output};
use crate::fused::convolution::scheme::{Patches, Sums};
use crate::fused::convolution::window::Window;
use crate::fused::read::Channels;
use crate::fused::write::{WithWriter, Writer};
use crate::simd::{LANES, Simd};

/// Where a tile's outputs go, the same along both axes.
pub(super) struct Places {
    /// Rows and columns of the image.
    pub(super) image: [usize; 2],
    /// The first output of the first tile.
    pub(super) first: [usize; 2],
    /// From one output to the next.
    pub(super) step: usize,
    /// From one tile to the next.
    pub(super) tile: usize,
}

pub(super) struct WriteTiles<'a> {
    pub(super) places: Places,
    /// Points with sums; those that are missing have none.
    pub(super) points: [usize; 2],
    pub(super) sums: Sums<'a>,
    pub(super) patches: Patches,
    pub(super) channels: Channels,
}

impl<S: Simd> WithWriter<S> for WriteTiles<'_> {
    #[inline(always)]
    fn with<W: Writer<S>>(self, s: S, writer: &mut W) {
        let Self { places, points, sums, patches, channels } = self;
        // What is read below relies on it: sixteen values of each sum of each patch.
        let last = (points[0] * points[1] - 1) * sums.sum + patches.len().saturating_sub(1) * sums.patch;
        assert!(last + LANES <= sums.data.len(), "sums beyond their place");
        let zero = s.splat(0.0);
        let mut half = [[zero; OUT]; POINTS];
        for (t, patch) in patches.enumerate() {
            writer.turn_to(s, patch.image);
            let mut at = t * sums.patch;
            for column in half.iter_mut().take(points[1]) {
                let mut values = [zero; POINTS];
                for value in values.iter_mut().take(points[0]) {
                    // SAFETY: as asserted above.
                    *value = s.load(unsafe { &*sums.data.as_ptr().add(at).cast() });
                    at += sums.sum;
                }
                *column = output(s, values);
            }
            let first = [0, 1].map(|axis| places.first[axis] + patch.at[axis] * places.tile);
            let window = Window { image: patch.image, first, within: places.image, channels };
            window.check(writer.len());
            for i in 0..OUT {
                let y = first[0] + i * places.step;
                if y >= places.image[0] {
                    break;
                }
                let mut row = [zero; POINTS];
                for j in 0..POINTS {
                    row[j] = half[j][i];
                }
                let done = output(s, row);
                for j in 0..OUT {
                    let x = first[1] + j * places.step;
                    if x < places.image[1] {
                        // SAFETY: a pixel of the image, which is within the tensor, as checked.
                        unsafe { writer.write(s, window.at(y, x), done[j]) };
                    }
                }
            }
        }
    }
}
