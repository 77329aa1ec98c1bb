use super::{Baseline, Blur, Score};

/// How [`deletion`](super::deletion) and [`insertion`](super::insertion) go.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveOptions {
    /// Equal steps from no pixel changed to all of them.
    pub steps: usize,
    /// What stands where a pixel is missing.
    pub baseline: Baseline,
    /// What is watched.
    pub score: Score,
    /// Images that go through the model at once.
    pub batch_size: usize,
}

impl CurveOptions {
    /// The usual deletion: in 32 steps to the mean of normalised images, 0.
    pub fn deletion() -> Self {
        Self { steps: 32, baseline: Baseline::default(), score: Score::default(), batch_size: 64 }
    }

    /// The usual insertion: in 32 steps from a blurred image.
    pub fn insertion() -> Self {
        Self { baseline: Baseline::Blurred(Blur::default()), ..Self::deletion() }
    }
}

/// How [`road`](super::road) goes.
#[derive(Debug, Clone, PartialEq)]
pub struct RoadOptions {
    /// Percentiles from 1 to 99: at 90, the tenth of the pixels at the 90th percentile and above is filled in.
    pub percentiles: Vec<u8>,
    /// Standard deviation of the noise on what is filled in.
    pub noise: f32,
    /// Keys the noise.
    pub seed: u64,
    /// What is watched.
    pub score: Score,
    /// Images that go through the model at once.
    pub batch_size: usize,
}

/// pytorch-grad-cam's: percentiles 10, 20 … 90, noise of 0.01.
impl Default for RoadOptions {
    fn default() -> Self {
        let percentiles = (1..10).map(|tenth| 10 * tenth).collect();
        Self { percentiles, noise: 0.01, seed: 0, score: Score::default(), batch_size: 64 }
    }
}

/// How [`confidence`](super::confidence) goes.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfidenceOptions {
    /// What shows through where a map is 0.
    pub baseline: Baseline,
    /// What is watched.
    pub score: Score,
    /// Images that go through the model at once.
    pub batch_size: usize,
}

impl Default for ConfidenceOptions {
    fn default() -> Self {
        Self { baseline: Baseline::default(), score: Score::default(), batch_size: 64 }
    }
}
