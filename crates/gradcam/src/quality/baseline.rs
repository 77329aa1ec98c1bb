use super::samples::ImageSize;
use crate::CamError;

/// What stands where a pixel is taken away.
#[derive(Debug, Clone, PartialEq)]
pub enum Baseline {
    /// One value in every channel. 0 is the mean of normalised images.
    Constant(f32),
    /// A value a channel: the mean colour, where images are not normalised.
    Channels(Vec<f32>),
    /// The image itself, blurred.
    Blurred(Blur),
}

impl Default for Baseline {
    fn default() -> Self {
        Self::Constant(0.0)
    }
}

/// The largest radius of a [`Blur`]; beyond an image's sides, its edges only are averaged.
const MOST_RADIUS: usize = 1000;

/// A Gaussian of standard deviation `sigma` pixels, cut off `radius` pixels from its middle, each channel by itself; the
/// image's edges are continued.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blur {
    /// Pixels on either side, at most 1,000.
    pub radius: usize,
    /// Standard deviation in pixels.
    pub sigma: f64,
}

/// That of RISE's evaluation: 11×11 pixels, standard deviation 5.
impl Default for Blur {
    fn default() -> Self {
        Self { radius: 5, sigma: 5.0 }
    }
}

impl Baseline {
    /// The image that has nothing but the baseline.
    pub(super) fn of(&self, image: &[f32], size: ImageSize) -> Result<Vec<f32>, CamError> {
        match self {
            Self::Constant(value) => Ok(vec![*value; image.len()]),
            Self::Channels(values) if values.len() == size.channels => Ok(values.repeat(size.area())),
            Self::Channels(values) => Err(CamError::Setting {
                name: "baseline",
                expected: format!("a value for each of the images' {} channels", size.channels),
                got: format!("{} values", values.len()),
            }),
            Self::Blurred(blur) => blur.apply(image, size),
        }
    }
}

impl Blur {
    fn apply(self, image: &[f32], size: ImageSize) -> Result<Vec<f32>, CamError> {
        if !(self.sigma.is_finite() && self.sigma > 0.0) {
            return Err(CamError::Setting {
                name: "sigma",
                expected: "above 0".to_owned(),
                got: self.sigma.to_string(),
            });
        }
        if self.radius > MOST_RADIUS {
            return Err(CamError::Setting {
                name: "radius",
                expected: format!("at most {MOST_RADIUS} pixels"),
                got: self.radius.to_string(),
            });
        }
        let radius = self.radius as isize;
        let mut weights: Vec<f64> =
            (-radius..=radius).map(|d| (-((d * d) as f64) / (2.0 * self.sigma * self.sigma)).exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= sum);
        let ImageSize { height, width, channels } = size;
        let across = along(image, &weights, (height, width, channels));
        // Columns are rows of whole pixel rows.
        Ok(along(&across, &weights, (1, height, width * channels)))
    }
}

/// Weighs the `n` groups of `m` values of each row with `weights` about each, the first and the last group continued.
fn along(values: &[f32], weights: &[f64], (rows, n, m): (usize, usize, usize)) -> Vec<f32> {
    let radius = weights.len() / 2;
    let mut out = Vec::with_capacity(values.len());
    for row in values.chunks_exact(n * m).take(rows) {
        for i in 0..n {
            out.extend((0..m).map(|c| {
                let place = |k: usize| (i + k).saturating_sub(radius).min(n - 1) * m + c;
                weights.iter().enumerate().map(|(k, w)| w * f64::from(row[place(k)])).sum::<f64>() as f32
            }));
        }
    }
    out
}
