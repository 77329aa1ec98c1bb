//! The nearest orthogonal matrix, roughly.

use crate::fused::{Real, norm};
use candle_core::{Device, Result, Tensor};

/// Of the odd polynomial `ax + bx³ + cx⁵`: chosen by Jordan et al. 2024 to lift small singular values fastest, at the price that all of
/// them end within about .7 to 1.2 instead of at 1.
const COEFFICIENTS: [f64; 3] = [3.4445, -4.775, 2.0315];

/// Keeps zeros from being divided by zero, as in the authors' program.
const EPSILON: f64 = 1e-7;

/// Newton–Schulz steps on a matrix of that many rows and columns, in row-major order.
///
/// A filter `(KH, KW, C_in, C_out)` in memory is the transpose of `(C_out, C_in·KH·KW)` with its columns in another order. The steps commute
/// with both, so it is taken as it lies. The products are always of the smaller side's square, and no sum in them is split between threads.
pub(super) fn newton_schulz<T: Real>(
    values: Vec<T>,
    [rows, columns]: [usize; 2],
    steps: usize,
) -> Result<Vec<T>> {
    let size = norm(&values) + EPSILON;
    let [a, b, c] = COEFFICIENTS;
    let mut x = (Tensor::from_vec(values, (rows, columns), &Device::Cpu)? / size)?;
    for _ in 0..steps {
        let transposed = x.t()?;
        let gram = if rows > columns { transposed.matmul(&x)? } else { x.matmul(&transposed)? };
        let factor = ((&gram * b)? + (gram.matmul(&gram)? * c)?)?;
        let bent = if rows > columns { x.matmul(&factor)? } else { factor.matmul(&x)? };
        x = ((x * a)? + bent)?;
    }
    x.flatten_all()?.to_vec1()
}
