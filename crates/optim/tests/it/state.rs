//! Saving and loading an optimiser's state.

use crate::{gradient, store, values, var};
use candle_core::{DType, Device, Tensor, Var};
use proptest::prelude::*;
use wick_optim::{
    Adam, AdamOptions, Momentum, OptimError, Optimizer, OptimizerConfig, Sgd, SgdOptions, Snapshot,
};

fn configs() -> [OptimizerConfig; 3] {
    let momentum = Momentum::Nesterov(0.9);
    [
        OptimizerConfig::Sgd(SgdOptions { momentum, ..Default::default() }),
        OptimizerConfig::Adam(AdamOptions::default()),
        OptimizerConfig::AdamW(Default::default()),
    ]
}

fn named(p: &Var, q: &Var) -> Vec<(String, Var)> {
    vec![("p".into(), p.clone()), ("q".into(), q.clone())]
}

/// Seven steps in one go, and three, a copy and four more: the same bits.
#[test]
fn a_loaded_state_continues_bit_for_bit() {
    for config in configs() {
        let run = |pause_after: Option<u64>| {
            let (mut p, mut q) = (var(&[0.5, -0.25, 1.0]), var(&[2.0]));
            let mut optimizer = config.build(named(&p, &q)).unwrap();
            for k in 0..7 {
                if pause_after == Some(k) {
                    let mut state = optimizer.state().unwrap();
                    state.reverse(); // the order does not matter
                    (p, q) = (var(&values(&p)), var(&values(&q)));
                    optimizer = config.build(named(&p, &q)).unwrap();
                    optimizer.load_state(&state).unwrap();
                    assert_eq!(optimizer.steps(), k);
                }
                // q has a gradient at every other step only.
                let mut gradients = store([(&p, gradient(k, 3))]);
                if k % 2 == 1 {
                    gradients.insert(&q, gradient(k + 100, 1));
                }
                optimizer.step(&gradients).unwrap();
            }
            (values(&p), values(&q))
        };
        let whole = run(None);
        for pause in [0, 1, 3, 6] {
            assert_eq!(run(Some(pause)), whole, "{config:?}, paused after {pause}");
        }
    }
}

#[test]
fn a_saved_state_is_a_copy() {
    let p = var(&[1.0, 2.0]);
    let options = SgdOptions { momentum: Momentum::Heavy(0.9), ..Default::default() };
    let mut sgd = Sgd::new(vec![("p".into(), p.clone())], options).unwrap();
    sgd.step(&store([(&p, gradient(0, 2))])).unwrap();
    let state = sgd.state().unwrap();
    let before = values(&state[1].1);
    sgd.step(&store([(&p, gradient(1, 2))])).unwrap();
    assert_eq!(state[1].0, "momentum_buffer/p");
    assert_eq!(values(&state[1].1), before);
    assert_ne!(values(&sgd.state().unwrap()[1].1), before);
}

#[test]
fn a_state_that_does_not_fit_is_refused_whole() {
    let p = var(&[1.0, 2.0]);
    let mut adam = Adam::new(vec![("p".into(), p.clone())], AdamOptions::default()).unwrap();
    adam.step(&store([(&p, gradient(0, 2))])).unwrap();
    let good = adam.state().unwrap();
    let message =
        |state: &[(String, Tensor)], adam: &mut Adam| adam.load_state(state).unwrap_err().to_string();

    let mut state = good.clone();
    state[2].1 = Tensor::zeros((2, 3), DType::F64, &Device::Cpu).unwrap();
    assert_eq!(
        message(&state, &mut adam),
        "tensor \"exp_avg_sq/p\" of the saved optimiser state is [2, 3] F64, expected [2] F64: it is of another model or another optimiser"
    );
    state[2].1 = good[2].1.to_dtype(DType::F32).unwrap();
    assert!(message(&state, &mut adam).contains("[2] F32, expected [2] F64"));
    assert!(message(&good[..2], &mut adam).contains("has no tensor \"exp_avg_sq/p\""));
    assert!(message(&[], &mut adam).contains("has no tensor \"step/p\""));
    let mut state = good.clone();
    state.push(("exp_avg/q".into(), good[1].1.clone()));
    assert!(message(&state, &mut adam).contains("\"exp_avg/q\" that fits no variable"));
    let mut sgd = Sgd::new(vec![("p".into(), p.clone())], SgdOptions::default()).unwrap();
    assert!(
        matches!(sgd.load_state(&good), Err(OptimError::StateUnexpected { name }) if name == "exp_avg/p")
    );

    // None of it changed anything.
    for ((_, got), (_, want)) in adam.state().unwrap().iter().zip(&good) {
        let [got, want] = [got, want].map(|t| values(&t.to_dtype(DType::F64).unwrap()));
        assert_eq!(got, want);
    }
}

#[test]
fn a_snapshot_puts_back_variables_state_learning_rate_and_momentum() {
    for config in configs() {
        let (p, statistics) = (var(&[1.0, -2.0]), var(&[0.0]));
        let mut optimizer = config.build(vec![("p".into(), p.clone())]).unwrap();
        optimizer.step(&store([(&p, gradient(0, 2))])).unwrap();
        let at_snapshot = values(&p);
        let snapshot = Snapshot::take([&p, &statistics], &*optimizer).unwrap();

        let mut go_on = || {
            optimizer.set_learning_rate(0.3).unwrap();
            optimizer.set_momentum(0.7).unwrap();
            statistics.set(&(statistics.as_tensor() + 1.0).unwrap()).unwrap();
            optimizer.step(&store([(&p, gradient(1, 2))])).unwrap();
            let after = (values(&p), values(&statistics));
            snapshot.restore(&mut *optimizer).unwrap();
            after
        };
        let first = go_on();
        assert_ne!(first.0, at_snapshot);
        assert_eq!(go_on(), first, "the second time starts from the same state");
        assert_eq!((values(&p), values(&statistics)), (at_snapshot, vec![0.0]));
        assert_eq!((optimizer.learning_rate(), optimizer.momentum()), (1e-3, Some(0.9)));
        assert_eq!(optimizer.steps(), 1);
    }
}

proptest! {
    /// Whatever tensors come from a file: an error or a state, never a panic.
    #[test]
    fn any_tensors_are_read_or_refused(
        entries in prop::collection::vec(("(step|exp_avg|exp_avg_sq|momentum_buffer)/(p|q)", 0usize..4, 0usize..3), 0..6),
    ) {
        let p = var(&[1.0, 2.0]);
        let mut adam = Adam::new(vec![("p".into(), p)], AdamOptions::default()).unwrap();
        let state: Vec<(String, Tensor)> = entries
            .into_iter()
            .map(|(name, length, dtype)| {
                let dtype = [DType::F64, DType::I64, DType::U8][dtype];
                (name, Tensor::zeros(length, dtype, &Device::Cpu).unwrap())
            })
            .collect();
        let before = adam.steps();
        if adam.load_state(&state).is_err() {
            prop_assert_eq!(adam.steps(), before);
        }
    }
}
