//! What ResNet-18's convolutions cost on this machine: GFLOP/s of each shape, forward and both gradients, and the training
//! rate that all of them together allow.
//!
//!     cargo run --release -p wick-kernels --example throughput [f32|bf16] [BATCH] [THREADS] [wall|cpu] [LAYER]
//!
//! As a training step runs them: normalising and gating while they read and write.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::time::Instant;

use half::bf16;
use wick_kernels::fused::{
    Activation, Algorithm, Coefficients, Epilogue, Gate, Sink, Source, Write, conv2d, conv2d_input_gradient,
    conv2d_weight_gradient,
};
use wick_kernels::huge_pages::Lines;
use wick_kernels::{Conv2dShape, Element, InstructionSet, Precision, ShapeError};

/// What a training step gives a convolution to read, and what becomes of the gradient that it leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Reads the images, whose gradient nobody asks for.
    First,
    /// Reads a block's input; adds its gradient to what the shortcut's is, and gates the sum.
    Entry,
    /// Reads a block's input; its gradient is the first of two.
    Shortcut,
    /// Reads what a convolution has left, normalising it; gates the gradient.
    Inner,
}

/// `(name, place, times in the network, [input size, C_in, C_out, kernel, stride])` of ResNet-18 for 32×32 images.
const LAYERS: [(&str, Place, usize, [usize; 5]); 11] = [
    ("stem", Place::First, 1, [32, 3, 64, 3, 1]),
    ("layer1", Place::Inner, 4, [32, 64, 64, 3, 1]),
    ("layer2 first", Place::Entry, 1, [32, 64, 128, 3, 2]),
    ("layer2 shortcut", Place::Shortcut, 1, [32, 64, 128, 1, 2]),
    ("layer2", Place::Inner, 3, [16, 128, 128, 3, 1]),
    ("layer3 first", Place::Entry, 1, [16, 128, 256, 3, 2]),
    ("layer3 shortcut", Place::Shortcut, 1, [16, 128, 256, 1, 2]),
    ("layer3", Place::Inner, 3, [8, 256, 256, 3, 1]),
    ("layer4 first", Place::Entry, 1, [8, 256, 512, 3, 2]),
    ("layer4 shortcut", Place::Shortcut, 1, [8, 256, 512, 1, 2]),
    ("layer4", Place::Inner, 3, [4, 512, 512, 3, 1]),
];

/// Which seconds count.
#[derive(Clone, Copy)]
enum Clock {
    /// Those that pass.
    Wall,
    /// Those that this process's threads spend running, where Linux tells: for one thread on a busy machine.
    Cpu,
}

