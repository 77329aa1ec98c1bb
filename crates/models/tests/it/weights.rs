//! Weights out and in again, and into networks that they do not fit.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use wick_models::{
    Architecture, Checkpoint, Difference, Metadata, Mismatch, ModelError, Network, Normalisation, Parameters,
};

fn network(architecture: Architecture, classes: usize) -> Network {
    Network::new(architecture, classes, 5, &Device::Cpu).unwrap()
}

fn flat(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn metadata() -> Metadata {
    Metadata {
        architecture: None,
        classes: Some(["cat", "dog \"x\"", "ship"].map(str::to_owned).to_vec()),
        normalisation: Some(Normalisation { mean: [0.4914, 0.4822, 0.4471], std: [0.2469, 0.2433, 0.2615] }),
        extra: BTreeMap::from([("epoch".to_owned(), "3".to_owned())]),
    }
}

/// The tensors of a network in the layouts of the disk.
fn on_disk(network: &Network) -> Vec<(String, Tensor)> {
    let permuted = |t: &Tensor| if t.rank() == 4 { t.permute((3, 2, 0, 1)).unwrap() } else { t.clone() };
    network
        .parameters
        .all()
        .iter()
        .map(|p| (p.name.clone(), permuted(&p.var).contiguous().unwrap()))
        .collect()
}

/// Candle's own writer stands for any other program's.
fn save_foreign(path: &Path, tensors: Vec<(String, Tensor)>) {
    candle_core::safetensors::save(&tensors.into_iter().collect(), path).unwrap();
}

fn mismatch(error: ModelError) -> Mismatch {
    match error {
        ModelError::Mismatch(m) | ModelError::Unrecognised(m) => *m,
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_saved_is_loaded_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let saved = network(Architecture::ResNet34, 3);
    saved
        .parameters
        .get("bn1.running_var")
        .unwrap()
        .set(&Tensor::full(2.5f32, 64, &Device::Cpu).unwrap())
        .unwrap();
    saved.save(&path, &metadata()).unwrap();
    let (loaded, read) = Network::load(&path, None, &Device::Cpu).unwrap();
    assert_eq!(read, Metadata { architecture: Some(Architecture::ResNet34), ..metadata() });
    assert_eq!((loaded.architecture, loaded.classes), (Architecture::ResNet34, 3));
    let (saved_all, loaded_all) = (saved.parameters.all(), loaded.parameters.all());
    assert_eq!(saved_all.len(), loaded_all.len());
    for (a, b) in saved_all.iter().zip(&loaded_all) {
        assert_eq!((&a.name, a.var.dims(), a.role), (&b.name, b.var.dims(), b.role));
        assert_eq!(flat(&a.var), flat(&b.var), "{}", a.name);
    }
    // The same weights are the same bytes, and nothing else is left in the folder.
    let first = fs::read(&path).unwrap();
    loaded.save(&path, &read).unwrap();
    assert!(fs::read(&path).unwrap() == first);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_file_has_pytorchs_names_layouts_and_counters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let network = network(Architecture::ResNet18, 10);
    network.save(&path, &Metadata::default()).unwrap();
    let tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    assert_eq!(tensors.len(), 62 + 40 + 20, "parameters, statistics and a counter for each of 20 norms");
    assert_eq!(tensors["conv1.weight"].dims(), [64, 3, 3, 3]);
    assert_eq!(tensors["layer2.0.shortcut.0.weight"].dims(), [128, 64, 1, 1]);
    let counter = &tensors["layer2.0.shortcut.1.num_batches_tracked"];
    assert_eq!((counter.dtype(), counter.dims()), (DType::I64, &[][..]));
    for (name, tensor) in on_disk(&network) {
        assert_eq!(flat(&tensors[&name]), flat(&tensor), "{name}");
    }
    let bytes = fs::read(&path).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    assert_eq!(header % 8, 0);
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
    assert_eq!(header["__metadata__"], serde_json::json!({"architecture": "resnet18", "format": "pt"}));
}

#[cfg(unix)]
#[test]
fn the_file_is_as_readable_as_any_other() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    wick_models::weights::save(&path, &Parameters::seeded(0), &Metadata::default()).unwrap();
    fs::write(folder.path().join("plain"), "").unwrap();
    let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&folder.path().join("plain")));
}

