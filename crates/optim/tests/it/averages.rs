//! Averages against PyTorch's AveragedModel and the published loop in f64 (fixtures/golden/averages.py): 1e-12, a few roundings
//! over thirteen steps.

use crate::{deviation, floats, golden, reference, values};
use candle_core::{DType, Device, Tensor, Var};
use wick_optim::{
    Alpha, Average, AverageConfig, EmaOptions, Length, LookaheadOptions, OptimError, SwaOptions, Weights,
};

const STEPS: u64 = 13;
const SHAPES: [&[usize]; 2] = [&[2, 3], &[5]];

fn drawn(seed: u64, shape: &[usize]) -> Tensor {
    let values: Vec<f64> = golden::uniform(golden::SEED + seed, shape.iter().product(), 1.0)
        .into_iter()
        .map(f64::from)
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn variables() -> Vec<(String, Var)> {
    let var = |(i, (name, shape)): (u64, (&str, &[usize]))| {
        (name.to_owned(), Var::from_tensor(&drawn(500 + i, shape)).unwrap())
    };
    (0..).zip(["p", "b"].into_iter().zip(SHAPES)).map(var).collect()
}

fn train(variables: &[(String, Var)], k: u64) {
    for (i, (_, var)) in (0..).zip(variables) {
        var.set(&(var.as_tensor() + drawn(510 + 2 * k + i, var.dims())).unwrap()).unwrap();
    }
}

fn all(variables: &[(String, Var)]) -> Vec<f64> {
    variables.iter().flat_map(|(_, var)| values(var)).collect()
}

fn lookahead(every: usize, alpha: Alpha) -> AverageConfig {
    AverageConfig::Lookahead(LookaheadOptions { every, alpha })
}

fn cases() -> [(&'static str, AverageConfig, Length); 5] {
    let once = Length { epochs: 1, steps_per_epoch: STEPS as usize };
    let decaying = Alpha::Decaying { base: 0.95, power: 3.0 };
    [
        ("ema", AverageConfig::Ema(EmaOptions { decay: 0.9 }), once),
        ("swa", AverageConfig::Swa(SwaOptions { start: 2 }), Length { epochs: 5, steps_per_epoch: 3 }),
        ("lookahead", AverageConfig::Lookahead(LookaheadOptions::default()), once),
        ("lookahead_decaying", lookahead(5, decaying), once),
        ("lookahead_every_2", lookahead(2, Alpha::Constant(0.8)), once),
    ]
}

#[test]
fn averages_are_the_references() {
    let reference = reference("averages.json");
    for (case, config, length) in cases() {
        let variables = variables();
        let mut average = Average::new(config, variables.clone(), length).unwrap();
        for k in 0..STEPS {
            train(&variables, k);
            average.after_step(k + 1).unwrap();
            let row = &reference[case][k as usize];
            let trained = floats(&row["trained"]);
            let averaged = if row["averaged"].is_null() { trained.clone() } else { floats(&row["averaged"]) };
            for (weights, want) in
                [(Weights::Trained, &trained), (Weights::Averaged, &averaged), (Weights::Trained, &trained)]
            {
                average.show(weights).unwrap();
                let error = deviation(&all(&variables), want);
                assert!(error <= 1e-12, "{case}, step {k}, {weights:?}: {error:e}");
            }
        }
    }
}

/// Thirteen steps in one go, and with the state saved beside the shown weights, loaded into new variables, after each number of steps.
#[test]
fn a_loaded_state_goes_on_bit_for_bit() {
    for (case, config, length) in cases() {
        let run = |pause: Option<u64>| {
            let mut variables = variables();
            let mut average = Average::new(config, variables.clone(), length).unwrap();
            for k in 0..STEPS {
                if pause == Some(k) {
                    let mut state = average.state().unwrap();
                    state.reverse(); // the order does not matter
                    for (_, var) in &mut variables {
                        *var = Var::from_tensor(&var.as_detached_tensor().copy().unwrap()).unwrap();
                    }
                    average = Average::new(config, variables.clone(), length).unwrap();
                    average.load_state(&state).unwrap();
                }
                train(&variables, k);
                average.after_step(k + 1).unwrap();
            }
            let trained = all(&variables);
            average.show(Weights::Averaged).unwrap();
            (trained, all(&variables))
        };
        let whole = run(None);
        for pause in 0..STEPS {
            assert_eq!(run(Some(pause)), whole, "{case}, paused after {pause}");
        }
    }
}

/// Long enough to be split between threads, and of no round length; in f32.
#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let run = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let drawn = |seed| drawn(seed, &[100_003]).to_dtype(DType::F32).unwrap();
            let var = Var::from_tensor(&drawn(1)).unwrap();
            let length = Length { epochs: 1, steps_per_epoch: 3 };
            let config = lookahead(1, Alpha::Constant(0.3));
            let mut average = Average::new(config, vec![("v".into(), var.clone())], length).unwrap();
            for k in 1..=3 {
                var.set(&(var.as_tensor() + drawn(k)).unwrap()).unwrap();
                average.after_step(k).unwrap();
            }
            var.to_vec1::<f32>().unwrap()
        })
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn no_average_changes_and_keeps_nothing() {
    let variables = variables();
    let length = Length { epochs: 1, steps_per_epoch: 3 };
    let mut average = Average::new(AverageConfig::None {}, variables.clone(), length).unwrap();
    let before = all(&variables);
    average.after_step(3).unwrap();
    assert!(average.state().unwrap().is_empty());
    average.load_state(&[]).unwrap();
    assert_eq!(all(&variables), before);
}

