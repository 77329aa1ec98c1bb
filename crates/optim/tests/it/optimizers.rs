//! Against PyTorch's own steps, in f64: 1e-12, a few roundings over twelve steps.

use crate::{deviation, floats, golden, gradient, reference, store, values, var};
use candle_core::{DType, Device, Tensor, Var};
use wick_optim::{
    Adam, AdamOptions, AdamW, AdamWOptions, Momentum, Optimizer, OptimizerConfig, RmsPropOptions, Sgd,
    SgdOptions,
};

fn start() -> Var {
    let p: Vec<f64> = golden::uniform(golden::SEED + 20, 8, 1.0).into_iter().map(f64::from).collect();
    var(&p)
}

fn matches_reference(case: &str, config: OptimizerConfig) {
    let p = start();
    let mut optimizer = config.build(vec![("p".into(), p.clone())]).unwrap();
    let want = reference("optimizers.json");
    for (k, want) in want[case].as_array().unwrap().iter().enumerate() {
        optimizer.step(&store([(&p, gradient(k as u64, 8))])).unwrap();
        let error = deviation(&values(&p), &floats(want));
        assert!(error <= 1e-12, "{case}, step {k}: {error:e}");
    }
    assert_eq!(optimizer.steps(), 12);
}

// torch.optim.SGD(p, 0.1)
#[test]
fn sgd() {
    matches_reference("sgd", OptimizerConfig::Sgd(SgdOptions { learning_rate: 0.1, ..Default::default() }));
}

// torch.optim.SGD(p, 0.1, momentum=0.9)
#[test]
fn sgd_momentum() {
    let options = SgdOptions { learning_rate: 0.1, momentum: Momentum::Heavy(0.9), ..Default::default() };
    matches_reference("sgd_momentum", OptimizerConfig::Sgd(options));
}

// torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
#[test]
fn sgd_nesterov_weight_decay() {
    let options = SgdOptions {
        learning_rate: 0.1,
        momentum: Momentum::Nesterov(0.9),
        weight_decay: 5e-4,
        ..Default::default()
    };
    matches_reference("sgd_nesterov_wd", OptimizerConfig::Sgd(options));
}

// torch.optim.SGD(p, 0.1, momentum=0.9, dampening=0.5)
#[test]
fn sgd_dampening() {
    let momentum = Momentum::Heavy(0.9);
    let options = SgdOptions { learning_rate: 0.1, momentum, dampening: 0.5, ..Default::default() };
    matches_reference("sgd_dampening", OptimizerConfig::Sgd(options));
}

// torch.optim.Adam(p, 1e-2)
#[test]
fn adam() {
    let options = AdamOptions { learning_rate: 1e-2, ..Default::default() };
    matches_reference("adam", OptimizerConfig::Adam(options));
}

// torch.optim.Adam(p, 1e-2, betas=(0.8, 0.95), weight_decay=0.1)
#[test]
fn adam_l2() {
    let options =
        AdamOptions { learning_rate: 1e-2, beta1: 0.8, beta2: 0.95, weight_decay: 0.1, ..Default::default() };
    matches_reference("adam_l2", OptimizerConfig::Adam(options));
}

// torch.optim.AdamW(p, 1e-2, weight_decay=0.1)
#[test]
fn adamw() {
    let options = AdamWOptions { learning_rate: 1e-2, weight_decay: 0.1, ..Default::default() };
    matches_reference("adamw", OptimizerConfig::AdamW(options));
}

// torch.optim.RMSprop(p, 1e-2, momentum=0.9)
#[test]
fn rmsprop() {
    let options = RmsPropOptions { momentum: 0.9, ..Default::default() };
    matches_reference("rmsprop", OptimizerConfig::RmsProp(options));
}

#[test]
fn f32_follows_f64_within_its_precision() {
    let n = 1000;
    let start = golden::uniform(3, n, 1.0);
    let configs = [
        OptimizerConfig::Sgd(SgdOptions {
            learning_rate: 0.1,
            momentum: Momentum::Nesterov(0.9),
            weight_decay: 5e-4,
            ..Default::default()
        }),
        OptimizerConfig::AdamW(AdamWOptions { learning_rate: 1e-2, ..Default::default() }),
    ];
    for config in configs {
        let narrow = Var::from_slice(&start, n, &Device::Cpu).unwrap();
        let wide = Var::from_tensor(&narrow.to_dtype(DType::F64).unwrap()).unwrap();
        let mut optimizers =
            [narrow.clone(), wide.clone()].map(|p| config.build(vec![("p".into(), p)]).unwrap());
        for k in 0..12 {
            let g = gradient(k, n);
            optimizers[0].step(&store([(&narrow, g.to_dtype(DType::F32).unwrap())])).unwrap();
            optimizers[1].step(&store([(&wide, g)])).unwrap();
        }
        let error = deviation(&values(&narrow.to_dtype(DType::F64).unwrap()), &values(&wide));
        // Twelve steps of a handful of f32 roundings of 6e-8 each.
        assert!(error <= 1e-5, "{config:?}: {error:e}");
    }
}

