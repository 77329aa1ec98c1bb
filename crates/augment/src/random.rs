//! The random numbers: counter-based, keyed, and simple enough that a GPU kernel can repeat them bit for bit.
//!
//! With all arithmetic in wrapping unsigned 64-bit integers, and Steele, Lea and Flood's SplitMix64 (OOPSLA 2014, in Sebastiano
//! Vigna's form) as the mixing function
//!
//! ```text
//! splitmix64(x):  x += 0x9E3779B97F4A7C15
//!                 x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9
//!                 x = (x ^ (x >> 27)) * 0x94D049BB133111EB
//!                 return x ^ (x >> 31)
//! ```
//!
//! the stream of the transform at `position` (from 0, in the list as written) for one image in one epoch is
//!
//! ```text
//! state   = splitmix64(splitmix64(splitmix64(splitmix64(seed) ^ epoch) ^ index) ^ position)
//! draw(n) = splitmix64(state + n * 0x9E3779B97F4A7C15)          n = 0, 1, 2, ...
//! ```
//!
//! Any draw can be made without the ones before it, and a transform that takes more of them shifts nobody else's. From a
//! draw `d` come
//!
//! - a uniform f32 in `[0, 1)`: `(d >> 40) / 2^24`, exact;
//! - a chance of `p`: that uniform `< p`;
//! - an integer in `0..n`, `n ≤ 2^32`: `((d >> 32) * n) >> 32` (Lemire's multiply-shift without rejection: no value's probability is
//!   off by more than `2^-32`).
//!
//! Draw 0 is always the chance of the transform's `p`, used or not. After it:
//!
//! | transform | draws |
//! |---|---|
//! | `random_crop` | 1: top in `0..H−height+1`; 2: left in `0..W−width+1` |
//! | `rotate` | 1: uniform `u`; the angle in degrees is `(2u − 1)·limit`, in f32 |
//! | `coarse_dropout` | 1 + 2k: top of hole k, 2 + 2k: left of hole k, in `0..C−size+1`; C is the image's or the canvas's side |
//! | `alternating_flip` | none; draw 0 is keyed with epoch 0, and its outcome inverted when the epoch is odd |
//! | all others | none |