#[test]
fn a_foreign_file_is_recognised_by_its_tensors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let original = network(Architecture::ResNet34, 7);
    // f16, behind a prefix, without metadata or counters.
    let tensors = on_disk(&original).into_iter();
    let tensors = tensors.map(|(n, t)| (format!("module.{n}"), t.to_dtype(DType::F16).unwrap())).collect();
    save_foreign(&path, tensors);
    let (loaded, read) = Network::load(&path, None, &Device::Cpu).unwrap();
    assert_eq!((loaded.architecture, loaded.classes), (Architecture::ResNet34, 7));
    assert_eq!(read, Metadata::default());
    let want = original.parameters.get("layer3.5.conv2.weight").unwrap();
    let want = want.to_dtype(DType::F16).unwrap().to_dtype(DType::F32).unwrap();
    assert_eq!(flat(&loaded.parameters.get("layer3.5.conv2.weight").unwrap()), flat(&want));
}

#[test]
fn every_architecture_is_recognised_by_its_tensors() {
    let folder = tempfile::tempdir().unwrap();
    for architecture in Architecture::ALL {
        let path = folder.path().join(architecture.name());
        let original = network(architecture, 7);
        save_foreign(&path, on_disk(&original));
        let (loaded, _) = Network::load(&path, None, &Device::Cpu).unwrap();
        let told = match architecture {
            Architecture::CustomResNetScaled => Architecture::CustomResNet, // the same tensors
            other => other,
        };
        assert_eq!((loaded.architecture, loaded.classes), (told, 7));
        for (a, b) in original.parameters.all().iter().zip(&loaded.parameters.all()) {
            assert_eq!((&a.name, a.role, flat(&a.var)), (&b.name, b.role, flat(&b.var)));
        }
        // And by what this program writes, counters of batches included.
        original.save(&path, &Metadata::default()).unwrap();
        let (loaded, read) = Network::load(&path, None, &Device::Cpu).unwrap();
        assert_eq!((loaded.architecture, loaded.classes), (architecture, 7));
        assert_eq!(read.architecture, Some(architecture));
    }
}

/// Also with another number of splits than the one that is listed.
#[test]
fn a_ghost_norms_splits_are_told_by_its_running_statistics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let architecture = Architecture::ResNet18Ghost { splits: 5 };
    let original = network(architecture, 10);
    assert_eq!(original.parameters.get("bn1.running_mean").unwrap().dims(), [5 * 64]);
    save_foreign(&path, on_disk(&original));
    let (loaded, _) = Network::load(&path, None, &Device::Cpu).unwrap();
    assert_eq!(loaded.architecture, architecture);
    original.save(&path, &Metadata::default()).unwrap();
    let (_, read) = Network::load(&path, None, &Device::Cpu).unwrap();
    assert_eq!(read.architecture, Some(architecture));
    let error = Network::load(&path, Some(Architecture::ResNet18), &Device::Cpu).unwrap_err().to_string();
    assert!(error.contains("bn1.running_mean") && error.contains("those of resnet18_ghost5"), "{error}");
}

