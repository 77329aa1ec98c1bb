//! Rotation, bit for bit as OpenCV's `warpAffine(INTER_LINEAR)` does it on bytes.
//!
//! The matrix is `getRotationMatrix2D(((w−1)/2, (h−1)/2), degrees, 1)`, inverted; OpenCV then goes over to fixed point: the matrix
//! times column, and times row plus offset, are each rounded to 1/1024 pixel, their sum to 1/32 pixel (round half up), and the four
//! neighbours are weighted in multiples of 1/1024 and rounded half up. (`modules/imgproc/src/imgwarp.cpp`: `AB_BITS` = 10,
//! `INTER_BITS` = 5, `INTER_REMAP_COEF_BITS` = 15; its weights are these times 32.)

use crate::size::{CHANNELS, Size};
use crate::transform::Border;

/// Fixed-point steps a pixel while coordinates are summed.
const COORDINATE_SCALE: f64 = 1024.0;
/// Steps a pixel into which coordinates are rounded.
const STEPS: i32 = 32;
/// From the one to the other.
const SHIFT: u32 = 5;
/// Half of a final step, in the coordinates' scale: rounds the shift to nearest.
const HALF_STEP: i32 = 1 << (SHIFT - 1);

/// Turns `source` (row-major `(height, width, 3)`) by `degrees` anticlockwise about its centre, into `out`.
pub(crate) fn rotate(
    source: &[u8],
    size: Size,
    degrees: f32,
    border: Border,
    out: &mut Vec<u8>,
    columns: &mut Vec<[i32; 2]>,
) {
    let Size { height, width } = size;
    let matrix = Matrix::new(size, degrees);
    columns.clear();
    columns.extend((0..width).map(|x| matrix.column(x)));
    out.resize(size.values(), 0);
    let stride = width * CHANNELS;
    // The last row and column that have a neighbour below and to the right.
    let (rows_inside, columns_inside) = (height as i32 - 1, width as i32 - 1);
    for (y, row) in out.chunks_exact_mut(stride).enumerate() {
        let start = matrix.row(y);
        for (pixel, column) in row.chunks_exact_mut(CHANNELS).zip(columns.iter()) {
            let place = Place::new(start, *column);
            let Place { x, y, .. } = place;
            let mixed: [u8; CHANNELS] = if (0..columns_inside).contains(&x) && (0..rows_inside).contains(&y) {
                let first = y as usize * stride + x as usize * CHANNELS;
                let above = &source[first..first + 2 * CHANNELS];
                let below = &source[first + stride..first + stride + 2 * CHANNELS];
                let at = |row: &[u8], k: usize| i32::from(row[k]);
                std::array::from_fn(|k| {
                    place.mix([at(above, k), at(above, k + CHANNELS), at(below, k), at(below, k + CHANNELS)])
                })
            } else {
                let at = |x, y| neighbour(source, size, x, y, border);
                let corners = [at(x, y), at(x + 1, y), at(x, y + 1), at(x + 1, y + 1)];
                std::array::from_fn(|k| place.mix(corners.map(|corner| corner[k])))
            };
            pixel.copy_from_slice(&mixed);
        }
    }
}

/// From the result's `(x, y, 1)` to the source's `x` (first row) and `y` (second row).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Matrix(pub(crate) [[f64; 3]; 2]);

impl Matrix {
    /// The inverse of OpenCV's matrix. The order of operations is OpenCV's, too: it decides the last bit.
    pub(crate) fn new(size: Size, degrees: f32) -> Self {
        let (center_x, center_y) = ((size.width as f64 - 1.0) / 2.0, (size.height as f64 - 1.0) / 2.0);
        let (sin, cos) = (f64::from(degrees) * (std::f64::consts::PI / 180.0)).sin_cos();
        let forward = [
            [cos, sin, (1.0 - cos) * center_x - sin * center_y],
            [-sin, cos, sin * center_x + (1.0 - cos) * center_y],
        ];
        let determinant = forward[0][0] * forward[1][1] - forward[0][1] * forward[1][0];
        let d = 1.0 / determinant; // a rotation's determinant is 1, up to rounding
        let (ax, by) = (forward[1][1] * d, forward[0][0] * d);
        let (ay, bx) = (forward[0][1] * -d, forward[1][0] * -d);
        let a0 = -ax * forward[0][2] - ay * forward[1][2];
        let b0 = -bx * forward[0][2] - by * forward[1][2];
        Self([[ax, ay, a0], [bx, by, b0]])
    }

