//! Images a second of a network's training step and evaluation, data resident.
use std::time::Instant;

use wick_cuda::{Device, Executor, Numbers, Options};
use wick_graph::Batch;
use wick_models::{Architecture, Network};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (work, numbers) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let batch: usize = arguments.next().and_then(|b| b.parse().ok()).unwrap_or(128);
    let numbers = match numbers.as_str() { "bf16" => Numbers::Bf16, "tf32" => Numbers::Tf32, _ => Numbers::F32 };
    let architecture: Architecture = work.parse().map_err(|e| format!("{e}"))?;
    let began = Instant::now();
    let device = Device::open(0)?;
    println!("{} cuDNN {} opened in {:.2?}", device.name(), device.cudnn_version(), began.elapsed());
    let network = Network::new(architecture, 10, 1, &candle_core::Device::Cpu)?;
    let graph = network.architecture.graph(10)?;
    let began = Instant::now();
    let mut executor = Executor::new(&device, &graph, Options { numbers, ..Options::default() })?;
    println!("compiled in {:.2?}", began.elapsed());
    let values: Vec<Vec<f32>> = graph.parameters().iter().map(|p| {
        let var = network.parameters.get(&p.name).ok_or("no parameter")?;
        Ok::<_, Box<dyn std::error::Error>>(var.flatten_all()?.to_vec1::<f32>()?)
    }).collect::<Result<_, _>>()?;
    executor.set_parameters(&values.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    let images: Vec<f32> = (0..batch * 3072).map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0).collect();
    let labels: Vec<u32> = (0..batch as u32).map(|i| i % 10).collect();
    let began = Instant::now();
    let loss = executor.training_step(Batch { images: &images, labels: &labels }, 0.0)?;
    println!("first step in {:.2?}, loss {loss}", began.elapsed());
    executor.logits(&images)?;
    for (what, train) in [("train", Some(0.0)), ("eval", None)] {
        executor.again(3, batch, train)?;
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let began = Instant::now();
            executor.again(20, batch, train)?;
            best = best.min(began.elapsed().as_secs_f64() / 20.0);
        }
        println!("RESULT {work} {numbers:?} batch {batch} {what}: {:.0} images/s, {:.3} ms, {} MiB", batch as f64 / best, best * 1e3, executor.bytes() >> 20);
    }
    if arguments.next().is_some() {
        for line in executor.convolutions() { println!("{line}"); }
    }
    Ok(())
}
