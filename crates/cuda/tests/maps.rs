//! Graphs cut behind their layers on a GPU against the same on the CPU, which is tested against a reference in f64: maps, logits of maps,
//! and gradients. Without a GPU only the CPU's own bf16 is compared, by which that of a GPU is judged.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // in helpers as in tests; each error is told

use wick_cuda::{Determinism, Device, Executor, Numbers, Options};
use wick_graph::{Algorithm, Graph, Precision};

mod gpu;
mod graphs;
#[path = "../../graph/src/tests/inputs.rs"]
mod inputs;

use gpu::device;
use graphs::all;

const IMAGES: usize = 5;

fn slices(values: &[Vec<f32>]) -> Vec<&[f32]> {
    values.iter().map(Vec::as_slice).collect()
}

/// What is compared with the CPU's f32.
#[derive(Clone, Copy)]
enum Where<'a> {
    Gpu(&'a Device, Numbers),
    /// The CPU, in bf16.
    Cpu,
}

/// A graph there.
enum Other {
    Gpu(Box<Executor>),
    Cpu(wick_graph::Executor),
}

/// A graph with its values, on the CPU in f32 and elsewhere.
struct Pair {
    cpu: wick_graph::Executor,
    other: Other,
    parameters: Vec<Vec<f32>>,
    classes: usize,
}

impl Pair {
    /// A part of `whole`, whose parameters these are.
    fn new(place: Where<'_>, part: &Graph, whole: (&Graph, &[Vec<f32>])) -> Self {
        let of = |name: &str| whole.0.parameters().iter().position(|p| p.name == name).unwrap();
        let parameters: Vec<Vec<f32>> =
            part.parameters().iter().map(|p| whole.1[of(&p.name)].clone()).collect();
        // Winograd's rounding would hide small errors.
        let direct = wick_graph::Options { algorithm: Algorithm::Direct, ..wick_graph::Options::default() };
        let other = match place {
            Where::Gpu(device, numbers) => {
                let options = Options { numbers, determinism: Determinism::Required };
                let mut gpu = Executor::new(device, part, options).unwrap();
                gpu.set_parameters(&slices(&parameters)).unwrap();
                Other::Gpu(Box::new(gpu))
            }
            Where::Cpu => {
                let narrow = wick_graph::Options { precision: Precision::Bf16, ..direct };
                Other::Cpu(wick_graph::Executor::new(part, narrow).unwrap())
            }
        };
        let cpu = wick_graph::Executor::new(part, direct).unwrap();
        Self { cpu, other, parameters, classes: part.classes() }
    }

    /// On the CPU, and elsewhere.
    fn map(&mut self, images: &[f32]) -> [Vec<f32>; 2] {
        let parameters = slices(&self.parameters);
        let other = match &mut self.other {
            Other::Gpu(gpu) => gpu.last_map(images).unwrap(),
            Other::Cpu(cpu) => cpu.last_map(&parameters, images).unwrap(),
        };
        [self.cpu.last_map(&parameters, images).unwrap(), other]
    }

    fn logits(&mut self, images: &[f32]) -> [Vec<f32>; 2] {
        let parameters = slices(&self.parameters);
        let other = match &mut self.other {
            Other::Gpu(gpu) => gpu.logits(images).unwrap(),
            Other::Cpu(cpu) => cpu.logits(&parameters, images).unwrap().to_vec(),
        };
        [self.cpu.logits(&parameters, images).unwrap().to_vec(), other]
    }

    /// Of one logit less half of another, which another image's are not.
    fn gradient(&mut self, images: &[f32], n: usize) -> [Vec<f32>; 2] {
        let mut dlogits = vec![0.0; n * self.classes];
        for (image, row) in dlogits.chunks_exact_mut(self.classes).enumerate() {
            row[image % self.classes] = 1.0;
            row[(image + 1) % self.classes] -= 0.5;
        }
        let parameters = slices(&self.parameters);
        let other = match &mut self.other {
            Other::Gpu(gpu) => gpu.input_gradient(images, &dlogits).unwrap(),
            Other::Cpu(cpu) => cpu.input_gradient(&parameters, images, &dlogits).unwrap(),
        };
        [self.cpu.input_gradient(&parameters, images, &dlogits).unwrap(), other]
    }
}

/// The norm of the difference over the norm of what was expected.
fn distance([want, got]: &[Vec<f32>; 2]) -> f64 {
    assert_eq!(got.len(), want.len());
    let square = |v: f64| v * v;
    let difference: f64 = got.iter().zip(want).map(|(g, w)| square(f64::from(*g) - f64::from(*w))).sum();
    let norm: f64 = want.iter().map(|w| square(f64::from(*w))).sum();
    difference.sqrt() / norm.sqrt()
}

/// How far things may be from the CPU's f32, as [`distance`] has it.
struct Most {
    /// Each map, and each image's logits.
    value: f64,
    /// Each gradient, their median, and the root of the mean of their squares. A rectifier or a pool's choice that flips by rounding moves a
    /// gradient of few pixels by much, and most gradients not at all.
    gradient: [f64; 3],
}

