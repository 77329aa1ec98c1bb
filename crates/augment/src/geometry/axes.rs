//! Both index lists of an image, and what each transform but a rotation does to them.

use super::axis::{Axis, Edge};
use crate::check::Stage;
use crate::draw::Step;
use crate::size::Size;
use crate::transform::{Border, Transform};

/// Where each row and each column of the image so far comes from.
#[derive(Debug, Default)]
pub(crate) struct Axes {
    rows: Axis,
    columns: Axis,
}

impl Axes {
    /// Back to an untouched source of this size.
    pub(crate) fn reset(&mut self, size: Size) {
        self.rows.reset(size.height);
        self.columns.reset(size.width);
    }

    /// The source row of each row, or a colour's negative code.
    pub(crate) fn rows(&self) -> &[i32] {
        self.rows.index()
    }

    /// The source column of each column, or a colour's negative code.
    pub(crate) fn columns(&self) -> &[i32] {
        self.columns.index()
    }

    /// Whether nothing has happened since the reset. (Something that came to nothing counts as something.)
    pub(crate) fn is_identity(&self) -> bool {
        self.rows.is_identity() && self.columns.is_identity()
    }

    /// Pads, mirrors or crops, as the transform at `position` does in this step. Anything else leaves the lists as they are.
    pub(crate) fn apply(&mut self, transform: &Transform, step: &Step, stage: Stage, position: usize) {
        let Stage { before, after } = stage;
        match (transform, step) {
            (_, Step::Skipped) => {}
            (Transform::HorizontalFlip { .. } | Transform::AlternatingFlip { .. }, _) => {
                self.columns.mirror();
            }
            (Transform::Pad { border, .. } | Transform::PadIfNeeded { border, .. }, _) => {
                let edge = match border {
                    Border::Reflect101 => Edge::Reflect101,
                    Border::Constant(_) => Edge::Constant(color_code(position)),
                };
                let (rows, columns) = (after.height - before.height, after.width - before.width);
                self.rows.pad(rows / 2, rows - rows / 2, edge);
                self.columns.pad(columns / 2, columns - columns / 2, edge);
            }
            (Transform::CenterCrop { .. }, _) => {
                self.rows.crop((before.height - after.height) / 2, after.height);
                self.columns.crop((before.width - after.width) / 2, after.width);
            }
            (_, Step::Cropped { top, left }) => {
                self.rows.crop(*top, after.height);
                self.columns.crop(*left, after.width);
            }
            _ => {} // rotation, normalisation and fills
        }
    }
}

/// The code, in an index list, for the constant colour of the transform at `position`: negative, and lower for later ones.
pub(crate) fn color_code(position: usize) -> i32 {
    !(position as i32)
}

/// The colour for which a code stands.
pub(crate) fn color(transforms: &[Transform], code: i32) -> [u8; 3] {
    match transforms.get(!code as usize) {
        Some(
            Transform::Pad { border: Border::Constant(color), .. }
            | Transform::PadIfNeeded { border: Border::Constant(color), .. }
            | Transform::Rotate { border: Border::Constant(color), .. },
        ) => *color,
        _ => [0; 3],
    }
}
