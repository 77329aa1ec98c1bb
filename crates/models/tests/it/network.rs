//! Starting values, determinism, cutting a network in two, wrong inputs.

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
    network(Architecture::ResNet18, seed)
}

fn network(architecture: Architecture, seed: u64) -> Network {
    Network::new(architecture, 10, seed, &Device::Cpu).unwrap()
}

#[test]
fn parameters_start_as_pytorchs() {
    for network in Architecture::ALL.map(|a| network(a, 7)) {
        for p in network.parameters.all() {
            let values = flat(&p.var);
            let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
            // A bias has the inputs of its weight; of norms, neither has any.
            let weight = network.parameters.get(&p.name.replace(".bias", ".weight"));
            let fan_in = match *weight.as_ref().unwrap_or(&p.var).dims() {
                [h, w, i, _] => Some(h * w * i),
                [_, i] => Some(i),
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
}

#[test]
fn what_is_frozen_is_known_to_be() {
    for architecture in Architecture::ALL {
        let network = network(architecture, 1);
        let frozen: Vec<String> = network.parameters.frozen().into_iter().map(|(name, _)| name).collect();
        let want: &[&str] = match architecture {
            Architecture::Speedrun => &[
                "whiten.weight",
                "group1.2.weight",
                "group1.5.weight",
                "group2.2.weight",
                "group2.5.weight",
                "group3.2.weight",
                "group3.5.weight",
            ],
            _ => &[],
        };
        assert_eq!(frozen, want);
        let roles = network.parameters.all().into_iter().map(|p| (p.name, p.role));
        let specs = architecture.parameters(10).unwrap().into_iter().map(|s| (s.name, s.role));
        assert!(roles.eq(specs), "{architecture}");
    }
}

#[test]
fn setting_a_frozen_parameter_changes_the_answers() {
    let network = network(Architecture::Speedrun, 1);
    let x = images(2, 32);
    let answers = || flat(&network.model.forward_t(&x, false).unwrap());
    for name in ["whiten.weight", "group2.5.weight"] {
        let before = answers();
        let var = network.parameters.get(name).unwrap();
        var.set(&(var.as_detached_tensor() * 0.5).unwrap()).unwrap();
        assert_ne!(answers(), before, "{name}");
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

/// The shapes of the layers that one can cut after, for one image of 32×32.
fn cuts(architecture: Architecture) -> [(&'static str, [usize; 3]); 4] {
    match architecture {
        Architecture::ResNet18 | Architecture::ResNet34 | Architecture::ResNet18Ghost { .. } => [
            ("layer1", [32, 32, 64]),
            ("layer2", [16, 16, 128]),
            ("layer3", [8, 8, 256]),
            ("layer4", [4, 4, 512]),
        ],
        Architecture::ResNet18Width { width } => [
            ("layer1", [32, 32, width]),
            ("layer2", [16, 16, 2 * width]),
            ("layer3", [8, 8, 4 * width]),
            ("layer4", [4, 4, 8 * width]),
        ],
        Architecture::ResNet18Ln => [
            ("layer1", [32, 32, 64]),
            ("layer2", [16, 16, 128]),
            ("layer3", [8, 8, 256]),
            ("layer4", [8, 8, 512]),
        ],
        Architecture::CustomResNet
        | Architecture::CustomResNetScaled
        | Architecture::CustomResNetPublished => [
            ("prep", [32, 32, 64]),
            ("layer1", [16, 16, 128]),
            ("layer2", [8, 8, 256]),
            ("layer3", [4, 4, 512]),
        ],
        Architecture::Speedrun => [
            ("whiten", [31, 31, 24]),
            ("group1", [15, 15, 64]),
            ("group2", [7, 7, 256]),
            ("group3", [3, 3, 256]),
        ],
    }
}

#[test]
fn a_network_cut_anywhere_is_the_whole() {
    for architecture in Architecture::ALL {
        let network = network(architecture, 1);
        let x = images(2, 32);
        let whole = flat(&network.model.forward_t(&x, false).unwrap());
        let cuts = cuts(architecture);
        assert_eq!(network.model.layers(), cuts.map(|(layer, _)| layer));
        let summary = architecture.summary(10, 2).unwrap();
        for (layer, [h, w, c]) in cuts {
            let features = network.model.forward_until(&x, layer, Mode::Evaluate).unwrap();
            assert_eq!(features.dims(), [2, h, w, c], "{architecture} {layer}");
            let row = summary.rows.iter().find(|row| row.name == layer).unwrap();
            assert_eq!(row.output, features.dims(), "{architecture} {layer}");
            let logits = network.model.forward_from(&features, layer, Mode::Evaluate).unwrap();
            // The same operations in the same order: the same bits.
            assert_eq!(flat(&logits), whole, "{architecture} {layer}");
        }
        let features = network.model.forward_features(&x, Mode::Evaluate).unwrap();
        assert_eq!(flat(&network.model.forward_head(&features).unwrap()), whole);
    }
}

#[test]
fn a_layer_that_is_not_there_is_named() {
    let (network, x) = (resnet18(1), images(2, 32));
    for architecture in Architecture::ALL {
        let network = Network::new(architecture, 10, 0, &Device::Cpu).unwrap();
        let after = network.model.layers().len();
        let error = network.model.forward_layer(&x, after, Mode::Evaluate).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("this network has no layer `{after}`; its layers are")),
            "{error}"
        );
    }
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
fn networks_with_a_last_pooling_take_the_sizes_that_leave_it_one_place() {
    for (architecture, fit, others) in
        [(Architecture::CustomResNet, [32, 63], [31, 64]), (Architecture::Speedrun, [25, 48], [24, 49])]
    {
        let network = network(architecture, 1);
        for side in fit {
            assert_eq!(network.model.forward_t(&images(1, side), false).unwrap().dims(), [1, 10]);
        }
        for side in others {
            let error = network.model.forward_t(&images(1, side), false).unwrap_err().to_string();
            assert!(error.contains("one place of the map") || error.contains("does not fit"), "{error}");
        }
    }
}

/// As PyTorch's batch norm of each split: momentum 0.1, unbiased variance; `running_mean` is `(splits · C)`, split by split.
#[test]
fn ghost_norms_keep_the_statistics_of_each_split_and_evaluate_with_their_mean() {
    use wick_models::layers::{Activation, GhostBatchNorm2d, GhostBatchNormOptions};
    let parameters = wick_models::Parameters::seeded(0);
    let options = GhostBatchNormOptions { splits: 3, ..GhostBatchNormOptions::default() };
    let norm = GhostBatchNorm2d::new(1, options, parameters.builder(&Device::Cpu)).unwrap();
    // Two images of two pixels, then two of one: the third split never has any, and of one value no variance can be told.
    let x = Tensor::new(&[1f32, 5.0, 10.0, 30.0], &Device::Cpu).unwrap();
    let train = |shape: (usize, usize, usize, usize)| {
        let y = norm.forward(
            &x.narrow(0, 0, shape.0 * shape.2).unwrap().reshape(shape).unwrap(),
            Mode::Train,
            Activation::None,
        );
        flat(&y.unwrap())
    };
    let running = |name: &str| flat(&parameters.get(name).unwrap());
    // Means 3 and 20, biased variances 4 and 100.
    let y = train((2, 1, 2, 1));
    assert!(y.iter().zip([-1.0, 1.0, -1.0, 1.0]).all(|(y, want)| (y - want).abs() < 1e-5), "{y:?}");
    let close = |got: Vec<f32>, want: [f32; 3]| {
        assert_eq!(got.len(), 3);
        assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() <= 1e-6 * w.abs()), "{got:?}, want {want:?}");
    };
    let learnt = [[0.3, 2.0, 0.0], [0.9 + 0.1 * 8.0, 0.9 + 0.1 * 200.0, 1.0]];
    close(running("running_mean"), learnt[0]);
    close(running("running_var"), learnt[1]);
    assert_eq!(train((2, 1, 1, 1)), [0.0, 0.0]);
    close(running("running_mean"), learnt[0]);
    close(running("running_var"), learnt[1]);
    // The mean of the three means is 2.3/3, of the variances 23.6/3.
    let y = norm.forward(&x.reshape((4, 1, 1, 1)).unwrap(), Mode::Evaluate, Activation::None).unwrap();
    for (y, x) in flat(&y).into_iter().zip([1.0, 5.0, 10.0, 30.0]) {
        let want = (x - 2.3 / 3.0) / (23.6f32 / 3.0 + 1e-5).sqrt();
        assert!((y - want).abs() < 1e-5, "{y}, want {want}");
    }
    let none = GhostBatchNormOptions { splits: 0, ..options };
    let error = GhostBatchNorm2d::new(1, none, parameters.builder(&Device::Cpu)).unwrap_err().to_string();
    assert!(error.contains("at least one split, got 0"), "{error}");
}

#[test]
fn groups_must_divide_the_channels() {
    use wick_models::layers::{GroupNormOptions, NormOptions};
    let build = |groups| {
        let norm = NormOptions::Group(GroupNormOptions { groups, ..GroupNormOptions::default() });
        let config = ResNetConfig { blocks: [1; 4], norm, ..ResNetConfig::default() };
        ResNet::new(config, VarBuilder::from_varmap(&VarMap::new(), DType::F32, &Device::Cpu))
    };
    let network = build(32).unwrap();
    assert_eq!(network.forward_t(&images(1, 9), true).unwrap().dims(), [1, 10]);
    let error = build(3).unwrap_err().to_string();
    assert!(error.contains("expected groups that divide 64 channels, got 3"), "{error}");
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
