//! What passes sum on the way, per image, put together.

use std::iter::StepBy;
use std::ops::Range;

/// Every `splits`th image from number `split` on; of one split, all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub split: usize,
    pub splits: usize,
}

impl Part {
    pub const ALL: Self = Self { split: 0, splits: 1 };

    /// Those of `images` images that are of it.
    pub fn of(self, images: usize) -> StepBy<Range<usize>> {
        (self.split..images).step_by(self.splits)
    }
}

/// The sums that a pass left: `(N, stride, C)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums<'a> {
    pub values: &'a [f32],
    pub stride: usize,
    pub images: usize,
    pub channels: usize,
}

impl Sums<'_> {
    pub fn at(&self, image: usize, slot: usize, channel: usize) -> f64 {
        f64::from(self.values[(image * self.stride + slot) * self.channels + channel])
    }

    /// The sums of one image, one a channel.
    fn row(&self, image: usize, slot: usize) -> &[f32] {
        &self.values[(image * self.stride + slot) * self.channels..][..self.channels]
    }

    /// Over the images of a part, one a channel.
    pub fn total(&self, slot: usize, part: Part) -> Vec<f64> {
        let mut total = vec![0.0; self.channels];
        for image in part.of(self.images) {
            let row = self.row(image, slot);
            total.iter_mut().zip(row).for_each(|(total, sum)| *total += f64::from(*sum));
        }
        total
    }

    /// The mean and the biased variance of each channel over the images of a part. Those of images of equal size, `pixels`
    /// values each, make up the part's: the mean of the variances plus the variance of the means.
    pub fn of_channels(&self, part: Part, pixels: f64) -> (Vec<f64>, Vec<f64>) {
        let images = || part.of(self.images);
        let (share, of) = (1.0 / pixels, 1.0 / images().len() as f64);
        let (mut mean, mut variance) = (vec![0.0; self.channels], vec![0.0; self.channels]);
        for image in images() {
            let rows = self.row(image, 0).iter().zip(self.row(image, 1));
            for ((sum, square), (mean, variance)) in rows.zip(mean.iter_mut().zip(&mut variance)) {
                let part = f64::from(*sum) * share;
                *mean += part * of;
                *variance += (f64::from(*square) * share - part * part).max(0.0) * of;
            }
        }
        for image in images() {
            for (sum, (mean, variance)) in self.row(image, 0).iter().zip(mean.iter().zip(&mut variance)) {
                let off = f64::from(*sum) * share - mean;
                *variance += off * off * of;
            }
        }
        (mean, variance)
    }

    /// The same of neighbouring channels of one image.
    pub fn of_group(&self, image: usize, channels: Range<usize>, pixels: f64) -> (f64, f64) {
        let (sums, squares) = (&self.row(image, 0)[channels.clone()], &self.row(image, 1)[channels]);
        let count = sums.len() as f64;
        let part = |sum: &f32| f64::from(*sum) / pixels;
        let mean = sums.iter().map(part).sum::<f64>() / count;
        let within = |(sum, square): (&f32, &f32)| (f64::from(*square) / pixels - part(sum).powi(2)).max(0.0);
        let variance: f64 = sums.iter().zip(squares).map(within).sum();
        let between: f64 = sums.iter().map(|sum| (part(sum) - mean).powi(2)).sum();
        (mean, (variance + between) / count)
    }
}
