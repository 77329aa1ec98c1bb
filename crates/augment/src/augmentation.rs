//! A checked list, ready to draw and to apply.

use crate::check::{Stage, check};
use crate::draw::{Drawn, Step, check_step, draw_step, words};
use crate::error::AugmentError;
use crate::geometry::{Scratch, trace};
use crate::random::Key;
use crate::render::{fill, render};
use crate::size::Size;
use crate::tone::{IDENTITY, Table, Tone};
use crate::transform::{Fill, Transform};

/// A list of transforms that has been checked against the size of the images it is for.
///
/// It is plain data and shared freely between threads: all methods take `&self`.
#[derive(Clone, Debug)]
pub struct Augmentation {
    transforms: Vec<Transform>,
    stages: Vec<Stage>,
    input: Size,
    output: Size,
    normalized: Tone,
    plain: Tone,
}

impl Augmentation {
    /// Checks `transforms` for images of size `input`.
    ///
    /// # Errors
    ///
    /// [`AugmentError::Value`] names the transform, the parameter, its value and what it may be: a probability outside 0 to 1 (or
    /// between, for what changes the size), a crop, hole or reflection larger than its image, a size of 0, a
    /// standard deviation that is not positive, an angle outside 0 to 180°, anything not finite.
    /// [`AugmentError::TwoNormalize`] and [`AugmentError::InputSize`] say what their names say.
    pub fn new(transforms: &[Transform], input: Size) -> Result<Self, AugmentError> {
        let stages = check(transforms, input)?;
        Ok(Self::assemble(transforms.to_vec(), stages, input))
    }

    fn assemble(transforms: Vec<Transform>, stages: Vec<Stage>, input: Size) -> Self {
        let output = stages.last().map_or(input, |stage| stage.after);
        let normalized = transforms.iter().find_map(|transform| match *transform {
            Transform::Normalize { mean, std, .. } => Some(Tone::normalized(mean, std)),
            _ => None,
        });
        let plain = Tone::plain();
        Self {
            transforms,
            stages,
            input,
            output,
            normalized: normalized.unwrap_or_else(|| plain.clone()),
            plain,
        }
    }

    /// This augmentation, if it makes images of size `expected`.
    ///
    /// # Errors
    ///
    /// [`AugmentError::OutputSize`] if it makes others.
    pub fn with_output(self, expected: Size) -> Result<Self, AugmentError> {
        if self.output == expected {
            Ok(self)
        } else {
            Err(AugmentError::OutputSize { input: self.input, expected, got: self.output })
        }
    }

    /// The list, in the order in which it was given.
    pub fn transforms(&self) -> &[Transform] {
        &self.transforms
    }

    /// The size of the images it takes.
    pub fn input(&self) -> Size {
        self.input
    }

    /// The size of the images it makes.
    pub fn output(&self) -> Size {
        self.output
    }

    /// The list for evaluation, which makes images of the same size and leaves nothing to chance: flips, rotation and
    /// dropout are left out, and the random crop becomes a centre crop. (Of pad 4 and random crop 32 on 32×32 images it keeps
    /// the image as it is.) Normalisation applies to every image.
    #[must_use]
    pub fn test(&self) -> Self {
        let kept = self.transforms.iter().zip(&self.stages).filter_map(|(transform, stage)| {
            let transform = match *transform {
                Transform::HorizontalFlip { .. }
                | Transform::AlternatingFlip { .. }
                | Transform::Rotate { .. }
                | Transform::CoarseDropout { .. } => return None,
                Transform::RandomCrop { height, width, p } => Transform::CenterCrop { height, width, p },
                Transform::Normalize { mean, std, .. } => Transform::normalize(mean, std),
                Transform::Pad { .. } | Transform::PadIfNeeded { .. } | Transform::CenterCrop { .. } => {
                    transform.clone()
                }
            };
            Some((transform, *stage))
        });
        let (transforms, stages) = kept.unzip();
        Self::assemble(transforms, stages, self.input)
    }

    /// The parameters for one image in one epoch: a pure function of the list and the key.
    pub fn draw(&self, key: Key) -> Drawn {
        let mut drawn = Drawn::default();
        self.draw_into(key, &mut drawn);
        drawn
    }

    pub(crate) fn draw_into(&self, key: Key, drawn: &mut Drawn) {
        drawn.steps.clear();
        let entries = self.transforms.iter().zip(&self.stages).enumerate();
        drawn.steps.extend(
            entries.map(|(position, (transform, stage))| draw_step(transform, *stage, key, position)),
        );
    }

    /// What was drawn, in words: `"mirrored, cropped from row 3, column 5, turned by -2.0°"`.
    pub fn describe(&self, drawn: &Drawn) -> String {
        let words: Vec<String> = self
            .transforms
            .iter()
            .zip(&drawn.steps)
            .filter_map(|(transform, step)| words(transform, step))
            .collect();
        if words.is_empty() { "as it is".into() } else { words.join(", ") }
    }

    /// Applies `drawn` to `image`, row-major `(H, W, 3)` bytes of the input size, and writes `out`, row-major `(H', W', 3)` of
    /// the output size: normalised values.
    ///
    /// # Errors
    ///
    /// [`AugmentError::Length`] for a slice of another length; [`AugmentError::Drawn`] for parameters that this list
    /// cannot have drawn.
    pub fn apply(&self, drawn: &Drawn, image: &[u8], out: &mut [f32]) -> Result<(), AugmentError> {
        self.check_drawn(drawn)?;
        expect_length("the image, (H, W, 3) bytes", self.input.values(), image.len())?;
        expect_length("the augmented image, (H, W, 3) values", self.output.values(), out.len())?;
        let tone = self.tone(drawn);
        self.paint(drawn, image, tone.table(), |fill| tone.values(fill), out, &mut Scratch::default());
        Ok(())
    }

