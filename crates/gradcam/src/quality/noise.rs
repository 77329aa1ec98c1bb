use std::f64::consts::TAU;

/// Numbers that depend on nothing but their keys: Sebastiano Vigna's SplitMix64.
pub(super) struct Noise {
    state: u64,
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Noise {
    /// A sequence of its own for each list of keys.
    pub fn keyed(keys: &[u64]) -> Self {
        Self { state: keys.iter().fold(0, |state, &key| mix(state ^ key)) }
    }

    /// In `(0, 1]`.
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(GOLDEN);
        ((mix(self.state) >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// Of mean 0 and standard deviation 1, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }
}

fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(GOLDEN);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A map that says nothing: `values` uniform numbers above 0 and up to 1, keyed by the seed and the image's number. What a
/// method's figures are to be compared with.
pub fn random_map(seed: u64, image: usize, values: usize) -> Vec<f32> {
    let mut noise = Noise::keyed(&[seed, image as u64]);
    (0..values).map(|_| noise.uniform() as f32).collect()
}
