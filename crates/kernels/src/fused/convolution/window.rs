//! Squares of pixels of an image, and how they are read.

use crate::fused::read::Channels;
use crate::simd::LANES;

/// A square of pixels, partly outside the image perhaps.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) image: usize,
    pub(super) first: [usize; 2],
    pub(super) within: [usize; 2],
    pub(super) channels: Channels,
}

impl Window {
    /// Whether `size` rows and columns of sixteen whole lanes are inside.
    #[inline(always)]
    pub(super) fn is_inside(&self, size: usize) -> bool {
        let inside = |i: usize| self.first[i] < self.within[i] && self.first[i] + size <= self.within[i];
        self.channels.lanes == LANES && inside(0) && inside(1)
    }

    /// A row or column of the image for number `i` of the square: itself, or, outside the image, some other one, and `false`.
    #[inline(always)]
    pub(super) fn line(&self, axis: usize, i: usize) -> (usize, bool) {
        let line = self.first[axis].wrapping_add(i);
        if line < self.within[axis] { (line, true) } else { (0, false) }
    }

    #[inline(always)]
    pub(super) fn at(&self, y: usize, x: usize) -> usize {
        ((self.image * self.within[0] + y) * self.within[1] + x) * self.channels.of + self.channels.first
    }

    /// Asserts that the whole image is within a tensor of `len` values.
    #[inline(always)]
    pub(super) fn check(&self, len: usize) {
        let end = self.at(self.within[0] - 1, self.within[1] - 1) + self.channels.lanes;
        assert!(end <= len, "an image beyond its tensor");
    }
}

/// Reads `$size` × `$size` pixels and writes `$transform` of each row, an array of `$room`, to `$half`. A macro, since closures
/// that use vector instructions are not reliably inlined; loops, since unrolled the code outgrows the caches.
macro_rules! read_rows {
    ($s:ident, $window:ident, $reader:expr, $half:expr, $size:expr, $room:expr, $transform:path) => {{
        let (window, reader, half, zero) = ($window, &$reader, &mut *$half, $s.splat(0.0));
        window.check(reader.len());
        let pixel = window.channels.of;
        if window.is_inside($size) {
            let (mut at, line) = (window.at(window.first[0], window.first[1]), window.within[1] * pixel);
            for i in 0..$size {
                let mut row = [zero; $room];
                for j in 0..$size {
                    // SAFETY: a pixel of the image, which is within the tensor, as checked.
                    row[j] = unsafe { reader.read($s, at + j * pixel) };
                }
                half[i] = $transform($s, row);
                at += line;
            }
        } else {
            let (whole, line) = (window.channels.lanes == LANES, window.within[1] * pixel);
            let mut columns = [None; $room];
            for j in 0..$size {
                let (x, inside) = window.line(1, j);
                columns[j] = inside.then_some(x * pixel);
            }
            let start = window.at(0, 0);
            for i in 0..$size {
                let mut row = [zero; $room];
                let (y, inside) = window.line(0, i);
                if inside {
                    for j in 0..$size {
                        if let Some(column) = columns[j] {
                            let at = start + y * line + column;
                            row[j] = if whole {
                                // SAFETY: as above.
                                unsafe { reader.read($s, at) }
                            } else {
                                // SAFETY: as above, of as many channels as there are.
                                unsafe { reader.read_some($s, at) }
                            };
                        }
                    }
                }
                half[i] = $transform($s, row);
            }
        }
    }};
}

pub(super) use read_rows;
