//! Parameters that a run stops training.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use candle_core::Device;
use wick_models::Network;
use wick_runs::{RunDir, Timestamp};
use wick_train::{Data, Start, train};

use crate::tiny::tiny;

/// The values of every parameter after so many epochs of three steps.
fn trained(root: &Path, epochs: usize, more: &str) -> Vec<(String, Vec<f32>)> {
    let epochs = format!("train.epochs={epochs}");
    let settings = ["data.synthetic_train=20", "data.synthetic_test=8", "train.batch_size=8", &epochs];
    let recipe = tiny(&settings, more);
    let run = RunDir::create(root, "run", 0, Timestamp::now()).unwrap();
    let data = Arc::new(Data::load(&recipe, None).unwrap());
    train(&recipe, &data, &run, Start::Fresh, &AtomicBool::new(false), &mut |_| {}).unwrap();
    let (network, _) = Network::load(&run.last(), None, &Device::Cpu).unwrap();
    let values = |var: candle_core::Var| var.flatten_all().unwrap().to_vec1().unwrap();
    network.parameters.trainable().into_iter().map(|(name, var)| (name, values(var))).collect()
}

#[test]
fn the_named_are_left_alone_and_the_others_go_on() {
    let root = tempfile::tempdir().unwrap();
    // Decay and momentum would move them even without a gradient.
    let optim = "[optim]\nkind = \"sgd\"\nlr = 0.01\nmomentum = { nesterov = 0.9 }\nweight_decay = 0.1\n";
    let freeze = format!("{optim}[[train.freeze]]\nnamed = \"bn1.bias\"\nafter_epochs = 1\n");
    let (one, two) = (trained(root.path(), 1, optim), trained(root.path(), 2, &freeze));
    let mut frozen = 0;
    for ((name, before), (_, after)) in one.iter().zip(&two) {
        assert_eq!(before == after, name.contains("bn1.bias"), "{name}");
        frozen += usize::from(before == after);
    }
    assert_eq!(frozen, 9); // the stem's, and that of each of eight blocks
    // A run that ends before is as if nothing were to be frozen.
    assert!(trained(root.path(), 1, &freeze) == one);
}

#[test]
fn what_is_never_trained_stays_as_it_started() {
    let root = tempfile::tempdir().unwrap();
    let freeze = "[[train.freeze]]\nnamed = \"bn1.weight\"\nafter_epochs = 0\n";
    let scales = |more: &str| -> Vec<f32> {
        let parameters = trained(root.path(), 1, more).into_iter();
        parameters.filter(|(name, _)| name.contains("bn1.weight")).flat_map(|(_, values)| values).collect()
    };
    assert!(scales(freeze).iter().all(|scale| *scale == 1.0));
    assert!(scales("").iter().any(|scale| *scale != 1.0));
}
