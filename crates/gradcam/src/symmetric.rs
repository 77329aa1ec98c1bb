//! The leading eigenvector of a positive semidefinite matrix.

use crate::dot::dot;

/// Vectors of a Krylov space before it starts anew: matrices up to this size are solved at once.
const BASIS: usize = 24;
/// How often it starts anew at most; each time the error falls by `e^(-4·24·√gap)` or better.
const RESTARTS: usize = 200;
/// The residual, relative to the eigenvalue, at which it ends.
const RESIDUAL: f64 = 1e-11;

/// The greatest eigenvalue and its eigenvector of length 1, of a symmetric positive semidefinite `matrix` `(n, n)`.
///
/// Lanczos's method: the best vector (Rayleigh and Ritz) of the space spanned by `v, Mv, M²v, …`, from which it starts anew until
/// the vector is one. A matrix of zeros has the eigenvalue 0 and the vector 0.
pub(crate) fn leading_eigenpair(matrix: &[f64], n: usize) -> (f64, Vec<f64>) {
    let product = |v: &[f64]| -> Vec<f64> { matrix.chunks_exact(n).map(|row| dot(row, v)).collect() };
    // Not at right angles to any vector that comes up in practice: multiples of the golden ratio, fractions only.
    let start: Vec<f64> = (1..=n).map(|i| 0.5 + (i as f64 * 0.618_033_988_749_894_9).fract()).collect();
    let Some(mut vector) = unit(product(&start)) else { return (0.0, vec![0.0; n]) };
    let mut value = 0.0;
    for _ in 0..RESTARTS {
        let (basis, images) = krylov(vector, product, n.min(BASIS));
        let m = basis.len();
        let small = basis.iter().flat_map(|a| images.iter().map(|b| dot(a, b))).collect();
        let coefficients = jacobi(small, m);
        vector = combine(&coefficients, &basis);
        let image = combine(&coefficients, &images);
        value = dot(&vector, &image);
        let residual = image.iter().zip(&vector).map(|(i, v)| (i - value * v).powi(2)).sum::<f64>().sqrt();
        if residual <= RESIDUAL * value {
            break;
        }
    }
    (value, vector)
}

/// An orthonormal basis of at most `size` vectors of `v, Mv, M²v, …`, and their products with M.
fn krylov(
    first: Vec<f64>,
    product: impl Fn(&[f64]) -> Vec<f64>,
    size: usize,
) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let mut images = vec![product(&first)];
    let mut basis = vec![first];
    while basis.len() < size {
        let mut next = images[images.len() - 1].clone();
        let length = dot(&next, &next).sqrt();
        // Twice, since once leaves roundings.
        for _ in 0..2 {
            for b in &basis {
                let along = dot(&next, b);
                next.iter_mut().zip(b).for_each(|(v, b)| *v -= along * b);
            }
        }
        if dot(&next, &next).sqrt() <= 1e-13 * length {
            break;
        }
        let Some(next) = unit(next) else { break };
        images.push(product(&next));
        basis.push(next);
    }
    (basis, images)
}

/// The eigenvector of the greatest eigenvalue of a symmetric matrix `(n, n)`, by Jacobi's rotations
/// (Golub & Van Loan, Matrix Computations, 8.5).
fn jacobi(mut a: Vec<f64>, n: usize) -> Vec<f64> {
    let mut vectors: Vec<f64> = (0..n * n).map(|i| f64::from(i / n == i % n)).collect();
    for _ in 0..60 {
        let mut turned = false;
        for p in 0..n {
            for q in p + 1..n {
                let off = a[p * n + q];
                if off.abs() <= 1e-16 * (a[p * n + p].abs() + a[q * n + q].abs()) {
                    continue;
                }
                turned = true;
                let tau = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
                let t = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
                let cos = 1.0 / (1.0 + t * t).sqrt();
                let sin = t * cos;
                for k in 0..n {
                    turn(&mut a, k * n + p, k * n + q, cos, sin);
                }
                for k in 0..n {
                    turn(&mut a, p * n + k, q * n + k, cos, sin);
                    turn(&mut vectors, k * n + p, k * n + q, cos, sin);
                }
            }
        }
        if !turned {
            break;
        }
    }
    let best = (0..n).fold(0, |best, k| if a[k * n + k] > a[best * n + best] { k } else { best });
    (0..n).map(|k| vectors[k * n + best]).collect()
}

/// Rotates two entries.
fn turn(a: &mut [f64], i: usize, j: usize, cos: f64, sin: f64) {
    (a[i], a[j]) = (cos * a[i] - sin * a[j], sin * a[i] + cos * a[j]);
}

/// The sum of `vectors`, each times its coefficient, of length 1 where both are orthonormal.
fn combine(coefficients: &[f64], vectors: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; vectors[0].len()];
    for (c, vector) in coefficients.iter().zip(vectors) {
        sum.iter_mut().zip(vector).for_each(|(sum, v)| *sum += c * v);
    }
    sum
}

/// `v` at length 1, unless it is 0.
fn unit(mut v: Vec<f64>) -> Option<Vec<f64>> {
    let length = dot(&v, &v).sqrt();
    (length > 0.0).then(|| {
        v.iter_mut().for_each(|v| *v /= length);
        v
    })
}
