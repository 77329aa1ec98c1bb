//! Which words of an image are what.

use std::ops::Range;

use crate::geometry::rotate::Matrix;
use crate::size::Size;

/// Whether the image is normalised.
pub(super) const NORMALIZED: usize = 0;
/// Whether it is rotated.
pub(super) const ROTATED: usize = 1;
/// Words of a hole.
pub(super) const HOLE: usize = 4;
/// Words of an f64.
const WIDE: usize = 4;
/// An inverse rotation, as f64s.
const MATRIX: usize = 6;

/// Where the words are that a list's size and holes place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
    pub(super) holes: Range<usize>,
    /// Empty, as what follows, where the list has no rotation.
    pub(super) matrix: Range<usize>,
    pub(super) rotated_rows: Range<usize>,
    pub(super) rotated_columns: Range<usize>,
}

impl Layout {
    pub(super) fn new(output: Size, holes: usize, rotated: Option<Size>) -> Self {
        let matrix = if rotated.is_some() { MATRIX * WIDE } else { 0 };
        let rotated = rotated.unwrap_or(Size::new(0, 0));
        let mut end = ROTATED + 1;
        let mut next = |length: usize| {
            let start = end;
            end += length;
            start..end
        };
        Self {
            rows: next(output.height),
            columns: next(output.width),
            holes: next(holes * HOLE),
            matrix: next(matrix),
            rotated_rows: next(rotated.height),
            rotated_columns: next(rotated.width),
        }
    }

    pub(super) fn stride(&self) -> usize {
        self.rotated_columns.end
    }

    pub(super) fn has_rotation(&self) -> bool {
        !self.matrix.is_empty()
    }
}

/// An inverse rotation as its words.
pub(super) fn pack_matrix(Matrix(matrix): Matrix, words: &mut [i16]) {
    for (words, value) in words.chunks_exact_mut(WIDE).zip(matrix.as_flattened()) {
        let bits = value.to_bits();
        for (i, word) in words.iter_mut().enumerate() {
            *word = (bits >> (16 * i)) as i16;
        }
    }
}

/// An inverse rotation from its words.
pub(super) fn unpack_matrix(words: &[i16]) -> Matrix {
    let mut matrix = [[0.0; MATRIX / 2]; 2];
    for (value, words) in matrix.as_flattened_mut().iter_mut().zip(words.chunks_exact(WIDE)) {
        let bits = words.iter().rev().fold(0, |bits, word| (bits << 16) | u64::from(*word as u16));
        *value = f64::from_bits(bits);
    }
    Matrix(matrix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lie_where_they_are_documented() {
        let layout = Layout::new(Size::new(5, 7), 3, None);
        assert_eq!((layout.rows.clone(), layout.columns.clone()), (2..7, 7..14));
        assert_eq!((layout.holes.clone(), layout.stride()), (14..26, 26));
        assert!(!layout.has_rotation());
        let layout = Layout::new(Size::new(5, 7), 0, Some(Size::new(9, 8)));
        assert_eq!((layout.holes.clone(), layout.matrix.clone()), (14..14, 14..38));
        assert_eq!((layout.rotated_rows.clone(), layout.rotated_columns.clone()), (38..47, 47..55));
        assert_eq!(layout.stride(), 55);
    }

    #[test]
    fn a_matrix_keeps_its_bits() {
        let matrix = Matrix::new(Size::new(9, 8), -7.3);
        let mut words = [0; 24];
        pack_matrix(matrix, &mut words);
        assert_eq!(unpack_matrix(&words), matrix);
        pack_matrix(Matrix([[1.0, -0.0, 0.0], [0.0; 3]]), &mut words);
        assert_eq!(words[..8], [0, 0, 0, 0x3FF0, 0, 0, 0, i16::MIN]); // 1.0 is 0x3FF0_0000_0000_0000
    }
}