/// What random numbers depend on, besides a transform's position in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The run's seed.
    pub seed: u64,
    /// The epoch. Any numbering will do; `alternating_flip` goes by odd and even.
    pub epoch: u64,
    /// The image's index in the data set.
    pub index: u64,
}

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's output for the state `x`: a bijection of the 64-bit integers that leaves no trace of their order.
pub const fn splitmix64(x: u64) -> u64 {
    let x = x.wrapping_add(GOLDEN_GAMMA);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A sequence of random numbers of its own, named by a [`Key`] and a position.
///
/// ```
/// use wick_augment::random::{Key, Stream};
///
/// let key = Key { seed: 1, epoch: 0, index: 42 };
/// let mut stream = Stream::new(key, 3);
/// let offset = stream.below(9);
/// assert!(offset < 9);
/// assert_eq!(Stream::new(key, 3).below(9), offset); // the same name, the same numbers
/// ```
#[derive(Clone, Debug)]
pub struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of `key` at `position`. Transforms use their positions in the list; positions from 2³² on are free
    /// for other purposes, such as the order of the images in an epoch.
    pub const fn new(key: Key, position: u64) -> Self {
        let state = splitmix64(splitmix64(key.seed) ^ key.epoch);
        Self { state: splitmix64(splitmix64(state ^ key.index) ^ position) }
    }

    /// The next draw: 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        let draw = splitmix64(self.state);
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        draw
    }

    /// A multiple of 2⁻²⁴, uniform in `[0, 1)`. Takes one draw.
    pub const fn uniform(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// True with probability `p` (always for 1, never for 0). Takes one draw.
    pub const fn chance(&mut self, p: f32) -> bool {
        self.uniform() < p
    }

    /// An integer, uniform in `0..n`; 0 for `n` = 0. Takes one draw.
    pub const fn below(&mut self, n: u32) -> u32 {
        (((self.next_u64() >> 32) * n as u64) >> 32) as u32
    }

    /// Puts `items` into random order (Fisher–Yates, from the back). Takes a draw for each item but the first.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            // The same multiply-shift, on all 64 bits, since a slice may be longer than 2^32.
            let other = (u128::from(self.next_u64()) * (last as u128 + 1)) >> 64;
            items.swap(last, other as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_gives_vignas_values() {
        // The first outputs of his splitmix64.c with the state 1234567 (also Rosetta Code's test values).
        let mut x = 1_234_567u64;
        let got: Vec<u64> = (0..5)
            .map(|_| {
                let y = splitmix64(x);
                x = x.wrapping_add(GOLDEN_GAMMA);
                y
            })
            .collect();
        assert_eq!(
            got,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821
            ]
        );
    }

    #[test]
    fn a_stream_is_as_documented() {
        let key = Key { seed: 5, epoch: 6, index: 7 };
        let mut stream = Stream::new(key, 8);
        let state = splitmix64(splitmix64(splitmix64(splitmix64(5) ^ 6) ^ 7) ^ 8);
        for n in 0..4u64 {
            assert_eq!(stream.next_u64(), splitmix64(state.wrapping_add(n.wrapping_mul(GOLDEN_GAMMA))));
        }
    }

    #[test]
    fn neighbouring_keys_do_not_resemble_each_other() {
        // Half of the 64 bits differ on average; 10_000 pairs put the mean's standard error at 0.04.
        let base = Key { seed: 0, epoch: 0, index: 0 };
        let mut totals = [0u32; 4];
        for i in 0..10_000 {
            let first = |key, position| Stream::new(key, position).next_u64();
            let key = Key { index: i, ..base };
            let near = [
                first(Key { seed: 1, ..key }, 0),
                first(Key { epoch: 1, ..key }, 0),
                first(Key { index: i + 1, ..key }, 0),
                first(key, 1),
            ];
            for (total, other) in totals.iter_mut().zip(near) {
                *total += (first(key, 0) ^ other).count_ones();
            }
        }
        for total in totals {
            assert!((f64::from(total) / 10_000.0 - 32.0).abs() < 0.2, "{totals:?}");
        }
    }

    #[test]
    fn integers_and_floats_are_uniform() {
        // 90_000 draws over 9 values: each count's standard deviation is 94; 5 of them are allowed.
        let mut counts = [0i32; 9];
        let mut sum = 0.0f64;
        for index in 0..90_000 {
            let mut stream = Stream::new(Key { seed: 3, epoch: 1, index }, 2);
            counts[stream.below(9) as usize] += 1;
            let u = stream.uniform();
            assert!((0.0..1.0).contains(&u));
            sum += f64::from(u);
        }
        assert!(counts.iter().all(|c| (c - 10_000).abs() < 470), "{counts:?}");
        assert!((sum / 90_000.0 - 0.5).abs() < 0.005, "{sum}"); // standard error 0.001
    }

    #[test]
    fn chances_of_none_and_all_are_certain() {
        let mut stream = Stream::new(Key { seed: 0, epoch: 0, index: 0 }, 0);
        assert!((0..1000).all(|_| stream.chance(1.0)));
        assert!((0..1000).all(|_| !stream.chance(0.0)));
    }

    #[test]
    fn shuffling_permutes_and_every_place_is_reached() {
        let mut reached = [[0u32; 5]; 5];
        for index in 0..5_000 {
            let mut items = [0usize, 1, 2, 3, 4];
            Stream::new(Key { seed: 9, epoch: 0, index }, 1 << 32).shuffle(&mut items);
            let mut sorted = items;
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
            items.iter().enumerate().for_each(|(place, item)| reached[*item][place] += 1);
        }
        // 1000 expected, standard deviation 28.
        assert!(reached.iter().flatten().all(|n| n.abs_diff(1000) < 150), "{reached:?}");
    }
}
