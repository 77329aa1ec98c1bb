//! Mean and variance of rows, block by block: each block is summed twice in f32, the second time about its own mean, and the
//! blocks are merged in f64 (Chan, Golub & LeVeque, *Updating Formulae and a Pairwise Algorithm for Computing Sample
//! Variances*, 1979). So the variance keeps its digits where the mean is much larger than the deviation.

use crate::isa::multiversion;

/// The mean and the biased variance of all blocks' rows together: of each block its rows and what [`block_moments`] left,
/// `(3, C)`. Blocks are combined in their order; zeros where there are none.
pub(crate) fn merge<'a, B>(blocks: impl Fn() -> B, mean: &mut [f32], variance: &mut [f32])
where
    B: Iterator<Item = (usize, &'a [f32])>,
{
    let channels = mean.len();
    let blocks = || blocks().map(|(rows, moments)| (rows as f64, moments));
    let total = blocks().map(|(rows, _)| rows).sum::<f64>().max(1.0);
    for (c, (mean, variance)) in mean.iter_mut().zip(variance).enumerate() {
        let block_mean = |m: &[f32]| f64::from(m[c]) + f64::from(m[channels + c]);
        let centre = blocks().map(|(n, m)| n * block_mean(m)).sum::<f64>() / total;
        let squares: f64 = blocks()
            .map(|(n, m)| f64::from(m[2 * channels + c]) + n * (block_mean(m) - centre).powi(2))
            .sum();
        *mean = centre as f32;
        *variance = (squares / total) as f32;
    }
}

multiversion! {
    /// Moments of a block of rows, `(3, C)`: the mean is `m₀ + m₁`, the sum of squared deviations from it `m₂`.
    pub(crate) fn block_moments(x: &[f32], moments: &mut [f32]) {
        let channels = moments.len() / 3;
        let (mean, rest) = moments.split_at_mut(channels);
        let (shift, squares) = rest.split_at_mut(channels);
        let squares = &mut squares[..channels];
        let scale = channels as f32 / x.len() as f32;
        mean.fill(0.0);
        let mut quads = x.chunks_exact(4 * channels);
        for quad in &mut quads {
            let (a, b) = quad.split_at(2 * channels);
            let ((a, b), (c, d)) = (a.split_at(channels), b.split_at(channels));
            let (b, c, d) = (&b[..channels], &c[..channels], &d[..channels]);
            for (i, m) in mean.iter_mut().enumerate() {
                *m += (a[i] + b[i]) + (c[i] + d[i]);
            }
        }
        for row in quads.remainder().chunks_exact(channels) {
            mean.iter_mut().zip(row).for_each(|(m, v)| *m += v);
        }
        mean.iter_mut().for_each(|m| *m *= scale);

        shift.fill(0.0);
        squares.fill(0.0);
        let mut pairs = x.chunks_exact(2 * channels);
        for pair in &mut pairs {
            let (a, b) = pair.split_at(channels);
            let b = &b[..channels];
            for i in 0..channels {
                let (u, v) = (a[i] - mean[i], b[i] - mean[i]);
                shift[i] += u + v;
                squares[i] += u * u + v * v;
            }
        }
        for row in pairs.remainder().chunks_exact(channels) {
            for i in 0..channels {
                let u = row[i] - mean[i];
                shift[i] += u;
                squares[i] += u * u;
            }
        }
        for (shift, squares) in shift.iter_mut().zip(squares) {
            // About the true mean rather than about the rounded one.
            *squares = (*squares - *shift * *shift * scale).max(0.0);
            *shift *= scale;
        }
    }
}
