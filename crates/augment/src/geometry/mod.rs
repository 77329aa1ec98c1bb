//! Geometry on bytes. Pads, flips and crops never move a pixel: they compose into two index lists ([`axis`]), along which
//! the final pass gathers. Only a rotation makes an intermediate image.

mod axis;
mod rotate;

use axis::{Axis, Edge};

use crate::check::Stage;
use crate::draw::Step;
use crate::render::{View, render};
use crate::size::Size;
use crate::tone::IDENTITY;
use crate::transform::{Border, Transform};

/// Buffers that are kept from image to image.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    rows: Axis,
    columns: Axis,
    /// The image after the last rotation.
    turned: Vec<u8>,
    /// A rotation's input, where pads, flips or crops come before it.
    gathered: Vec<u8>,
    deltas: Vec<[i32; 2]>,
}

/// The image, of size `input`, as the geometry among `transforms` leaves it.
pub(crate) fn trace<'a>(
    transforms: &'a [Transform],
    stages: &[Stage],
    steps: &[Step],
    input: Size,
    image: &'a [u8],
    scratch: &'a mut Scratch,
) -> View<'a> {
    let mut source_size = input;
    let mut is_turned = false;
    scratch.rows.reset(input.height);
    scratch.columns.reset(input.width);
    for (position, transform) in transforms.iter().enumerate() {
        let Stage { before, after } = stages[position];
        match (transform, &steps[position]) {
            (_, Step::Skipped) => {}
            (Transform::HorizontalFlip { .. } | Transform::AlternatingFlip { .. }, _) => {
                scratch.columns.mirror();
            }
            (Transform::Pad { border, .. } | Transform::PadIfNeeded { border, .. }, _) => {
                let edge = match border {
                    Border::Reflect101 => Edge::Reflect101,
                    Border::Constant(_) => Edge::Constant(color_code(position)),
                };
                let (rows, columns) = (after.height - before.height, after.width - before.width);
                scratch.rows.pad(rows / 2, rows - rows / 2, edge);
                scratch.columns.pad(columns / 2, columns - columns / 2, edge);
            }
            (Transform::CenterCrop { .. }, _) => {
                scratch.rows.crop((before.height - after.height) / 2, after.height);
                scratch.columns.crop((before.width - after.width) / 2, after.width);
            }
            (_, Step::Cropped { top, left }) => {
                scratch.rows.crop(*top, after.height);
                scratch.columns.crop(*left, after.width);
            }
            (Transform::Rotate { border, .. }, Step::Rotated { degrees }) => {
                let source = if is_turned { &scratch.turned } else { image };
                if scratch.rows.is_identity() && scratch.columns.is_identity() {
                    scratch.gathered.clear();
                    scratch.gathered.extend_from_slice(source);
                } else {
                    scratch.gathered.resize(before.values(), 0);
                    let view = View::new(source, source_size, &scratch.rows, &scratch.columns, transforms);
                    render(&view, &IDENTITY, &mut scratch.gathered);
                }
                let Scratch { gathered, turned, deltas, .. } = scratch;
                rotate::rotate(gathered, before, *degrees, *border, turned, deltas);
                scratch.rows.reset(before.height);
                scratch.columns.reset(before.width);
                source_size = before;
                is_turned = true;
            }
            _ => {} // normalisation and fills
        }
    }
    let source = if is_turned { &scratch.turned } else { image };
    View::new(source, source_size, &scratch.rows, &scratch.columns, transforms)
}

impl<'a> View<'a> {
    fn new(
        source: &'a [u8],
        size: Size,
        rows: &'a Axis,
        columns: &'a Axis,
        transforms: &'a [Transform],
    ) -> Self {
        Self { source, width: size.width, rows: rows.index(), columns: columns.index(), transforms }
    }
}

/// The code, in an index list, for the constant colour of the pad at `position`: negative, and lower for later ones.
fn color_code(position: usize) -> i32 {
    !(position as i32)
}

/// The colour for which a code stands.
pub(crate) fn color(transforms: &[Transform], code: i32) -> [u8; 3] {
    match transforms.get(!code as usize) {
        Some(
            Transform::Pad { border: Border::Constant(color), .. }
            | Transform::PadIfNeeded { border: Border::Constant(color), .. },
        ) => *color,
        _ => [0; 3],
    }
}