impl Clock {
    fn now(self, start: Instant) -> f64 {
        let running = |path: PathBuf| -> Option<f64> {
            let text = std::fs::read_to_string(path.join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<f64>().ok().map(|ns| ns * 1e-9)
        };
        match (self, std::fs::read_dir("/proc/self/task")) {
            (Self::Cpu, Ok(tasks)) => tasks.flatten().filter_map(|task| running(task.path())).sum(),
            _ => start.elapsed().as_secs_f64(),
        }
    }
}

/// The best of several samples of at least 60 ms, in seconds a run: other programs only ever make one slower, and the
/// kernel accounts running time in steps of milliseconds.
fn best(clock: Clock, mut f: impl FnMut() -> Result<(), ShapeError>) -> Result<f64, ShapeError> {
    f()?;
    let (origin, mut best) = (Instant::now(), f64::MAX);
    for _ in 0..5 {
        let (start, mut runs, mut spent) = (clock.now(origin), 0, 0.0);
        while spent < 0.06 {
            f()?;
            runs += 1;
            spent = clock.now(origin) - start;
        }
        best = best.min(spent / f64::from(runs));
    }
    Ok(best)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let precision = match arguments.next().as_deref() {
        None | Some("f32") => Precision::F32,
        Some("bf16") => Precision::Bf16,
        Some(other) => return Err(format!("expected `f32` or `bf16`, got `{other}`").into()),
    };
    let batch: usize = arguments.next().map_or(Ok(128), |a| a.parse())?;
    let threads: usize = arguments.next().map_or(Ok(0), |a| a.parse())?; // 0: one per core
    let clock = match arguments.next().as_deref() {
        None | Some("wall") => Clock::Wall,
        Some("cpu") => Clock::Cpu,
        Some(other) => return Err(format!("expected `wall` or `cpu`, got `{other}`").into()),
    };
    let only = arguments.next().unwrap_or_default(); // all, if empty
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    pool.install(|| match precision {
        Precision::F32 => report::<f32>(batch, clock, &only),
        Precision::Bf16 => report::<bf16>(batch, clock, &only),
    })?;
    Ok(())
}

fn report<E: Element>(batch: usize, clock: Clock, only: &str) -> Result<(), ShapeError> {
    let (threads, set) = (rayon::current_num_threads(), InstructionSet::current().name());
    println!(
        "ResNet-18's convolutions, {:?}, batch {batch}, threads {threads}, {set}; GFLOP/s as if computed directly\n",
        E::PRECISION
    );
    println!("{:16} {:>5} {:>9} {:>9} {:>9} {:>9}", "", "times", "forward", "d input", "d weight", "ms");
    let (mut total, mut flops) = (0.0, 0.0);
    for (name, place, times, [size, c_in, c_out, kernel, stride]) in LAYERS {
        if !only.is_empty() && only != name {
            continue;
        }
        let shape = Conv2dShape {
            batch,
            height: size,
            width: size,
            in_channels: c_in,
            out_channels: c_out,
            kernel: [kernel; 2],
            stride,
            padding: kernel / 2,
        };
        let (c, k) = (shape.in_channels, shape.out_channels);
        let (mut x, mut w) =
            (Lines::new(E::from_f32(0.5), shape.input_len()), vec![0.25; shape.weight_len()]);
        let mut y = Lines::new(E::from_f32(0.5), shape.output_len());
        let (ones, dy_ones) = (vec![0.5; c], vec![0.5; k]);
        let mut sums = vec![0.0; batch * 2 * k.max(c)];
        let of = |v| Coefficients::PerChannel(v);
        let dy = Lines::new(E::from_f32(0.5), shape.output_len());
        let before = Lines::new(E::from_f32(0.5), shape.input_len());
        let source = match place {
            Place::First | Place::Entry | Place::Shortcut => Source::Plain(&before),
            Place::Inner => {
                let (scale, shift, activation) = (of(&ones), of(&ones), Activation::Relu);
                Source::Normalised { x: &before, scale, shift, activation }
            }
        };
        let forward = best(clock, || {
            let epilogue = Epilogue::Statistics { sums: &mut sums[..batch * 2 * k] };
            let sink = Sink { to: &mut y, write: Write::Stream, epilogue };
            conv2d(&shape, Algorithm::Tiles4, source, &w, sink)
        })?;
        let gradient = Source::Gradient { g: &dy, y: &y, a: of(&dy_ones), b: of(&dy_ones), c: of(&dy_ones) };
        let weight =
            best(clock, || conv2d_weight_gradient(&shape, Algorithm::Tiles4, source, gradient, &mut w))?;
        w.fill(0.25);
        let asked = place != Place::First;
        let mut input = || {
            let to = &mut x;
            let sink = match place {
                Place::First | Place::Shortcut => Sink::plain(to),
                Place::Entry => {
                    let (gate, with) = (Gate::Positive(&before), [Some(&before[..]), None]);
                    let epilogue = Epilogue::Gradient { gate, with, sums: &mut sums[..batch * 2 * c] };
                    Sink { to, write: Write::Add, epilogue }
                }
                Place::Inner => {
                    let (scale, shift, activation) = (of(&ones), of(&ones), Activation::Relu);
                    let gate = Gate::Normalised { y: &before, scale, shift, activation };
                    let with = [Some(&before[..]), None];
                    let epilogue = Epilogue::Gradient { gate, with, sums: &mut sums[..batch * 2 * c] };
                    Sink { to, write: Write::Stream, epilogue }
                }
            };
            conv2d_input_gradient(&shape, Algorithm::Tiles4, gradient, &w, sink)
        };
        let input = if asked { best(clock, &mut input)? } else { 0.0 };
        let seconds = forward + input + weight;
        let rate = |seconds: f64| match seconds {
            0.0 => "-".to_owned(),
            seconds => format!("{:.0}", shape.flops() / seconds / 1e9),
        };
        println!(
            "{name:16} {times:5} {:>9} {:>9} {:>9} {:9.1}",
            rate(forward),
            rate(input),
            rate(weight),
            seconds * 1e3
        );
        total += times as f64 * seconds;
        flops += times as f64 * shape.flops() * if asked { 3.0 } else { 2.0 };
    }
    println!(
        "\nAll convolutions of a training step: {:.0} ms, {:.0} GFLOP/s, {:.1} images/s",
        total * 1e3,
        flops / total / 1e9,
        batch as f64 / total
    );
    Ok(())
}
