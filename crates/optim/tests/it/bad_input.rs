//! Every refusal names what it refuses.

use crate::{gradient, store, values, var};
use candle_core::{DType, Device, Var};
use wick_optim::{
    Adam, AdamOptions, AdamW, AdamWOptions, CycleMomentum, Momentum, OneCycle, OneCycleOptions, OptimError,
    Optimizer, Phases, RangeTestOptions, Sgd, SgdOptions,
};

fn message<T>(result: Result<T, OptimError>) -> String {
    match result {
        Ok(_) => panic!("accepted"),
        Err(e) => e.to_string(),
    }
}

#[test]
fn options_out_of_range_are_named_with_their_values() {
    let sgd = |options| message(Sgd::new(vec![], options));
    let default = SgdOptions::default();
    assert_eq!(
        sgd(SgdOptions { learning_rate: -0.1, ..default }),
        "lr is -0.1: it must be a finite number, at least 0"
    );
    assert!(sgd(SgdOptions { learning_rate: f64::NAN, ..default }).starts_with("lr is NaN"));
    assert!(sgd(SgdOptions { weight_decay: -1.0, ..default }).starts_with("weight_decay is -1"));
    assert!(sgd(SgdOptions { momentum: Momentum::Heavy(-0.9), ..default }).starts_with("momentum is -0.9"));
    assert!(sgd(SgdOptions { momentum: Momentum::Heavy(1.0), ..default }).starts_with("momentum is 1"));
    assert!(
        sgd(SgdOptions { momentum: Momentum::Nesterov(0.0), ..default }).contains("above 0 for Nesterov")
    );
    assert!(sgd(SgdOptions { dampening: f64::INFINITY, ..default }).starts_with("dampening is inf"));
    let both = sgd(SgdOptions { momentum: Momentum::Nesterov(0.9), dampening: 0.5, ..default });
    assert!(
        both.starts_with("momentum = { nesterov = 0.9 } cannot be combined with dampening = 0.5"),
        "{both}"
    );

    let adam = |options| message(Adam::new(vec![], options));
    let default = AdamOptions::default();
    assert!(
        adam(AdamOptions { beta1: 1.0, ..default })
            .starts_with("beta1 is 1: it must be at least 0 and below 1")
    );
    assert!(adam(AdamOptions { beta2: -0.1, ..default }).starts_with("beta2 is -0.1"));
    assert!(adam(AdamOptions { epsilon: -1e-8, ..default }).starts_with("epsilon is"));
    let adamw = AdamWOptions { weight_decay: -0.1, ..Default::default() };
    assert!(message(AdamW::new(vec![], adamw)).starts_with("weight_decay is -0.1"));
}

#[test]
fn a_refused_learning_rate_or_momentum_leaves_the_last_one() {
    let mut sgd = Sgd::new(vec![], SgdOptions { learning_rate: 0.5, ..Default::default() }).unwrap();
    assert!(message(sgd.set_learning_rate(f64::NAN)).starts_with("lr is NaN"));
    assert_eq!(sgd.learning_rate(), 0.5);
    assert!(message(sgd.set_momentum(0.9)).contains("made without momentum"));
    let mut adam = Adam::new(vec![], AdamOptions::default()).unwrap();
    assert!(message(adam.set_momentum(1.5)).starts_with("beta1 is 1.5"));
    assert_eq!(adam.momentum(), Some(0.9));
}

#[test]
fn variables_that_cannot_be_updated_are_refused() {
    let p = var(&[1.0]);
    let named = |name: &str, var: &Var| (name.to_string(), var.clone());
    let sgd = |variables| message(Sgd::new(variables, SgdOptions::default()));
    assert!(sgd(vec![named("a", &p), named("b", &p)]).starts_with(r#"variable "b" repeats "a""#));
    assert!(sgd(vec![named("a", &p), named("a", &var(&[2.0]))]).starts_with(r#"variable "a" repeats "a""#));
    let counter = Var::zeros(3, DType::U32, &Device::Cpu).unwrap();
    assert!(sgd(vec![named("count", &counter)]).starts_with(r#"variable "count" is U32"#));
}

#[test]
fn a_wrong_gradient_is_refused_before_anything_changes() {
    let (p, q) = (var(&[1.0, 2.0]), var(&[3.0]));
    let mut sgd =
        Sgd::new(vec![("p".into(), p.clone()), ("q".into(), q.clone())], SgdOptions::default()).unwrap();
    let wrong = message(sgd.step(&store([(&p, gradient(0, 2)), (&q, gradient(0, 4))])));
    assert_eq!(wrong, r#"the gradient of "q" is [4] F64, the variable [1] F64: they must be alike"#);
    assert_eq!((values(&p), sgd.steps()), (vec![1.0, 2.0], 0));
    let narrow = gradient(0, 2).to_dtype(DType::F32).unwrap();
    assert!(message(sgd.step(&store([(&p, narrow)]))).contains("[2] F32, the variable [2] F64"));
}

#[test]
fn schedules_that_make_no_sense_are_refused() {
    let good = OneCycleOptions { max_lr: 0.1.into(), ..Default::default() };
    let cycle = |options| message(OneCycle::new(&options, 10));
    assert!(message(OneCycle::new(&good, 0)).starts_with("total_steps is 0"));
    assert!(cycle(OneCycleOptions::default()).contains("run the range test first"));
    assert!(cycle(OneCycleOptions { max_lr: (-0.1).into(), ..good }).starts_with("max_lr is -0.1"));
    assert!(cycle(OneCycleOptions { pct_start: 1.1, ..good }).starts_with("pct_start is 1.1"));
    assert!(cycle(OneCycleOptions { pct_start: f64::NAN, ..good }).starts_with("pct_start is NaN"));
    assert!(cycle(OneCycleOptions { div_factor: 0.0, ..good }).starts_with("div_factor is 0"));
    assert!(cycle(OneCycleOptions { final_div_factor: -1.0, ..good }).starts_with("final_div_factor is -1"));
    let three = cycle(OneCycleOptions { pct_start: 0.6, phases: Phases::Three, ..good });
    assert!(three.starts_with("pct_start = 0.6 cannot be combined with phases = three"), "{three}");
    let swapped = CycleMomentum::Cycle { base: 0.95, max: 0.85 };
    let swapped = cycle(OneCycleOptions { momentum: swapped, ..good });
    let stopped = cycle(OneCycleOptions { momentum: CycleMomentum::Cycle { base: 0.0, max: 0.9 }, ..good });
    assert!(stopped.starts_with("base is 0: it must be above 0"), "{stopped}");
    assert!(swapped.starts_with("base = 0.95 cannot be combined with max = 0.85"), "{swapped}");
}

#[test]
fn range_tests_that_make_no_sense_are_refused() {
    let good = RangeTestOptions::default();
    let check = |options: RangeTestOptions| message(options.check());
    assert!(good.check().is_ok());
    assert!(check(RangeTestOptions { start: 0.0, ..good }).starts_with("start is 0"));
    assert!(
        check(RangeTestOptions { start: 1.0, ..good })
            .starts_with("start = 1 cannot be combined with end = 0.1")
    );
    assert!(check(RangeTestOptions { steps: 16, ..good }).contains("at least skip_start + skip_end + 2"));
    assert!(check(RangeTestOptions { smoothing: 1.0, ..good }).starts_with("smoothing is 1"));
    assert!(
        check(RangeTestOptions { diverge_threshold: f64::NAN, ..good })
            .starts_with("diverge_threshold is NaN")
    );
    assert!(check(RangeTestOptions { skip_start: usize::MAX, ..good }).starts_with("steps is 100"));
}
