//! What has to be known of all gradients before the first variable changes.

use super::Real;
use super::elementwise::CHUNK;
use super::gradient::sign;
use rayon::prelude::*;

/// Sums over all variables. Chunks are summed one after another in their order: the number of threads changes no bit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    /// Squares of the gradients, the penalty's share included.
    pub(super) squares: f64,
    /// Magnitudes of the parameters.
    pub(super) magnitudes: f64,
}

impl Sums {
    /// Those of one variable.
    pub(super) fn of<T: Real>(parameter: &[T], gradient: &[T], l1: f64) -> Self {
        let l1 = T::from_f64(l1);
        let chunk = |(p, g): (&[T], &[T])| {
            p.iter().zip(g).fold(Self::default(), |sums, (&p, &g)| {
                let g = (g + l1 * sign(p)).to_f64();
                Self { squares: sums.squares + g * g, magnitudes: sums.magnitudes + p.to_f64().abs() }
            })
        };
        let chunks: Vec<Self> =
            parameter.par_chunks(CHUNK).zip(gradient.par_chunks(CHUNK)).map(chunk).collect();
        chunks.into_iter().fold(Self::default(), Self::plus)
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { squares: self.squares + other.squares, magnitudes: self.magnitudes + other.magnitudes }
    }
}

/// The Euclidean norm, by the same order of sums.
pub(crate) fn norm<T: Real>(values: &[T]) -> f64 {
    let chunk = |values: &[T]| values.iter().fold(0.0, |sum, v| sum + v.to_f64() * v.to_f64());
    let chunks: Vec<f64> = values.par_chunks(CHUNK).map(chunk).collect();
    chunks.into_iter().fold(0.0, |sum, chunk| sum + chunk).sqrt()
}
