//! Penalised and clipped gradients and groups, against PyTorch's in f64 (fixtures/golden/gradients.py): 1e-12, a few roundings
//! over twelve steps.

use crate::{deviation, floats, golden, reference, store, values};
use candle_core::{Device, Tensor, Var};
use wick_optim::{
    AdamOptions, Clip, GradientOptions, Group, Members, Momentum, OptimError, Optimizer, OptimizerConfig,
    RmsPropOptions, SgdOptions,
};

const SHAPES: [(&str, &[usize]); 2] = [("norm.weight", &[5]), ("conv.weight", &[2, 4])];

fn drawn(seed: u64, shape: &[usize]) -> Tensor {
    let n = shape.iter().product();
    let values: Vec<f64> = golden::uniform(seed, n, 1.0).into_iter().map(f64::from).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn variables() -> Vec<(String, Var)> {
    let var = |(i, (name, shape)): (u64, (&str, &[usize]))| {
        (name.to_owned(), Var::from_tensor(&drawn(golden::SEED + 100 + i, shape)).unwrap())
    };
    (0..).zip(SHAPES).map(var).collect()
}

fn gradients(k: u64) -> [Tensor; 2] {
    [0, 1].map(|i| drawn(golden::SEED + 200 + 2 * k + i, SHAPES[i as usize].1))
}

fn matches_reference(case: &str, config: OptimizerConfig, options: GradientOptions, groups: &[Group]) {
    let vars = variables();
    let mut optimizer = config.build_with(vars.clone(), options, groups).unwrap();
    let want = reference("gradients.json");
    for (k, want) in want[case].as_array().unwrap().iter().enumerate() {
        let penalty: f64 = vars.iter().flat_map(|(_, var)| values(var)).map(|p| options.l1 * p.abs()).sum();
        let report =
            optimizer.step(&store(vars.iter().map(|(_, var)| var).zip(gradients(k as u64)))).unwrap();
        let got: Vec<f64> = vars.iter().flat_map(|(_, var)| values(var)).collect();
        let error = deviation(&got, &floats(&want["values"]));
        assert!(error <= 1e-12, "{case}, step {k}: {error:e}");
        assert!((report.penalty - penalty).abs() <= 1e-12, "{case}, step {k}: {report:?}");
        if let (Clip::Norm(_), Some(norm)) = (options.clip, want["norm"].as_f64()) {
            let got = report.gradient_norm.unwrap();
            assert!((got / norm - 1.0).abs() <= 1e-12, "{case}, step {k}: {got} instead of {norm}");
        }
    }
}

fn sgd() -> OptimizerConfig {
    let momentum = Momentum::Heavy(0.9);
    OptimizerConfig::Sgd(SgdOptions { learning_rate: 0.1, momentum, ..Default::default() })
}

#[test]
fn clipping_is_pytorchs() {
    let clip = |clip| GradientOptions { clip, ..Default::default() };
    matches_reference("clip_value", sgd(), clip(Clip::Value(0.25)), &[]);
    matches_reference("clip_norm", sgd(), clip(Clip::Norm(0.5)), &[]);
    matches_reference("clip_norm_far", sgd(), clip(Clip::Norm(50.0)), &[]);
}

#[test]
fn a_penalty_is_pytorchs() {
    let adam = OptimizerConfig::Adam(AdamOptions { learning_rate: 1e-2, ..Default::default() });
    matches_reference("l1", adam, GradientOptions { l1: 0.05, ..Default::default() }, &[]);
    let rmsprop = RmsPropOptions { weight_decay: 0.1, ..Default::default() };
    let options = GradientOptions { l1: 0.3, clip: Clip::Norm(1.0) };
    matches_reference("l1_clip_norm", OptimizerConfig::RmsProp(rmsprop), options, &[]);
}

#[test]
fn rmsprop_without_momentum_decays_as_pytorchs() {
    let options = RmsPropOptions { alpha: 0.9, weight_decay: 0.1, ..Default::default() };
    matches_reference("rmsprop_decay", OptimizerConfig::RmsProp(options), GradientOptions::default(), &[]);
}

#[test]
fn groups_are_pytorchs() {
    let (momentum, weight_decay) = (Momentum::Nesterov(0.9), 0.02);
    let options = SgdOptions { learning_rate: 0.1, momentum, weight_decay, ..Default::default() };
    for of in [Members::Vectors, Members::Named("norm".to_owned())] {
        let group = Group { of, learning_rate: 64.0, weight_decay: 0.0 };
        matches_reference("groups", OptimizerConfig::Sgd(options), GradientOptions::default(), &[group]);
    }
}

#[test]
fn not_a_number_stays_one_and_infinity_is_clipped() {
    let p = Var::new(&[1.0f64, 2.0, 3.0], &Device::Cpu).unwrap();
    let options = GradientOptions { clip: Clip::Value(0.5), ..Default::default() };
    let config = OptimizerConfig::Sgd(SgdOptions { learning_rate: 1.0, ..Default::default() });
    let mut optimizer = config.build_with(vec![("p".into(), p.clone())], options, &[]).unwrap();
    let gradient = Tensor::new(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY], &Device::Cpu).unwrap();
    optimizer.step(&store([(&p, gradient)])).unwrap();
    let got = values(&p);
    assert!(got[0].is_nan() && got[1..] == [1.5, 3.5], "{got:?}");
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let run = |threads: usize| -> (Vec<f32>, Option<f64>) {
        let n = 100_003;
        let p = Var::from_vec(golden::uniform(5, n, 1.0), n, &Device::Cpu).unwrap();
        let options = GradientOptions { l1: 0.1, clip: Clip::Norm(0.5) };
        let mut optimizer = sgd().build_with(vec![("p".into(), p.clone())], options, &[]).unwrap();
        let gradient = Tensor::from_vec(golden::uniform(6, n, 1.0), n, &Device::Cpu).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let report = pool.install(|| optimizer.step(&store([(&p, gradient)]))).unwrap();
        (p.to_vec1().unwrap(), report.gradient_norm)
    };
    assert!(run(1) == run(3));
}

