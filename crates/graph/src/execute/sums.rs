//! What passes sum on the way, per image, put together.

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

    /// Over the images, one a channel.
    pub fn total(&self, slot: usize) -> Vec<f64> {
        let mut total = vec![0.0; self.channels];
        for image in 0..self.images {
            let row = self.row(image, slot);
            total.iter_mut().zip(row).for_each(|(total, sum)| *total += f64::from(*sum));
        }
        total
    }

    /// The mean and the biased variance of each channel over all images. Those of parts of equal size, `pixels` values
    /// each, make up the whole's: the mean of the variances plus the variance of the means.
    pub fn of_channels(&self, pixels: f64) -> (Vec<f64>, Vec<f64>) {
        let (share, of) = (1.0 / pixels, 1.0 / self.images as f64);
        let (mut mean, mut variance) = (vec![0.0; self.channels], vec![0.0; self.channels]);
        for image in 0..self.images {
            let rows = self.row(image, 0).iter().zip(self.row(image, 1));
            for ((sum, square), (mean, variance)) in rows.zip(mean.iter_mut().zip(&mut variance)) {
                let part = f64::from(*sum) * share;
                *mean += part * of;
                *variance += (f64::from(*square) * share - part * part).max(0.0) * of;
            }
        }
        for image in 0..self.images {
            for (sum, (mean, variance)) in self.row(image, 0).iter().zip(mean.iter().zip(&mut variance)) {
                let off = f64::from(*sum) * share - mean;
                *variance += off * off * of;
            }
        }
        (mean, variance)
    }

    /// The same of neighbouring channels of one image.
    pub fn of_group(&self, image: usize, channels: std::ops::Range<usize>, pixels: f64) -> (f64, f64) {
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
