//! Histograms and images, made ready to be written.

use std::io::Cursor;

use image::codecs::png::{PngDecoder, PngEncoder};
use image::{ExtendedColorType, ImageDecoder, ImageEncoder};

use crate::{TensorBoardError, proto};

/// Buckets of a histogram: as many as TensorBoard draws.
pub const BUCKETS: usize = 30;

/// Values counted in [`BUCKETS`] buckets of equal width from the least to the greatest.
///
/// These are the buckets of `tensorboard.plugins.histogram.summary_v2`: value v lies in bucket ⌊(v − min) / ((max − min) / 30)⌋, at
/// most the last. Values that are all the same lie in one bucket without width.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram(proto::Histogram);

impl Histogram {
    /// Counts the values.
    ///
    /// # Errors
    /// No value, or one that is not finite.
    pub fn new(values: &[f32]) -> Result<Self, TensorBoardError> {
        if let Some(index) = values.iter().position(|v| !v.is_finite()) {
            return Err(TensorBoardError::NotFinite { index, value: values[index] });
        }
        let [Some(min), Some(max)] = [f32::min, f32::max].map(|f| values.iter().copied().reduce(f)) else {
            return Err(TensorBoardError::Empty);
        };
        let (min, max, num) = (f64::from(min), f64::from(max), values.len() as f64);
        let (mut sum, mut sum_squares) = (0.0, 0.0);
        for value in values.iter().map(|v| f64::from(*v)) {
            sum += value;
            sum_squares += value * value;
        }
        let (bucket_limit, bucket) = if min == max {
            (vec![max], vec![num])
        } else {
            let width = (max - min) / BUCKETS as f64;
            let mut counts = [0_u64; BUCKETS];
            for value in values {
                let bucket = ((f64::from(*value) - min) / width) as usize;
                counts[bucket.min(BUCKETS - 1)] += 1;
            }
            let mut limits: Vec<f64> = (1..BUCKETS).map(|i| i as f64 * width + min).collect();
            limits.push(max);
            (limits, counts.iter().map(|n| *n as f64).collect())
        };
        Ok(Self(proto::Histogram { min, max, num, sum, sum_squares, bucket_limit, bucket }))
    }

    /// The right edges of the buckets.
    pub fn limits(&self) -> &[f64] {
        &self.0.bucket_limit
    }

    /// How many values lie in each.
    pub fn counts(&self) -> &[f64] {
        &self.0.bucket
    }

    pub(crate) fn into_proto(self) -> proto::Histogram {
        self.0
    }
}

/// A picture: a PNG, and its size.
#[derive(Debug, Clone, PartialEq)]
pub struct Image(proto::Image);

impl Image {
    /// The bytes of a PNG file, which are kept as they are.
    ///
    /// # Errors
    /// Bytes that are no PNG.
    pub fn png(bytes: Vec<u8>) -> Result<Self, TensorBoardError> {
        let decoder =
            PngDecoder::new(Cursor::new(&bytes)).map_err(|source| TensorBoardError::Png { source })?;
        let (width, height) = decoder.dimensions();
        let channels = decoder.color_type().channel_count();
        Ok(Self::new((width, height), channels, bytes))
    }

    /// Pixels, row by row, each red, green, blue.
    ///
    /// # Errors
    /// Another number of bytes than the size asks for; no pixels at all.
    pub fn rgb(pixels: &[u8], width: u32, height: u32) -> Result<Self, TensorBoardError> {
        // More than a machine can hold: a number that no slice has.
        let bytes = (3 * width as usize).saturating_mul(height as usize);
        let (expected, got) = (bytes, pixels.len());
        if expected != got {
            return Err(TensorBoardError::Pixels { width, height, expected, got });
        }
        let mut png = Vec::new();
        let written = PngEncoder::new(&mut png).write_image(pixels, width, height, ExtendedColorType::Rgb8);
        written.map_err(|source| TensorBoardError::Png { source })?;
        Ok(Self::new((width, height), 3, png))
    }

    fn new((width, height): (u32, u32), channels: u8, encoded: Vec<u8>) -> Self {
        // A PNG's sides have 31 bits.
        let side = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let (width, height) = (side(width), side(height));
        Self(proto::Image { height, width, colorspace: channels.into(), encoded })
    }

    /// Its PNG.
    pub fn bytes(&self) -> &[u8] {
        &self.0.encoded
    }

    pub(crate) fn into_proto(self) -> proto::Image {
        self.0
    }
}
