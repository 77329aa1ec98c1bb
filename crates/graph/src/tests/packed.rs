//! Weights that evaluations keep ready: seen by their memory and time alone, never by a bit of a result.

use wick_kernels::Precision;

use super::{Case, executor};
use crate::Executor;

/// Logits of the first `n` images.
fn logits(case: &Case, executor: &mut Executor, n: usize) -> Vec<u32> {
    let p: Vec<&[f32]> = case.parameters.iter().map(Vec::as_slice).collect();
    let images = &case.images[..case.images.len() / case.labels.len() * n];
    executor.logits(&p, images).unwrap().iter().map(|v| v.to_bits()).collect()
}

fn cases() -> impl Iterator<Item = (Case, Precision)> {
    [Precision::F32, Precision::Bf16]
        .into_iter()
        .flat_map(|p| Case::all().into_iter().map(move |case| (case, p)))
}

#[test]
fn results_are_those_of_a_first_evaluation() {
    for (mut case, precision) in cases() {
        let fresh = |case: &Case, n| logits(case, &mut executor(&case.graph, precision), n);
        let mut kept = executor(&case.graph, precision);
        // Twice to see them, and a third time to read what is kept; then with more images than there was memory for.
        for n in [2, 2, 2, 5, 5, 1] {
            assert!(logits(&case, &mut kept, n) == fresh(&case, n), "{}, {n} images", case.name);
        }
        // Any weight may change, unannounced.
        for i in 0..case.parameters.len() {
            if let Some(value) = case.parameters[i].last_mut() {
                *value += 0.25;
            }
            for n in [3, 3, 3] {
                let what = &case.graph.parameters()[i].name;
                assert!(logits(&case, &mut kept, n) == fresh(&case, n), "{}, {what} changed", case.name);
            }
        }
    }
}

#[test]
fn training_and_evaluation_may_alternate() {
    for (case, precision) in cases() {
        let mut kept = executor(&case.graph, precision);
        let step = case.step(&mut kept, 5);
        let first = logits(&case, &mut kept, 5);
        for _ in 0..2 {
            for _ in 0..3 {
                assert!(logits(&case, &mut kept, 5) == first, "{}", case.name);
            }
            assert!(case.step(&mut kept, 5) == step, "{}", case.name);
        }
    }
}

#[test]
fn weights_are_kept_from_the_second_evaluation_on() {
    for (case, precision) in cases() {
        let mut kept = executor(&case.graph, precision);
        let bytes = [(); 4].map(|()| {
            logits(&case, &mut kept, 1);
            kept.bytes()
        });
        assert!(bytes[0] < bytes[1] && bytes[1..] == [bytes[1]; 3], "{}: {bytes:?}", case.name);
    }
}
