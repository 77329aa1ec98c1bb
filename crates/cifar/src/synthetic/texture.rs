//! Colours and the uneven grounds they make.

use super::random::Random;
use crate::{HEIGHT, WIDTH};

/// Red, green, blue, each 0 to 1 (beyond is cut off when the picture is written).
pub(super) type Colour = [f32; 3];

/// A colour of the given brightness (ITU-R BT.601 luma, 0 to 1), its hue an angle in radians.
pub(super) fn colour(luma: f32, hue: f32, saturation: f32) -> Colour {
    const THIRD: f32 = std::f32::consts::TAU / 3.0;
    let [r, g, b] = [hue.cos(), (hue - THIRD).cos(), (hue + THIRD).cos()];
    let grey = 0.299 * r + 0.587 * g + 0.114 * b;
    [r, g, b].map(|channel| luma + saturation * (channel - grey))
}

/// The point `t` (0 to 1) of the way from one colour to another.
pub(super) fn mix(from: Colour, to: Colour, t: f32) -> Colour {
    std::array::from_fn(|c| from[c] + (to[c] - from[c]) * t)
}

/// Smooth random heights over the picture, 0 to 1: value noise, bilinear between lattice points `CELL` pixels apart,
/// with a second octave of half the size and weight.
pub(super) struct Cloud {
    coarse: [[f32; COARSE]; COARSE],
    fine: [[f32; FINE]; FINE],
}

const CELL: usize = 8;
const COARSE: usize = HEIGHT / CELL + 1;
const FINE: usize = 2 * HEIGHT / CELL + 1;
const _: () = assert!(HEIGHT == WIDTH && HEIGHT.is_multiple_of(CELL));

impl Cloud {
    pub(super) fn new(random: &mut Random) -> Self {
        let mut cloud = Self { coarse: [[0.0; COARSE]; COARSE], fine: [[0.0; FINE]; FINE] };
        cloud.coarse.iter_mut().flatten().for_each(|height| *height = random.between((0.0, 1.0)));
        cloud.fine.iter_mut().flatten().for_each(|height| *height = random.between((0.0, 1.0)));
        cloud
    }

    /// Height at a pixel.
    pub(super) fn at(&self, row: usize, column: usize) -> f32 {
        (2.0 * lattice(&self.coarse, CELL, row, column) + lattice(&self.fine, CELL / 2, row, column)) / 3.0
    }
}

fn lattice<const N: usize>(heights: &[[f32; N]; N], cell: usize, row: usize, column: usize) -> f32 {
    let (r, c) = (row / cell, column / cell);
    let (down, right) = ((row % cell) as f32 / cell as f32, (column % cell) as f32 / cell as f32);
    let above = heights[r][c] + (heights[r][c + 1] - heights[r][c]) * right;
    let below = heights[r + 1][c] + (heights[r + 1][c + 1] - heights[r + 1][c]) * right;
    above + (below - above) * down
}
