//! Weights in and out: full-size round trips, PyTorch's files in small, and every kind of wrong file.
//!
//! `tests/data/*.pth` are written by PyTorch 2.15, see `tests/pytorch/checkpoints.py`.
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;
use wick_models::{
    Architecture, Checkpoint, Difference, Metadata, Mismatch, ModelError, Network, Normalisation, Parameters,
};

fn network(architecture: Architecture, classes: usize) -> Network {
    Network::new(architecture, classes, 5, &Device::Cpu).unwrap()
}

fn flat(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn metadata() -> Metadata {
    Metadata {
        architecture: None,
        classes: Some(["cat", "dog \"x\"", "ship"].map(str::to_owned).to_vec()),
        normalisation: Some(Normalisation { mean: [0.4914, 0.4822, 0.4471], std: [0.2469, 0.2433, 0.2615] }),
        extra: BTreeMap::from([("epoch".to_owned(), "3".to_owned())]),
    }
}

/// Candle's own writer stands for any other program's.
fn write_foreign(path: &Path, tensors: &[(&str, Tensor)]) {
    let tensors = tensors.iter().map(|(n, t)| ((*n).to_owned(), t.clone())).collect();
    candle_core::safetensors::save(&tensors, path).unwrap();
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
fn another_architecture_is_told_by_its_first_differing_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    network(Architecture::ResNet18, 10).save(&path, &Metadata::default()).unwrap();

    let error = Network::load(&path, Some(Architecture::ResNet34), &Device::Cpu).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("does not fit resnet34 with 10 classes"), "{text}");
    let m = mismatch(error);
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

/// Element `i` of tensor `k` of the fixtures is `i / 8 + k`.
fn assert_is_the_fixture(checkpoint: &Checkpoint) {
    let shapes: [(&str, &[usize]); 7] = [
        ("conv1.weight", &[2, 3, 3, 3]),
        ("bn1.weight", &[2]),
        ("bn1.bias", &[2]),
        ("bn1.running_mean", &[2]),
        ("bn1.running_var", &[2]),
        ("linear.weight", &[4, 2]),
        ("linear.bias", &[4]),
    ];
    assert_eq!(checkpoint.tensors().len(), shapes.len());
    for (k, (name, shape)) in shapes.into_iter().enumerate() {
        let tensor = &checkpoint.tensors()[name];
        assert_eq!((tensor.dims(), tensor.dtype()), (shape, DType::F32), "{name}");
        let want: Vec<f32> = (0..tensor.elem_count()).map(|i| i as f32 / 8.0 + k as f32).collect();
        assert_eq!(flat(tensor), want, "{name}");
    }
    assert_eq!(checkpoint.metadata, Metadata::default());
}

#[test]
fn pytorchs_files_are_read() {
    // A state_dict; kuangliu's `net` with `module.` prefixes; that as a stream of pickles; `state_dict` with tensors
    // of four types, channels-last, a Parameter and a view with an offset.
    for name in ["plain.pth", "net_module.pth", "legacy.pth", "mixed.pth"] {
        assert_is_the_fixture(&Checkpoint::read(&fixture(name)).unwrap_or_else(|e| panic!("{name}: {e}")));
    }
}

#[test]
fn a_pth_file_goes_into_a_network_of_its_shapes() {
    use candle_core::Module;
    use wick_models::layers::{BatchNorm2d, BatchNormOptions, Conv2d, Conv2dOptions, Linear};
    let parameters = Parameters::seeded(0);
    let vb = parameters.builder(&Device::Cpu);
    let conv = Conv2d::new(3, 2, 3, Conv2dOptions::default(), vb.pp("conv1")).unwrap();
    BatchNorm2d::new(2, BatchNormOptions::default(), vb.pp("bn1")).unwrap();
    Linear::new(2, 4, vb.pp("linear")).unwrap();
    Checkpoint::read(&fixture("net_module.pth")).unwrap().load_into(&parameters).unwrap();
    // The pixel (row 1, column 2), channel 1, alone in a 3×3 image meets element [o, 1, 1, 2] of the filters,
    // number 27·o + 9 + 3 + 2, each an eighth.
    let mut image = vec![0f32; 27];
    image[(3 + 2) * 3 + 1] = 1.0;
    let y = conv.forward(&Tensor::from_vec(image, (1, 3, 3, 3), &Device::Cpu).unwrap()).unwrap();
    assert_eq!(flat(&y), [14.0 / 8.0, 41.0 / 8.0]);
    assert_eq!(flat(&parameters.get("bn1.running_var").unwrap()), [4.0, 4.125]);
}

#[test]
fn other_files_are_refused_with_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let tiny = folder.path().join("tiny.safetensors");
    write_foreign(&tiny, &[("linear.weight", Tensor::ones((3, 2), DType::F32, &Device::Cpu).unwrap())]);
    let tiny = fs::read(&tiny).unwrap();
    let mut long = tiny.clone();
    long.extend([0; 4]);
    let integers = folder.path().join("integers.safetensors");
    write_foreign(&integers, &[("linear.weight", Tensor::ones((3, 2), DType::U8, &Device::Cpu).unwrap())]);
    let pth = fs::read(fixture("plain.pth")).unwrap();
    let legacy = fs::read(fixture("legacy.pth")).unwrap();
    let cases = [
        (folder.path().join("absent.pth"), "cannot read the checkpoint"),
        (folder.path().to_owned(), "cannot read the checkpoint"),
        (
            file("empty", b""),
            "is no checkpoint: expected safetensors or a PyTorch .pth file, but it is empty",
        ),
        (file("photo.pth", b"\x89PNG\r\n\x1a\n0000"), "it begins with the bytes 89 50 4e 47 0d 0a 1a 0a"),
        (file("text", b"{\"a\": 1}"), "is no checkpoint"),
        (file("a.safetensors", &tiny[..tiny.len() - 3]), "cut short: expected 24 bytes of tensors, found 21"),
        (file("b.safetensors", &tiny[..20]), "bytes of header, found 12"),
        (file("c.safetensors", &long), "4 bytes after its last tensor"),
        (file("a.pth", &pth[..pth.len() / 2]), "may be cut short"),
        (file("b.pth", &legacy[..legacy.len() - 2]), "cut short: expected"),
        (file("c.pth", &legacy[..200]), "may be cut short"),
        (integers, "tensor `linear.weight` has the type U8"),
        (fixture("integers.pth"), "tensor `conv1.weight` has the type IntStorage"),
        (fixture("no_tensors.pth"), "a dictionary without tensors under `"),
        (fixture("whole_module.pth"), "found a whole object of class torch.nn.modules.linear.Linear"),
    ];
    for (path, part) in cases {
        let text = Checkpoint::read(&path).unwrap_err().to_string();
        assert!(text.contains(part), "no `{part}` in: {text}");
        assert!(text.contains(path.to_str().unwrap()), "no path in: {text}");
    }
    let path = folder.path().join("no/such/folder/a.safetensors");
    let error = wick_models::weights::save(&path, &Parameters::seeded(0), &Metadata::default()).unwrap_err();
    assert!(error.to_string().starts_with("cannot write the checkpoint"), "{error}");
}

fn mutated(name: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let bytes = fs::read(fixture(name)).unwrap();
    let changes = prop::collection::vec((0..bytes.len(), any::<u8>()), 0..6);
    (changes, 0..bytes.len() * 2).prop_map(move |(changes, end)| {
        let mut bytes = bytes.clone();
        for (at, value) in changes {
            bytes[at] = value;
        }
        bytes.truncate(end);
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn damaged_files_never_panic(bytes in prop_oneof![mutated("mixed.pth"), mutated("legacy.pth"), mutated("net_module.pth")]) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        // A change in a value goes unnoticed; everything else is an error.
        let _ = Checkpoint::read(file.path());
    }

    #[test]
    fn damaged_safetensors_never_panic(header in "\\{[\"a-z_:\\[\\]0-9,{} ]{0,80}\\}", data in prop::collection::vec(any::<u8>(), 0..64), shift in -3i64..4) {
        let length = (header.len() as i64 + shift).max(0) as u64;
        let bytes: Vec<u8> = [&length.to_le_bytes()[..], header.as_bytes(), &data].concat();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        let _ = Checkpoint::read(file.path());
    }
}
