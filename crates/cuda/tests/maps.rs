//! Graphs cut behind their layers on a GPU against the same on the CPU, which is tested against a reference in f64: maps, logits of maps,
//! and gradients. Without a GPU there is nothing to test here.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // in helpers as in tests; each error is told

use wick_cuda::{Determinism, Device, Executor, Numbers, Options};
use wick_graph::{Algorithm, Graph};

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

/// A graph with its values, on both.
struct Pair {
    cpu: wick_graph::Executor,
    gpu: Executor,
    parameters: Vec<Vec<f32>>,
    classes: usize,
}

impl Pair {
    /// A part of `whole`, whose parameters these are.
    fn new(device: &Device, numbers: Numbers, part: &Graph, whole: (&Graph, &[Vec<f32>])) -> Self {
        let of = |name: &str| whole.0.parameters().iter().position(|p| p.name == name).unwrap();
        let parameters: Vec<Vec<f32>> =
            part.parameters().iter().map(|p| whole.1[of(&p.name)].clone()).collect();
        // Winograd's rounding would hide small errors.
        let direct = wick_graph::Options { algorithm: Algorithm::Direct, ..wick_graph::Options::default() };
        let options = Options { numbers, determinism: Determinism::Required };
        let mut gpu = Executor::new(device, part, options).unwrap();
        gpu.set_parameters(&slices(&parameters)).unwrap();
        let cpu = wick_graph::Executor::new(part, direct).unwrap();
        Self { cpu, gpu, parameters, classes: part.classes() }
    }

    /// On the CPU and on the GPU.
    fn map(&mut self, images: &[f32]) -> [Vec<f32>; 2] {
        let cpu = self.cpu.last_map(&slices(&self.parameters), images).unwrap();
        [cpu, self.gpu.last_map(images).unwrap()]
    }

    fn logits(&mut self, images: &[f32]) -> [Vec<f32>; 2] {
        let cpu = self.cpu.logits(&slices(&self.parameters), images).unwrap().to_vec();
        [cpu, self.gpu.logits(images).unwrap()]
    }

    /// Of one logit less half of another, which another image's are not.
    fn gradient(&mut self, images: &[f32], n: usize) -> [Vec<f32>; 2] {
        let mut dlogits = vec![0.0; n * self.classes];
        for (image, row) in dlogits.chunks_exact_mut(self.classes).enumerate() {
            row[image % self.classes] = 1.0;
            row[(image + 1) % self.classes] -= 0.5;
        }
        let cpu = self.cpu.input_gradient(&slices(&self.parameters), images, &dlogits).unwrap();
        [cpu, self.gpu.input_gradient(images, &dlogits).unwrap()]
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

/// Every graph, cut behind each of its layers; of all images, and of fewer, whose places are others.
fn compared(numbers: Numbers, [values, gradients]: [f64; 2]) {
    let Some(device) = device() else { return };
    let check = |what: &str, both: &[Vec<f32>; 2], most: f64| {
        let error = distance(both);
        println!("{what}: {error:.1e}");
        assert!(error < most, "{what}: {error:e} of {most:e}");
    };
    for (name, graph) in all() {
        let (images, parameters) = (inputs::images(&graph, IMAGES), inputs::parameters(&graph));
        let whole = (&graph, parameters.as_slice());
        let mut all = Pair::new(&device, numbers, &graph, whole);
        check(&format!("{name}, images' gradient"), &all.gradient(&images, IMAGES), gradients);
        for layer in graph.layers() {
            let mut until = Pair::new(&device, numbers, &graph.until(layer).unwrap(), whole);
            let mut behind = Pair::new(&device, numbers, &graph.behind(layer).unwrap(), whole);
            for n in [IMAGES, 3] {
                let what = |what: &str| format!("{name}, {layer}, {n} images, {what}");
                let images = &images[..images.len() / IMAGES * n];
                let map = until.map(images);
                check(&what("map"), &map, values);
                // From the CPU's map on both.
                let logits = behind.logits(&map[0]);
                check(&what("logits"), &logits, values);
                let gradient = behind.gradient(&map[0], n);
                check(&what("gradient"), &gradient, gradients);
                // Recorded and played back, and with the other stages between: the same bits.
                for _ in 0..3 {
                    assert_eq!(until.map(images)[1], map[1], "{}", what("map"));
                    assert_eq!(behind.gradient(&map[0], n)[1], gradient[1], "{}", what("gradient"));
                    assert_eq!(behind.logits(&map[0])[1], logits[1], "{}", what("logits"));
                }
            }
        }
    }
}

/// f32 on both sides, in other orders of summing, as training steps are compared.
#[test]
fn f32_is_the_cpu() {
    compared(Numbers::F32, [1e-4, 1e-4]);
}

/// TF32 rounds the factors of products to 10 bits; where a rectifier flips, a gradient is off by more.
#[test]
fn tf32_is_near_the_cpu() {
    compared(Numbers::Tf32, [1e-2, 5e-2]);
}

/// bf16 has 8 bits, as in training steps: maps and logits as logits there, gradients as all of them together there.
#[test]
fn bf16_is_near_the_cpu() {
    compared(Numbers::Bf16, [6e-2, 0.2]);
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
