use proptest::prelude::*;

use super::*;
use crate::testing::{assert_same_on_any_threads, uniform};

fn backward(s: &LinearShape, x: &[f32], weight: &[f32], dy: &[f32]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let (mut dx, mut dw) = (vec![f32::NAN; x.len()], vec![f32::NAN; weight.len()]);
    let mut db = vec![f32::NAN; s.out_features];
    linear_backward(s, x, weight, dy, &mut dx, &mut dw, Some(&mut db)).unwrap();
    (dx, dw, db)
}

proptest! {
    #[test]
    fn odd_shapes_agree_with_the_definition(
        batch in prop::sample::select(vec![0usize, 1, 2, 63, 64, 65, 130]),
        in_features in prop::sample::select(vec![1usize, 3, 17, 64, 100]),
        out_features in prop::sample::select(vec![1usize, 2, 10, 70]),
        biased in any::<bool>(),
    ) {
        let s = LinearShape { batch, in_features, out_features };
        let (x, w) = (uniform(101, batch * in_features, 1.0), uniform(102, out_features * in_features, 1.0));
        let (b, dy) = (uniform(103, out_features, 1.0), uniform(104, batch * out_features, 1.0));
        let bias = biased.then_some(b.as_slice());
        let mut y = vec![f32::NAN; dy.len()];
        linear_forward(&s, &x, &w, bias, &mut y).unwrap();
        // Sums of at most 131 products of at most 1, in f32 here and f64 there.
        let close = |got: &[f32], want: &[f32]| got.iter().zip(want).all(|(g, w)| (g - w).abs() <= 2e-5);
        prop_assert!(close(&y, &reference::linear_forward(&s, &x, &w, bias)));
        let (got, want) = (backward(&s, &x, &w, &dy), reference::linear_backward(&s, &x, &w, &dy));
        prop_assert!(close(&got.0, &want.0) && close(&got.1, &want.1) && close(&got.2, &want.2));
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let s = LinearShape { batch: 300, in_features: 129, out_features: 131 };
    let (x, w) = (uniform(1, 300 * 129, 1.0), uniform(2, 129 * 131, 1.0));
    let dy = uniform(3, 300 * 131, 1.0);
    assert_same_on_any_threads("linear", || {
        let (dx, dw, db) = backward(&s, &x, &w, &dy);
        [dx, dw, db].concat()
    });
}

#[test]
fn wrong_lengths_are_named() {
    let s = LinearShape { batch: 2, in_features: 3, out_features: 4 };
    let error = linear_forward(&s, &[0.0; 6], &[0.0; 12], Some(&[0.0; 3]), &mut [0.0; 8]);
    assert_eq!(error, Err(ShapeError::Length { op: "linear_forward", name: "bias", expected: 4, got: 3 }));
    let error = linear_backward(&s, &[0.0; 6], &[0.0; 12], &[0.0; 8], &mut [0.0; 6], &mut [0.0; 11], None);
    assert_eq!(
        error,
        Err(ShapeError::Length { op: "linear_backward", name: "dweight", expected: 12, got: 11 })
    );
    assert_eq!(
        LinearShape { in_features: 0, ..s }.checked(),
        Err(ShapeError::Zero { op: "linear", name: "in_features" })
    );
}
