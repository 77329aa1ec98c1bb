//! PyTorch's files in small, and every kind of wrong file.
//!
//! `tests/data/*.pth` are written by PyTorch 2.15, see `tests/pytorch/checkpoints.py`.

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;
use wick_models::{Checkpoint, Metadata, Parameters};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn flat(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

/// Candle's own writer stands for any other program's.
fn write_foreign(path: &Path, tensors: &[(&str, Tensor)]) {
    let tensors = tensors.iter().map(|(n, t)| ((*n).to_owned(), t.clone())).collect();
    candle_core::safetensors::save(&tensors, path).unwrap();
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
