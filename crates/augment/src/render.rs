//! The final pass: gathering pixels along index lists, through a table, and filling holes.

use crate::draw::Hole;
use crate::geometry::color;
use crate::size::CHANNELS;
use crate::tone::Table;
use crate::transform::Transform;

/// An image as rows and columns picked from a source.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// Row-major `(height, width, 3)`.
    pub(crate) source: &'a [u8],
    /// The source's width in pixels.
    pub(crate) width: usize,
    /// The source row of each row, or a colour's negative code.
    pub(crate) rows: &'a [i32],
    /// The source column of each column, or a colour's negative code.
    pub(crate) columns: &'a [i32],
    /// Where codes are looked up.
    pub(crate) transforms: &'a [Transform],
}

/// Writes the view to `out`, row-major `(rows, columns, 3)`, each byte through its channel's table.
pub(crate) fn render<T: Copy>(view: &View, table: &Table<T>, out: &mut [T]) {
    let [red, green, blue] = table;
    let stride = view.width * CHANNELS;
    let has_colors = view.columns.iter().any(|column| *column < 0);
    let paint = |pixel: &mut [T], [r, g, b]: [u8; CHANNELS]| {
        pixel[0] = red[usize::from(r)];
        pixel[1] = green[usize::from(g)];
        pixel[2] = blue[usize::from(b)];
    };
    for (&row, out) in view.rows.iter().zip(out.chunks_exact_mut(view.columns.len() * CHANNELS)) {
        let pixels = out.chunks_exact_mut(CHANNELS).zip(view.columns);
        let Ok(row_index) = usize::try_from(row) else {
            for (pixel, &column) in pixels {
                paint(pixel, color(view.transforms, row.min(column)));
            }
            continue;
        };
        let source = &view.source[row_index * stride..(row_index + 1) * stride];
        if has_colors {
            for (pixel, &column) in pixels {
                match usize::try_from(column) {
                    Ok(column) => paint(pixel, at(source, column)),
                    Err(_) => paint(pixel, color(view.transforms, column)),
                }
            }
        } else {
            for (pixel, &column) in pixels {
                paint(pixel, at(source, column as usize));
            }
        }
    }
}

fn at(row: &[u8], column: usize) -> [u8; CHANNELS] {
    let first = column * CHANNELS;
    [row[first], row[first + 1], row[first + 2]]
}

/// Overwrites the holes of an image that is `width` pixels wide.
pub(crate) fn fill<T: Copy>(out: &mut [T], width: usize, holes: &[Hole], value: [T; CHANNELS]) {
    for hole in holes {
        let (from, to) = (hole.left * CHANNELS, (hole.left + hole.width) * CHANNELS);
        for row in out.chunks_exact_mut(width * CHANNELS).skip(hole.top).take(hole.height) {
            row[from..to].chunks_exact_mut(CHANNELS).for_each(|pixel| pixel.copy_from_slice(&value));
        }
    }
}
