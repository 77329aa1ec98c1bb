//! Find a learning rate for a small classifier, then train it with that peak under one cycle.
//!
//! `cargo run -p wick-optim --example range_test`

use candle_core::{DType, Device, Tensor, Var};
use wick_optim::{
    Momentum, OneCycle, OneCycleOptions, OptimError, Optimizer, RangeTestOptions, Sgd, SgdOptions, range_test,
};

/// Two interleaved half-moons of 200 points each: coordinates `(400, 2)` and labels `(400)`.
fn moons() -> Result<(Tensor, Tensor), OptimError> {
    let mut points = Vec::new();
    for i in 0..400 {
        let (t, wobble) = (std::f32::consts::PI * (i / 2) as f32 / 199.0, 0.1 * (i as f32 * 1.7).sin());
        let (x, y) = if i % 2 == 0 { (t.cos(), t.sin()) } else { (1.0 - t.cos(), 0.5 - t.sin()) };
        points.extend([x + wobble, y - wobble]);
    }
    let labels: Vec<u32> = (0..400).map(|i| i % 2).collect();
    Ok((Tensor::from_vec(points, (400, 2), &Device::Cpu)?, Tensor::from_vec(labels, 400, &Device::Cpu)?))
}

/// Weights that are the same at every run, uniform in ±`bound`.
fn weights(seed: f32, shape: (usize, usize), bound: f32) -> Result<Var, OptimError> {
    let n = shape.0 * shape.1;
    let data: Vec<f32> = (0..n).map(|i| bound * (seed + 12.9898 * i as f32).sin()).collect();
    Ok(Var::from_tensor(&Tensor::from_vec(data, shape, &Device::Cpu)?)?)
}

#[allow(clippy::print_stdout)]
fn main() -> Result<(), OptimError> {
    let (points, labels) = moons()?;
    let (w1, w2) = (weights(0.3, (2, 32), 1.0)?, weights(0.7, (32, 2), 0.2)?);
    let b1 = weights(0.5, (1, 32), 1.0)?;
    let logits = || points.matmul(&w1)?.broadcast_add(&b1)?.tanh()?.matmul(&w2);
    let loss = || candle_nn::loss::cross_entropy(&logits()?, &labels);

    let names = ["w1", "b1", "w2"].map(String::from);
    let variables = names.into_iter().zip([w1.clone(), b1.clone(), w2.clone()]).collect();
    let options = SgdOptions { momentum: Momentum::Heavy(0.9), ..Default::default() };
    let mut sgd = Sgd::new(variables, options)?;

    let options = RangeTestOptions { start: 1e-4, end: 30.0, ..Default::default() };
    let before = loss()?.to_scalar::<f32>()?;
    let test = range_test::<OptimError>(&options, [&w1, &b1, &w2], &mut sgd, |sgd| {
        let loss = loss()?;
        sgd.step(&loss.backward()?)?;
        Ok(f64::from(loss.to_scalar::<f32>()?))
    })?;
    println!("step  learning rate  smoothed loss");
    for reading in test.readings.iter().step_by(6) {
        let bar = "█".repeat((reading.smoothed * 40.0).clamp(0.0, 80.0) as usize);
        println!("{:>4}  {:>13.3e}  {:>6.3} {bar}", reading.step, reading.learning_rate, reading.smoothed);
    }
    let (steepest, valley) = (test.steepest()?, test.valley()?);
    println!("{:?} after {} steps", test.ending, test.readings.len());
    println!("steepest gradient: {:.3e}   valley: {:.3e}", steepest.learning_rate, valley.learning_rate);
    println!("loss before and after the test: {before} {}", loss()?.to_scalar::<f32>()?);

    let peak = OneCycleOptions { max_lr: steepest.learning_rate.into(), ..Default::default() };
    let schedule = OneCycle::new(&peak, 1500)?;
    for step in 0..1500 {
        let point = schedule.at(step);
        sgd.set_learning_rate(point.learning_rate)?;
        if let Some(momentum) = point.momentum {
            sgd.set_momentum(momentum)?;
        }
        sgd.step(&loss()?.backward()?)?;
    }
    let right = logits()?.argmax(1)?.eq(&labels)?.to_dtype(DType::F32)?.mean_all()?.to_scalar::<f32>()?;
    println!(
        "after 1500 steps at that peak: loss {:.4}, {:.1} % right",
        loss()?.to_scalar::<f32>()?,
        100.0 * right
    );
    Ok(())
}
