//! Builds one residual block, trains it for some steps on made-up images, and shows where the time went.
//!
//! `cargo run --release -p wick-graph --example profile`

use wick_graph::{
    Batch, BatchNorm, Bias, Conv2d, Executor, Graph, GraphError, Options, Precision, Profiling, Role,
    StepOptions,
};

fn network() -> Result<Graph, GraphError> {
    let mut g = Graph::new([16, 16, 3]);
    let conv = Conv2d { out_channels: 32, ..Conv2d::default() };
    let x = g.conv2d(g.input(), "conv1", conv)?;
    let x = g.batch_norm(x, "bn1", BatchNorm::default())?;
    let x = g.relu(x)?;
    let y = g.conv2d(x, "block.conv1", conv)?;
    let y = g.batch_norm(y, "block.bn1", BatchNorm::default())?;
    let y = g.relu(y)?;
    let y = g.conv2d(y, "block.conv2", conv)?;
    let y = g.batch_norm(y, "block.bn2", BatchNorm::default())?;
    let y = g.add(y, x)?;
    let y = g.relu(y)?;
    let y = g.global_avg_pool2d(y)?;
    g.linear(y, "linear", 2, Bias::Learnt)?;
    Ok(g)
}

#[allow(clippy::print_stdout)] // an example talks
fn main() -> Result<(), GraphError> {
    let graph = network()?;
    // Weights that differ from each other, norms that start as 1 and 0.
    let start = |p: &wick_graph::Parameter| -> Vec<f32> {
        match (p.shape.len(), p.name.ends_with("weight")) {
            (1, is_weight) => vec![f32::from(u8::from(is_weight)); p.len()],
            _ => (0..p.len()).map(|i| ((i * 7919 % 1000) as f32 / 1000.0 - 0.5) * 0.2).collect(),
        }
    };
    let mut values: Vec<Vec<f32>> = graph.parameters().iter().map(start).collect();
    let mut gradients = vec![Vec::new(); values.len()];

    // Class 1 is brighter on the left than on the right.
    const N: usize = 64;
    let labels: Vec<u32> = (0..N as u32).map(|i| i % 2).collect();
    let pixel = |i: usize| {
        let (image, column) = (i / (16 * 16 * 3), i / 3 % 16);
        let left = if column < 8 { 0.5 } else { -0.5 };
        let noise = (i * 104_729 % 997) as f32 / 997.0 - 0.5;
        noise + if image % 2 == 1 { left } else { -left }
    };
    let images: Vec<f32> = (0..N * 16 * 16 * 3).map(pixel).collect();

    let options = Options { precision: Precision::Bf16, profiling: Profiling::On, ..Options::default() };
    let mut executor = Executor::new(&graph, options)?;
    for i in 0..5 {
        let parameters: Vec<&[f32]> = values.iter().map(Vec::as_slice).collect();
        let batch = Batch { images: &images, labels: &labels };
        let loss = executor.training_step(&parameters, batch, StepOptions::default(), &mut gradients)?.loss;
        println!("step {i}: loss {loss:.4}");
        let trained = graph.parameters().iter().zip(values.iter_mut().zip(&gradients));
        for (_, (value, gradient)) in trained.filter(|(p, _)| p.role == Role::Trainable) {
            value.iter_mut().zip(gradient).for_each(|(v, g)| *v -= 0.1 * g);
        }
    }
    println!("\n{:.1} MB of maps\n", executor.bytes() as f64 / 1e6);
    for row in executor.take_profile() {
        let (ms, gflops) = (row.seconds * 1e3 / row.calls as f64, row.flops / row.seconds / 1e9);
        println!("{:<12} {:<24} {ms:7.3} ms {gflops:7.1} GFLOP/s", row.layer, row.op);
    }
    Ok(())
}