/// As if its gradient were not there: neither the variable nor its momentum moves, and the norm of the rest alone is clipped.
#[test]
fn a_frozen_variable_is_left_alone_until_it_is_not() {
    let options = GradientOptions { l1: 0.1, clip: Clip::Norm(0.5) };
    let build = |vars: &[(String, Var)]| sgd().build_with(vars.to_vec(), options, &[]).unwrap();
    let (vars, alike) = (variables(), variables());
    let (mut frozen, mut without) = (build(&vars), build(&alike));
    for k in 0..6u64 {
        let [first, second] = gradients(k);
        let named = [vars[1].0.as_str(), "nobody"];
        frozen.freeze(if (2..4).contains(&k) { &named } else { &[] });
        let all = frozen.step(&store([(&vars[0].1, first.clone()), (&vars[1].1, second.clone())])).unwrap();
        let some = match k {
            2 | 3 => without.step(&store([(&alike[0].1, first)])).unwrap(),
            _ => without.step(&store([(&alike[0].1, first), (&alike[1].1, second)])).unwrap(),
        };
        assert_eq!(all, some, "step {k}");
        for ((name, var), (_, alike)) in vars.iter().zip(&alike) {
            assert_eq!(values(var), values(alike), "{name}, step {k}");
        }
    }
    let state = |o: &dyn Optimizer| -> Vec<(String, String)> {
        o.state().unwrap().into_iter().map(|(name, tensor)| (name, tensor.to_string())).collect()
    };
    assert_eq!(state(frozen.as_ref()), state(without.as_ref())); // steps counted, too
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let build = |options, groups: &[Group]| -> OptimError {
        sgd().build_with(variables(), options, groups).err().expect("this should be refused")
    };
    for (options, named) in [
        (GradientOptions { l1: -1.0, ..Default::default() }, "gradients.l1 is -1"),
        (GradientOptions { clip: Clip::Value(0.0), ..Default::default() }, "gradients.clip.value is 0"),
        (GradientOptions { clip: Clip::Norm(f64::NAN), ..Default::default() }, "gradients.clip.norm is NaN"),
    ] {
        let message = build(options, &[]).to_string();
        assert!(message.contains(named), "{message}");
    }
    let group = |of, learning_rate| Group { of, learning_rate, weight_decay: 1.0 };
    let message = build(GradientOptions::default(), &[group(Members::Vectors, -2.0)]).to_string();
    assert!(message.contains("groups.lr is -2"), "{message}");
    let nobody = group(Members::Named("bias".to_owned()), 1.0);
    let message = build(GradientOptions::default(), &[nobody]).to_string();
    assert!(message.contains("\"bias\"") && message.contains("none of the variables"), "{message}");
}

