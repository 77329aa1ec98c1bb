//! What a dropout drops (Srivastava et al. 2014): each value with probability `p`, the others are multiplied by `1/(1 − p)`.

/// A dropout in one step. Its choice depends on nothing but the step's seed, the layer and the place, so that gradients need no mask
/// from forward.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropout {
    state: u64,
    p: f32,
}

impl Dropout {
    pub fn new(seed: u64, layer: usize, p: f32) -> Self {
        Self { state: splitmix64(splitmix64(seed) ^ layer as u64), p }
    }

    /// `y = x · mask/(1 − p)`; of gradients, too.
    pub fn apply(self, x: &[f32], y: &mut Vec<f32>) {
        let kept = 1.0 / (1.0 - self.p);
        y.clear();
        y.extend(x.iter().enumerate().map(|(i, x)| if self.drops(i) { 0.0 } else { kept * x }));
    }

    fn drops(self, i: usize) -> bool {
        let drawn = splitmix64(self.state.wrapping_add((i as u64).wrapping_mul(GOLDEN_GAMMA)));
        let uniform = (drawn >> 40) as f32 / (1u32 << 24) as f32;
        uniform < self.p
    }
}

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's output (Steele, Lea & Flood 2014).
const fn splitmix64(x: u64) -> u64 {
    let x = x.wrapping_add(GOLDEN_GAMMA);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(dropout: Dropout) -> Vec<f32> {
        let mut y = Vec::new();
        dropout.apply(&[2.0; 100_000], &mut y);
        y
    }

    /// The share dropped is within four deviations of p: `√(p(1 − p)/n)`.
    #[test]
    fn as_many_are_dropped_as_are_to_be_and_the_mean_stays() {
        for p in [0.1f32, 0.5, 0.9] {
            let y = dropped(Dropout::new(3, 1, p));
            let share = y.iter().filter(|y| **y == 0.0).count() as f64 / y.len() as f64;
            let deviation = (f64::from(p * (1.0 - p)) / y.len() as f64).sqrt();
            assert!((share - f64::from(p)).abs() < 4.0 * deviation, "{p}: {share}");
            let kept = 2.0 / (1.0 - p);
            assert!(y.iter().all(|y| *y == 0.0 || *y == kept));
        }
        assert!(dropped(Dropout::new(3, 1, 0.0)).iter().all(|y| *y == 2.0));
    }

    /// Two masks of p = ½ agree in half of their places, within four deviations of √(¼/n).
    #[test]
    fn another_step_or_layer_drops_others() {
        let first = dropped(Dropout::new(3, 1, 0.5));
        assert_eq!(first, dropped(Dropout::new(3, 1, 0.5)));
        for other in [Dropout::new(4, 1, 0.5), Dropout::new(3, 2, 0.5)] {
            let other = dropped(other);
            let same = first.iter().zip(&other).filter(|(a, b)| a == b).count() as f64 / first.len() as f64;
            assert!((same - 0.5).abs() < 4.0 * 0.5 / (first.len() as f64).sqrt(), "{same}");
        }
    }
}
