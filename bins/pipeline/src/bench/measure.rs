//! The measurement itself.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use candle_core::Device;
use serde::Serialize;
use wick_models::Network;
use wick_train::Compute;

use super::engine::{Batch, Engine};
use super::options::{EngineKind, Precision, TrainStepArgs};
use super::profile::{Row, rows};
use super::work::{CLASSES, SEED, default_batch, forward_flops, random_batch};
use super::{accuracy, engine};

/// Training steps before the clock counts: memory is mapped, caches and branch predictors are warm.
const UNTIMED: usize = 3;

/// Of the peak: it is measured ten times as long in all.
const PERIOD: Duration = Duration::from_millis(40);

/// What was measured. The keys from `work` to `peak_rss_mb` are those of `xtask/peer/torch_peer.py`.
#[derive(Debug, Clone, Serialize)]
pub struct Measurement {
    pub work: String,
    pub precision: Precision,
    pub batch: usize,
    pub threads: usize,
    /// Median over the timed training steps.
    pub img_per_s: f64,
    /// Median over the timed evaluations.
    pub eval_img_per_s: f64,
    /// MiB; absent where the system does not tell.
    pub peak_rss_mb: Option<u64>,
    /// `cpu`, or the GPU's name.
    pub device: String,
    pub engine: EngineKind,
    /// What the kernels use; of a GPU, its name.
    pub instruction_set: String,
    pub steps: usize,
    /// Slowest and fastest step.
    pub img_per_s_range: [f64; 2],
    pub eval_img_per_s_range: [f64; 2],
    /// Of a training step, as if computed directly.
    pub gflop_per_img: f64,
    pub gflop_per_s: f64,
    /// Multiply-adds in registers, all threads; of the CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_gflop_per_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_instruction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_of_peak: Option<f64>,
    /// See [`accuracy::Errors`]; absent for a network without reference values.
    pub logits_error: Option<f64>,
    pub gradient_error: Option<f64>,
    pub gradient_error_max: Option<f64>,
    /// Of the last step.
    pub loss: f32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profile: Vec<Row>,
}

/// Measures what the command line asks for.
pub fn measure(args: &TrainStepArgs, compute: &Compute) -> Result<Measurement> {
    let batch = random_batch(args.batch.unwrap_or_else(|| default_batch(args.work)))?;
    let network = Network::new(args.work, CLASSES, SEED, &Device::Cpu)?;
    let mut engine = engine::open((args.engine, compute), network, args.precision, batch.len())?;
    let images = batch.len() as f64;

    let precision = args.precision.into();
    let on_cpu = matches!(compute, Compute::Cpu);
    let measured = || on_cpu.then(|| wick_ops::peak(precision, PERIOD));
    let peak_before = measured();
    let mut loss = 0.0;
    train(engine.as_mut(), &batch, UNTIMED, &mut loss)?;
    let training = Rates::new(images, train(engine.as_mut(), &batch, args.steps, &mut loss)?)?;
    engine.evaluate(&batch)?;
    engine.evaluate(&batch)?;
    let evaluation =
        Rates::new(images, timed((args.steps / 2).max(3), || engine.evaluate(&batch).map(drop))?)?;
    // Before anything else takes memory.
    let peak_rss = wick_ops::peak_resident_bytes();

    let profile = if args.profile { profiled(engine.as_mut(), &batch, args.steps)? } else { Vec::new() };
    drop(engine);
    let errors = accuracy::check(args.work, (args.engine, compute), args.precision)?;
    // What else runs here can only slow either down.
    let faster = |a: wick_ops::Peak, b: wick_ops::Peak| if b.flops > a.flops { b } else { a };
    let peak = peak_before.into_iter().chain(measured()).reduce(faster);
    let gflop_per_img = 3.0 * forward_flops(args.work)? / 1e9;
    let gflop_per_s = gflop_per_img * training.median;
    Ok(Measurement {
        work: args.work.name(),
        precision: args.precision,
        batch: batch.len(),
        threads: rayon::current_num_threads(),
        img_per_s: short(training.median),
        eval_img_per_s: short(evaluation.median),
        peak_rss_mb: peak_rss.map(|bytes| bytes.div_ceil(1 << 20)),
        device: match args.engine {
            EngineKind::Compiled => compute.name().to_owned(),
            EngineKind::Autograd => Compute::Cpu.name().to_owned(),
        },
        engine: args.engine,
        instruction_set: match compute {
            Compute::Cpu => wick_ops::InstructionSet::current().name().to_owned(),
            Compute::Cuda(..) => compute.name().to_owned(),
        },
        steps: args.steps,
        img_per_s_range: training.range.map(short),
        eval_img_per_s_range: evaluation.range.map(short),
        gflop_per_img: short(gflop_per_img),
        gflop_per_s: short(gflop_per_s),
        peak_gflop_per_s: peak.as_ref().map(|peak| short(peak.flops / 1e9)),
        peak_instruction: peak.as_ref().map(|peak| peak.instruction),
        share_of_peak: peak.as_ref().map(|peak| short(gflop_per_s / (peak.flops / 1e9))),
        logits_error: errors.map(|e| short(e.logits)),
        gradient_error: errors.map(|e| short(e.gradients)),
        gradient_error_max: errors.map(|e| short(e.gradients_max)),
        loss,
        profile,
    })
}

