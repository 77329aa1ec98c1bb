//! `bench train-step` on a tiny batch: its keys, and values that can be. No speed is asserted.

use serde_json::Value;

use crate::common::{refuse, succeed};

const TINY: [&str; 8] = ["bench", "train-step", "--batch", "2", "--steps", "1", "--device", "cpu"];

#[test]
fn one_line_with_the_peers_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("line.json");
    let more = ["--threads", "1", "--json", "--profile", "--out", file.to_str().unwrap()];
    let told = succeed(&[&TINY[..], &more].concat());
    assert_eq!(told.lines().count(), 1, "{told}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), told);

    let line: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&line["work"], &line["precision"]), (&"resnet18".into(), &"f32".into()));
    assert_eq!((&line["batch"], &line["threads"], &line["steps"]), (&2.into(), &1.into(), &1.into()));
    assert_eq!((&line["engine"], &line["device"]), (&"compiled".into(), &"cpu".into()));
    let number = |key: &str| line[key].as_f64().unwrap_or_else(|| panic!("no number {key} in {told}"));
    for key in ["img_per_s", "eval_img_per_s", "gflop_per_s", "peak_gflop_per_s", "share_of_peak"] {
        assert!(number(key) > 0.0, "{key} in {told}");
    }
    for (key, median) in [("img_per_s_range", "img_per_s"), ("eval_img_per_s_range", "eval_img_per_s")] {
        let (low, high) = (line[key][0].as_f64().unwrap(), line[key][1].as_f64().unwrap());
        assert!(low <= number(median) && number(median) <= high, "{key} in {told}");
    }
    // At four digits each.
    assert!((number("img_per_s") * number("gflop_per_img") / number("gflop_per_s") - 1.0).abs() < 2e-3);
    assert!((number("gflop_per_img") - 3.33).abs() < 0.005);
    // ResNet-18's parameters, gradients and momenta alone are 128 MiB; a batch of two adds little.
    assert!((128.0..2048.0).contains(&number("peak_rss_mb")), "{told}");
    // f32 through twenty layers; a gradient moves more where a rectifier flips (PyTorch's own f32: 1.4e-2 at worst).
    assert!(number("logits_error") < 1e-5 && number("gradient_error") < 5e-3, "{told}");
    assert!(number("gradient_error_max") < 2e-2 && number("loss").is_finite(), "{told}");

    let shares: Vec<f64> =
        line["profile"].as_array().unwrap().iter().map(|r| r["share"].as_f64().unwrap()).collect();
    assert!(shares.len() >= 3 && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{told}");
}

#[test]
fn a_table_says_what_each_number_is() {
    let told = succeed(&[&TINY[..], &["--profile"]].concat());
    for word in ["training", "evaluation", "GFLOP/s", "share of peak", "MiB", "f64", "backward", "together"] {
        assert!(told.contains(word), "{word} in {told}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let bf16 = refuse(&[&TINY[..], &["--precision", "bf16", "--engine", "autograd"]].concat());
    assert!(bf16.contains("autograd") && bf16.contains("bf16"), "{bf16}");
    for (flag, value, words) in
        [("--work", "vgg", "resnet18"), ("--batch", "0", "1 or more"), ("--steps", "0", "1 or more")]
    {
        let said = refuse(&["bench", "train-step", flag, value]);
        assert!(said.contains(words), "{said}");
    }
}
