use std::ops::Range;

use super::{LANES, OUT};
use crate::convolution::Conv2dShape;

/// How 4×4 tiles cover the images, which are as large before as after the convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tiles {
    height: usize,
    width: usize,
    /// Rows of tiles, over all images.
    pub(crate) rows: usize,
    /// Rows of tiles in an image.
    down: usize,
    /// Tiles in a row.
    pub(crate) across: usize,
}

impl Tiles {
    /// The tiles of a convolution that Winograd's way can compute: 3×3, stride 1, padding 1, channels in whole `LANES`.
    pub(crate) fn of(s: &Conv2dShape) -> Option<Self> {
        let window = s.kernel == [3, 3] && s.stride == 1 && s.padding == 1;
        if !window || !s.in_channels.is_multiple_of(LANES) || !s.out_channels.is_multiple_of(LANES) {
            return None;
        }
        let (down, across) = (s.height.div_ceil(OUT), s.width.div_ceil(OUT));
        Some(Self { height: s.height, width: s.width, rows: s.batch * down, down, across })
    }

    /// Tiles over all images.
    pub(crate) fn count(&self) -> usize {
        self.rows * self.across
    }

    /// Products saved: 36 a tile for 9 a pixel.
    pub(crate) fn saving(&self) -> f64 {
        let pixels = (self.height * self.width) as f64;
        9.0 * pixels / (super::PRODUCTS * self.down * self.across) as f64
    }

    /// The first row of pixels, counted over all images, of a row of tiles.
    fn first_pixel_row(&self, row: usize) -> usize {
        row / self.down * self.height + row % self.down * OUT
    }

    /// Pixels that the rows of tiles `rows` cover: they lie together.
    fn pixels(&self, rows: &Range<usize>) -> usize {
        (self.first_pixel_row(rows.end) - self.first_pixel_row(rows.start)) * self.width
    }

    /// Splits an image tensor of `channels` channels into blocks of `rows` rows of tiles.
    pub(super) fn blocks<'a>(
        &self,
        mut image: &'a mut [f32],
        channels: usize,
        rows: usize,
    ) -> Vec<(Range<usize>, &'a mut [f32])> {
        let starts = (0..self.rows).step_by(rows);
        starts
            .map(|start| {
                let range = start..(start + rows).min(self.rows);
                let (block, rest) = std::mem::take(&mut image).split_at_mut(self.pixels(&range) * channels);
                image = rest;
                (range, block)
            })
            .collect()
    }

    /// Where tile `across` of a row of tiles has its outputs: pixel offsets from the row's first pixel, of its rows ×
    /// columns that lie within the image.
    pub(super) fn outputs(&self, row: usize, across: usize) -> Outputs {
        let (y, x) = (row % self.down * OUT, across * OUT);
        Outputs {
            first: (self.first_pixel_row(row)) * self.width + x,
            rows: OUT.min(self.height - y),
            columns: OUT.min(self.width - x),
            row_stride: self.width,
        }
    }

    /// The 6×6 pixels that tile `across` of a row of tiles sees, as pixel offsets; `None` outside the image.
    pub(super) fn inputs(&self, row: usize, across: usize) -> [[Option<usize>; 6]; 6] {
        let image = row / self.down * self.height * self.width;
        let (y, x) = (row % self.down * OUT, across * OUT);
        std::array::from_fn(|i| {
            std::array::from_fn(|j| {
                // The tile begins one pixel above and left of its outputs.
                let (y, x) = ((y + i).checked_sub(1)?, (x + j).checked_sub(1)?);
                (y < self.height && x < self.width).then(|| image + y * self.width + x)
            })
        })
    }
}

/// The outputs of a tile, in pixels.
pub(super) struct Outputs {
    /// The offset of the first.
    pub(super) first: usize,
    rows: usize,
    columns: usize,
    row_stride: usize,
}

impl Outputs {
    /// The offset of the pixel in row `i` and column `j`, if it lies within the image.
    #[inline(always)]
    pub(super) fn pixel(&self, i: usize, j: usize) -> Option<usize> {
        if i < self.rows && j < self.columns { Some(self.first + i * self.row_stride + j) } else { None }
    }
}