/// Seconds of each of `n` training steps. A loss that is no number ends it: such a step's speed means nothing.
fn train(engine: &mut dyn Engine, batch: &Batch, n: usize, loss: &mut f32) -> Result<Vec<f64>> {
    timed(n, || {
        *loss = engine.train_step(batch)?;
        ensure!(
            loss.is_finite(),
            "the loss became {loss}; the speed of a step that goes wrong means nothing"
        );
        Ok(())
    })
}

fn timed(n: usize, mut work: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    let mut once = || {
        let began = Instant::now();
        work()?;
        Ok(began.elapsed().as_secs_f64())
    };
    (0..n).map(|_| once()).collect()
}

fn profiled(engine: &mut dyn Engine, batch: &Batch, steps: usize) -> Result<Vec<Row>> {
    let mut times = Vec::new();
    for _ in 0..steps {
        times.extend(engine.profile(batch)?);
    }
    Ok(rows(times, steps))
}

/// Images a second.
#[derive(Debug, PartialEq)]
struct Rates {
    median: f64,
    /// Slowest, fastest.
    range: [f64; 2],
}

impl Rates {
    fn new(images: f64, mut seconds: Vec<f64>) -> Result<Self> {
        seconds.sort_by(f64::total_cmp);
        let (fastest, slowest) = (seconds.first().zip(seconds.last())).context("nothing was timed")?;
        let half = seconds.len() / 2;
        let middle =
            if seconds.len() % 2 == 1 { seconds[half] } else { (seconds[half - 1] + seconds[half]) / 2.0 };
        Ok(Self { median: images / middle, range: [images / slowest, images / fastest] })
    }
}

/// Four significant digits: no timing is known better.
fn short(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_time_counts() {
        let rates = Rates::new(128.0, vec![4.0, 1.0, 2.0]).unwrap();
        assert_eq!(rates, Rates { median: 64.0, range: [32.0, 128.0] });
        assert_eq!(Rates::new(12.0, vec![4.0, 1.0, 2.0, 6.0]).unwrap().median, 4.0);
        assert!(Rates::new(1.0, Vec::new()).is_err());
    }

    #[test]
    fn four_digits_are_kept() {
        assert_eq!([123.456, 0.000_123_456, 98_767.0].map(short), [123.5, 0.000_123_5, 98_770.0]);
        assert!(short(f64::NAN).is_nan());
    }

    #[test]
    fn autograd_has_no_bf16() {
        let args = TrainStepArgs {
            work: wick_models::Architecture::ResNet18,
            precision: Precision::Bf16,
            batch: Some(1),
            steps: 1,
            engine: EngineKind::Autograd,
            profile: false,
            out: None,
        };
        let error = measure(&args, &Compute::Cpu).unwrap_err().to_string();
        assert!(error.contains("f32") && error.contains("bf16"), "{error}");
    }
}
