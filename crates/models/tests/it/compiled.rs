//! Compiled networks against candle's autograd over the same variables.

use candle_core::{DType, Device, Tensor};
use wick_models::{
    Algorithm, Architecture, CompileOptions, Compiled, Network, Precision, Role, StepOptions, Trunk,
};

use crate::golden;

const LABELS: [u32; 4] = [3, 8, 0, 5];
const SMOOTHING: f32 = 0.1;

fn images() -> Tensor {
    let x = golden::uniform(golden::SEED + 500, 4 * 32 * 32 * 3, 1.0);
    Tensor::from_vec(x, (4, 32, 32, 3), &Device::Cpu).unwrap()
}

fn flat(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

/// What a step computed and left.
struct Outcome {
    loss: f32,
    logits: Vec<f32>,
    /// Of each trained variable, by name.
    gradients: Vec<(String, Vec<f32>)>,
    running: Vec<(String, Vec<f32>)>,
    evaluation: Vec<f32>,
}

fn network(architecture: Architecture) -> Network {
    let network = Network::new(architecture, 10, 1, &Device::Cpu).unwrap();
    // Norms that do something, and logits that are not all alike.
    for (k, (name, var)) in network.parameters.trainable().iter().enumerate() {
        let noise = golden::uniform(golden::SEED + k as u64, var.elem_count(), 0.2);
        let start = if name.ends_with("weight") { 1.0 } else { 0.0 };
        if var.rank() == 1 {
            let values = noise.iter().map(|v| start + v).collect();
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()).unwrap();
        }
    }
    network
}

fn running(network: &Network) -> Vec<(String, Vec<f32>)> {
    network.parameters.buffers().iter().map(|(name, var)| (name.clone(), flat(var))).collect()
}

fn by_autograd(architecture: Architecture) -> Outcome {
    let network = network(architecture);
    let logits = network.model.forward_t(&images(), true).unwrap();
    let targets = Tensor::new(&LABELS, &Device::Cpu).unwrap();
    let loss = wick_ops::cross_entropy(&logits, &targets, f64::from(SMOOTHING)).unwrap();
    let store = loss.backward().unwrap();
    let gradients = network.parameters.trainable().into_iter();
    Outcome {
        loss: loss.to_scalar().unwrap(),
        logits: flat(&logits),
        gradients: gradients.map(|(name, var)| (name, flat(store.get(&var).unwrap()))).collect(),
        running: running(&network),
        evaluation: flat(&network.model.forward_t(&images(), false).unwrap()),
    }
}

fn compiled(architecture: Architecture, options: CompileOptions) -> Outcome {
    let network = network(architecture);
    let mut compiled = Compiled::new(&network, options).unwrap();
    let (loss, logits, gradients) = {
        let step = compiled.training_step(&images(), &LABELS, StepOptions::smoothed(SMOOTHING)).unwrap();
        let gradients = network.parameters.trainable().into_iter();
        let gradients = gradients.map(|(name, var)| (name, flat(step.gradients.get(&var).unwrap())));
        (step.loss, step.logits.to_vec(), gradients.collect())
    };
    let evaluation = compiled.logits(&images()).unwrap().to_vec();
    Outcome { loss, logits, gradients, running: running(&network), evaluation }
}