/// A map's scale is `(H, W, C)` in memory and `(C, H, W)` on disk.
#[test]
fn layer_norms_of_each_value_go_out_and_in() {
    use wick_models::layers::{Activation, LayerNorm};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let layer =
        |parameters: &Parameters| LayerNorm::new([1, 2, 3], 1e-5, parameters.builder(&Device::Cpu).pp("ln"));
    let (saved, loaded) = (Parameters::seeded(0), Parameters::seeded(0));
    let norm = layer(&saved).unwrap();
    let weight = Tensor::from_vec((0..6u8).map(f32::from).collect(), (1, 2, 3), &Device::Cpu).unwrap();
    saved.get("ln.weight").unwrap().set(&weight).unwrap();
    wick_models::weights::save(&path, &saved, &Metadata::default()).unwrap();
    let checkpoint = Checkpoint::read(&path).unwrap();
    let on_disk = &checkpoint.tensors()["ln.weight"];
    assert_eq!((on_disk.dims(), flat(on_disk)), (&[3, 1, 2][..], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
    let again = layer(&loaded).unwrap();
    checkpoint.load_into(&loaded).unwrap();
    assert_eq!(flat(&loaded.get("ln.weight").unwrap()), flat(&weight));
    // Values of mean 0 and variance 1 come out as the scale: the tests of `wick-ops` have PyTorch's.
    let x = Tensor::new(&[1f32, -1.0, 1.0, -1.0, 1.0, -1.0], &Device::Cpu)
        .unwrap()
        .reshape((1, 1, 2, 3))
        .unwrap();
    let y = flat(&again.forward(&x, Activation::None).unwrap());
    assert_eq!(y, flat(&norm.forward(&x, Activation::None).unwrap()));
    assert!(y.iter().zip([0.0, -1.0, 2.0, -3.0, 4.0, -5.0]).all(|(y, w)| (y - w).abs() < 1e-4), "{y:?}");
}

#[test]
fn another_architecture_is_told_by_its_first_differing_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    network(Architecture::ResNet18, 10).save(&path, &Metadata::default()).unwrap();

    let error = Network::load(&path, Some(Architecture::ResNet34), &Device::Cpu).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("does not fit resnet34 with 10 classes"), "{text}");
    let m = mismatch(error);
    assert!(text.contains("those of resnet18 with 10 classes"), "{text}");
    let (tensor, expected) = ("layer1.2.conv1.weight".to_owned(), vec![64, 64, 3, 3]);
    assert_eq!(m.first, Difference::Missing { tensor, expected });
    assert_eq!((m.unexpected.len(), m.reshaped), (0, 0));

    // One tensor of another shape, one gone, one too many.
    let mut tensors = on_disk(&network(Architecture::ResNet18, 10));
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    tensors.retain(|(name, _)| name != "bn1.bias");
    for (name, tensor) in &mut tensors {
        if name == "layer3.0.conv1.weight" {
            *tensor = zeros(&[256, 128, 5, 5]);
        }
    }
    tensors.push(("fc.weight".to_owned(), zeros(&[2])));
    save_foreign(&path, tensors);
    let error = Network::load(&path, None, &Device::Cpu).unwrap_err();
    assert!(matches!(error, ModelError::Unrecognised(_)));
    let text = error.to_string();
    for part in [
        "The closest: ",
        "resnet18",
        "`layer3.0.conv1.weight` should have the shape [256, 128, 3, 3], but has [256, 128, 5, 5]",
        "1 missing: bn1.bias",
        "1 unexpected: fc.weight",
    ] {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn a_refused_checkpoint_leaves_the_network_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    network(Architecture::ResNet18, 10).save(&path, &Metadata::default()).unwrap();
    let other = Network::new(Architecture::ResNet18, 11, 6, &Device::Cpu).unwrap();
    let before = flat(&other.parameters.get("conv1.weight").unwrap());
    let m = mismatch(Checkpoint::read(&path).unwrap().load_into(&other.parameters).unwrap_err());
    let (tensor, expected, got) = ("linear.weight".to_owned(), vec![11, 512], vec![10, 512]);
    assert_eq!(m.first, Difference::Shape { tensor, expected, got });
    assert_eq!(flat(&other.parameters.get("conv1.weight").unwrap()), before);
}

#[test]
fn class_names_must_be_as_many_as_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    network(Architecture::ResNet18, 10).save(&path, &metadata()).unwrap();
    let error = Network::load(&path, None, &Device::Cpu).unwrap_err();
    assert!(matches!(error, ModelError::ClassNames { expected: 10, got: 3, .. }), "{error}");
}

#[test]
fn metadata_of_another_programs_meaning_is_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    let extra = BTreeMap::from([("architecture".to_owned(), "my net".to_owned())]);
    wick_models::weights::save(
        &path,
        &Parameters::seeded(0),
        &Metadata { extra: extra.clone(), ..Metadata::default() },
    )
    .unwrap();
    let read = Checkpoint::read(&path).unwrap().metadata;
    assert_eq!(read, Metadata { extra, ..Metadata::default() });
}
