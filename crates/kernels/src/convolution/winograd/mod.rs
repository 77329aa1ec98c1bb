//! Winograd's minimal filtering F(4×4, 3×3) for 3×3 convolutions of stride 1 and padding 1: 36 products a tile of 4×4
//! outputs and pair of channels where the definition has 144.
//!
//! `y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A` for each tile, summed over the input channels, which makes of the ⊙ 36 matrix products over
//! channels (Lavin & Gray, *Fast Algorithms for Convolutional Neural Networks*, 2015; points 0, ±5/8, ±3/2, ∞). The input
//! gradient is the same of `dy` with turned weights; the weight gradient is the exact adjoint, `Gᵀ[Σ (Bᵀ d B) ⊙ (A dy Aᵀ)]G`.
//!
//! Transformed tiles lie as `[tile][36][channels]`, transformed weights as `[group of output channels][36][C_in][group]`:
//! what one transform writes lies together, and no stride is a power of two, at which cache lines would evict each other.

mod products;
mod tiles;
mod transforms;
mod weight_gradient;
mod weights;

#[cfg(test)]
mod tests;

pub(super) use products::{Order, convolve};
pub(super) use tiles::Tiles;
pub(super) use weight_gradient::{Share, weight_gradient};
pub(super) use weights::Turn;

/// Products of a tile: 6 × 6.
const PRODUCTS: usize = 36;

/// Outputs of a tile along one axis.
const OUT: usize = 4;

/// Channels that one transform handles at a time, the floats of an AVX-512 register. Channel counts are multiples of it.
const LANES: usize = 16;

/// Values from one tile, or from one of the 36 matrices of weights, to the next: a cache line more than they hold, so that
/// the strides are no powers of two.
fn padded(len: usize) -> usize {
    len + LANES
}
