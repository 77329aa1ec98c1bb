//! Checking a list: every parameter alone, then against the image it would get.

use crate::error::AugmentError;
use crate::size::{MAX_SIDE, Size};
use crate::tone::Tone;
use crate::transform::{Border, Placement, Transform};

/// More holes than this are refused as a slip of the pen.
const MAX_HOLES: usize = 1024;

/// The image's size before and after a transform. Normalisation and fills have the final size in both places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stage {
    pub(crate) before: Size,
    pub(crate) after: Size,
}

/// The sizes around each transform of a list, for images of size `input`, or what is wrong with the list.
pub(crate) fn check(transforms: &[Transform], input: Size) -> Result<Vec<Stage>, AugmentError> {
    if !side_is_possible(input.height) || !side_is_possible(input.width) {
        return Err(AugmentError::InputSize { size: input });
    }
    let mut first_normalize = None;
    for (position, transform) in transforms.iter().enumerate() {
        check_alone(Entry { position, transform })?;
        if matches!(transform, Transform::Normalize { .. }) {
            if let Some(first) = first_normalize {
                return Err(AugmentError::TwoNormalize { first, second: position });
            }
            first_normalize = Some(position);
        }
    }
    let mut size = input;
    let mut stages = Vec::with_capacity(transforms.len());
    for (position, transform) in transforms.iter().enumerate() {
        let before = size;
        size = size_after(Entry { position, transform }, before)?;
        stages.push(Stage { before, after: size });
    }
    for (position, transform) in transforms.iter().enumerate() {
        if matches!(transform, Transform::Normalize { .. } | Transform::CoarseDropout { .. }) {
            stages[position] = Stage { before: size, after: size };
            check_holes(Entry { position, transform }, size)?;
        }
    }
    Ok(stages)
}

fn side_is_possible(side: usize) -> bool {
    (1..=MAX_SIDE).contains(&side)
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    position: usize,
    transform: &'a Transform,
}

impl Entry<'_> {
    fn error(self, key: &'static str, value: impl ToString, allowed: impl Into<String>) -> AugmentError {
        AugmentError::Value {
            position: self.position,
            transform: self.transform.name(),
            key,
            value: value.to_string(),
            allowed: allowed.into(),
        }
    }

    fn sides(self, height: usize, width: usize, most: Size, of: &str) -> Result<(), AugmentError> {
        for (key, value, most) in [("height", height, most.height), ("width", width, most.width)] {
            if !(1..=most).contains(&value) {
                return Err(self.error(key, value, format!("1 to {most}, {of}")));
            }
        }
        Ok(())
    }
}

fn check_alone(entry: Entry) -> Result<(), AugmentError> {
    let p = entry.transform.probability();
    if !(0.0..=1.0).contains(&p) {
        return Err(entry.error("p", p, "a probability, 0 to 1"));
    }
    match *entry.transform {
        Transform::Normalize { mean, std, .. } => {
            if mean.iter().any(|x| !x.is_finite()) {
                return Err(entry.error("mean", format!("{mean:?}"), "three finite numbers"));
            }
            if !std.iter().all(|x| x.is_finite() && *x > 0.0) {
                return Err(entry.error("std", format!("{std:?}"), "three finite numbers greater than 0"));
            }
            if !Tone::normalized(mean, std).is_finite() {
                let allowed = "large enough for the normalised values to be finite";
                return Err(entry.error("std", format!("{std:?}"), allowed));
            }
        }
        Transform::Rotate { limit, .. } if !(0.0..=180.0).contains(&limit) => {
            return Err(entry.error("limit", limit, "an angle in degrees, 0 to 180"));
        }
        Transform::CoarseDropout { holes, fill, .. } => {
            if !(1..=MAX_HOLES).contains(&holes) {
                return Err(entry.error("holes", holes, format!("1 to {MAX_HOLES}")));
            }
            if !fill.is_finite() {
                return Err(entry.error("fill", format!("{fill:?}"), "finite"));
            }
        }
        _ => {}
    }
    Ok(())
}

/// The size that a transform makes of `before`: the same for all but pads and crops.
fn size_after(entry: Entry, before: Size) -> Result<Size, AugmentError> {
    if entry.transform.probability() == 0.0 {
        return Ok(before);
    }
    let after = match *entry.transform {
        Transform::Pad { amount, border, .. } => {
            let room = (MAX_SIDE - before.height.max(before.width)) / 2;
            let most = match border {
                Border::Reflect101 => room.min(before.height.min(before.width) - 1),
                Border::Constant(_) => room,
            };
            if amount > most {
                return Err(entry.error("amount", amount, allowed_pad(most, border, before)));
            }
            Size::new(before.height + 2 * amount, before.width + 2 * amount)
        }
        Transform::PadIfNeeded { height, width, border, .. } => {
            for (key, wanted, side) in [("height", height, before.height), ("width", width, before.width)] {
                let most = match border {
                    // At most side − 1 pixels can be mirrored on each side.
                    Border::Reflect101 => (3 * side - 2).min(MAX_SIDE),
                    Border::Constant(_) => MAX_SIDE,
                };
                if !(1..=most).contains(&wanted) {
                    return Err(entry.error(key, wanted, allowed_pad(most, border, before)));
                }
            }
            Size::new(before.height.max(height), before.width.max(width))
        }
        Transform::RandomCrop { height, width, .. } | Transform::CenterCrop { height, width, .. } => {
            entry.sides(
                height,
                width,
                before,
                &format!("as the image is {before} at this point of the list"),
            )?;
            Size::new(height, width)
        }
        _ => before,
    };
    if after != before && entry.transform.probability() != 1.0 {
        let allowed =
            format!("1 or 0, since it turns {before} images into {after} ones and all must have one size");
        return Err(entry.error("p", entry.transform.probability(), allowed));
    }
    Ok(after)
}

fn allowed_pad(most: usize, border: Border, before: Size) -> String {
    match border {
        Border::Reflect101 => {
            format!(
                "at most {most}, since reflect101 can only mirror what the {before} image has (or border: a constant)"
            )
        }
        Border::Constant(_) => format!("at most {most}, so that no side exceeds {MAX_SIDE} pixels"),
    }
}

fn check_holes(entry: Entry, size: Size) -> Result<(), AugmentError> {
    let Transform::CoarseDropout { height, width, placement, .. } = *entry.transform else { return Ok(()) };
    let (most, of) = match placement {
        Placement::Inside => (size, format!("as a hole lies inside the final {size} image")),
        Placement::Overhanging => {
            let canvas = placement.canvas(size);
            (canvas, format!("as a hole lies inside a {canvas} canvas around the final {size} image"))
        }
    };
    entry.sides(height, width, most, &of)
}
