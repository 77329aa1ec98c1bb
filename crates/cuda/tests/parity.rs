//! Networks on a GPU against the same networks on the CPU, which are tested against a reference in f64. Without a GPU there is
//! nothing to test here.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // in helpers as in tests; each error is told

use wick_cuda::{Determinism, Executor, Numbers, Options};
use wick_graph::{Algorithm, Batch, Graph, Mixed, Role, StepOptions};

mod gpu;
mod graphs;
#[path = "../../graph/src/tests/inputs.rs"]
mod inputs;

use gpu::device;
use graphs::all;

const SMOOTHING: f32 = 0.1;
const LABELS: [u32; 5] = [2, 0, 1, 1, 0];
const OTHERS: [u32; 5] = [0, 0, 2, 1, 1];

/// Of images' own labels alone.
fn own() -> StepOptions<'static> {
    StepOptions { dropout_seed: 7, ..StepOptions::smoothed(SMOOTHING) }
}

/// Of `n` images: with others that have `1 - weight` of the target; dropouts draw anew.
fn mixed(n: usize, weight: f32) -> StepOptions<'static> {
    StepOptions { mixed: Some(Mixed { labels: &OTHERS[..n], weight }), dropout_seed: 1 << 40, ..own() }
}

struct Outcome {
    loss: f32,
    logits: Vec<f32>,
    gradients: Vec<Vec<f32>>,
    /// With running statistics, after they have learnt.
    evaluation: Vec<f32>,
    parameters: Vec<Vec<f32>>,
}

fn slices(values: &[Vec<f32>]) -> Vec<&[f32]> {
    values.iter().map(Vec::as_slice).collect()
}

/// A step with the first of the images, as many as there are labels.
fn on_cpu(
    graph: &Graph,
    mut parameters: Vec<Vec<f32>>,
    batch: Batch<'_>,
    options: StepOptions<'_>,
) -> Outcome {
    let direct = wick_graph::Options { algorithm: Algorithm::Direct, ..wick_graph::Options::default() };
    let mut executor = wick_graph::Executor::new(graph, direct).unwrap();
    let mut gradients = vec![Vec::new(); parameters.len()];
    let step = executor.training_step(&slices(&parameters), batch, options, &mut gradients).unwrap();
    let (loss, logits, statistics) = (step.loss, step.logits.to_vec(), step.statistics.to_vec());
    for batch in &statistics {
        for (running, new) in [(batch.running_mean, &batch.mean), (batch.running_variance, &batch.variance)] {
            wick_graph::BatchStatistics::blend(batch.update, &mut parameters[running], new);
        }
    }
    let evaluation = executor.logits(&slices(&parameters), batch.images).unwrap().to_vec();
    Outcome { loss, logits, gradients, evaluation, parameters }
}

fn on_gpu(
    executor: &mut Executor,
    parameters: &[Vec<f32>],
    batch: Batch<'_>,
    options: StepOptions<'_>,
) -> Outcome {
    executor.set_parameters(&slices(parameters)).unwrap();
    let loss = executor.training_step(batch, options).unwrap();
    let logits = executor.training_logits(batch.labels.len(), options).unwrap().unwrap();
    let mut gradients = vec![Vec::new(); parameters.len()];
    executor.gradients(&mut gradients).unwrap();
    let evaluation = executor.logits(batch.images).unwrap();
    let mut parameters = parameters.to_vec();
    executor.parameters(&mut parameters).unwrap();
    Outcome { loss, logits, gradients, evaluation, parameters }
}

/// The norm of the difference over the norm of what was expected; of values that cancel, over `floor`.
fn distance(got: &[f32], want: &[f32], floor: f64) -> f64 {
    assert_eq!(got.len(), want.len());
    let square = |v: f64| v * v;
    let difference: f64 = got.iter().zip(want).map(|(g, w)| square(f64::from(*g) - f64::from(*w))).sum();
    let norm: f64 = want.iter().map(|w| square(f64::from(*w))).sum();
    difference.sqrt() / norm.sqrt().max(floor)
}

fn check(name: &str, graph: &Graph, got: &Outcome, want: &Outcome, tolerance: f64) -> f64 {
    let mut worst = 0f64;
    let mut compare = |what: &str, got: &[f32], want: &[f32], floor: f64| {
        let error = distance(got, want, floor);
        worst = worst.max(error);
        println!("{name}: {what}: {error:.1e}");
        assert!(error < tolerance, "{name}: {what}: {error:e} of {tolerance:e}");
    };
    compare("loss", &[got.loss], &[want.loss], 0.0);
    compare("logits", &got.logits, &want.logits, 0.0);
    for (i, parameter) in graph.parameters().iter().enumerate() {
        match parameter.role {
            // A bias before a norm has a gradient of 0: there what counts is the scale of the others.
            Role::Trainable => compare(&parameter.name, &got.gradients[i], &want.gradients[i], 1e-2),
            Role::RunningMean | Role::RunningVariance => {
                compare(&parameter.name, &got.parameters[i], &want.parameters[i], 0.1);
            }
            Role::Frozen => assert_eq!(got.parameters[i], want.parameters[i]),
        }
    }
    compare("evaluation", &got.evaluation, &want.evaluation, 0.0);
    worst
}