/// The norm of the difference, over the norm of `want`.
fn distance(got: &[f32], want: &[f32]) -> f64 {
    assert_eq!(got.len(), want.len());
    let square = |v: f32| f64::from(v).powi(2);
    let difference: f64 = got.iter().zip(want).map(|(g, w)| square(g - w)).sum();
    (difference / want.iter().map(|w| square(*w)).sum::<f64>()).sqrt()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// Both round in f32 but in another order: logits differ by 1e-5 of their norm. A ReLU near 0 that then flips moves
/// gradients more: by up to some 1e-3 of a tensor's norm in 17 layers of ReLUs, some 1e-2 in 33,
/// or where pooling between them lets one value stand for four.
fn check_f32(architecture: Architecture, gradients: f64) {
    let want = by_autograd(architecture);
    let direct = CompileOptions { algorithm: Algorithm::Direct, ..CompileOptions::default() };
    let got = compiled(architecture, direct);
    golden::assert_close("loss", &[got.loss], &[want.loss], 1e-5);
    golden::assert_close("logits", &got.logits, &want.logits, 1e-4);
    golden::assert_close("evaluation", &got.evaluation, &want.evaluation, 1e-4);
    for ((name, got), (other, want)) in got.gradients.iter().zip(&want.gradients) {
        assert_eq!(name, other);
        assert!(distance(got, want) < gradients, "{name}: {:e}", distance(got, want));
    }
    for ((name, got), (_, want)) in got.running.iter().zip(&want.running) {
        golden::assert_close(name, got, want, 1e-5);
    }
}

/// Activations of 8 bits through some twenty layers: the loss is off by a percent at most. One ReLU in some hundreds flips in
/// each layer, so that the cosine of all gradients together is that of PyTorch's own autocast on such networks: 0.95 to 0.97.
fn check_bf16(architecture: Architecture) {
    let want = by_autograd(architecture);
    let bf16 =
        CompileOptions { precision: Precision::Bf16, algorithm: Algorithm::Direct, ..Default::default() };
    let got = compiled(architecture, bf16);
    assert!((got.loss / want.loss - 1.0).abs() < 1e-2, "{} instead of {}", got.loss, want.loss);
    let all = |o: &Outcome| o.gradients.iter().flat_map(|(_, g)| g.clone()).collect::<Vec<f32>>();
    let cosine = cosine(&all(&got), &all(&want));
    assert!(cosine > 0.94, "{cosine}");
}

#[test]
fn resnet18_is_the_same_compiled() {
    check_f32(Architecture::ResNet18, 5e-3);
}

#[test]
fn resnet34_is_the_same_compiled() {
    check_f32(Architecture::ResNet34, 2e-2);
}

#[test]
fn resnet18_ln_is_the_same_compiled() {
    check_f32(Architecture::ResNet18Ln, 1e-2);
}

/// Of four images: two and two; two, one and one; one each and none for the last split. Where statistics are of an image or two,
/// as those of layer norm are, a ReLU that flips moves more than in a batch norm of four.
#[test]
fn resnet18_ghost_is_the_same_compiled() {
    for splits in [2, 3, 5] {
        check_f32(Architecture::ResNet18Ghost { splits }, 1e-2);
    }
}

/// As many channels as no kernel likes, and a fourth of the usual.
#[test]
fn resnet18_of_other_widths_is_the_same_compiled() {
    for width in [5, 16] {
        check_f32(Architecture::ResNet18Width { width }, 2e-2);
    }
}

#[test]
fn custom_resnet_is_the_same_compiled() {
    check_f32(Architecture::CustomResNet, 2e-2);
    check_f32(Architecture::CustomResNetScaled, 2e-2);
}

/// There is no ReLU to flip: a hundredth of what the others are allowed.
#[test]
fn speedrun_is_the_same_compiled() {
    check_f32(Architecture::Speedrun, 1e-4);
}

#[test]
fn other_networks_are_nearly_the_same_in_bf16() {
    check_bf16(Architecture::ResNet18Ln);
    check_bf16(Architecture::ResNet18Ghost { splits: 2 });
    check_bf16(Architecture::CustomResNet);
    check_bf16(Architecture::Speedrun);
}

#[test]
fn resnet18_is_nearly_the_same_in_bf16() {
    check_bf16(Architecture::ResNet18);
}

#[test]
fn every_architecture_has_its_parameters_compiled() {
    for architecture in Architecture::ALL {
        let graph = architecture.graph(7).unwrap();
        let role = |role| match role {
            wick_graph::Role::Trainable => Role::Trainable,
            wick_graph::Role::Frozen => Role::Frozen,
            wick_graph::Role::RunningMean | wick_graph::Role::RunningVariance => Role::Statistic,
        };
        let of_graph = graph.parameters().iter().map(|p| (p.name.clone(), p.shape.clone(), role(p.role)));
        let of_graph: Vec<_> = of_graph.collect();
        let specs = architecture.parameters(7).unwrap();
        let of_network: Vec<_> = specs.into_iter().map(|s| (s.name, s.shape, s.role)).collect();
        assert_eq!(of_graph, of_network, "{architecture}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let network = network(Architecture::ResNet18);
    let mut compiled = Compiled::new(&network, CompileOptions::default()).unwrap();
    let small = Tensor::zeros((2, 16, 16, 3), DType::F32, &Device::Cpu).unwrap();
    let error = compiled.logits(&small).unwrap_err().to_string();
    assert!(error.contains("32, 32, 3") && error.contains("[2, 16, 16, 3]"), "{error}");
    let error = compiled.training_step(&images(), &[1, 2], StepOptions::default()).unwrap_err().to_string();
    assert!(error.contains("labels") && error.contains('4'), "{error}");
    assert!(compiled.training_step(&images(), &[1, 2, 3, 10], StepOptions::default()).is_err());
    // The gradients' memory is back in place after that.
    assert!(compiled.training_step(&images(), &LABELS, StepOptions::default()).is_ok());
}

/// What convolutions and blocks leave must stay until their gradients are known; gradients find room where layers behind
/// them had theirs.
#[test]
fn a_step_needs_no_memory_but_for_what_it_must_keep() {
    let network = network(Architecture::ResNet18);
    let mut compiled = Compiled::new(&network, CompileOptions::default()).unwrap();
    // In maps of 32×32×64: layer 1 keeps 2 and 2 × 3, each further layer 4 + 3 of half the size of the one before's.
    let kept = 8.0 + 7.0 * (0.5 + 0.25 + 0.125);
    let bytes = compiled.executor().training_bytes(128) as f64 / (128 * 32 * 32 * 64 * 4) as f64;
    assert!(bytes < 1.02 * kept, "{bytes} maps, {kept} kept");
}

/// As close as logits are: sums of some thousand products through twenty layers, in another order.
#[test]
fn a_trunk_ends_with_its_layer() {
    for architecture in Architecture::ALL {
        let of = network(architecture);
        for layer in of.model.layers() {
            let mut trunk = Trunk::new(&of, layer, CompileOptions::default()).unwrap();
            let map = trunk.map(&images()).unwrap();
            let want = of.model.forward_until(&images(), layer, wick_models::Mode::Evaluate).unwrap();
            assert_eq!(map.dims(), want.dims());
            golden::assert_close(&format!("{architecture} {layer}"), &flat(&map), &flat(&want), 1e-4);
        }
        let said = Trunk::new(&of, "layer9", CompileOptions::default()).unwrap_err().to_string();
        assert!(said.contains("layer9") && said.contains(of.model.layers()[0]), "{said}");
    }
}
