//! Compiled networks against the same networks layer by layer in f64.

mod building;
mod cut;
mod deep_head;
mod input_gradient;
mod inputs;
mod networks;
mod packed;
mod plan;
mod reference;

use wick_kernels::Precision;

use crate::{Algorithm, Batch, Executor, Graph, Mixed, Options, Profiling, StepOptions};
use inputs::{images, parameters};
use reference::{Mode, Outcome};

struct Case {
    name: &'static str,
    graph: Graph,
    parameters: Vec<Vec<f32>>,
    images: Vec<f32>,
    labels: Vec<u32>,
}

const SMOOTHING: f32 = 0.1;

impl Case {
    fn all() -> Vec<Self> {
        let case = |(name, graph): (&'static str, Graph)| {
            let labels = vec![2, 0, 1, 1, 0];
            let images = images(&graph, labels.len());
            Self { name, parameters: parameters(&graph), graph, images, labels }
        };
        networks::all()
            .into_iter()
            .chain([("deep head", deep_head::deep_head().unwrap())])
            .map(case)
            .collect()
    }

    fn expected(&self, mode: Mode) -> Outcome {
        let p: Vec<Vec<f64>> =
            self.parameters.iter().map(|p| p.iter().map(|v| f64::from(*v)).collect()).collect();
        reference::run(&self.graph, &p, (&self.images, &self.labels), f64::from(SMOOTHING), mode)
    }

    /// Loss, logits and gradients of the first `n` images.
    fn step(&self, executor: &mut Executor, n: usize) -> (f32, Vec<f32>, Vec<Vec<f32>>) {
        let p: Vec<&[f32]> = self.parameters.iter().map(Vec::as_slice).collect();
        let mut gradients = vec![Vec::new(); p.len()];
        let images = &self.images[..self.images.len() / self.labels.len() * n];
        let batch = Batch { images, labels: &self.labels[..n] };
        let step =
            executor.training_step(&p, batch, StepOptions::smoothed(SMOOTHING), &mut gradients).unwrap();
        (step.loss, step.logits.to_vec(), gradients)
    }

    fn logits(&self, executor: &mut Executor) -> Vec<f32> {
        let p: Vec<&[f32]> = self.parameters.iter().map(Vec::as_slice).collect();
        executor.logits(&p, &self.images).unwrap().to_vec()
    }
}

fn executor(graph: &Graph, precision: Precision) -> Executor {
    // Winograd's rounding would hide small errors.
    let options = Options { precision, algorithm: Algorithm::Direct, ..Options::default() };
    Executor::new(graph, options).unwrap()
}

/// The norm of the difference over the norm of what was expected; of values that cancel, over `floor`.
fn distance(got: &[f32], want: &[f64], floor: f64) -> f64 {
    assert_eq!(got.len(), want.len());
    let difference: f64 = got.iter().zip(want).map(|(g, w)| (f64::from(*g) - w).powi(2)).sum();
    let norm: f64 = want.iter().map(|w| w * w).sum();
    difference.sqrt() / norm.sqrt().max(floor)
}

/// f32 through some ten layers: 1e-4 of each tensor's norm, two orders above what is seen. A bias before a norm has a
/// gradient of 0: there what counts is the scale of the others.
#[test]
fn f32_is_the_reference() {
    for case in Case::all() {
        let want = case.expected(Mode::Train);
        let mut executor = executor(&case.graph, Precision::F32);
        let (loss, logits, gradients) = case.step(&mut executor, 5);
        assert!((f64::from(loss) - want.loss).abs() < 1e-5 * want.loss, "{}: {loss}", case.name);
        assert!(distance(&logits, &want.logits, 0.0) < 1e-4, "{}: {logits:?} {:?}", case.name, want.logits);
        for (i, parameter) in case.graph.parameters().iter().enumerate() {
            let error = distance(&gradients[i], &want.gradients[i], 1e-2);
            assert!(error < 1e-4, "{}: {}: {error:e}", case.name, parameter.name);
        }
        let logits = case.logits(&mut executor);
        let want = case.expected(Mode::Evaluate);
        assert!(distance(&logits, &want.logits, 0.0) < 1e-4, "{}: evaluation", case.name);
    }
}

/// bf16 has 8 bits: each rounding is off by up to 4e-3 of its value, and a ReLU that flips, of which there are few here, by
/// much more. Gradients keep their direction: an error of 0.2 is a cosine of 0.98.
#[test]
fn bf16_is_near_the_reference() {
    for case in Case::all() {
        let want = case.expected(Mode::Train);
        let mut executor = executor(&case.graph, Precision::Bf16);
        let (loss, logits, gradients) = case.step(&mut executor, 5);
        assert!((f64::from(loss) / want.loss - 1.0).abs() < 2e-2, "{}: {loss} {}", case.name, want.loss);
        assert!(distance(&logits, &want.logits, 0.0) < 6e-2, "{}: {logits:?} {:?}", case.name, want.logits);
        let (got, wanted) = (gradients.concat(), want.gradients.concat());
        let error = distance(&got, &wanted, 0.0);
        assert!(error < 0.2, "{}: {error}", case.name);
        let logits = case.logits(&mut executor);
        let want = case.expected(Mode::Evaluate);
        assert!(distance(&logits, &want.logits, 0.0) < 6e-2, "{}: evaluation", case.name);
    }
}

