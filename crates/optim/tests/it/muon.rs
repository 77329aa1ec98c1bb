//! Muon against its formulas in PyTorch's f64 (fixtures/golden/muon.py): 1e-12, the roundings of some hundred products a step.

use crate::{deviation, floats, golden, reference, store, values};
use candle_core::{DType, Device, Tensor, Var};
use wick_optim::{
    Elsewhere, Filters, GradientOptions, Group, Members, Momentum, Muon, MuonOptions, Optimizer,
    OptimizerConfig,
};

const SHAPES: [&[usize]; 7] =
    [&[3, 3, 2, 4], &[1, 1, 3, 5], &[2, 2, 1, 1], &[3, 3, 1, 9], &[5, 3, 1, 7], &[5], &[3, 4]];

fn drawn(seed: u64, shape: &[usize]) -> Tensor {
    let values: Vec<f64> = golden::uniform(golden::SEED + seed, shape.iter().product(), 1.0)
        .into_iter()
        .map(f64::from)
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn variables() -> Vec<(String, Var)> {
    (0..).zip(SHAPES).map(|(i, s)| (format!("v{i}"), Var::from_tensor(&drawn(300 + i, s)).unwrap())).collect()
}

fn step(optimizer: &mut dyn Optimizer, variables: &[(String, Var)], k: u64) {
    let gradients = (0..).zip(variables).map(|(i, (_, v))| (v, drawn(400 + 10 * k + i, v.dims())));
    optimizer.step(&store(gradients)).unwrap();
}

fn all(variables: &[(String, Var)]) -> Vec<f64> {
    variables.iter().flat_map(|(_, v)| values(v)).collect()
}

fn speedrun() -> MuonOptions {
    MuonOptions {
        learning_rate: 0.24,
        momentum: Momentum::Nesterov(0.6),
        weight_decay: 2e-3,
        steps: 3,
        filters: Filters::Rescaled,
        elsewhere: Elsewhere { learning_rate: 2.8, momentum: Momentum::Nesterov(0.85) },
    }
}

#[test]
fn filters_and_the_rest_follow_the_reference() {
    let free = MuonOptions { weight_decay: 0.1, ..Default::default() };
    let heavy = MuonOptions {
        learning_rate: 0.05,
        momentum: Momentum::Heavy(0.9),
        steps: 4,
        elsewhere: Elsewhere { learning_rate: 0.5, momentum: Momentum::Heavy(0.5) },
        ..Default::default()
    };
    let none = MuonOptions {
        learning_rate: 0.05,
        momentum: Momentum::None,
        steps: 1,
        filters: Filters::Rescaled,
        ..Default::default()
    };
    let reference = reference("muon.json");
    for (case, options) in [("speedrun", speedrun()), ("free", free), ("heavy", heavy), ("none", none)] {
        let variables = variables();
        let mut optimizer = OptimizerConfig::Muon(options).build(variables.clone()).unwrap();
        for k in 0..8 {
            step(&mut *optimizer, &variables, k);
            if let Some(row) = [0, 3, 7].iter().position(|&told| told == k) {
                let error = deviation(&all(&variables), &floats(&reference[case][row]));
                assert!(error <= 1e-12, "{case}, step {k}: {error:e}");
            }
        }
    }
}

#[test]
fn a_loaded_state_goes_on_bit_for_bit() {
    let run = |pause: Option<u64>| {
        let mut variables = variables();
        let mut muon = Muon::new(variables.clone(), speedrun()).unwrap();
        for k in 0..5 {
            if pause == Some(k) {
                let state = muon.state().unwrap();
                for (_, v) in &mut variables {
                    *v = Var::from_tensor(&v.as_detached_tensor().copy().unwrap()).unwrap();
                }
                muon = Muon::new(variables.clone(), speedrun()).unwrap();
                muon.load_state(&state).unwrap();
            }
            step(&mut muon, &variables, k);
        }
        all(&variables)
    };
    assert_eq!(run(Some(2)), run(None));
}

/// A filter large enough for its products to be split between threads.
#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let run = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let shape = [3, 3, 67, 129];
            let draw = |seed| drawn(seed, &shape).to_dtype(DType::F32).unwrap();
            let filter = Var::from_tensor(&draw(1)).unwrap();
            let mut muon = Muon::new(vec![("f".into(), filter.clone())], speedrun()).unwrap();
            for k in 0..2 {
                muon.step(&store([(&filter, draw(2 + k))])).unwrap();
            }
            filter.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        })
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn zeros_stay_finite() {
    let filter = Var::zeros((3, 3, 2, 4), DType::F64, &Device::Cpu).unwrap();
    let mut muon = Muon::new(vec![("f".into(), filter.clone())], speedrun()).unwrap();
    muon.step(&store([(&filter, filter.zeros_like().unwrap())])).unwrap();
    assert_eq!(values(&filter), [0.0; 72]);
    // From zero, a step has the length of an orthogonal one: four singular values of about 1 (.7 to 1.2), times lr.
    muon.step(&store([(&filter, drawn(9, &[3, 3, 2, 4]))])).unwrap();
    let length = values(&filter).iter().map(|v| v * v).sum::<f64>().sqrt();
    assert!((0.24 * 2.0 * 0.5..0.24 * 2.0 * 1.25).contains(&length), "{length}");
}

