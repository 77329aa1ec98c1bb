//! Eigenvectors of small symmetric matrices.

/// The eigenvalues of a symmetric matrix, largest first, and an eigenvector of length 1 for each.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Eigen<const N: usize> {
    pub values: [f64; N],
    /// `vectors[k]` belongs to `values[k]`.
    pub vectors: [[f64; N]; N],
}

/// By Jacobi's method (1846), a rotation for each pair of axes in turn until nothing is left beside the diagonal: slow for
/// large matrices, and exact to some 1e-15 of the largest eigenvalue.
pub(super) fn eigen<const N: usize>(mut a: [[f64; N]; N]) -> Eigen<N> {
    // It converges quadratically: twelve axes take some six sweeps.
    const MOST_SWEEPS: usize = 50;
    let mut axes = [[0.0; N]; N];
    for (i, axis) in axes.iter_mut().enumerate() {
        axis[i] = 1.0;
    }
    for _ in 0..MOST_SWEEPS {
        let squares = |on: bool| -> f64 {
            let of_row = |(i, row): (usize, &[f64; N])| -> f64 {
                row.iter().enumerate().filter(|(j, _)| (i == *j) == on).map(|(_, v)| v * v).sum()
            };
            a.iter().enumerate().map(of_row).sum()
        };
        if squares(false) <= f64::EPSILON * f64::EPSILON * squares(true) {
            break;
        }
        for p in 0..N {
            for q in p + 1..N {
                rotate(&mut a, &mut axes, p, q);
            }
        }
    }
    let mut order: [usize; N] = std::array::from_fn(|i| i);
    order.sort_by(|&i, &j| a[j][j].total_cmp(&a[i][i]));
    Eigen { values: order.map(|i| a[i][i]), vectors: order.map(|i| axes[i]) }
}

/// Turns the axes `p` and `q` so that `a[p][q]` becomes 0 (Golub & Van Loan, *Matrix Computations*, 8.5.2).
fn rotate<const N: usize>(a: &mut [[f64; N]; N], axes: &mut [[f64; N]; N], p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let tau = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
    let cosine = 1.0 / (1.0 + t * t).sqrt();
    let sine = t * cosine;
    let turn = |x: f64, y: f64| (cosine * x - sine * y, sine * x + cosine * y);
    for row in a.iter_mut() {
        (row[p], row[q]) = turn(row[p], row[q]);
    }
    for k in 0..N {
        (a[p][k], a[q][k]) = turn(a[p][k], a[q][k]);
        (axes[p][k], axes[q][k]) = turn(axes[p][k], axes[q][k]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_axes_by_hand() {
        let Eigen { values, vectors } = eigen([[2.0, 1.0], [1.0, 2.0]]);
        assert!((values[0] - 3.0).abs() < 1e-15 && (values[1] - 1.0).abs() < 1e-15, "{values:?}");
        assert!(
            (vectors[0][0] - vectors[0][1]).abs() < 1e-15 && (vectors[1][0] + vectors[1][1]).abs() < 1e-15
        );
    }

    #[test]
    fn what_is_diagonal_or_zero_is_only_sorted() {
        let Eigen { values, vectors } = eigen([[1.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 2.0]]);
        assert_eq!(values, [3.0, 2.0, 1.0]);
        assert_eq!(vectors, [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
        assert_eq!(eigen([[0.0; 4]; 4]).values, [0.0; 4]);
    }

    #[test]
    fn vectors_are_orthonormal_and_give_the_matrix_back() {
        // Of rank 5 of 12, so that seven eigenvalues coincide at 0.
        let mut a = [[0f64; 12]; 12];
        for r in 0..5 {
            let v: [f64; 12] = std::array::from_fn(|i| ((7 * i + 5 * r + i * i * (r + 1)) % 13) as f64 - 6.0);
            for i in 0..12 {
                for j in 0..12 {
                    a[i][j] += v[i] * v[j];
                }
            }
        }
        let Eigen { values, vectors } = eigen(a);
        assert!(values.is_sorted_by(|a, b| a >= b));
        let tolerance = 1e-13 * values[0];
        assert!(values[5..].iter().all(|v| v.abs() < tolerance), "{values:?}");
        for i in 0..12 {
            for j in 0..12 {
                let product: f64 = (0..12).map(|k| vectors[i][k] * vectors[j][k]).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-13, "{i}, {j}: {product}");
                let back: f64 = (0..12).map(|k| values[k] * vectors[k][i] * vectors[k][j]).sum();
                assert!((back - a[i][j]).abs() < tolerance, "{i}, {j}: {back} instead of {}", a[i][j]);
            }
        }
    }

    #[test]
    fn what_is_no_number_ends() {
        assert!(eigen([[f64::NAN; 3]; 3]).values.iter().all(|v| v.is_nan()));
    }
}
