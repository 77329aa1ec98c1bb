//! Random numbers of one picture.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Which pictures a generator is for. No two streams share a random number.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    Train = 0,
    Test = 1,
    /// The order of the classes among the training images.
    TrainOrder = 2,
    /// The order of the classes among the test images.
    TestOrder = 3,
}

/// Numbers that depend on `(seed, stream, index)` alone, so that a picture does not depend on how many others
/// are drawn, nor by which thread.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64, stream: Stream, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(stream as u64).to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(index);
        Self(generator)
    }

    /// Uniform from the first number to below the second, from the upper 24 bits of one draw, which an f32 holds exactly.
    pub(super) fn between(&mut self, (low, high): (f32, f32)) -> f32 {
        low + (high - low) * (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f32) -> bool {
        self.between((0.0, 1.0)) < probability
    }

    /// Uniform in `0..n`, by multiplication; its bias, n / 2³², is nothing here.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }

    /// Four numbers in `-1.0..1.0`, each the difference of two uniform bytes: noise with tails, of variance 1/6, from one draw.
    pub(super) fn noise(&mut self) -> [f32; 4] {
        let bytes = self.0.next_u64().to_le_bytes();
        std::array::from_fn(|k| (f32::from(bytes[2 * k]) - f32::from(bytes[2 * k + 1])) / 256.0)
    }
}
