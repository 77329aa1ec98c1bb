//! Records on disk (labels, then a planar image) to columns in memory (interleaved images; labels) and back.

use std::collections::TryReserveError;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

use crate::{CifarError, IMAGE_BYTES, Split, Variant};

/// Records read at a time: 192 KiB, which a core's own cache holds.
pub(crate) const CHUNK: usize = 64;

const PLANE: usize = IMAGE_BYTES / 3;

/// What each label byte of a record means, and how many values it has.
pub(crate) fn label_kinds(variant: Variant) -> &'static [(&'static str, usize)] {
    match variant {
        Variant::Cifar10 => &[("label", 10)],
        Variant::Cifar100 => &[("coarse label", 20), ("fine label", 100)],
    }
}

/// The columns of a split that is being read.
pub(crate) struct Columns {
    images: Vec<u8>,
    labels: Vec<u8>,
    /// As long as `labels`, or empty if the variant has none.
    coarse: Vec<u8>,
}

/// A run of rows of [`Columns`].
pub(crate) struct Rows<'a> {
    images: &'a mut [u8],
    labels: &'a mut [u8],
    coarse: &'a mut [u8],
}

impl Columns {
    pub(crate) fn new() -> Self {
        Self { images: Vec::new(), labels: Vec::new(), coarse: Vec::new() }
    }

    /// All zeros, `n` rows; the system maps the pages when they are first written.
    pub(crate) fn zeroed(variant: Variant, n: usize) -> Result<Self, TryReserveError> {
        // `vec!` aborts where there is not the memory, so ask first; the probe is given back untouched.
        Vec::<u8>::new().try_reserve_exact(n.saturating_mul(IMAGE_BYTES))?;
        Ok(Self {
            images: vec![0; n * IMAGE_BYTES],
            labels: vec![0; n],
            coarse: vec![0; if variant.label_bytes() == 2 { n } else { 0 }],
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Makes room for `n` more rows, without using it yet.
    pub(crate) fn reserve(&mut self, n: usize) -> Result<(), TryReserveError> {
        self.images.try_reserve_exact(n.saturating_mul(IMAGE_BYTES))
    }

    /// Adds `n` zero rows and lends them.
    pub(crate) fn grow(&mut self, variant: Variant, n: usize) -> Result<Rows<'_>, TryReserveError> {
        let old = self.labels.len();
        self.images.try_reserve(n * IMAGE_BYTES)?;
        self.images.resize((old + n) * IMAGE_BYTES, 0);
        self.labels.resize(old + n, 0);
        self.coarse.resize(if variant.label_bytes() == 2 { old + n } else { 0 }, 0);
        let coarse_old = old.min(self.coarse.len());
        Ok(Rows {
            images: &mut self.images[old * IMAGE_BYTES..],
            labels: &mut self.labels[old..],
            coarse: &mut self.coarse[coarse_old..],
        })
    }

    pub(crate) fn rows(&mut self) -> Rows<'_> {
        Rows { images: &mut self.images, labels: &mut self.labels, coarse: &mut self.coarse }
    }

    /// Moves the last `n` rows to `place`, those that were there behind them; in place, so that it needs no memory.
    pub(crate) fn move_last(&mut self, n: usize, place: usize) {
        self.images[place * IMAGE_BYTES..].rotate_right(n * IMAGE_BYTES);
        self.labels[place..].rotate_right(n);
        if !self.coarse.is_empty() {
            self.coarse[place..].rotate_right(n);
        }
    }

    pub(crate) fn into_split(mut self, variant: Variant) -> Split {
        self.images.shrink_to_fit();
        Split::trusted(self.images, self.labels, (variant.label_bytes() == 2).then_some(self.coarse))
    }
}

impl<'a> Rows<'a> {
    /// The first `n` rows, and the rest.
    pub(crate) fn split_at(self, n: usize) -> (Self, Self) {
        let (images, more_images) = self.images.split_at_mut(n * IMAGE_BYTES);
        let (labels, more_labels) = self.labels.split_at_mut(n);
        let (coarse, more_coarse) = self.coarse.split_at_mut(n.min(self.coarse.len()));
        (
            Self { images, labels, coarse },
            Self { images: more_images, labels: more_labels, coarse: more_coarse },
        )
    }

    /// Reads as many rows from `records`, which begin at byte `offset` of the file `path`.
    pub(crate) fn decode(
        self,
        variant: Variant,
        records: &[u8],
        offset: u64,
        path: &Path,
    ) -> Result<(), CifarError> {
        let kinds = label_kinds(variant);
        let images = self.images.as_chunks_mut().0.iter_mut();
        for (row, (record, image)) in records.chunks_exact(variant.record_bytes()).zip(images).enumerate() {
            let (labels, planar) = record.split_at(kinds.len());
            for (k, (&got, &(kind, classes))) in labels.iter().zip(kinds).enumerate() {
                if usize::from(got) >= classes {
                    let offset = offset + (row * variant.record_bytes() + k) as u64;
                    return Err(CifarError::LabelOutOfRange {
                        path: path.to_path_buf(),
                        offset,
                        kind,
                        classes,
                        got,
                    });
                }
            }
            if let &[coarse, fine] = labels {
                self.coarse[row] = coarse;
                self.labels[row] = fine;
            } else {
                self.labels[row] = labels[0];
            }
            interleave(planar, image);
        }
        Ok(())
    }
}

/// `(3, 32, 32)` to `(32, 32, 3)`.
fn interleave(planar: &[u8], image: &mut [u8; IMAGE_BYTES]) {
    let (red, rest) = planar.split_at(PLANE);
    let (green, blue) = rest.split_at(PLANE);
    for (((pixel, &r), &g), &b) in image.as_chunks_mut().0.iter_mut().zip(red).zip(green).zip(blue) {
        *pixel = [r, g, b];
    }
}

/// `(32, 32, 3)` to `(3, 32, 32)`.
fn separate(image: &[u8], planar: &mut [u8]) {
    for (channel, plane) in planar.chunks_exact_mut(PLANE).enumerate() {
        for (byte, pixel) in plane.iter_mut().zip(image.as_chunks::<3>().0) {
            *byte = pixel[channel];
        }
    }
}

/// Writes the images of `range` as records.
pub(crate) fn encode(
    variant: Variant,
    split: &Split,
    range: Range<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut record = vec![0; variant.record_bytes()];
    for i in range {
        let (labels, planar) = record.split_at_mut(variant.label_bytes());
        match (labels, split.coarse()) {
            ([coarse, fine], Some(all)) => (*coarse, *fine) = (all[i], split.label(i)),
            (labels, _) => labels.fill(split.label(i)),
        }
        separate(split.image(i), planar);
        out.write_all(&record)?;
    }
    Ok(())
}