/// Central differences of the reference's own loss, in f64: what the gradients above are compared with is right.
#[test]
fn the_reference_is_differentiated_rightly() {
    for case in Case::all() {
        let mut p: Vec<Vec<f64>> =
            case.parameters.iter().map(|p| p.iter().map(|v| f64::from(*v)).collect()).collect();
        let run = |p: &[Vec<f64>]| {
            reference::run(&case.graph, p, (&case.images, &case.labels), f64::from(SMOOTHING), Mode::Train)
        };
        let gradients = run(&p).gradients;
        for (i, parameter) in case.graph.parameters().iter().enumerate() {
            let Some(&want) = gradients[i].last() else { continue };
            let (last, h) = (p[i].len() - 1, 1e-5);
            let value = p[i][last];
            p[i][last] = value + h;
            let above = run(&p).loss;
            p[i][last] = value - h;
            let below = run(&p).loss;
            p[i][last] = value;
            let got = (above - below) / (2.0 * h);
            let error = (got - want).abs();
            assert!(error < 1e-6 + 1e-4 * want.abs(), "{}: {}: {got} {want}", case.name, parameter.name);
        }
    }
}

/// Of mixed labels, all is the weighted sum of what it is of either; forwards and statistics are one and the same. In f32, as above.
#[test]
fn mixed_labels_have_the_mixed_loss_and_gradients() {
    for case in Case::all() {
        let p: Vec<&[f32]> = case.parameters.iter().map(Vec::as_slice).collect();
        let mut executor = executor(&case.graph, Precision::F32);
        let mut run = |labels: &[u32], mixed| {
            let mut gradients = vec![Vec::new(); p.len()];
            let batch = Batch { images: &case.images, labels };
            let loss = StepOptions { mixed, ..StepOptions::smoothed(SMOOTHING) };
            let step = executor.training_step(&p, batch, loss, &mut gradients).unwrap();
            (step.loss, gradients)
        };
        let others: Vec<u32> = case.labels.iter().rev().copied().collect();
        assert_ne!(others, case.labels);
        let ((own, of_own), (other, of_others)) = (run(&case.labels, None), run(&others, None));
        let (loss, got) = run(&case.labels, Some(Mixed { labels: &others, weight: 0.7 }));
        assert!((loss - (0.7 * own + 0.3 * other)).abs() < 1e-5 * loss, "{}: {loss}", case.name);
        for (i, parameter) in case.graph.parameters().iter().enumerate() {
            let both = of_own[i].iter().zip(&of_others[i]);
            let want: Vec<f64> = both.map(|(a, b)| 0.7 * f64::from(*a) + 0.3 * f64::from(*b)).collect();
            let error = distance(&got[i], &want, 1e-2);
            assert!(error < 1e-4, "{}: {}: {error:e}", case.name, parameter.name);
        }
    }
}

#[test]
fn statistics_are_those_of_the_batch() {
    for case in Case::all() {
        let want = case.expected(Mode::Train).statistics;
        let mut executor = executor(&case.graph, Precision::F32);
        let p: Vec<&[f32]> = case.parameters.iter().map(Vec::as_slice).collect();
        let mut gradients = vec![Vec::new(); p.len()];
        let batch = Batch { images: &case.images, labels: &case.labels };
        let step =
            executor.training_step(&p, batch, StepOptions::smoothed(SMOOTHING), &mut gradients).unwrap();
        assert_eq!(step.statistics.len(), want.len());
        for (got, (mean, variance)) in step.statistics.iter().zip(&want) {
            let name = &case.graph.parameters()[got.running_mean].name;
            assert!(distance(&got.mean, mean, 0.1) < 1e-5, "{}: {name}", case.name);
            assert!(distance(&got.variance, variance, 0.0) < 1e-5, "{}: {name}", case.name);
        }
    }
}

/// The same bits on any number of threads, after any other batch, and with and without a look at the clock.
#[test]
fn results_depend_on_the_arguments_alone() {
    for case in Case::all() {
        for precision in [Precision::F32, Precision::Bf16] {
            let options = Options { precision, ..Options::default() };
            let on = |threads: usize, profiling| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let mut executor = Executor::new(&case.graph, Options { profiling, ..options }).unwrap();
                    let first = case.step(&mut executor, 3);
                    (
                        first,
                        case.step(&mut executor, 5),
                        case.logits(&mut executor),
                        case.step(&mut executor, 3),
                    )
                })
            };
            let (first, large, logits, again) = on(1, Profiling::Off);
            assert!(first == again, "{}: memory of an earlier step shows", case.name);
            let (other_first, other_large, other_logits, _) = on(3, Profiling::On);
            assert!(first == other_first && large == other_large && logits == other_logits, "{}", case.name);
        }
    }
}

#[test]
fn time_is_accounted_for() {
    let case = Case::all().remove(0);
    let options = Options { profiling: Profiling::On, ..Options::default() };
    let mut executor = Executor::new(&case.graph, options).unwrap();
    case.step(&mut executor, 5);
    case.step(&mut executor, 5);
    case.logits(&mut executor);
    let rows = executor.take_profile();
    let find = |layer: &str, op: &str| rows.iter().find(|r| r.layer == layer && r.op == op).unwrap();
    let row = find("a.conv1", "conv2d_input_gradient");
    // 7×5 pixels, 3×3 kernels, 4 channels to 4; two steps of 5 images.
    assert_eq!((row.calls, row.flops), (2, 2.0 * (7 * 5 * 9 * 4 * 4) as f64 * 10.0));
    assert!(rows.iter().all(|row| row.seconds > 0.0));
    assert!(rows.iter().all(|row| row.layer != "conv1" || row.op != "conv2d_input_gradient"));
    assert!(executor.take_profile().is_empty());
}
