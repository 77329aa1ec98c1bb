use crate::check::{dims, finite, rows};
use crate::{CamError, resize_bilinear};
use candle_core::Tensor;

/// Added to a map's maximum before dividing by it, as pytorch-grad-cam does.
const EPSILON: f64 = 1e-7;

/// What, of a raw map's greatest magnitude, is rounding: a value is a sum of some hundred products in f32, whose terms may be larger than
/// the sum, so that a map that is constant or nowhere positive comes out with differences of about 1e-7 of its values.
/// Scaled to 0..1 these would be drawn at full strength.
const ROUNDING: f64 = 1e-6;

/// What a raw map holds: whether there is anything to draw, up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapStatus {
    /// Some places speak for the target more than others.
    Normal,
    /// No place speaks for the target, some speak against it: the greatest value is at most 1e-6 of the least one's magnitude. The
    /// heatmap is 0 throughout.
    AllNegative,
    /// All places speak for the target alike (a map of one pixel always does), to within 1e-6. The heatmap is 0 throughout.
    Constant,
    /// Nothing speaks for or against the target: activations or gradients are 0. The heatmap is 0 throughout.
    Empty,
}

/// A map from 0 to 1, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height · width` values.
    pub values: Vec<f32>,
    /// What the raw map held.
    pub status: MapStatus,
}

/// Scales raw maps `(N, h, w)`, each by itself: negative values to 0, then the least to 0 and the greatest to 1 (short of
/// 1e-7 of the raw scale), as pytorch-grad-cam's `scale_cam_image` does. A map that is constant or all negative up to the rounding of
/// sums in f32 ([`MapStatus`]) is 0 throughout instead of that rounding drawn at full strength.
///
/// # Errors
/// [`CamError::Shape`]; [`CamError::NotFinite`], naming the image.
pub fn normalise(raw: &Tensor) -> Result<Vec<Heatmap>, CamError> {
    let [_, height, width] = dims("maps", "(N, h, w)", raw)?;
    finite("maps", raw)?;
    let heatmap = |raw: Vec<f64>| {
        let status = status(&raw);
        let mut values: Vec<f64> = match status {
            MapStatus::Normal => raw.into_iter().map(|v| v.max(0.0)).collect(),
            _ => vec![0.0; raw.len()],
        };
        scale(&mut values);
        let values = values.into_iter().map(|v| v as f32).collect();
        Heatmap { height, width, values, status }
    };
    Ok(rows(raw)?.into_iter().map(heatmap).collect())
}

/// Raw maps `(N, h, w)` as heatmaps of the images' size, in pytorch-grad-cam's order: [`normalise`], enlarge by
/// [`resize_bilinear`], and scale to 0..1 again, since enlarging blunts the peaks.
///
/// ```
/// use candle_core::{Device, Tensor};
///
/// let raw = Tensor::new(&[[[-5f32, 3.]]], &Device::Cpu)?;
/// let map = &wick_gradcam::heatmaps(&raw, 1, 4)?[0];
/// for (got, want) in map.values.iter().zip([0f32, 0.25, 0.75, 1.]) {
///     assert!((got - want).abs() < 1e-6);
/// }
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
///
/// # Errors
/// [`CamError::Shape`]; [`CamError::NotFinite`], naming the image.
pub fn heatmaps(raw: &Tensor, height: usize, width: usize) -> Result<Vec<Heatmap>, CamError> {
    of_layers(std::slice::from_ref(raw), height, width)
}

/// Raw maps of several layers, `(N, h, w)` each, as heatmaps of the images' size: each layer's scaled and enlarged, then averaged
/// and scaled again, as pytorch-grad-cam's `aggregate_multi_layers` does.
pub(crate) fn of_layers(raw: &[Tensor], height: usize, width: usize) -> Result<Vec<Heatmap>, CamError> {
    let mut layers = Vec::with_capacity(raw.len());
    for raw in raw {
        let enlarge = |map: Heatmap| {
            let values = resize_bilinear(&map.values, (map.height, map.width), (height, width))?;
            Ok(Heatmap { height, width, values, status: map.status })
        };
        layers.push(normalise(raw)?.into_iter().map(enlarge).collect::<Result<_, CamError>>()?);
    }
    let rescale = |map: Heatmap| {
        let mut values: Vec<f64> = map.values.into_iter().map(f64::from).collect();
        scale(&mut values);
        Heatmap { values: values.into_iter().map(|v| v as f32).collect(), ..map }
    };
    Ok(average(&layers).into_iter().map(rescale).collect())
}

/// Each image's mean over lists of maps of the same images and size. Where any of its maps has something to draw, the mean has.
pub(crate) fn average(lists: &[Vec<Heatmap>]) -> Vec<Heatmap> {
    let Some((first, others)) = lists.split_first() else { return Vec::new() };
    let mean = |(image, map): (usize, &Heatmap)| {
        let maps = || std::iter::once(map).chain(others.iter().map(|maps| &maps[image]));
        let mut sums = vec![0f64; map.values.len()];
        for map in maps() {
            sums.iter_mut().zip(&map.values).for_each(|(sum, v)| *sum += f64::from(*v));
        }
        let values = sums.into_iter().map(|sum| (sum / lists.len() as f64) as f32).collect();
        let status = maps().map(|map| map.status).find(|status| *status == MapStatus::Normal);
        Heatmap { values, status: status.unwrap_or(map.status), ..*map }
    };
    first.iter().enumerate().map(mean).collect()
}

impl Heatmap {
    /// Left and right exchanged.
    pub(crate) fn mirrored(mut self) -> Self {
        self.values.chunks_exact_mut(self.width).for_each(<[f32]>::reverse);
        self
    }
}

fn status(raw: &[f64]) -> MapStatus {
    let (min, max) = bounds(raw);
    match (min, max) {
        (0.0, 0.0) => MapStatus::Empty,
        (min, max) if max <= ROUNDING * -min => MapStatus::AllNegative,
        (min, max) if max - min <= ROUNDING * max => MapStatus::Constant,
        _ => MapStatus::Normal,
    }
}

fn bounds(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), &v| (min.min(v), max.max(v)))
}

/// `(v − min) / (EPSILON + (max − min))`
fn scale(values: &mut [f64]) {
    let (min, max) = bounds(values);
    for v in values {
        *v = (*v - min) / (EPSILON + (max - min));
    }
}