    /// What a column adds to the source's x and y, in 1/1024 pixel.
    pub(crate) fn column(self, x: usize) -> [i32; 2] {
        self.0.map(|[column, _, _]| fixed(column * x as f64))
    }

    /// What a row and the offset come to.
    pub(crate) fn row(self, y: usize) -> [i32; 2] {
        self.0.map(|[_, row, offset]| fixed(row * y as f64 + offset))
    }
}

/// A place in the source: the pixel above and to the left of it, and how far beyond, in 1/32 pixel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) x: i32,
    pub(crate) y: i32,
    fx: i32,
    fy: i32,
}

impl Place {
    /// Of what a matrix's row and column come to.
    pub(crate) fn new(row: [i32; 2], column: [i32; 2]) -> Self {
        let at_x = (row[0] + HALF_STEP + column[0]) >> SHIFT;
        let at_y = (row[1] + HALF_STEP + column[1]) >> SHIFT;
        Self { x: at_x >> SHIFT, y: at_y >> SHIFT, fx: at_x & (STEPS - 1), fy: at_y & (STEPS - 1) }
    }

    /// The mean of one channel of the pixels here, to the right, below, and below to the right, weighted by nearness.
    pub(crate) fn mix(self, [a, b, c, d]: [i32; 4]) -> u8 {
        let top = a * (STEPS - self.fx) + b * self.fx;
        let bottom = c * (STEPS - self.fx) + d * self.fx;
        ((top * (STEPS - self.fy) + bottom * self.fy + STEPS * STEPS / 2) >> (2 * SHIFT)) as u8
    }
}

fn fixed(x: f64) -> i32 {
    (x * COORDINATE_SCALE).round_ties_even() as i32
}

fn neighbour(source: &[u8], size: Size, x: i32, y: i32, border: Border) -> [i32; CHANNELS] {
    let inside = |at: i32, side: usize| (0..side as i32).contains(&at);
    let (x, y) = match border {
        Border::Constant(color) if !(inside(x, size.width) && inside(y, size.height)) => {
            return color.map(i32::from);
        }
        _ => (reflect101(x, size.width), reflect101(y, size.height)),
    };
    let first = (y * size.width + x) * CHANNELS;
    std::array::from_fn(|k| i32::from(source[first + k]))
}

/// The index within `0..side` that `at` falls on when the image is mirrored about its edge pixels again and again.
pub(crate) fn reflect101(at: i32, side: usize) -> usize {
    if side == 1 {
        return 0;
    }
    let last = side as i32 - 1;
    let at = at.rem_euclid(2 * last);
    at.min(2 * last - at) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reflection_goes_on_forever() {
        let got: Vec<usize> = (-7..9).map(|x| reflect101(x, 4)).collect();
        assert_eq!(got, [1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2]);
        assert!((-5..5).all(|x| reflect101(x, 1) == 0));
    }

    #[test]
    fn a_quarter_turn_is_anticlockwise() {
        // A 2×2 image of grey levels 10 20 / 30 40: the top right corner comes to the top left.
        let image: Vec<u8> = [10, 20, 30, 40].iter().flat_map(|g| [*g; 3]).collect();
        let (mut out, mut columns) = (Vec::new(), Vec::new());
        rotate(&image, Size::new(2, 2), 90.0, Border::Reflect101, &mut out, &mut columns);
        let grey: Vec<u8> = out.chunks(3).map(|p| p[0]).collect();
        assert_eq!(grey, [20, 40, 10, 30]);
    }
}
