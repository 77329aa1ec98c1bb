//! Compiled, with convolutions as direct sums and in tiles.

use candle_core::Device;
use wick_models::{Algorithm, Architecture, CompileOptions, Compiled, Network, StepOptions};

use super::case::{self, DEEP_GRADIENTS, GRADIENTS, TARGETS, VALUES, as_on_disk};
use super::{golden, network};

fn check(architecture: Architecture, name: &str, gradients: f64) {
    let case = case::read(name);
    for algorithm in [Algorithm::Direct, Algorithm::Tiles2, Algorithm::Tiles4] {
        let network = Network::new(architecture, 10, 0, &Device::Cpu).unwrap();
        network::fill(&network);
        let images = network::images();
        let options = CompileOptions { algorithm, ..CompileOptions::default() };
        let mut compiled = Compiled::new(&network, options).unwrap();
        let step = compiled.training_step(&images, &TARGETS, StepOptions::default()).unwrap();
        case.check_logits(step.logits, step.loss);
        case.check_gradients(gradients, |name| {
            let variable = network.parameters.get(name).unwrap();
            as_on_disk(step.gradients.get(&variable).unwrap())
        });
        case.check_running_statistics(&network);
        golden::assert_close("evaluation", compiled.logits(&images).unwrap(), &case.eval_logits, VALUES);
    }
}

#[test]
fn resnet18_compiled_is_pytorchs() {
    check(Architecture::ResNet18, "resnet18_bn", GRADIENTS);
}

#[test]
fn resnet34_compiled_is_pytorchs() {
    check(Architecture::ResNet34, "resnet34_bn", DEEP_GRADIENTS);
}

#[test]
fn resnet18_ln_compiled_is_pytorchs() {
    check(Architecture::ResNet18Ln, "resnet18_ln_layer4_stride1", GRADIENTS);
}

#[test]
fn custom_resnet_compiled_is_pytorchs() {
    check(Architecture::CustomResNet, "custom_resnet", GRADIENTS);
}

#[test]
fn speedrun_compiled_is_pytorchs() {
    check(Architecture::Speedrun, "speedrun", GRADIENTS);
}
