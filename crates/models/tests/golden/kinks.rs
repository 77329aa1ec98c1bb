//! Gradients where a rectifier or a pooling window may have turned over.
//!
//! One whose input is within rounding of its kink turns over by chance, and so moves gradients by up to a fifth of their root mean
//! square: as much as a fault would. `fixtures/golden/kinks.py` has found all such places and what each does to the values held,
//! so that what turned over can be told from what is wrong.

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{Device, Tensor};

/// Values held of each parameter's gradient: the first four, and the norm.
const HELD: usize = 5;

/// What each place that is close to its kink adds to the values held if it turns over; nothing for one without rectifiers.
pub fn read(network: &str) -> Vec<Vec<f64>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden/kinks.safetensors");
    let mut all: HashMap<String, Tensor> = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
    let Some(moves) = all.remove(network) else { return Vec::new() };
    assert_eq!(moves.dims()[2], HELD);
    let moves: Vec<Vec<f32>> = moves.flatten_from(1).unwrap().to_vec2().unwrap();
    moves.into_iter().map(|all| all.into_iter().map(f64::from).collect()).collect()
}

/// Takes from the errors what the places that turned over explain: as long as one of them, taken as turned over or as not,
/// leaves a smaller sum of squares.
pub fn explain(errors: &mut [f64], moves: &[Vec<f64>]) {
    let gain = |errors: &[f64], by: &[f64], sign: f64| -> f64 {
        errors.iter().zip(by).map(|(e, m)| e * e - (e - sign * m).powi(2)).sum()
    };
    let mut signs = vec![1.0; moves.len()];
    loop {
        let gains = moves.iter().zip(&signs).map(|(by, sign)| gain(errors, by, *sign));
        let Some((best, most)) = gains.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)) else { return };
        // Of what is not a number, nothing is explained.
        if most.is_nan() || most <= 0.0 {
            return;
        }
        errors.iter_mut().zip(&moves[best]).for_each(|(e, m)| *e -= signs[best] * m);
        signs[best] = -signs[best];
    }
}

#[test]
fn what_turned_over_is_explained_and_a_fault_is_not() {
    let moves = [vec![1.0, 0.5, 0.0], vec![0.0, 0.25, -2.0], vec![0.75, 0.5, 0.5]];
    let mut errors = vec![1.75 + 1e-3, 1.0, 0.5];
    explain(&mut errors, &moves);
    assert!(errors.iter().zip([1e-3, 0.0, 0.0]).all(|(e, want)| (e - want).abs() < 1e-12), "{errors:?}");
    // Half of what a place does is no turning over.
    let mut errors = vec![0.0, 0.125, -1.0];
    explain(&mut errors, &moves);
    assert!(errors[2].abs() >= 1.0, "{errors:?}");
    let mut errors = vec![f64::NAN, 0.5, 0.0];
    explain(&mut errors, &moves);
    assert!(errors[0].is_nan(), "{errors:?}");
}
