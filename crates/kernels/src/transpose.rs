//! Matrices with rows and columns exchanged.

use rayon::prelude::*;

use crate::isa::multiversion;

const LANES: usize = 16;

/// Writes `from`, rows of `columns` values, to `to` as rows of what were columns.
pub(crate) fn transpose(from: &[f32], columns: usize, to: &mut [f32]) {
    assert_eq!(from.len(), to.len(), "a transpose keeps every value");
    let rows = from.len() / columns;
    to.par_chunks_mut(LANES * rows.max(1))
        .enumerate()
        .for_each(|(i, to)| strip(from, columns, i * LANES, to));
}

multiversion! {
    /// The columns from `first` on that `to` has room for, at most sixteen.
    fn strip[simd](from: &[f32], columns: usize, first: usize, to: &mut [f32]) {
        let rows = from.len() / columns;
        let mut done = 0;
        if to.len() == LANES * rows {
            while done + LANES <= rows {
                let mut lanes = [simd.splat(0.0); LANES];
                for (i, lanes) in lanes.iter_mut().enumerate() {
                    if let Some(row) = from[(done + i) * columns + first..].first_chunk() {
                        *lanes = simd.load(row);
                    }
                }
                let lanes = simd.transpose(&lanes);
                for i in 0..LANES {
                    if let Some(row) = to[i * rows + done..].first_chunk_mut() {
                        simd.store(lanes[i], row);
                    }
                }
                done += LANES;
            }
        }
        for (i, to) in to.chunks_exact_mut(rows).enumerate() {
            for row in done..rows {
                to[row] = from[row * columns + first + i];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_changes_its_place() {
        for (rows, columns) in [(1, 1), (3, 5), (16, 16), (17, 16), (16, 17), (33, 50), (64, 48)] {
            let from: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let mut to = vec![f32::NAN; from.len()];
            transpose(&from, columns, &mut to);
            for i in 0..rows {
                for j in 0..columns {
                    assert_eq!(to[j * rows + i], from[i * columns + j], "{rows}×{columns}");
                }
            }
        }
    }
}
