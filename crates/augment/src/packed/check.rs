//! Refuses words that no packer of the list has written, so that applying them cannot leave the image.

use std::ops::Range;

use super::layout::{NORMALIZED, ROTATED, unpack_matrix};
use super::{COLORS, PackedList};
use crate::error::AugmentError;
use crate::size::{MAX_SIDE, Size};

impl PackedList {
    /// Checks an image's words, of which there are as many as there should be.
    pub(super) fn check(&self, words: &[i16]) -> Result<(), AugmentError> {
        let Self { layout, .. } = self;
        let check = Check { words, codes: self.integers.len() - COLORS };
        check.within(NORMALIZED..NORMALIZED + 1, 0..2)?;
        check.within(ROTATED..ROTATED + 1, 0..1 + i16::from(layout.has_rotation()))?;
        let is_rotated = words[ROTATED] == 1;
        let (input, output) = (self.input(), self.output());
        let rotated = Size::new(layout.rotated_rows.len(), layout.rotated_columns.len());
        let source = if is_rotated { rotated } else { input };
        check.indices(layout.rows.clone(), source.height)?;
        check.indices(layout.columns.clone(), source.width)?;
        for (i, word) in layout.holes.clone().enumerate() {
            let side = if i % 2 == 0 { output.height } else { output.width };
            check.within(word..word + 1, 0..side as i16 + 1)?;
        }
        if is_rotated {
            check.matrix(layout.matrix.clone())?;
            check.indices(layout.rotated_rows.clone(), input.height)?;
            check.indices(layout.rotated_columns.clone(), input.width)?;
        }
        Ok(())
    }
}

struct Check<'a> {
    words: &'a [i16],
    /// How many colours there are.
    codes: usize,
}

impl Check<'_> {
    /// Rows or columns of a source that has `side` of them, or codes.
    fn indices(&self, place: Range<usize>, side: usize) -> Result<(), AugmentError> {
        // At most 2^15 codes and a side of at most `MAX_SIDE`.
        self.within(place, (-(self.codes as i32)) as i16..side as i16)
    }

    fn within(&self, mut place: Range<usize>, allowed: Range<i16>) -> Result<(), AugmentError> {
        let Some(word) = place.find(|word| !allowed.contains(&self.words[*word])) else { return Ok(()) };
        let expected = format!("{} to {}", allowed.start, allowed.end - 1);
        Err(AugmentError::Words { word, expected, got: self.words[word].to_string() })
    }

    /// Numbers far from those of a rotation would leave the range of the fixed-point coordinates.
    fn matrix(&self, place: Range<usize>) -> Result<(), AugmentError> {
        let matrix = unpack_matrix(&self.words[place.clone()]);
        let most = [2.0, 2.0, 4.0 * MAX_SIDE as f64];
        let is_possible =
            matrix.0.iter().flat_map(|row| row.iter().zip(most)).all(|(value, most)| value.abs() <= most);
        if is_possible {
            return Ok(());
        }
        let expected = "the inverse of a rotation".into();
        Err(AugmentError::Words { word: place.start, expected, got: format!("{:?}", matrix.0) })
    }
}