#[test]
fn groups_and_schedules_scale_both_kinds() {
    let taken = |lr: f64, groups: &[Group]| {
        let variables = variables();
        let options = MuonOptions { learning_rate: lr, ..Default::default() };
        let config = OptimizerConfig::Muon(options);
        let mut optimizer = config.build_with(variables.clone(), GradientOptions::default(), groups).unwrap();
        step(&mut *optimizer, &variables, 0);
        all(&variables)
    };
    let all_twice: Vec<Group> = ["v"]
        .map(|name| Group { of: Members::Named(name.into()), learning_rate: 2.0, weight_decay: 1.0 })
        .into();
    assert_eq!(taken(0.25, &all_twice), taken(0.5, &[]));
    let variables = variables();
    let mut muon =
        Muon::new(variables.clone(), MuonOptions { learning_rate: 9.0, ..Default::default() }).unwrap();
    muon.set_learning_rate(0.5).unwrap();
    step(&mut muon, &variables, 0);
    assert_eq!(all(&variables), taken(0.5, &[]));
}

#[test]
fn a_cycled_momentum_is_the_filters() {
    let mut muon = Muon::new(vec![], speedrun()).unwrap();
    muon.set_momentum(0.7).unwrap();
    assert_eq!(muon.options().momentum, Momentum::Nesterov(0.7));
    assert_eq!(muon.options().elsewhere.momentum, Momentum::Nesterov(0.85));
}

#[test]
fn options_are_data_and_checked() {
    let text = "kind = \"muon\"\nlr = 0.24\nmomentum = { nesterov = 0.6 }\nweight_decay = 2e-3\nsteps = 3\nfilters = \"rescaled\"\nelsewhere = { lr = 2.8, momentum = { nesterov = 0.85 } }";
    let config: OptimizerConfig = toml::from_str(text).unwrap();
    assert_eq!(config, OptimizerConfig::Muon(speedrun()));
    assert_eq!(toml::from_str::<OptimizerConfig>(&toml::to_string(&config).unwrap()).unwrap(), config);
    for (text, named) in [
        ("kind = \"muon\"\nsteps = 0", "steps is 0"),
        ("kind = \"muon\"\nsteps = 21", "steps is 21"),
        ("kind = \"muon\"\nlr = -1.0", "lr is -1"),
        ("kind = \"muon\"\nmomentum = { heavy = 1.0 }", "momentum is 1"),
        ("kind = \"muon\"\nelsewhere = { lr = -2.0 }", "elsewhere.lr is -2"),
        ("kind = \"muon\"\nelsewhere = { momentum = { nesterov = 0.0 } }", "elsewhere.momentum is 0"),
    ] {
        let message = toml::from_str::<OptimizerConfig>(text).unwrap().check().unwrap_err().to_string();
        assert!(message.contains(named), "{text}: {message}");
    }
    for unknown in ["kind = \"muon\"\nstep = 3", "kind = \"muon\"\nelsewhere = { rate = 3.0 }"] {
        assert!(toml::from_str::<OptimizerConfig>(unknown).is_err(), "{unknown}");
    }
}