fn compared(numbers: Numbers, tolerance: f64) {
    let Some(device) = device() else { return };
    for (name, graph) in all() {
        let (images, parameters) = (inputs::images(&graph, LABELS.len()), inputs::parameters(&graph));
        let options = Options { numbers, determinism: Determinism::Required };
        let mut executor = Executor::new(&device, &graph, options).unwrap();
        // A smaller batch beside it; what was recorded of a step takes other seeds and shares.
        let fewer = Batch { images: &images[..images.len() / LABELS.len() * 3], labels: &LABELS[..3] };
        let batch = Batch { images: &images, labels: &LABELS };
        for (name, batch, step) in [
            (name.to_owned(), batch, own()),
            (format!("{name}, fewer"), fewer, own()),
            (format!("{name}, mixed"), batch, mixed(5, 0.7)),
            (format!("{name}, fewer mixed"), fewer, mixed(3, 0.0)),
        ] {
            let want = on_cpu(&graph, parameters.clone(), batch, step);
            let got = on_gpu(&mut executor, &parameters, batch, step);
            let worst = check(&name, &graph, &got, &want, tolerance);
            println!("{name}, {numbers:?}: largest error {worst:.1e}");
            // Recorded and played back: the same bits.
            for _ in 0..3 {
                let again = on_gpu(&mut executor, &parameters, batch, step);
                assert_eq!(again.gradients, got.gradients, "{name}");
                assert_eq!(again.evaluation, got.evaluation, "{name}");
            }
            let step = match step.mixed {
                None => StepOptions { dropout_seed: 8, ..step },
                Some(mixed) => {
                    StepOptions { dropout_seed: 8, mixed: Some(Mixed { weight: 0.2, ..mixed }), ..step }
                }
            };
            let want = on_cpu(&graph, parameters.clone(), batch, step);
            let got = on_gpu(&mut executor, &parameters, batch, step);
            check(&format!("{name}, played back"), &graph, &got, &want, tolerance);
        }
    }
}

/// f32 on both sides, in other orders of summing: two orders above what the CPU's own test sees.
#[test]
fn f32_is_the_cpu() {
    compared(Numbers::F32, 1e-4);
}

/// TF32 rounds the factors of products to 10 bits: 5e-4 each, some of it averaged out, through ten layers.
#[test]
fn tf32_is_near_the_cpu() {
    compared(Numbers::Tf32, 1e-2);
}

/// bf16 has 8 bits: each rounding is off by up to 4e-3, a ReLU that flips by more. Small gradients are mostly noise here, so
/// that their direction is not asked for one by one: an error of 0.2 of all is a cosine of 0.98.
#[test]
fn bf16_is_near_the_cpu() {
    let Some(device) = device() else { return };
    for (name, graph) in all() {
        let (images, parameters) = (inputs::images(&graph, LABELS.len()), inputs::parameters(&graph));
        let batch = Batch { images: &images, labels: &LABELS };
        let options = Options { numbers: Numbers::Bf16, determinism: Determinism::Required };
        let mut executor = Executor::new(&device, &graph, options).unwrap();
        let want = on_cpu(&graph, parameters.clone(), batch, mixed(5, 0.7));
        let got = on_gpu(&mut executor, &parameters, batch, mixed(5, 0.7));
        let trained = |of: &Outcome| {
            let roles = graph.parameters().iter().zip(&of.gradients);
            roles.filter(|(p, _)| p.role == Role::Trainable).flat_map(|(_, g)| g.clone()).collect::<Vec<_>>()
        };
        let errors = [
            distance(&[got.loss], &[want.loss], 0.0),
            distance(&got.logits, &want.logits, 0.0),
            distance(&trained(&got), &trained(&want), 0.0),
            distance(&got.evaluation, &want.evaluation, 0.0),
        ];
        println!(
            "{name}: loss, logits, gradients, evaluation: {:.1e} {:.1e} {:.1e} {:.1e}",
            errors[0], errors[1], errors[2], errors[3]
        );
        let most = [2e-2, 6e-2, 0.2, 6e-2];
        assert!(errors.iter().zip(most).all(|(e, most)| *e < most), "{name}: {errors:?}");
    }
}
