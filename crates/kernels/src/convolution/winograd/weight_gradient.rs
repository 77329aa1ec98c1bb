use std::ops::Range;

use rayon::prelude::*;

use super::products::{rows_of_transforms, transform_all_inputs};
use super::tiles::Tiles;
use super::transforms::{transform_inputs, transform_output_gradients, transform_weight_gradients};
use super::{PRODUCTS, padded};
use crate::convolution::weight_gradient::add_up;
use crate::matmul::{Matrix, MatrixMut, Write, matmul};
use crate::scratch;

/// How the sum over all tiles is shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// The tiles are dealt to so many partial sums, each computed in blocks of so many rows of tiles.
    Tiles {
        /// Partial sums.
        splits: usize,
        /// Rows of tiles of a block.
        rows: usize,
    },
    /// Groups of so many input channels, each over all tiles, so many rows of them transformed at a time: for weights so
    /// large that partial sums would cost more than they gain.
    Channels {
        /// Input channels of a group.
        group: usize,
        /// Rows of tiles transformed at a time.
        rows: usize,
    },
}

/// `dw = Gᵀ[Σ (Bᵀ d B) ⊙ (A dy Aᵀ)]G` over all tiles.
pub(crate) fn weight_gradient(
    tiles: &Tiles,
    share: Share,
    x: &[f32],
    dy: &[f32],
    [c, k]: [usize; 2],
    dw: &mut [f32],
) {
    if tiles.count() == 0 {
        return dw.fill(0.0);
    }
    match share {
        Share::Tiles { splits, rows } => by_tiles(tiles, splits, rows, (x, dy), [c, k], dw),
        Share::Channels { group, rows } => by_channels(tiles, group, rows, (x, dy), [c, k], dw),
    }
}

fn by_tiles(
    tiles: &Tiles,
    splits: usize,
    at_once: usize,
    (x, dy): (&[f32], &[f32]),
    [c, k]: [usize; 2],
    dw: &mut [f32],
) {
    let share = tiles.rows.div_ceil(splits);
    let (from, to) = (padded(PRODUCTS * c), padded(PRODUCTS * k));
    let block = at_once.min(share) * tiles.across;
    scratch::with(splits * dw.len(), |partials| {
        partials.par_chunks_mut(dw.len()).enumerate().for_each(|(split, partial)| {
            scratch::with(PRODUCTS * padded(c * k), |u| {
                let mut write = Write::Overwrite;
                scratch::with(block * (from + to), |transformed| {
                    let (v, d) = transformed.split_at_mut(block * from);
                    let end = ((split + 1) * share).min(tiles.rows);
                    for start in (split * share..end).step_by(at_once) {
                        let rows = start..(start + at_once).min(end);
                        let count = rows.len() * tiles.across;
                        transform_inputs(tiles, c, x, rows.clone(), v);
                        transform_output_gradients(tiles, k, dy, rows, d);
                        multiply(v, d, count, 0..c, [c, k], (u, write));
                        write = Write::Accumulate;
                    }
                });
                if write == Write::Overwrite {
                    u.fill(0.0); // more splits than rows
                }
                let mut taps: Vec<_> = partial.chunks_exact_mut(c * k).collect();
                transform_weight_gradients(u, &mut taps);
            });
        });
        add_up(partials, dw);
    });
}

fn by_channels(
    tiles: &Tiles,
    group: usize,
    at_once: usize,
    (x, dy): (&[f32], &[f32]),
    [c, k]: [usize; 2],
    dw: &mut [f32],
) {
    // The rows of each group of input channels, tap by tap.
    let mut taps: Vec<_> = dw.chunks_exact_mut(c * k).map(|tap| tap.chunks_mut(group * k)).collect();
    let mut groups = Vec::with_capacity(c.div_ceil(group));
    loop {
        let rows: Vec<_> = taps.iter_mut().filter_map(Iterator::next).collect();
        if rows.is_empty() {
            break;
        }
        groups.push(rows);
    }
    let len = |width: usize| PRODUCTS * padded(width * k);
    let channels = |i: usize| i * group..((i + 1) * group).min(c);
    if tiles.rows <= at_once {
        // All tiles at a time: a group's sum need not outlive its thread's cache.
        return with_transformed(tiles, 0..tiles.rows, (x, dy), [c, k], |v, d, count| {
            groups.par_iter_mut().enumerate().for_each(|(i, taps)| {
                scratch::with(len(channels(i).len()), |u| {
                    multiply(v, d, count, channels(i), [c, k], (u, Write::Overwrite));
                    transform_weight_gradients(u, taps);
                });
            });
        });
    }
    scratch::with((0..groups.len()).map(|i| len(channels(i).len())).sum(), |u| {
        let mut write = Write::Overwrite;
        for start in (0..tiles.rows).step_by(at_once) {
            let rows = start..(start + at_once).min(tiles.rows);
            with_transformed(tiles, rows, (x, dy), [c, k], |v, d, count| {
                u.par_chunks_mut(len(group)).enumerate().for_each(|(i, u)| {
                    multiply(v, d, count, channels(i), [c, k], (u, write));
                });
            });
            write = Write::Accumulate;
        }
        let sums = groups.par_iter_mut().zip(u.par_chunks(len(group)));
        sums.for_each(|(taps, u)| transform_weight_gradients(u, taps));
    });
}

/// Calls `f` with both transforms of the tiles in `rows`, and their number.
fn with_transformed(
    tiles: &Tiles,
    rows: Range<usize>,
    (x, dy): (&[f32], &[f32]),
    [c, k]: [usize; 2],
    f: impl FnOnce(&[f32], &[f32], usize),
) {
    let count = rows.len() * tiles.across;
    let at_once = rows_of_transforms(tiles);
    scratch::with(count * padded(PRODUCTS * c), |v| {
        transform_all_inputs(tiles, c, x, rows.clone(), v);
        scratch::with(count * padded(PRODUCTS * k), |d| {
            let chunks = d.par_chunks_mut(at_once * tiles.across * padded(PRODUCTS * k));
            chunks.enumerate().for_each(|(i, d)| {
                let start = rows.start + i * at_once;
                transform_output_gradients(tiles, k, dy, start..(start + at_once).min(rows.end), d);
            });
            f(v, d, count);
        });
    });
}

/// Puts the sums over `count` tiles in the place of those of the input channels `channels`, or adds them:
/// `u[e] = v[·][e]ᵀ · d[·][e]`.
fn multiply(
    v: &[f32],
    d: &[f32],
    count: usize,
    channels: Range<usize>,
    [c, k]: [usize; 2],
    (u, write): (&mut [f32], Write),
) {
    let width = channels.len();
    for (e, u) in u.chunks_exact_mut(padded(width * k)).enumerate() {
        let v = Matrix::strided(&v[e * c + channels.start..], count, width, padded(PRODUCTS * c));
        let d = Matrix::strided(&d[e * k..], count, k, padded(PRODUCTS * k));
        matmul(v.transposed(), d, MatrixMut::new(&mut u[..width * k], k), write);
    }
}
