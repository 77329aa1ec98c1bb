//! From drawn parameters to words.

use super::PackedList;
use super::layout::{HOLE, NORMALIZED, ROTATED, pack_matrix};
use crate::draw::{Drawn, Hole, Step};
use crate::error::AugmentError;
use crate::geometry::Axes;
use crate::geometry::rotate::Matrix;
use crate::random::Key;
use crate::transform::Transform;

/// Appends the words of one image after the other, in the layout that [the module](super) describes. It keeps buffers from image to
/// image and nothing else: what it writes for one does not depend on those before.
#[derive(Debug)]
pub struct Packer<'a> {
    list: &'a PackedList,
    axes: Axes,
    drawn: Drawn,
}

impl<'a> Packer<'a> {
    pub(super) fn new(list: &'a PackedList) -> Self {
        Self { list, axes: Axes::default(), drawn: Drawn::default() }
    }

    /// Draws for an image in an epoch, and appends its words.
    pub fn pack_key(&mut self, key: Key, words: &mut Vec<i16>) {
        self.list.augmentation.draw_into(key, &mut self.drawn);
        append(self.list, &self.drawn, &mut self.axes, words);
    }

    /// Appends the words of what was drawn before.
    ///
    /// # Errors
    ///
    /// [`AugmentError::Drawn`] for parameters that this list cannot have drawn; nothing is appended then.
    pub fn pack(&mut self, drawn: &Drawn, words: &mut Vec<i16>) -> Result<(), AugmentError> {
        self.list.augmentation.check_drawn(drawn)?;
        append(self.list, drawn, &mut self.axes, words);
        Ok(())
    }
}

/// Appends an image's words; those that nothing sets are 0.
fn append(list: &PackedList, drawn: &Drawn, axes: &mut Axes, words: &mut Vec<i16>) {
    let PackedList { augmentation, layout, .. } = list;
    let start = words.len();
    words.resize(start + layout.stride(), 0);
    let words = &mut words[start..];
    let entries = augmentation.transforms().iter().zip(augmentation.stages()).zip(&drawn.steps);
    words[NORMALIZED] = i16::from(augmentation.is_normalized(drawn));
    let mut first_hole = layout.holes.start;
    axes.reset(augmentation.input());
    for (position, ((transform, stage), step)) in entries.enumerate() {
        match (transform, step) {
            (Transform::Rotate { .. }, Step::Rotated { degrees }) => {
                words[ROTATED] = 1;
                pack_matrix(Matrix::new(stage.before, *degrees), &mut words[layout.matrix.clone()]);
                pack_index(axes.rows(), &mut words[layout.rotated_rows.clone()]);
                pack_index(axes.columns(), &mut words[layout.rotated_columns.clone()]);
                axes.reset(stage.before);
            }
            (Transform::CoarseDropout { holes: most, .. }, step) => {
                if let Step::Erased { holes } = step {
                    for (hole, words) in holes.iter().zip(words[first_hole..].chunks_exact_mut(HOLE)) {
                        words.copy_from_slice(&corners(*hole));
                    }
                }
                first_hole += most * HOLE;
            }
            _ => axes.apply(transform, step, *stage, position),
        }
    }
    pack_index(axes.rows(), &mut words[layout.rows.clone()]);
    pack_index(axes.columns(), &mut words[layout.columns.clone()]);
}

/// Sides and codes fit a word: the one as [`MAX_SIDE`](crate::MAX_SIDE) does, the other since longer lists are not packed.
fn pack_index(index: &[i32], words: &mut [i16]) {
    for (word, index) in words.iter_mut().zip(index) {
        *word = *index as i16;
    }
}

fn corners(hole: Hole) -> [i16; HOLE] {
    [hole.top, hole.left, hole.top + hole.height, hole.left + hole.width].map(|side| side as i16)
}
