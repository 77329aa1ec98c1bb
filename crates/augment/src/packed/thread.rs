//! One thread's work, in the kernel's order and with what the kernel reads.

use super::layout::{HOLE, NORMALIZED, ROTATED, unpack_matrix};
use super::{BORDER, COLORS, FILLS, INPUT_HEIGHT, PackedList, ROTATED_HEIGHT, TABLE};
use crate::geometry::rotate::{Place, reflect101};
use crate::size::CHANNELS;

/// A pixel's red, green and blue byte.
type Color = [u8; CHANNELS];

/// What a thread is given: one image, and the words that say what is done to it.
pub(super) struct Thread<'a> {
    pub(super) list: &'a PackedList,
    pub(super) words: &'a [i16],
    pub(super) image: &'a [u8],
}

impl Thread<'_> {
    /// The output's pixel in this row and column.
    pub(super) fn pixel(&self, row: usize, column: usize) -> [f32; CHANNELS] {
        let values = &self.list.values;
        let is_normalized = self.words[NORMALIZED] as usize;
        if let Some(hole) = self.last_hole(row as i16, column as i16) {
            let holes = self.list.layout.holes.len() / HOLE;
            let fill = FILLS + (is_normalized * holes + hole) * CHANNELS;
            return std::array::from_fn(|k| values[fill + k]);
        }
        let color = self.color(row, column);
        let table = &values[is_normalized * TABLE..];
        std::array::from_fn(|k| table[k * 256 + usize::from(color[k])])
    }

    /// The last hole in which the pixel lies.
    fn last_hole(&self, row: i16, column: i16) -> Option<usize> {
        let holes = self.words[self.list.layout.holes.clone()].chunks_exact(HOLE);
        holes.enumerate().rev().find_map(|(i, hole)| {
            let is_inside = (hole[0]..hole[2]).contains(&row) && (hole[1]..hole[3]).contains(&column);
            is_inside.then_some(i)
        })
    }

    fn color(&self, row: usize, column: usize) -> Color {
        let layout = &self.list.layout;
        let (row, column) = (self.words[layout.rows.start + row], self.words[layout.columns.start + column]);
        match self.words[ROTATED] {
            0 => self.gather(row, column),
            _ if row.min(column) < 0 => self.constant(row.min(column).into()),
            _ => self.rotated(row as usize, column as usize),
        }
    }

    /// The rotated image's pixel.
    fn rotated(&self, row: usize, column: usize) -> Color {
        let matrix = unpack_matrix(&self.words[self.list.layout.matrix.clone()]);
        let place = Place::new(matrix.row(row), matrix.column(column));
        let corners = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(y, x)| self.corner(place.y + y, place.x + x));
        std::array::from_fn(|k| place.mix(corners.map(|corner| i32::from(corner[k]))))
    }

    /// The pixel of what is rotated, which may lie outside.
    fn corner(&self, row: i32, column: i32) -> Color {
        let PackedList { integers, layout, .. } = self.list;
        let (height, width) = (integers[ROTATED_HEIGHT], integers[ROTATED_HEIGHT + 1]);
        let is_inside = (0..height).contains(&row) && (0..width).contains(&column);
        if integers[BORDER] < 0 && !is_inside {
            return self.constant(integers[BORDER]);
        }
        let (row, column) = (reflect101(row, height as usize), reflect101(column, width as usize));
        self.gather(
            self.words[layout.rotated_rows.start + row],
            self.words[layout.rotated_columns.start + column],
        )
    }

    /// The image's pixel, or a constant colour if one of the two is a code.
    fn gather(&self, row: i16, column: i16) -> Color {
        if row.min(column) < 0 {
            return self.constant(row.min(column).into());
        }
        let first =
            (row as usize * self.list.integers[INPUT_HEIGHT + 1] as usize + column as usize) * CHANNELS;
        std::array::from_fn(|k| self.image[first + k])
    }

    fn constant(&self, code: i32) -> Color {
        let [red, green, blue, _] = self.list.integers[COLORS + !code as usize].to_le_bytes();
        [red, green, blue]
    }
}
