use candle_core::{DType, Device, Tensor};

use crate::CamError;
use crate::check::{dims, finite};

/// Images with their maps, and the class that each map explains.
#[derive(Debug, Clone)]
pub struct Samples<'a> {
    pub(super) pixels: Vec<f32>,
    pub(super) size: ImageSize,
    pub(super) maps: &'a [Vec<f32>],
    pub(super) classes: &'a [u32],
    pub(super) device: Device,
}

/// Of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ImageSize {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

impl ImageSize {
    /// Pixels of an image.
    pub fn area(self) -> usize {
        self.height * self.width
    }

    /// Values of an image.
    pub fn values(self) -> usize {
        self.area() * self.channels
    }
}

impl<'a> Samples<'a> {
    /// `images` `(N, H, W, C)` as the model takes them, a map of `H · W` values an image, row by row, and a class an image.
    ///
    /// # Errors
    /// [`CamError::Shape`], [`CamError::TargetCount`], or [`CamError::NotFinite`], which names the image.
    pub fn new(images: &Tensor, maps: &'a [Vec<f32>], classes: &'a [u32]) -> Result<Self, CamError> {
        let [n, height, width, channels] = dims("images", "(N, H, W, C)", images)?;
        finite("images", images)?;
        let wrong = |got: Vec<usize>| CamError::Shape {
            what: "maps",
            expected: format!("({n}, {}), a value a pixel of each image", height * width),
            got: got.into(),
        };
        if maps.len() != n {
            return Err(wrong(vec![maps.len()]));
        }
        for (image, map) in maps.iter().enumerate() {
            if map.len() != height * width {
                return Err(wrong(vec![n, map.len()]));
            }
            if let Some(&value) = map.iter().find(|v| !v.is_finite()) {
                return Err(CamError::NotFinite { what: "maps", layer: None, image, value: value.into() });
            }
        }
        if classes.len() != n {
            return Err(CamError::TargetCount { expected: n, got: classes.len() });
        }
        let pixels = images.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let size = ImageSize { height, width, channels };
        Ok(Self { pixels, size, maps, classes, device: images.device().clone() })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.maps.len()
    }

    /// Whether there is none; there always is.
    pub fn is_empty(&self) -> bool {
        self.maps.is_empty()
    }

    pub(super) fn image(&self, i: usize) -> &[f32] {
        &self.pixels[i * self.size.values()..][..self.size.values()]
    }
}
