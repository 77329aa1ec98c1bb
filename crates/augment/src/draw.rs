//! Drawing the parameters of a list.

use serde::{Deserialize, Serialize};

use crate::check::Stage;
use crate::error::AugmentError;
use crate::random::{Key, Stream};
use crate::size::Size;
use crate::transform::{Placement, Transform};

/// What was drawn for one image: a step for each transform, in the order of the list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// One step for each transform of the list.
    pub steps: Vec<Step>,
}

/// What one transform does to one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Nothing: its chance did not come up.
    Skipped,
    /// What it does to any image: normalising, padding, mirroring, cropping the middle.
    Applied,
    /// A window was cut out whose first pixel is at this row and column.
    Cropped {
        /// First row.
        top: usize,
        /// First column.
        left: usize,
    },
    /// The image was turned anticlockwise by this angle.
    Rotated {
        /// The angle in degrees.
        degrees: f32,
    },
    /// These rectangles of the final image were filled.
    Erased {
        /// The holes, cut off at the image's edges; those that miss the image are left out.
        holes: Vec<Hole>,
    },
}

/// A rectangle of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hole {
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Placement {
    /// The area within which a hole lies wholly.
    pub(crate) fn canvas(self, image: Size) -> Size {
        match self {
            Self::Inside => image,
            Self::Overhanging => Size::new(2 * image.height, 2 * image.width),
        }
    }

    /// Where, in that area, the image begins.
    fn origin(self, image: Size) -> (usize, usize) {
        match self {
            Self::Inside => (0, 0),
            Self::Overhanging => (image.height / 2, image.width / 2),
        }
    }
}

impl Hole {
    /// The part of this hole, given in canvas coordinates, that lies in the image.
    fn in_image(self, placement: Placement, image: Size) -> Option<Self> {
        let (first_row, first_column) = placement.origin(image);
        let clip = |start: usize, length: usize, origin: usize, side: usize| {
            let from = start.max(origin);
            let to = (start + length).min(origin + side);
            (from < to).then(|| (from - origin, to - from))
        };
        let (top, height) = clip(self.top, self.height, first_row, image.height)?;
        let (left, width) = clip(self.left, self.width, first_column, image.width)?;
        Some(Self { top, left, height, width })
    }
}

/// Draws for the transform at `position`. `random` documents which draws are taken for what.
pub(crate) fn draw_step(transform: &Transform, stage: Stage, key: Key, position: usize) -> Step {
    let mut stream = match transform {
        Transform::AlternatingFlip { .. } => Stream::new(Key { epoch: 0, ..key }, position as u64),
        _ => Stream::new(key, position as u64),
    };
    let mut applied = stream.chance(transform.probability());
    if matches!(transform, Transform::AlternatingFlip { .. }) {
        applied ^= key.epoch % 2 == 1;
    }
    if !applied {
        return Step::Skipped;
    }
    // Sides are at most 2·MAX_SIDE, far below 2^32.
    let mut offset = |room: usize, size: usize| stream.below((room - size + 1) as u32) as usize;
    match *transform {
        Transform::RandomCrop { height, width, .. } => Step::Cropped {
            top: offset(stage.before.height, height),
            left: offset(stage.before.width, width),
        },
        Transform::Rotate { limit, .. } => Step::Rotated { degrees: (2.0 * stream.uniform() - 1.0) * limit },
        Transform::CoarseDropout { holes, height, width, placement, .. } => {
            let canvas = placement.canvas(stage.before);
            let hole = |_| {
                let (top, left) = (offset(canvas.height, height), offset(canvas.width, width));
                Hole { top, left, height, width }.in_image(placement, stage.before)
            };
            Step::Erased { holes: (0..holes).filter_map(hole).collect() }
        }
        Transform::Normalize { .. }
        | Transform::HorizontalFlip { .. }
        | Transform::AlternatingFlip { .. }
        | Transform::Pad { .. }
        | Transform::PadIfNeeded { .. }
        | Transform::CenterCrop { .. } => Step::Applied,
    }
}

/// Refuses a step that this transform cannot have drawn, so that applying it cannot leave the image.
pub(crate) fn check_step(
    transform: &Transform,
    stage: Stage,
    position: usize,
    step: &Step,
) -> Result<(), AugmentError> {
    let Stage { before, after } = stage;
    let within =
        |start: usize, length: usize, side: usize| start.checked_add(length).is_some_and(|end| end <= side);
    let (expected, fits) = match (transform, step) {
        // Skipping is possible for all but what changes the size.
        (_, Step::Skipped) => (format!("{} to be applied", transform.name()), before == after),
        (Transform::RandomCrop { height, width, .. }, step) => {
            let fits = matches!(*step, Step::Cropped { top, left }
                if within(top, *height, before.height) && within(left, *width, before.width));
            (format!("`cropped`, a {after} window inside a {before} image"), fits)
        }
        (Transform::Rotate { .. }, step) => (
            "`rotated` by a finite angle".into(),
            matches!(step, Step::Rotated { degrees } if degrees.is_finite()),
        ),
        (Transform::CoarseDropout { holes: most, .. }, step) => {
            let inside = |hole: &Hole| {
                within(hole.top, hole.height, after.height) && within(hole.left, hole.width, after.width)
            };
            let fits =
                matches!(step, Step::Erased { holes } if holes.len() <= *most && holes.iter().all(inside));
            (format!("`erased`, with at most {most} holes inside a {after} image"), fits)
        }
        (_, step) => ("`applied`".into(), *step == Step::Applied),
    };
    if fits { Ok(()) } else { Err(AugmentError::Drawn { position, expected, got: format!("{step:?}") }) }
}

/// A step in words, or nothing where it says nothing about this image in particular.
pub(crate) fn words(transform: &Transform, step: &Step) -> Option<String> {
    match (transform, step) {
        (Transform::HorizontalFlip { .. } | Transform::AlternatingFlip { .. }, Step::Applied) => {
            Some("mirrored".into())
        }
        (_, Step::Cropped { top, left }) => Some(format!("cropped from row {top}, column {left}")),
        (_, Step::Rotated { degrees }) => Some(format!("turned by {degrees:+.1}°")),
        (_, Step::Erased { holes }) if holes.is_empty() => Some("hole beside the image".into()),
        (_, Step::Erased { holes }) => {
            let span = |what: &str, first: usize, length: usize| match length {
                1 => format!("{what} {first}"),
                _ => format!("{what}s {first}–{}", first + length - 1),
            };
            let hole = |h: &Hole| {
                format!("erased {}, {}", span("row", h.top, h.height), span("column", h.left, h.width))
            };
            Some(holes.iter().map(hole).collect::<Vec<_>>().join(", "))
        }
        (_, Step::Skipped | Step::Applied) => None,
    }
}
