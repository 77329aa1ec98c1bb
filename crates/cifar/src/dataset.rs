//! Images and labels in memory.

use crate::{CifarError, IMAGE_BYTES, Variant};

/// A data set: training and test images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// Which layout it has on disk, and how many classes.
    pub variant: Variant,
    /// Name of each (fine) class, by label.
    pub class_names: Vec<String>,
    /// The training images.
    pub train: Split,
    /// The test images.
    pub test: Split,
}

/// `len` images of `(32, 32, 3)` bytes (row, column, channel) and a label for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    images: Vec<u8>,
    labels: Vec<u8>,
    coarse: Option<Vec<u8>>,
}

impl Split {
    /// From `images`, `(len, 32, 32, 3)` bytes, and `labels`, `(len)`.
    ///
    /// # Errors
    /// [`CifarError::Lengths`] if there are not 3,072 bytes of images for each label.
    pub fn new(images: Vec<u8>, labels: Vec<u8>) -> Result<Self, CifarError> {
        let expected = labels.len().saturating_mul(IMAGE_BYTES);
        if images.len() != expected {
            return Err(CifarError::Lengths { what: "bytes of images", expected, got: images.len() });
        }
        Ok(Self { images, labels, coarse: None })
    }

    /// From parts whose lengths are known to agree.
    pub(crate) fn trusted(images: Vec<u8>, labels: Vec<u8>, coarse: Option<Vec<u8>>) -> Self {
        debug_assert_eq!(images.len(), labels.len() * IMAGE_BYTES);
        Self { images, labels, coarse }
    }

    /// The same images, with the label of each one's coarse class (of CIFAR-100's twenty groups) too.
    ///
    /// # Errors
    /// [`CifarError::Lengths`] if there is not one for each image.
    pub fn with_coarse(mut self, coarse: Vec<u8>) -> Result<Self, CifarError> {
        if coarse.len() != self.len() {
            return Err(CifarError::Lengths {
                what: "coarse labels",
                expected: self.len(),
                got: coarse.len(),
            });
        }
        self.coarse = Some(coarse);
        Ok(self)
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Image `i`: `(32, 32, 3)` bytes.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len), as a slice does.
    #[must_use]
    pub fn image(&self, i: usize) -> &[u8] {
        &self.images[i * IMAGE_BYTES..][..IMAGE_BYTES]
    }

    /// Label of image `i` (the fine one, for CIFAR-100).
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len), as a slice does.
    #[must_use]
    pub fn label(&self, i: usize) -> u8 {
        self.labels[i]
    }

    /// All images: `(len, 32, 32, 3)` bytes.
    #[must_use]
    pub fn images(&self) -> &[u8] {
        &self.images
    }

    /// All labels (the fine ones, for CIFAR-100): `(len)`.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// All coarse labels, `(len)`, where there are any (CIFAR-100).
    #[must_use]
    pub fn coarse(&self) -> Option<&[u8]> {
        self.coarse.as_deref()
    }

    /// A copy of the first `n` images, or of all if there are fewer.
    #[must_use]
    pub fn take(&self, n: usize) -> Self {
        let n = n.min(self.len());
        Self {
            images: self.images[..n * IMAGE_BYTES].to_vec(),
            labels: self.labels[..n].to_vec(),
            coarse: self.coarse.as_ref().map(|labels| labels[..n].to_vec()),
        }
    }

    /// A copy of the images of these numbers, in this order; one may come twice.
    ///
    /// # Panics
    /// If an index is not below [`len`](Self::len), as a slice does.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let mut images = Vec::with_capacity(indices.len() * IMAGE_BYTES);
        for &i in indices {
            images.extend_from_slice(self.image(i));
        }
        let pick = |labels: &[u8]| indices.iter().map(|&i| labels[i]).collect();
        Self { images, labels: pick(&self.labels), coarse: self.coarse.as_deref().map(pick) }
    }

    /// How many images each of `classes` classes has; labels beyond are not counted.
    #[must_use]
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in &self.labels {
            if let Some(count) = counts.get_mut(usize::from(label)) {
                *count += 1;
            }
        }
        counts
    }
}