#[test]
fn a_state_that_does_not_fit_is_refused_whole() {
    let variables = variables();
    let (_, config, length) = cases()[0];
    let mut average = Average::new(config, variables.clone(), length).unwrap();
    average.after_step(1).unwrap();
    let good = average.state().unwrap();
    let before = all(&variables);
    let mut said = |state: &[(String, Tensor)]| average.load_state(state).unwrap_err().to_string();
    assert!(said(&[]).contains("no tensor \"averaged\""));
    assert!(said(&good[..2]).contains("no tensor \"trained/b\""));
    let mut state = good.clone();
    state[1].1 = Tensor::zeros((3, 2), DType::F64, &Device::Cpu).unwrap();
    assert!(
        said(&state).contains("\"trained/p\"") && said(&state).contains("[3, 2] F64, expected [2, 3] F64")
    );
    state[1].1 = good[1].1.clone();
    state.push(("trained/q".into(), good[1].1.clone()));
    assert!(said(&state).contains("\"trained/q\" that fits no variable"));
    assert_eq!(all(&variables), before);
    average.load_state(&good).unwrap();
}

#[test]
fn options_are_data_and_checked() {
    let config = |text: &str| toml::from_str::<AverageConfig>(text);
    for (text, want) in [
        ("kind = \"none\"", AverageConfig::None {}),
        ("kind = \"lookahead\"", lookahead(5, Alpha::Constant(0.5))),
        ("kind = \"lookahead\"\nevery = 6\nalpha = { constant = 0.8 }", lookahead(6, Alpha::Constant(0.8))),
        (
            "kind = \"lookahead\"\nalpha = { decaying = { base = 0.95, power = 3.0 } }",
            lookahead(5, Alpha::Decaying { base: 0.95, power: 3.0 }),
        ),
        ("kind = \"ema\"\ndecay = 0.99", AverageConfig::Ema(EmaOptions { decay: 0.99 })),
        ("kind = \"swa\"\nstart = 16", AverageConfig::Swa(SwaOptions { start: 16 })),
    ] {
        assert_eq!(config(text).unwrap(), want);
        assert_eq!(config(&toml::to_string(&want).unwrap()).unwrap(), want, "{text}");
    }
    for unknown in [
        "kind = \"none\"\nevery = 5",
        "kind = \"lookahead\"\nsteps = 5",
        "kind = \"lookahead\"\nalpha = { decaying = { base = 0.9, power = 1.0, floor = 0.1 } }",
        "kind = \"ema\"\nalpha = 0.9",
        "kind = \"swa\"",
        "kind = \"mean\"",
    ] {
        assert!(config(unknown).is_err(), "{unknown}");
    }
    for (text, named) in [
        ("kind = \"lookahead\"\nevery = 0", "average.every is 0"),
        ("kind = \"lookahead\"\nalpha = { constant = 0.0 }", "average.alpha.constant is 0"),
        ("kind = \"lookahead\"\nalpha = { constant = nan }", "average.alpha.constant is NaN"),
        (
            "kind = \"lookahead\"\nalpha = { decaying = { base = 1.5, power = 3.0 } }",
            "average.alpha.decaying.base is 1.5",
        ),
        (
            "kind = \"lookahead\"\nalpha = { decaying = { base = 0.5, power = -3.0 } }",
            "average.alpha.decaying.power is -3",
        ),
        ("kind = \"ema\"\ndecay = 1.0", "average.decay is 1"),
        ("kind = \"swa\"\nstart = 0", "average.start is 0"),
    ] {
        let said = config(text).unwrap().check().unwrap_err().to_string();
        assert!(said.contains(named), "{text}: {said}");
    }
    let late = AverageConfig::Swa(SwaOptions { start: 6 });
    let said = Average::new(late, vec![], Length { epochs: 5, steps_per_epoch: 3 }).unwrap_err();
    assert!(said.to_string().contains("average.start is 6: it must be an epoch of the run"), "{said}");
    let never = |every| Average::new(lookahead(every, Alpha::Constant(0.5)), vec![], cases()[1].2);
    never(15).unwrap(); // after the last step
    let said = never(16).unwrap_err().to_string();
    assert_eq!(said, "average.every is 16: it must be no more than the steps of the run");
    let counter = Var::zeros(3, DType::U32, &Device::Cpu).unwrap();
    let refused = Average::new(cases()[0].1, vec![("count".into(), counter)], cases()[0].2);
    assert!(matches!(refused, Err(OptimError::VariableDType { .. })));
}
