//! Batches whose images are mixed, two by two.

use std::f64::consts::TAU;
use std::ops::Range;

use wick_augment::random::Stream;
use wick_augment::{CHANNELS, Size};

use crate::recipe::Mix;

/// Which other image each image of a batch holds a part of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mixing {
    /// The number within the batch of each image's partner: a permutation, in which an image may be its own.
    pub partners: Vec<usize>,
    /// The share of the images' own: λ.
    pub weight: f32,
    /// The box outside of which all is the image's own.
    pub rows: Range<usize>,
    /// Its columns.
    pub columns: Range<usize>,
    /// The own share of each pixel within it.
    pub share: f32,
}

/// Draws from `stream` how `images` images of `size` are mixed; `None` where nothing is to be mixed.
///
/// Mixup (Zhang et al. 2018): `x ← λ·x + (1 − λ)·partner`. Cutmix (Yun et al. 2019): a box with `1 − λ` of the image's area
/// around a uniform centre is the partner's; λ is then what lies outside of the box, which the image's edges may have cut. As in their
/// authors' code, a batch has one λ ~ Beta(α, α), and one box. Draws: two for λ, one fewer than images for the partners, the
/// box's row and column.
pub(crate) fn draw(how: Mix, stream: &mut Stream, images: usize, size: Size) -> Option<Mixing> {
    let (_, alpha) = how.told()?;
    let lambda = beta(alpha, stream);
    let mut partners: Vec<usize> = (0..images).collect();
    stream.shuffle(&mut partners);
    let Size { height, width } = size;
    if let Mix::Cutmix(_) = how {
        let rows = side(lambda, height, stream.below(height as u32) as usize);
        let columns = side(lambda, width, stream.below(width as u32) as usize);
        let weight = (1.0 - (rows.len() * columns.len()) as f64 / (height * width) as f64) as f32;
        return Some(Mixing { partners, weight, rows, columns, share: 0.0 });
    }
    let share = lambda as f32;
    Some(Mixing { partners, weight: share, rows: 0..height, columns: 0..width, share })
}

impl Mixing {
    /// Mixes images of `size`, `(N, H, W, 3)`.
    pub fn apply(&self, pixels: &mut [f32], size: Size) {
        let Self { partners, rows, columns, share, .. } = self;
        let image = size.values();
        let whole = pixels.to_vec();
        let others = partners.iter().map(|partner| &whole[partner * image..][..image]);
        for (own, other) in pixels.chunks_exact_mut(image).zip(others) {
            for row in rows.clone().map(|row| row * size.width) {
                let cut = (row + columns.start) * CHANNELS..(row + columns.end) * CHANNELS;
                let pairs = own[cut.clone()].iter_mut().zip(&other[cut]);
                pairs.for_each(|(own, other)| *own = share * *own + (1.0 - share) * other);
            }
        }
    }

    /// Whose label is counted as right: the partner's where it weighs more.
    pub fn counted(&self, image: usize) -> usize {
        if self.weight < 0.5 { self.partners[image] } else { image }
    }
}

/// The side of a box around `centre`, of `√(1 − λ)` of an image's side of `length` and cut where that ends.
fn side(lambda: f64, length: usize, centre: usize) -> Range<usize> {
    let half = (length as f64 * (1.0 - lambda).sqrt()) as usize / 2;
    centre.saturating_sub(half)..(centre + half).min(length)
}

