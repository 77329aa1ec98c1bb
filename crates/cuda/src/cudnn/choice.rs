//! Which of the engines that cuDNN names for a convolution is taken.

use cudarc::cudnn::sys::{cudnnBackendHeurMode_t as Mode, cudnnBackendNumericalNote_t as Note};

use crate::{CudaError, Determinism, Numbers};

/// How much is tried for a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    Full,
    /// For a batch that is seldom computed: what is left over of an epoch.
    Little,
}

/// What was tried for a convolution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Choice {
    /// Engines that ran.
    pub tried: usize,
    /// Seconds that the fastest one took.
    pub seconds: f64,
}

/// No engine ran.
#[derive(Debug, PartialEq)]
pub(super) struct Nothing {
    /// Engines that were named.
    pub named: usize,
    /// Why the last one was none.
    pub message: String,
}

/// How many engines are timed: which is the fastest changes from run to run, and bits with it.
pub(super) fn most(determinism: Determinism, effort: Effort) -> usize {
    match (determinism, effort) {
        (Determinism::Required, _) => 1,
        (Determinism::Free, Effort::Little) => 2,
        (Determinism::Free, Effort::Full) => 10,
    }
}

/// The fastest of the first `most` engines that run. Those of the fallback are asked for only where none of the others runs. `named` lists
/// a mode's engines, the most promising first; `time` makes of one what is taken, and the seconds that it took.
pub(super) fn fastest<E, P>(
    most: usize,
    named: impl Fn(Mode) -> Result<Vec<E>, CudaError>,
    mut time: impl FnMut(&E) -> Result<(P, f64), CudaError>,
) -> Result<(P, Choice), Nothing> {
    let (mut best, mut tried): (Option<(P, f64)>, usize) = (None, 0);
    let mut nothing = Nothing { named: 0, message: "none was named".into() };
    for mode in [Mode::CUDNN_HEUR_MODE_A, Mode::CUDNN_HEUR_MODE_FALLBACK] {
        let engines = named(mode).unwrap_or_else(|error| {
            nothing.message = error.to_string();
            Vec::new()
        });
        for engine in &engines {
            nothing.named += 1;
            match time(engine) {
                Ok((plan, seconds)) => {
                    tried += 1;
                    if best.as_ref().is_none_or(|(_, least)| seconds < *least) {
                        best = Some((plan, seconds));
                    }
                }
                Err(error) => nothing.message = error.to_string(),
            }
            if tried == most {
                break;
            }
        }
        if tried > 0 {
            break;
        }
    }
    let (plan, seconds) = best.ok_or(nothing)?;
    Ok((plan, Choice { tried, seconds }))
}

/// What an engine with these notes cannot do that is asked for, if anything.
pub(super) fn refusal(notes: &[Note], numbers: Numbers, determinism: Determinism) -> Option<&'static str> {
    let coarse = [
        Note::CUDNN_NUMERICAL_NOTE_TENSOR_CORE,
        Note::CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS,
        Note::CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION,
    ];
    if numbers == Numbers::F32 && notes.iter().any(|note| coarse.contains(note)) {
        return Some("compute in f32 throughout");
    }
    if notes.contains(&Note::CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION) {
        return Some("sum in f32");
    }
    let repeatable = !notes.contains(&Note::CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC);
    (determinism == Determinism::Required && !repeatable).then_some("repeat its sums")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn no(message: &str) -> CudaError {
        CudaError::Cudnn { doing: "compute this", message: message.into() }
    }

    /// Of seconds of each engine of either mode, `None` of one that does not run: what is taken, and how many were timed.
    fn taken(most: usize, [first, fallback]: [&[Option<f64>]; 2]) -> (Result<(f64, Choice), Nothing>, usize) {
        let timed = Cell::new(0);
        let named = |mode| Ok(if mode == Mode::CUDNN_HEUR_MODE_A { first } else { fallback }.to_vec());
        let result = fastest(most, named, |engine: &Option<f64>| {
            timed.set(timed.get() + 1);
            engine.map(|seconds| (seconds, seconds)).ok_or_else(|| no("it does not run"))
        });
        (result, timed.get())
    }

    #[test]
    fn the_fastest_of_the_first_is_taken() {
        let engines = [None, Some(3.0), Some(1.0), None, Some(2.0), Some(0.5)];
        let (taken_of_all, _) = taken(10, [&engines, &[]]);
        assert_eq!(taken_of_all, Ok((0.5, Choice { tried: 4, seconds: 0.5 })));
        let (taken_of_three, timed) = taken(3, [&engines, &[Some(0.1)]]);
        assert_eq!(taken_of_three, Ok((1.0, Choice { tried: 3, seconds: 1.0 })));
        assert_eq!(timed, 5, "no more than three that run, and no fallback");
        let (first, timed) = taken(1, [&engines, &[]]);
        assert_eq!((first, timed), (Ok((3.0, Choice { tried: 1, seconds: 3.0 })), 2));
    }

    #[test]
    fn the_fallback_is_asked_where_nothing_else_runs() {
        let (fallback, _) = taken(10, [&[None, None], &[Some(7.0), Some(6.0)]]);
        assert_eq!(fallback, Ok((6.0, Choice { tried: 2, seconds: 6.0 })));
        let (nothing, _) = taken(10, [&[None], &[None, None]]);
        let message = "cuDNN could not compute this: it does not run".to_owned();
        assert_eq!(nothing, Err(Nothing { named: 3, message }));
        let (nothing, _) = taken(10, [&[], &[]]);
        assert_eq!(nothing, Err(Nothing { named: 0, message: "none was named".into() }));
    }

    #[test]
    fn heuristics_that_fail_are_passed_over() {
        let named = |mode| match mode {
            Mode::CUDNN_HEUR_MODE_A => Err(no("no heuristics")),
            _ => Ok(vec![4.0]),
        };
        let taken = fastest(10, named, |seconds: &f64| Ok(((), *seconds)));
        assert_eq!(taken, Ok(((), Choice { tried: 1, seconds: 4.0 })));
        let nothing = fastest(10, |_| Err::<Vec<f64>, _>(no("no heuristics")), |seconds| Ok(((), *seconds)));
        assert_eq!(nothing.unwrap_err().message, "cuDNN could not compute this: no heuristics");
    }

    #[test]
    fn bits_that_must_repeat_leave_nothing_to_time() {
        assert_eq!(most(Determinism::Required, Effort::Full), 1);
        assert!(most(Determinism::Free, Effort::Little) < most(Determinism::Free, Effort::Full));
    }

    #[test]
    fn engines_that_round_or_reorder_are_refused_where_that_matters() {
        let [core, narrow, sums, random] = [
            Note::CUDNN_NUMERICAL_NOTE_TENSOR_CORE,
            Note::CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS,
            Note::CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION,
            Note::CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC,
        ];
        let free = |notes: &[Note], numbers| refusal(notes, numbers, Determinism::Free);
        assert_eq!(free(&[], Numbers::F32), None);
        for note in [core, narrow, sums] {
            assert_eq!(free(&[note], Numbers::F32), Some("compute in f32 throughout"));
        }
        for numbers in [Numbers::Tf32, Numbers::Bf16] {
            assert_eq!(free(&[core, narrow], numbers), None);
            assert_eq!(free(&[core, sums], numbers), Some("sum in f32"));
        }
        assert_eq!(free(&[random], Numbers::F32), None);
        assert_eq!(refusal(&[core, random], Numbers::Bf16, Determinism::Required), Some("repeat its sums"));
        assert_eq!(refusal(&[core], Numbers::Bf16, Determinism::Required), None);
    }
}