/// Distances by what they are of, and what is farther than it may be.
#[derive(Default)]
struct Judged {
    gradients: Vec<f64>,
    broken: Vec<String>,
}

impl Judged {
    fn value(&mut self, what: &str, both: &[Vec<f32>; 2], most: &Most) {
        self.expect(what, distance(both), most.value);
    }

    fn gradient(&mut self, what: &str, both: &[Vec<f32>; 2], most: &Most) {
        let error = distance(both);
        self.expect(what, error, most.gradient[0]);
        self.gradients.push(error);
    }

    fn expect(&mut self, what: &str, error: f64, most: f64) {
        println!("{what}: {error:.1e}");
        if error.is_nan() || error > most {
            self.broken.push(format!("{what}: {error:.1e} of {most:.1e}"));
        }
    }

    /// The same bits again.
    fn again(&mut self, what: &str, got: &[f32], want: &[f32]) {
        if got != want {
            self.broken.push(format!("{what}: other bits when repeated"));
        }
    }

    /// Fails with all that is broken, not with the first.
    fn end(mut self, most: &Most) {
        self.gradients.sort_by(f64::total_cmp);
        let count = self.gradients.len();
        let squares: f64 = self.gradients.iter().map(|error| error * error).sum();
        let [_, median, mean] = most.gradient;
        self.expect("the median of gradients", self.gradients[count / 2], median);
        self.expect("the root of gradients' mean square", (squares / count as f64).sqrt(), mean);
        assert!(self.broken.is_empty(), "{}", self.broken.join("\n"));
    }
}

/// Every graph, cut behind each of its layers; of all images, and of fewer, whose places are others.
fn compared(place: Where<'_>, most: &Most) {
    let mut judged = Judged::default();
    for (name, graph) in all() {
        let (images, parameters) = (inputs::images(&graph, IMAGES), inputs::parameters(&graph));
        let whole = (&graph, parameters.as_slice());
        let mut all = Pair::new(place, &graph, whole);
        judged.gradient(&format!("{name}, images' gradient"), &all.gradient(&images, IMAGES), most);
        for layer in graph.layers() {
            let mut until = Pair::new(place, &graph.until(layer).unwrap(), whole);
            let mut behind = Pair::new(place, &graph.behind(layer).unwrap(), whole);
            for n in [IMAGES, 3] {
                let what = |what: &str| format!("{name}, {layer}, {n} images, {what}");
                let images = &images[..images.len() / IMAGES * n];
                let map = until.map(images);
                judged.value(&what("map"), &map, most);
                // From the CPU's map on both.
                let logits = behind.logits(&map[0]);
                judged.value(&what("logits"), &logits, most);
                let gradient = behind.gradient(&map[0], n);
                judged.gradient(&what("gradient"), &gradient, most);
                // Recorded and played back, and with the other stages between: the same bits.
                for _ in 0..3 {
                    judged.again(&what("map"), &until.map(images)[1], &map[1]);
                    judged.again(&what("gradient"), &behind.gradient(&map[0], n)[1], &gradient[1]);
                    judged.again(&what("logits"), &behind.logits(&map[0])[1], &logits[1]);
                }
            }
        }
    }
    judged.end(most);
}

/// f32 on both sides, in other orders of summing, as training steps are compared.
#[test]
fn f32_is_the_cpu() {
    let Some(device) = device() else { return };
    compared(Where::Gpu(&device, Numbers::F32), &Most { value: 1e-4, gradient: [1e-4; 3] });
}

/// TF32 rounds the factors of products to 11 significant bits, where bf16 has 8: a fourth of bf16's values and medians are twice what that makes
/// of them. A flip moves a single gradient as much as in bf16, though fewer happen: the mean square has room for one choice of a pool among 15
/// windows, √(2/15) of one gradient of 55.
#[test]
fn tf32_is_near_the_cpu() {
    let Some(device) = device() else { return };
    compared(Where::Gpu(&device, Numbers::Tf32), &Most { value: 5e-3, gradient: [0.5, 5e-3, 5e-2] });
}

/// Twice what the CPU's own bf16 comes to with AVX2, and four times its median: maps and logits 9.1e-3 and 5.9e-3 at most, gradients 0.23 at most,
/// 5.0e-3 in the median, 0.063 by their squares.
const BF16: Most = Most { value: 2e-2, gradient: [0.5, 2e-2, 0.13] };

#[test]
fn bf16_of_the_cpu_is_as_near_as_a_gpus_may_be() {
    compared(Where::Cpu, &BF16);
}

#[test]
fn bf16_is_near_the_cpu() {
    let Some(device) = device() else { return };
    compared(Where::Gpu(&device, Numbers::Bf16), &BF16);
}

#[test]
fn what_is_not_there_is_named() {
    let Some(device) = device() else { return };
    let (_, graph) = all().into_iter().find(|(name, _)| *name == "custom").unwrap();
    let mut executor = Executor::new(&device, &graph, Options::default()).unwrap();
    let images = inputs::images(&graph, IMAGES);
    let said = executor.input_gradient(&images, &[1.0; 14]).unwrap_err().to_string();
    assert!(said.contains("gradient of the logits: expected 15 values, got 14"), "{said}");
}