/// Long enough to be split between threads, and of no round length.
#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let n = 100_003;
    let run = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let p = Var::from_slice(&golden::uniform(5, n, 1.0), (n, 1), &Device::Cpu).unwrap();
            let q = Var::from_slice(&golden::uniform(6, n, 1.0), n, &Device::Cpu).unwrap();
            let options = SgdOptions { momentum: Momentum::Heavy(0.9), ..Default::default() };
            let mut sgd = Sgd::new(vec![("p".into(), p.clone())], options).unwrap();
            let mut adam = Adam::new(vec![("q".into(), q.clone())], AdamOptions::default()).unwrap();
            for k in 0..3 {
                let g = gradient(k, n).to_dtype(DType::F32).unwrap();
                sgd.step(&store([(&p, g.reshape((n, 1)).unwrap())])).unwrap();
                adam.step(&store([(&q, g)])).unwrap();
            }
            [p, q].map(|v| v.flatten_all().unwrap().to_vec1::<f32>().unwrap())
        })
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn elements_beyond_one_chunk_are_updated_like_the_first() {
    let n = (1 << 15) * 2 + 7;
    let p = Var::ones(n, DType::F64, &Device::Cpu).unwrap();
    let mut adamw = AdamW::new(vec![("p".into(), p.clone())], AdamWOptions::default()).unwrap();
    adamw.step(&store([(&p, Tensor::full(0.5f64, n, &Device::Cpu).unwrap())])).unwrap();
    let got = values(&p);
    // The first step of Adam is learning_rate·sign(g), but for epsilon.
    assert!((got[0] - (1.0 - 1e-5 - 1e-3)).abs() < 1e-9);
    assert!(got.iter().all(|&v| v == got[0]));
}

#[test]
fn without_a_gradient_neither_variable_nor_state_changes() {
    let (p, q) = (var(&[1.0, 2.0]), var(&[3.0]));
    let options = AdamWOptions { learning_rate: 0.1, weight_decay: 0.5, ..Default::default() };
    let mut optimizer = AdamW::new(vec![("p".into(), p.clone()), ("q".into(), q.clone())], options).unwrap();
    optimizer.step(&store([(&p, gradient(0, 2))])).unwrap();
    assert_eq!(values(&q), [3.0]);
    let state = optimizer.state().unwrap();
    let names: Vec<&str> = state.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["step/p", "exp_avg/p", "exp_avg_sq/p", "step/q"]);
    assert_eq!(state[3].1.to_vec1::<i64>().unwrap(), [0]);
}

#[test]
fn a_transposed_gradient_is_read_in_the_variables_order() {
    let p = Var::new(&[[1f64, 2., 3.], [4., 5., 6.]], &Device::Cpu).unwrap();
    let g = Tensor::new(&[[1f64, 4.], [2., 5.], [3., 6.]], &Device::Cpu).unwrap().t().unwrap();
    let mut sgd =
        Sgd::new(vec![("p".into(), p.clone())], SgdOptions { learning_rate: 1.0, ..Default::default() })
            .unwrap();
    sgd.step(&store([(&p, g)])).unwrap();
    assert_eq!(values(&p), [0.0; 6]);
}

#[test]
fn learning_rate_and_momentum_hold_from_the_next_step() {
    let p = var(&[0.0]);
    let options = SgdOptions { learning_rate: 1.0, momentum: Momentum::Heavy(0.5), ..Default::default() };
    let mut sgd = Sgd::new(vec![("p".into(), p.clone())], options).unwrap();
    let mut step = |lr, momentum| {
        sgd.set_learning_rate(lr).unwrap();
        sgd.set_momentum(momentum).unwrap();
        sgd.step(&store([(&p, Tensor::new(&[1f64], &Device::Cpu).unwrap())])).unwrap();
        values(&p)[0]
    };
    assert_eq!(step(1.0, 0.5), -1.0); // buffer 1
    assert_eq!(step(0.5, 0.5), -1.75); // buffer 1.5
    assert_eq!(step(0.5, 0.0), -2.25); // the gradient alone, the buffer left as it was
    assert_eq!(step(1.0, 0.25), -3.625); // buffer 1.375
}
