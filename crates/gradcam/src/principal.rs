//! The first principal component of a small matrix.

use crate::dot::dot;
use crate::symmetric::leading_eigenpair;

/// The rows of `values` `(places, channels)`, less their mean, projected on their first right singular vector.
///
/// The singular vector comes of the smaller of the two Gram matrices, in f64. The sign is the one in which the projection's
/// product with the sums of the rows is positive, or else its greatest absolute value.
pub(crate) fn first_component(values: &[f64], places: usize, channels: usize) -> Vec<f64> {
    let mut means = vec![0.0; channels];
    for row in values.chunks_exact(channels) {
        means.iter_mut().zip(row).for_each(|(mean, v)| *mean += v / places as f64);
    }
    let centred: Vec<f64> = values
        .chunks_exact(channels)
        .flat_map(|row| row.iter().zip(&means).map(|(v, mean)| v - mean).collect::<Vec<_>>())
        .collect();
    let rows: Vec<&[f64]> = centred.chunks_exact(channels).collect();
    let mut projection = if places <= channels {
        let gram: Vec<f64> = rows.iter().flat_map(|a| rows.iter().map(|b| dot(a, b))).collect();
        let (value, vector) = leading_eigenpair(&gram, places);
        vector.into_iter().map(|v| v * value.max(0.0).sqrt()).collect()
    } else {
        let mut gram = vec![0.0; channels * channels];
        for row in &rows {
            for (line, &a) in gram.chunks_exact_mut(channels).zip(*row) {
                line.iter_mut().zip(*row).for_each(|(sum, &b)| *sum += a * b);
            }
        }
        let (_, vector) = leading_eigenpair(&gram, channels);
        rows.iter().map(|row| dot(row, &vector)).collect::<Vec<f64>>()
    };
    let agreement: f64 = rows.iter().zip(&projection).map(|(row, v)| row.iter().sum::<f64>() * v).sum();
    let size: f64 = rows.iter().zip(&projection).map(|(row, v)| dot(row, row).sqrt() * v.abs()).sum();
    let greatest = projection.iter().fold(0.0f64, |best, v| if v.abs() > best.abs() { *v } else { best });
    // Below this the agreement is of roundings only.
    let sign = if agreement.abs() > 1e-9 * size { agreement } else { greatest };
    if sign < 0.0 {
        projection.iter_mut().for_each(|v| *v = -*v);
    }
    projection
}