    /// As [`apply`](Self::apply), but back in RGB bytes, row-major `(H', W', 3)`, for people to look at: the pixels are those that `apply`
    /// normalises, holes have the colour that their fill stands for.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    pub fn apply_to_bytes(&self, drawn: &Drawn, image: &[u8]) -> Result<Vec<u8>, AugmentError> {
        self.check_drawn(drawn)?;
        expect_length("the image, (H, W, 3) bytes", self.input.values(), image.len())?;
        let tone = self.tone(drawn);
        let mut out = vec![0; self.output.values()];
        self.paint(drawn, image, &IDENTITY, |fill| tone.bytes(fill), &mut out, &mut Scratch::default());
        Ok(out)
    }

    /// Draws and applies for a batch: the images at `indices` of `images`, which holds all of them, row-major `(count, H, W, 3)`.
    /// `out` is resized to the batch, row-major `(indices.len(), H', W', 3)`; a buffer that is used again is not
    /// allocated again. Image `i` gets what [`draw`](Self::draw) gives for `(seed, epoch, i)`, in whichever batch it is.
    ///
    /// # Errors
    ///
    /// [`AugmentError::Length`] if `images` is no whole number of images; [`AugmentError::Index`] for an index beyond them.
    pub fn batch(
        &self,
        seed: u64,
        epoch: u64,
        indices: &[usize],
        images: &[u8],
        out: &mut Vec<f32>,
    ) -> Result<(), AugmentError> {
        out.resize(indices.len() * self.output.values(), 0.0);
        self.batch_into(seed, epoch, indices, images, out)
    }

    /// As [`batch`](Self::batch), into a slice of exactly the batch's length: for a part of a larger buffer, or for threads that
    /// share one batch.
    ///
    /// # Errors
    ///
    /// As [`batch`](Self::batch), and [`AugmentError::Length`] if `out` has another length.
    pub fn batch_into(
        &self,
        seed: u64,
        epoch: u64,
        indices: &[usize],
        images: &[u8],
        out: &mut [f32],
    ) -> Result<(), AugmentError> {
        let (per_input, per_output) = (self.input.values(), self.output.values());
        let count = images.len() / per_input;
        expect_length("the images, (N, H, W, 3) bytes", count * per_input, images.len())?;
        expect_length("the batch, (N, H, W, 3) values", indices.len() * per_output, out.len())?;
        if let Some(&index) = indices.iter().find(|index| **index >= count) {
            return Err(AugmentError::Index { index, count });
        }
        let mut scratch = Scratch::default();
        let mut drawn = Drawn::default();
        for (&index, out) in indices.iter().zip(out.chunks_exact_mut(per_output)) {
            self.draw_into(Key { seed, epoch, index: index as u64 }, &mut drawn);
            let image = &images[index * per_input..(index + 1) * per_input];
            let tone = self.tone(&drawn);
            self.paint(&drawn, image, tone.table(), |fill| tone.values(fill), out, &mut scratch);
        }
        Ok(())
    }

    /// The sizes around each transform.
    pub(crate) fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// How bytes become values in images that are not normalised, and in those that are.
    pub(crate) fn tones(&self) -> [&Tone; 2] {
        [&self.plain, &self.normalized]
    }

    /// How bytes become values, for an image for which this was drawn.
    fn tone(&self, drawn: &Drawn) -> &Tone {
        if self.is_normalized(drawn) { &self.normalized } else { &self.plain }
    }

    /// Whether [`tones`](Self::tones)' second tone is that of an image for which this was drawn. (Both are the same where the list
    /// has no `normalize`.)
    pub(crate) fn is_normalized(&self, drawn: &Drawn) -> bool {
        let is_skipped = |(transform, step): (&Transform, &Step)| {
            matches!(transform, Transform::Normalize { .. }) && *step == Step::Skipped
        };
        !self.transforms.iter().zip(&drawn.steps).any(is_skipped)
    }

    fn paint<T: Copy>(
        &self,
        drawn: &Drawn,
        image: &[u8],
        table: &Table<T>,
        value: impl Fn(Fill) -> [T; 3],
        out: &mut [T],
        scratch: &mut Scratch,
    ) {
        let view = trace(&self.transforms, &self.stages, &drawn.steps, self.input, image, scratch);
        render(&view, table, out);
        for (transform, step) in self.transforms.iter().zip(&drawn.steps) {
            if let (Transform::CoarseDropout { fill: with, .. }, Step::Erased { holes }) = (transform, step) {
                fill(out, self.output.width, holes, value(*with));
            }
        }
    }

    pub(crate) fn check_drawn(&self, drawn: &Drawn) -> Result<(), AugmentError> {
        if drawn.steps.len() != self.transforms.len() {
            return Err(AugmentError::Drawn {
                position: drawn.steps.len().min(self.transforms.len()),
                expected: format!("{} steps in all", self.transforms.len()),
                got: format!("{}", drawn.steps.len()),
            });
        }
        let mut entries = self.transforms.iter().zip(&self.stages).zip(&drawn.steps).enumerate();
        entries.try_for_each(|(i, ((transform, stage), step))| check_step(transform, *stage, i, step))
    }
}

pub(crate) fn expect_length(what: &'static str, expected: usize, got: usize) -> Result<(), AugmentError> {
    if expected == got { Ok(()) } else { Err(AugmentError::Length { what, expected, got }) }
}