#[test]
fn options_and_groups_survive_toml() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct File {
        gradients: GradientOptions,
        groups: Vec<Group>,
    }
    let text = "[gradients]\nl1 = 0.01\nclip = { value = 0.1 }\n[[groups]]\nof = \"vectors\"\nweight_decay = 0.0\n[[groups]]\nof = { named = \"norm\" }\nlr = 64.0";
    let file: File = toml::from_str(text).unwrap();
    assert_eq!(file.gradients, GradientOptions { l1: 0.01, clip: Clip::Value(0.1) });
    let named = Group { of: Members::Named("norm".to_owned()), learning_rate: 64.0, weight_decay: 1.0 };
    assert_eq!(file.groups[1], named);
    assert_eq!(toml::from_str::<File>(&toml::to_string(&file).unwrap()).unwrap(), file);
    assert!(toml::from_str::<File>("[gradients]\nl2 = 1.0").unwrap_err().to_string().contains("l2"));
}

/// The published speedrun states its rates for a loss summed over 1024 images. The mean loss has a gradient 1024 times smaller: with a
/// learning rate 1024 times larger, and a weight decay 1024 times smaller beside it, each step is the same. A decay per step of `d` for all is
/// `d / lr` for a group of the rate `lr`, so 1/64 of the others' for biases of a rate 64 times theirs. A schedule scales the rate alone, and
/// thereby both.
#[test]
fn a_summed_loss_is_a_mean_with_other_rates() {
    let images = 1024f64;
    let kilo = images * (1.0 + 1.0 / (1.0 - 0.85));
    let learning_rate = images * 11.5 / kilo;
    let weight_decay = 0.0153 * 1024.0 / kilo / learning_rate;
    assert!((learning_rate - 1.5).abs() < 1e-12);
    let options =
        SgdOptions { learning_rate, momentum: Momentum::Nesterov(0.85), weight_decay, ..Default::default() };
    let of = Members::Named("norm".to_owned());
    let group = Group { of, learning_rate: 64.0, weight_decay: 1.0 / 64.0 };
    let vars = variables();
    let mut optimizer =
        OptimizerConfig::Sgd(options).build_with(vars.clone(), GradientOptions::default(), &[group]).unwrap();
    let want = reference("gradients.json");
    for (k, want) in want["summed"].as_array().unwrap().iter().enumerate() {
        let t = k as f64;
        let scale = if k < 6 { 0.2 + 0.8 * t / 6.0 } else { 1.0 - 0.93 * (t - 6.0) / 6.0 };
        optimizer.set_learning_rate(scale * learning_rate).unwrap();
        // The mean over images alike is that of one.
        optimizer.step(&store(vars.iter().map(|(_, var)| var).zip(gradients(k as u64)))).unwrap();
        let got: Vec<f64> = vars.iter().flat_map(|(_, var)| values(var)).collect();
        let error = deviation(&got, &floats(&want["values"]));
        assert!(error <= 1e-12, "step {k}: {error:e}");
    }
}
