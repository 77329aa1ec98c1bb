//! Starting values, determinism, cutting a network in two, wrong inputs.
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

use candle_core::{DType, Device, ModuleT, Tensor};
use candle_nn::{VarBuilder, VarMap};
use wick_models::{Architecture, CifarModel, Mode, Network, ResNet, ResNetConfig, build};

fn images(n: usize, side: usize) -> Tensor {
    let values: Vec<f32> = (0..n * side * side * 3).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
    Tensor::from_vec(values, (n, side, side, 3), &Device::Cpu).unwrap()
}

fn flat(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn resnet18(seed: u64) -> Network {
    Network::new(Architecture::ResNet18, 10, seed, &Device::Cpu).unwrap()
}

#[test]
fn parameters_start_as_pytorchs() {
    let network = resnet18(7);
    for p in network.parameters.all() {
        let values = flat(&p.var);
        let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
        let fan_in = match *p.var.dims() {
            [h, w, i, _] => Some(h * w * i),
            [_, i] => Some(i),
            _ if p.name == "linear.bias" => Some(512),
            _ => None,
        };
        match fan_in {
            Some(fan_in) => {
                let bound = 1.0 / (fan_in as f32).sqrt();
                assert!(-bound <= low && high <= bound, "{}: {low} to {high}", p.name);
                // The ten values of the smallest tensor reach half the bound but once in a thousand seeds.
                assert!(low < -0.5 * bound && high > 0.5 * bound, "{}: {low} to {high}", p.name);
            }
            None => {
                let start =
                    if p.name.ends_with("weight") || p.name.ends_with("running_var") { 1.0 } else { 0.0 };
                assert_eq!([low, high], [start, start], "{}", p.name);
            }
        }
    }
}

#[test]
fn the_same_seed_is_the_same_network_whatever_the_architecture() {
    let deeper = Network::new(Architecture::ResNet34, 10, 7, &Device::Cpu).unwrap();
    let same = |name: &str, other: &Network| {
        flat(&resnet18(7).parameters.get(name).unwrap()) == flat(&other.parameters.get(name).unwrap())
    };
    assert!(same("conv1.weight", &deeper));
    assert!(same("linear.bias", &deeper));
    assert!(!same("conv1.weight", &resnet18(8)));
}

#[test]
fn a_network_cut_anywhere_is_the_whole() {
    let network = resnet18(1);
    let x = images(2, 32);
    let shapes = [[2, 32, 32, 64], [2, 16, 16, 128], [2, 8, 8, 256], [2, 4, 4, 512]];
    let whole = flat(&network.model.forward_t(&x, false).unwrap());
    for (layer, shape) in network.model.layers().iter().zip(shapes) {
        let features = network.model.forward_until(&x, layer, Mode::Evaluate).unwrap();
        assert_eq!(features.dims(), shape);
        let logits = network.model.forward_from(&features, layer, Mode::Evaluate).unwrap();
        // The same operations in the same order: the same bits.
        assert_eq!(flat(&logits), whole, "{layer}");
    }
    let features = network.model.forward_features(&x, Mode::Evaluate).unwrap();
    assert_eq!(flat(&network.model.forward_head(&features).unwrap()), whole);

    let error = network.model.forward_until(&x, "layer5", Mode::Evaluate).unwrap_err().to_string();
    assert!(
        error
            .starts_with("this network has no layer `layer5`; its layers are layer1, layer2, layer3, layer4"),
        "{error}"
    );
}

#[test]
fn evaluation_changes_nothing_and_training_updates_the_statistics() {
    let network = resnet18(1);
    let x = images(2, 32);
    let statistics = || network.parameters.buffers().iter().map(|(_, v)| flat(v)).collect::<Vec<_>>();
    let before = statistics();
    network.model.forward_t(&x, false).unwrap();
    assert_eq!(statistics(), before);
    network.model.forward_t(&x, true).unwrap();
    let mean_of = |network: &Network| flat(&network.parameters.get("bn1.running_mean").unwrap());
    let first = mean_of(&network);
    // The batch's mean has the weight 0.1; the same batch again adds 0.1 of what is still lacking: 0.19 in all.
    network.model.forward_t(&x, true).unwrap();
    for (once, twice) in first.iter().zip(mean_of(&network)) {
        assert!((twice - 1.9 * once).abs() <= 1e-5 * once.abs() + 1e-7, "{once} {twice}");
    }
}

#[test]
fn odd_sizes_and_strides_have_the_shapes_of_the_summary() {
    let config =
        ResNetConfig { blocks: [1, 2, 1, 1], classes: 3, layer4_stride: 1, ..ResNetConfig::default() };
    let map = VarMap::new();
    let network = ResNet::new(config, VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu)).unwrap();
    let x = images(1, 19);
    let summary = wick_models::Summary::of(&network, [1, 19, 19, 3]).unwrap();
    for (layer, map) in network.layers().iter().zip([19, 10, 5, 5]) {
        let features = network.forward_until(&x, layer, Mode::Evaluate).unwrap();
        assert_eq!(features.dims()[1..3], [map, map], "{layer}");
        let row = summary.rows.iter().find(|row| row.name == *layer).unwrap();
        assert_eq!(row.output, features.dims(), "{layer}");
    }
    assert_eq!(network.forward_t(&x, false).unwrap().dims(), [1, 3]);
}

#[test]
fn a_network_takes_candles_own_variables() {
    let map = VarMap::new();
    let vb = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
    let model = build(Architecture::ResNet18, 10, vb).unwrap();
    let x = images(2, 32);
    model.forward_t(&x, true).unwrap();
    // The running statistics are the map's own variables.
    let mean = map.data().lock().unwrap().get("bn1.running_mean").unwrap().clone();
    assert!(flat(&mean).iter().any(|&v| v != 0.0));
}

#[test]
fn images_of_another_shape_are_refused() {
    let network = resnet18(1);
    let channels_first = Tensor::zeros((2, 3, 32, 32), DType::F32, &Device::Cpu).unwrap();
    let error = network.model.forward_t(&channels_first, false).unwrap_err().to_string();
    assert!(error.contains("32"), "{error}");
    let one_image = Tensor::zeros((32, 32, 3), DType::F32, &Device::Cpu).unwrap();
    assert!(network.model.forward_t(&one_image, false).is_err());
}
