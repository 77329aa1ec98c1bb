use std::ops::Range;

use rayon::prelude::*;

use super::tiles::Tiles;
use super::transforms::{transform_inputs, transform_outputs, transform_weights};
use super::weights::{GROUP, Turn, Weight, group_len, groups, transformed_len};
use super::{PRODUCTS, padded};
use crate::matmul::{Matrix, MatrixMut, Write, matmul};
use crate::scratch;

/// What is kept near while the other streams by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Blocks of so many rows of tiles, each with all weights.
    Tiles {
        /// Rows of tiles of a block.
        rows: usize,
    },
    /// Groups of output channels, each with all tiles: for weights that, transformed, outgrow the tiles and the cache.
    /// They are then made and used a group at a time.
    Weights,
}

/// The convolution of `x` with `weight`, `in_channels` and `out_channels` being those of the turned weight.
pub(crate) fn convolve(
    tiles: &Tiles,
    order: Order,
    x: &[f32],
    (weight, turn): (&[f32], Turn),
    [in_channels, out_channels]: [usize; 2],
    y: &mut [f32],
) {
    if tiles.count() == 0 {
        return;
    }
    let weight = Weight { values: weight, turn, in_channels, out_channels };
    match order {
        Order::Tiles { rows } => by_tiles(tiles, rows, x, weight, y),
        Order::Weights => by_weights(tiles, x, weight, y),
    }
}

fn by_tiles(tiles: &Tiles, rows: usize, x: &[f32], weight: Weight, y: &mut [f32]) {
    let (c, k) = (weight.in_channels, weight.out_channels);
    scratch::with(transformed_len(c, k), |u| {
        weight.transform(u);
        let u = &*u;
        tiles.blocks(y, k, rows).into_par_iter().for_each(|(rows, y)| {
            let count = rows.len() * tiles.across;
            scratch::with(count * padded(PRODUCTS * c), |v| {
                transform_inputs(tiles, c, x, rows.clone(), v);
                scratch::with(count * padded(PRODUCTS * GROUP.min(k)), |m| {
                    for (group, u) in groups(k).zip(u.chunks(group_len(c, GROUP))) {
                        let m = &mut m[..count * padded(PRODUCTS * group.len())];
                        multiply(v, u, [count, c, group.len()], m);
                        transform_outputs(tiles, m, group, rows.clone(), k, y);
                    }
                });
            });
        });
    });
}

fn by_weights(tiles: &Tiles, x: &[f32], weight: Weight, y: &mut [f32]) {
    let (c, k) = (weight.in_channels, weight.out_channels);
    let (count, rows) = (tiles.count(), rows_of_transforms(tiles));
    let (from, to) = (padded(PRODUCTS * c), padded(PRODUCTS * GROUP));
    scratch::with(count * from, |v| {
        transform_all_inputs(tiles, c, x, 0..tiles.rows, v);
        let v = &*v;
        // Each group's products lie together; the last may have fewer channels and leave some of its place unused.
        scratch::with(groups(k).len() * count * to, |m| {
            m.par_chunks_mut(count * to).zip(groups(k).collect::<Vec<_>>()).for_each(|(m, group)| {
                scratch::with(group_len(c, group.len()), |u| {
                    transform_weights(&weight, group.clone(), u);
                    multiply(v, u, [count, c, group.len()], m);
                });
            });
            let m = &*m;
            tiles.blocks(y, k, rows).into_par_iter().for_each(|(rows, y)| {
                for (group, m) in groups(k).zip(m.chunks(count * to)) {
                    let m = &m[rows.start * tiles.across * padded(PRODUCTS * group.len())..];
                    transform_outputs(tiles, m, group, rows.clone(), k, y);
                }
            });
        });
    });
}

/// `Bᵀ d B` of the tiles in `rows`, in parallel.
pub(super) fn transform_all_inputs(
    tiles: &Tiles,
    channels: usize,
    x: &[f32],
    rows: Range<usize>,
    v: &mut [f32],
) {
    let at_once = rows_of_transforms(tiles);
    let chunks = v.par_chunks_mut(at_once * tiles.across * padded(PRODUCTS * channels));
    chunks.enumerate().for_each(|(i, v)| {
        let start = rows.start + i * at_once;
        transform_inputs(tiles, channels, x, start..(start + at_once).min(rows.end), v);
    });
}

/// Rows of tiles transformed by one piece of work: some 4 tiles.
pub(super) fn rows_of_transforms(tiles: &Tiles) -> usize {
    4usize.div_ceil(tiles.across)
}

/// The 36 products of `count` tiles and one group: `m[tile][e] = v[tile][e] · u[e]`.
fn multiply(v: &[f32], u: &[f32], [count, c, group]: [usize; 3], m: &mut [f32]) {
    for e in 0..PRODUCTS {
        let v = Matrix::strided(&v[e * c..], count, c, padded(PRODUCTS * c));
        let u = Matrix::new(&u[e * padded(c * group)..], c, group);
        let m = MatrixMut::strided(&mut m[e * group..], count, group, padded(PRODUCTS * group));
        matmul(v, u, m, Write::Overwrite);
    }
}