/// A number from Beta(α, α), by two uniform ones: `½ + ½·c·√w / √(1 + w·c²)` with `w = u^(−1/α) − 1` and `c = cos 2πv`. (`√(2α·w)·c`
/// is Student's t with 2α degrees of freedom: Bailey 1994, *Polar generation of random variates with the t-distribution*; what makes
/// Beta of it: Devroye 1996, *Random variate generation in one line of code*.)
fn beta(alpha: f64, stream: &mut Stream) -> f64 {
    let mut uniform = || (stream.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let (u, v) = (1.0 - uniform(), uniform()); // u is not 0
    let (w, c) = (u.powf(-1.0 / alpha) - 1.0, (TAU * v).cos()); // c is never quite 0
    // By the reciprocal, since w is infinite for small α.
    0.5 + 0.5 * c.signum() / (1.0 + 1.0 / (w * c * c)).sqrt()
}

#[cfg(test)]
mod tests {
    use wick_augment::Key;

    use super::*;

    fn stream(index: u64) -> Stream {
        Stream::new(Key { seed: 3, epoch: 1, index }, 1 << 40)
    }

    /// Kolmogorov and Smirnov's statistic over 20,000 draws against the distribution functions that have a closed form: its 0.1 %
    /// quantile is 1.95/√n = 0.0138.
    #[test]
    fn lambda_has_the_distribution_that_alpha_says() {
        let arcsine = |x: f64| x.sqrt().asin() * 4.0 / TAU;
        let uniform = |x: f64| x;
        let parabola = |x: f64| x * x * (3.0 - 2.0 * x);
        let cases: [(f64, &dyn Fn(f64) -> f64); 3] = [(0.5, &arcsine), (1.0, &uniform), (2.0, &parabola)];
        for (alpha, distribution) in cases {
            let mut drawn: Vec<f64> = (0..20_000).map(|i| beta(alpha, &mut stream(i))).collect();
            drawn.sort_by(f64::total_cmp);
            let apart = drawn
                .iter()
                .enumerate()
                .map(|(i, x)| (distribution(*x) - (i as f64 + 0.5) / drawn.len() as f64).abs());
            let most = apart.fold(0.0, f64::max);
            assert!(most < 0.0138, "{alpha}: {most}");
        }
        // The variance of Beta(α, α) is 1 / (4·(2α + 1)); its estimate's deviation is at most 1/(8·√n) = 9e-4, as (x − ½)² lies in
        // [0, ¼]; four of them are allowed.
        for alpha in [0.01, 0.2, 30.0] {
            let drawn = (0..20_000).map(|i| beta(alpha, &mut stream(i)));
            let variance = drawn.map(|x| (x - 0.5).powi(2)).sum::<f64>() / 20_000.0;
            assert!((variance - 0.25 / (2.0 * alpha + 1.0)).abs() < 3.6e-3, "{alpha}: {variance}");
        }
        assert!((0..1000).all(|i| (0.0..=1.0).contains(&beta(1e-3, &mut stream(i)))));
    }

    /// `rand_bbox` of Yun et al.'s code.
    #[test]
    fn a_box_is_centred_and_cut_at_the_edges() {
        assert_eq!(side(0.75, 32, 10), 2..18);
        assert_eq!(side(0.75, 32, 2), 0..10);
        assert_eq!(side(0.75, 32, 30), 22..32);
        assert_eq!(side(0.0, 32, 16), 0..32);
        assert_eq!(side(1.0, 32, 5), 5..5);
        assert_eq!(side(0.5, 32, 16), 5..27); // 22.6, whose half is 11
    }

    /// Four images, each of one colour.
    fn flat(size: Size) -> Vec<f32> {
        (0..4).flat_map(|i| vec![(1 << i) as f32; size.values()]).collect()
    }

    fn mixed(how: Mix, index: u64, size: Size) -> (Vec<f32>, Mixing) {
        let mixing = draw(how, &mut stream(index), 4, size).unwrap();
        let mut pixels = flat(size);
        mixing.apply(&mut pixels, size);
        (pixels, mixing)
    }

    #[test]
    fn mixup_is_the_weighted_sum_with_the_partner() {
        let size = Size::new(2, 3);
        let (pixels, Mixing { partners, weight, .. }) = mixed(Mix::Mixup(1.0), 7, size);
        assert!(0.0 < weight && weight < 1.0);
        assert_ne!(partners, [0, 1, 2, 3]);
        for (i, (image, partner)) in pixels.chunks_exact(size.values()).zip(partners).enumerate() {
            let want = weight * (1 << i) as f32 + (1.0 - weight) * (1 << partner) as f32;
            assert!(image.iter().all(|value| *value == want), "{image:?}, want {want}");
        }
    }

    #[test]
    fn cutmix_weighs_by_the_area_that_is_left() {
        let size = Size::new(8, 8);
        let mut cut = 0;
        for index in 0..50 {
            let (pixels, mixing) = mixed(Mix::Cutmix(1.0), index, size);
            let Mixing { partners, weight, .. } = mixing.clone();
            let all = size.values();
            let left = (weight * all as f32) as usize; // exact: 64ths of 192
            for (i, (image, partner)) in pixels.chunks_exact(all).zip(partners).enumerate() {
                let of = |who: usize| image.iter().filter(|value| **value == (1 << who) as f32).count();
                let want = if partner == i { (all, all) } else { (left, all - left) };
                assert_eq!((of(i), of(partner)), want);
                assert_eq!(mixing.counted(i), if weight < 0.5 { partner } else { i });
            }
            cut += usize::from(weight < 1.0);
        }
        assert!(cut > 30, "{cut}");
    }

    #[test]
    fn nothing_is_drawn_where_nothing_is_mixed() {
        let size = Size::new(2, 2);
        let mut stream = stream(0);
        let next = stream.clone().next_u64();
        assert_eq!(draw(Mix::None, &mut stream, 4, size), None);
        assert_eq!(stream.next_u64(), next);
    }
}
