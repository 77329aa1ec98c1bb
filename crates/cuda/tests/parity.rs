//! Networks on a GPU against the same networks on the CPU, which are tested against a reference in f64. Without a GPU there is
//! nothing to test here.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // in helpers as in tests; each error is told

use wick_cuda::{CudaError, Determinism, Device, Executor, Numbers, Options};
use wick_graph::{Algorithm, Batch, Graph, Role, StepOptions};

#[path = "../../graph/src/tests/inputs.rs"]
mod inputs;
#[path = "../../graph/src/tests/networks.rs"]
mod networks;

const SMOOTHING: f32 = 0.1;

/// The GPU, if there is one and all that belongs to it.
fn device() -> Option<Device> {
    match Device::open(0) {
        Ok(device) => Some(device),
        Err(error @ (CudaError::NoLibrary { .. } | CudaError::NoDevice { .. })) => {
            println!("not run: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
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

fn on_cpu(graph: &Graph, mut parameters: Vec<Vec<f32>>, images: &[f32], labels: &[u32]) -> Outcome {
    let options = wick_graph::Options { algorithm: Algorithm::Direct, ..wick_graph::Options::default() };
    let mut executor = wick_graph::Executor::new(graph, options).unwrap();
    let mut gradients = vec![Vec::new(); parameters.len()];
    let step = executor
        .training_step(
            &slices(&parameters),
            Batch { images, labels },
            StepOptions::smoothed(SMOOTHING),
            &mut gradients,
        )
        .unwrap();
    let (loss, logits, statistics) = (step.loss, step.logits.to_vec(), step.statistics.to_vec());
    for batch in &statistics {
        for (running, new) in [(batch.running_mean, &batch.mean), (batch.running_variance, &batch.variance)] {
            wick_graph::BatchStatistics::blend(batch.update, &mut parameters[running], new);
        }
    }
    let evaluation = executor.logits(&slices(&parameters), images).unwrap().to_vec();
    Outcome { loss, logits, gradients, evaluation, parameters }
}

fn on_gpu(executor: &mut Executor, parameters: &[Vec<f32>], images: &[f32], labels: &[u32]) -> Outcome {
    executor.set_parameters(&slices(parameters)).unwrap();
    let loss = executor.training_step(Batch { images, labels }, SMOOTHING).unwrap();
    let logits = executor.training_logits(labels.len(), SMOOTHING).unwrap().unwrap();
    let mut gradients = vec![Vec::new(); parameters.len()];
    executor.gradients(&mut gradients).unwrap();
    let evaluation = executor.logits(images).unwrap();
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
    for (name, graph) in networks::all() {
        let labels = [2, 0, 1, 1, 0];
        let (images, parameters) = (inputs::images(&graph, labels.len()), inputs::parameters(&graph));
        let options = Options { numbers, determinism: Determinism::Required };
        let mut executor = Executor::new(&device, &graph, options).unwrap();
        let want = on_cpu(&graph, parameters.clone(), &images, &labels);
        let got = on_gpu(&mut executor, &parameters, &images, &labels);
        let worst = check(name, &graph, &got, &want, tolerance);
        println!("{name}, {numbers:?}: largest error {worst:.1e}");
        // A smaller batch beside it, and the first one again, recorded and played back: the same bits.
        let fewer = (&images[..images.len() / labels.len() * 3], &labels[..3]);
        let want = on_cpu(&graph, parameters.clone(), fewer.0, fewer.1);
        check(name, &graph, &on_gpu(&mut executor, &parameters, fewer.0, fewer.1), &want, tolerance);
        for _ in 0..3 {
            let again = on_gpu(&mut executor, &parameters, &images, &labels);
            assert_eq!(again.gradients, got.gradients, "{name}");
            assert_eq!(again.evaluation, got.evaluation, "{name}");
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
    for (name, graph) in networks::all() {
        let labels = [2, 0, 1, 1, 0];
        let (images, parameters) = (inputs::images(&graph, labels.len()), inputs::parameters(&graph));
        let options = Options { numbers: Numbers::Bf16, determinism: Determinism::Required };
        let mut executor = Executor::new(&device, &graph, options).unwrap();
        let want = on_cpu(&graph, parameters.clone(), &images, &labels);
        let got = on_gpu(&mut executor, &parameters, &images, &labels);
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
