//! What batches draw besides their images' augmentation, as words that lie on the device.

use std::ops::Range;

use wick_augment::Size;

use crate::CudaError;
use crate::executor::{Dropout, expect};

/// An epoch to come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epoch<'a> {
    /// The images, in the epoch's order.
    pub order: &'a [i32],
    /// What becomes of each: the words of the [`PackedList`](wick_augment::PackedList)'s packer and no others, since kernels trust them.
    pub words: &'a [i16],
    /// What each batch draws besides, of all of the order. Without mixing and dropouts, there may be none.
    pub batches: &'a [Drawn],
}

/// What a batch draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// Images in the batch.
    pub images: usize,
    /// By what its dropouts draw; those of a part that begins with image `n`, by `n` more.
    pub dropout_seed: u64,
    /// With what its images are mixed. All batches of an epoch are, or none is.
    pub mixing: Option<Mixing>,
}

/// With what the images of a batch are mixed. A loss is `weight` times that of the own label and the rest of the partner's; a pixel is
/// `share` times the own one and the rest of the partner's within a box, and the own one outside of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixing {
    /// The number within the batch of each image's partner.
    pub partners: Vec<usize>,
    /// The share of the own labels.
    pub weight: f32,
    /// The share of the own pixels within the box.
    pub share: f32,
    /// Of the box.
    pub rows: Range<usize>,
    /// Of the box.
    pub columns: Range<usize>,
}

/// Words of a place in the epoch, as `mixing.cu` has them.
const WORDS: usize = 7;

/// The same for each place in the epoch.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Packed {
    /// Where each batch begins, and its images.
    pub batches: Vec<(usize, usize)>,
    /// For a part that begins there; none where nothing is dropped.
    pub seeds: Vec<u64>,
    /// [`WORDS`] each; none where nothing is mixed.
    pub mixing: Vec<i32>,
}

impl Packed {
    /// Of so many images in the epoch, of that size.
    pub fn new(
        batches: &[Drawn],
        (images, size): (usize, Size),
        dropout: Dropout,
    ) -> Result<Self, CudaError> {
        let mut packed = Self::default();
        if batches.is_empty() {
            return Ok(packed);
        }
        expect("images of all batches", batches.iter().map(|batch| batch.images).sum(), images)?;
        let mixed = batches.iter().filter(|batch| batch.mixing.is_some()).count();
        expect("batches that are mixed", mixed, if mixed == 0 { 0 } else { batches.len() })?;
        let mut first = 0;
        for Drawn { images, dropout_seed, mixing } in batches {
            packed.batches.push((first, *images));
            first += images;
            if dropout == Dropout::InTraining {
                packed.seeds.extend((0..*images as u64).map(|image| dropout_seed.wrapping_add(image)));
            }
            if let Some(mixing) = mixing {
                packed.mixing.reserve(WORDS * images);
                mixing.pack(*images, size, &mut packed.mixing)?;
            }
        }
        Ok(packed)
    }

    /// Whether steps of `batch` images from place `first` on are batches as they were drawn.
    pub fn expect(&self, first: usize, batch: usize, steps: usize) -> Result<(), CudaError> {
        if self.batches.is_empty() {
            return Ok(());
        }
        for place in (first..).step_by(batch.max(1)).take(steps) {
            let found = self.batches.binary_search_by_key(&place, |(first, _)| *first);
            expect("images of a batch as it was drawn", batch, found.map_or(0, |at| self.batches[at].1))?;
        }
        Ok(())
    }
}

impl Mixing {
    fn pack(&self, images: usize, size: Size, words: &mut Vec<i32>) -> Result<(), CudaError> {
        let Self { partners, weight, share, rows, columns } = self;
        expect("partners", partners.len(), images)?;
        let known = partners.iter().filter(|partner| **partner < images).count();
        expect("partners that are in the batch", known, images)?;
        expect("rows of a box", rows.end.min(size.height), rows.end)?;
        expect("columns of a box", columns.end.min(size.width), columns.end)?;
        let sides = [rows.start, rows.end, columns.start, columns.end].map(|side| side as i32);
        for partner in partners {
            words.extend([*partner as i32, weight.to_bits() as i32, share.to_bits() as i32]);
            words.extend(sides);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixing(partners: &[usize]) -> Option<Mixing> {
        Some(Mixing { partners: partners.to_vec(), weight: 0.75, share: 0.0, rows: 1..3, columns: 0..4 })
    }

    #[test]
    fn every_place_has_its_words() {
        let batches = [
            Drawn { images: 3, dropout_seed: 9, mixing: mixing(&[2, 0, 1]) },
            Drawn { images: 2, dropout_seed: u64::MAX, mixing: mixing(&[0, 1]) },
        ];
        let of = |dropout| Packed::new(&batches, (5, Size::new(4, 4)), dropout).unwrap();
        let packed = of(Dropout::InTraining);
        assert_eq!(packed.batches, [(0, 3), (3, 2)]);
        assert_eq!(packed.seeds, [9, 10, 11, u64::MAX, 0]);
        // Where nothing drops, no seed has to go to the device.
        assert_eq!(of(Dropout::Never), Packed { seeds: Vec::new(), ..packed.clone() });
        let weight = 0.75f32.to_bits() as i32;
        assert_eq!(packed.mixing.len(), 5 * WORDS);
        assert_eq!(packed.mixing[..2 * WORDS], [2, weight, 0, 1, 3, 0, 4, 0, weight, 0, 1, 3, 0, 4]);
        assert_eq!(packed.mixing[4 * WORDS], 1); // within its own batch

        for (first, batch, steps, fits) in
            [(0, 3, 1, true), (3, 2, 1, true), (0, 2, 1, false), (0, 3, 2, false), (2, 3, 1, false)]
        {
            assert_eq!(packed.expect(first, batch, steps).is_ok(), fits, "{first} {batch} {steps}");
        }
        assert!(Packed::default().expect(1, 7, 2).is_ok());
    }

    #[test]
    fn what_kernels_trust_is_checked() {
        let said = |images, mixing| {
            let batches = [Drawn { images, dropout_seed: 0, mixing }];
            Packed::new(&batches, (2, Size::new(4, 4)), Dropout::Never).unwrap_err().to_string()
        };
        assert!(said(3, None).contains("images of all batches"));
        assert!(said(2, mixing(&[0])).contains("partners"));
        assert!(said(2, mixing(&[0, 2])).contains("partners that are in the batch"));
        let wide = mixing(&[0, 1]).map(|mixing| Mixing { columns: 0..5, ..mixing });
        assert!(said(2, wide).contains("columns of a box"));
        let tall = mixing(&[0, 1]).map(|mixing| Mixing { rows: 0..5, ..mixing });
        assert!(said(2, tall).contains("rows of a box"));
        let half = [
            Drawn { images: 1, dropout_seed: 0, mixing: mixing(&[0]) },
            Drawn { images: 1, dropout_seed: 0, mixing: None },
        ];
        let said = Packed::new(&half, (2, Size::new(4, 4)), Dropout::Never).unwrap_err().to_string();
        assert!(said.contains("batches that are mixed"), "{said}");
    }
}
