//! Geometry on bytes. Pads, flips and crops never move a pixel: they compose into two index lists ([`axis`]), along which
//! the final pass gathers. Only a rotation makes an intermediate image.

mod axes;
mod axis;
pub(crate) mod rotate;

pub(crate) use axes::{Axes, color, color_code};

use crate::check::Stage;
use crate::draw::Step;
use crate::render::{View, render};
use crate::size::Size;
use crate::tone::IDENTITY;
use crate::transform::Transform;

/// Buffers that are kept from image to image.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    axes: Axes,
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
    scratch.axes.reset(input);
    for (position, transform) in transforms.iter().enumerate() {
        let stage = stages[position];
        if let (Transform::Rotate { border, .. }, Step::Rotated { degrees }) = (transform, &steps[position]) {
            let before = stage.before;
            let source = if is_turned { &scratch.turned } else { image };
            if scratch.axes.is_identity() {
                scratch.gathered.clear();
                scratch.gathered.extend_from_slice(source);
            } else {
                scratch.gathered.resize(before.values(), 0);
                let view = View::new(source, source_size, &scratch.axes, transforms);
                render(&view, &IDENTITY, &mut scratch.gathered);
            }
            let Scratch { gathered, turned, deltas, .. } = scratch;
            rotate::rotate(gathered, before, *degrees, *border, turned, deltas);
            scratch.axes.reset(before);
            source_size = before;
            is_turned = true;
        } else {
            scratch.axes.apply(transform, &steps[position], stage, position);
        }
    }
    let source = if is_turned { &scratch.turned } else { image };
    View::new(source, source_size, &scratch.axes, transforms)
}

impl<'a> View<'a> {
    fn new(source: &'a [u8], size: Size, axes: &'a Axes, transforms: &'a [Transform]) -> Self {
        let (rows, columns) = (axes.rows(), axes.columns());
        Self { source, width: size.width, rows, columns, transforms }
    }
}
