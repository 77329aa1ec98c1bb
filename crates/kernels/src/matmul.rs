//! A safe, bounds-checked front of the `gemm` crate: single-threaded products of strided matrices.
#![allow(unsafe_code)]

/// A matrix in a slice: element `(i, j)` is `data[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `columns` values, one after another.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same values with rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Columns `start .. start + columns` only.
    pub(crate) fn columns(self, start: usize, columns: usize) -> Self {
        assert!(start + columns <= self.columns, "columns outside the matrix");
        // An empty matrix may have no data at the offset.
        let data = self.data.get(start * self.column_stride..).unwrap_or_default();
        Self { data, columns, ..self }
    }

    fn fits(&self) -> bool {
        let last = |n: usize, stride: usize| (n - 1).checked_mul(stride);
        if self.rows == 0 || self.columns == 0 {
            return true;
        }
        match (last(self.rows, self.row_stride), last(self.columns, self.column_stride)) {
            (Some(a), Some(b)) => a.checked_add(b).is_some_and(|end| end < self.data.len()),
            _ => false,
        }
    }
}

/// `out = lhs · rhs`, rows one after another.
pub(crate) fn matmul(lhs: Matrix, rhs: Matrix, out: &mut [f32]) {
    let (m, n, k) = (lhs.rows, rhs.columns, lhs.columns);
    assert_eq!(rhs.rows, k, "inner sizes differ");
    assert_eq!(Some(out.len()), m.checked_mul(n), "the product has another size than its place");
    assert!(lhs.fits() && rhs.fits(), "a matrix reaches beyond its slice");
    if k == 0 {
        out.fill(0.0);
    }
    if out.is_empty() || k == 0 {
        return;
    }
    // SAFETY: every element that gemm reads or writes lies within its slice, as asserted above (slices are at most
    // isize::MAX bytes, so the strides fit into isize); `out` is borrowed exclusively and its elements are distinct.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            false,
            lhs.data.as_ptr(),
            lhs.column_stride as isize,
            lhs.row_stride as isize,
            rhs.data.as_ptr(),
            rhs.column_stride as isize,
            rhs.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_all_orientations_agree_with_the_definition() {
        let (m, n, k) = (3, 5, 4);
        let a: Vec<f32> = (0..m * k).map(|i| i as f32 - 5.0).collect();
        let b: Vec<f32> = (0..k * n).map(|i| (i % 7) as f32).collect();
        let want: Vec<f32> =
            (0..m * n).map(|i| (0..k).map(|p| a[i / n * k + p] * b[p * n + i % n]).sum()).collect();
        let turn = |x: &[f32], r: usize, c: usize| -> Vec<f32> {
            (0..r * c).map(|i| x[i % r * c + i / r]).collect()
        };
        let (at, bt) = (turn(&a, m, k), turn(&b, k, n));
        for lhs in [Matrix::new(&a, m, k), Matrix::new(&at, k, m).transposed()] {
            for rhs in [Matrix::new(&b, k, n), Matrix::new(&bt, n, k).transposed()] {
                let mut out = vec![f32::NAN; m * n];
                matmul(lhs, rhs, &mut out);
                assert_eq!(out, want); // small whole numbers: exact
            }
        }
    }

    #[test]
    fn an_empty_inner_size_gives_zeros() {
        let mut out = [f32::NAN; 6];
        matmul(Matrix::new(&[], 2, 0), Matrix::new(&[], 0, 3), &mut out);
        assert_eq!(out, [0.0; 6]);
    }

    #[test]
    #[should_panic(expected = "beyond its slice")]
    fn a_matrix_larger_than_its_slice_is_refused() {
        matmul(Matrix::new(&[1.0; 5], 2, 3), Matrix::new(&[1.0; 3], 3, 1), &mut [0.0; 2]);
    }
}
