//! First principal components, against a singular value decomposition by one-sided Jacobi rotations, which is slow and exact.

use crate::{golden, tensor, values};
use candle_core::{Device, Tensor};
use wick_gradcam::eigen_cam;

/// `U₁·S₁` of the rows of `matrix` `(rows, columns)`, less their mean: rotates columns until they are at right angles (Golub & Van
/// Loan, Matrix Computations, 8.6.3), and takes the longest.
fn longest_column(matrix: &[f32], columns: usize) -> Vec<f64> {
    let rows = matrix.len() / columns;
    let mut a: Vec<Vec<f64>> = (0..columns)
        .map(|c| {
            let column: Vec<f64> = (0..rows).map(|r| f64::from(matrix[r * columns + c])).collect();
            let mean = column.iter().sum::<f64>() / rows as f64;
            column.into_iter().map(|v| v - mean).collect()
        })
        .collect();
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    for _ in 0..40 {
        for p in 0..columns {
            for q in p + 1..columns {
                let (pp, qq, pq) = (dot(&a[p], &a[p]), dot(&a[q], &a[q]), dot(&a[p], &a[q]));
                if pq.abs() <= 1e-15 * (pp * qq).sqrt() {
                    continue;
                }
                let tau = (qq - pp) / (2.0 * pq);
                let t = tau.signum() / (tau.abs() + (1.0 + tau * tau).sqrt());
                let cos = 1.0 / (1.0 + t * t).sqrt();
                let (left, right) = a.split_at_mut(q);
                for (x, y) in left[p].iter_mut().zip(&mut right[0]) {
                    (*x, *y) = (cos * (*x - t * *y), cos * (t * *x + *y));
                }
            }
        }
    }
    a.into_iter().max_by(|x, y| dot(x, x).total_cmp(&dot(y, y))).unwrap()
}

/// Fewer places than channels and more, small enough for one Krylov space and not; random matrices, whose singular values lie
/// close. 1e-5 is f32's share.
#[test]
fn components_are_those_of_the_singular_value_decomposition() {
    let shapes =
        [(1, 2, 3), (3, 4, 2), (4, 4, 6), (4, 4, 64), (8, 8, 40), (6, 5, 29), (16, 16, 32), (2, 30, 61)];
    for (seed, (h, w, c)) in shapes.into_iter().enumerate() {
        let activations = tensor(seed as u64, (1, h, w, c), 1.0).relu().unwrap();
        let matrix = values(&activations);
        let want = longest_column(&matrix, c);
        let sums: Vec<f64> = matrix.chunks(c).map(|row| row.iter().map(|v| f64::from(*v)).sum()).collect();
        let agreement: f64 = want.iter().zip(&sums).map(|(a, b)| a * b).sum();
        let want: Vec<f32> = want.iter().map(|v| (v * agreement.signum()) as f32).collect();
        golden::assert_close(
            &format!("{h}×{w}×{c}"),
            &values(&eigen_cam(&activations).unwrap()),
            &want,
            1e-5,
        );
    }
}

/// Two singular values of nearly the same size, in more places than one Krylov space holds: the harder case.
#[test]
fn near_ties_are_told_apart() {
    let (places, close) = (80usize, 0.999f64);
    let waves = |k: usize, p: usize| (std::f64::consts::TAU * (k * p) as f64 / places as f64).cos();
    // Cosines of whole waves are at right angles to one another and to the mean.
    let matrix: Vec<f32> = (0..places)
        .flat_map(|p| {
            (1..=30)
                .map(move |k| (waves(k, p) * if k == 7 { 1.0 } else { close.powi(k as i32) * 0.999 }) as f32)
        })
        .collect();
    let activations = Tensor::from_vec(matrix, (1, places, 1, 30), &Device::Cpu).unwrap();
    let want: Vec<f32> = (0..places).map(|p| waves(7, p) as f32).collect();
    golden::assert_close("ties", &values(&eigen_cam(&activations).unwrap()), &want, 1e-4);
}

#[test]
fn the_sign_agrees_with_the_sum_over_the_channels() {
    let activations = tensor(3, (4, 5, 5, 9), 1.0);
    let maps = eigen_cam(&activations).unwrap();
    let sums = activations.sum(3).unwrap();
    let mirrored = eigen_cam(&activations.neg().unwrap()).unwrap();
    for image in 0..4 {
        let [map, sum, mirrored] = [&maps, &sums, &mirrored].map(|t| values(&t.get(image).unwrap()));
        let mean = sum.iter().sum::<f32>() / 25.0;
        let product: f32 = map.iter().zip(&sum).map(|(a, b)| a * (b - mean)).sum();
        assert!(product > 0.0, "image {image}: {product}");
        let negated: Vec<f32> = mirrored.iter().map(|v| -v).collect();
        golden::assert_close("negated", &negated, &map, 1e-6);
    }
    // Two channels that cancel: the sum says nothing, the greatest value becomes positive.
    let cancelling = Tensor::new(&[[0f32, 0.], [1., -1.], [-3., 3.]], &Device::Cpu).unwrap();
    let map = values(&eigen_cam(&cancelling.reshape((1, 1, 3, 2)).unwrap()).unwrap());
    assert!(map[2] > 0.0 && map[2] > map[1].abs(), "{map:?}");
}

#[test]
fn what_does_not_vary_is_nothing() {
    let flat = tensor(1, (1, 1, 1, 30), 1.0).broadcast_as((1, 5, 6, 30)).unwrap().contiguous().unwrap();
    for v in values(&eigen_cam(&flat).unwrap()) {
        assert!(v.abs() < 1e-6, "{v}");
    }
    assert_eq!(values(&eigen_cam(&flat.zeros_like().unwrap()).unwrap()), [0.0; 30]);
}
