//! Test-time augmentation, wherever a network is judged; the speedrun's start.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use candle_core::{Device, Tensor};
use wick_models::{Compiled, Network, whitening_filters};
use wick_runs::{EpochRow, RunDir, Timestamp, read_rows};
use wick_train::{
    Data, Evaluation, EvaluationOptions, Recipe, Start, Views, evaluate, evaluation_batches, softmax, train,
};

use crate::tiny::tiny;

fn recipe(more: &[&str]) -> Recipe {
    let few = ["data.synthetic_train=16", "data.synthetic_test=10", "train.batch_size=8"];
    tiny(&[&few, more].concat(), "")
}

fn judged(recipe: &Recipe, network: &Network, views: Views) -> Evaluation {
    let data = Data::load(recipe, None).unwrap();
    let mut compiled = Compiled::new(network, recipe.compile_options()).unwrap();
    let (split, indices) = data.judging();
    let options = EvaluationOptions { views, batch_size: 4 };
    evaluate(&mut compiled, &recipe.augmentation().unwrap(), split, &indices, options, &mut |_| {}).unwrap()
}

#[test]
fn the_logits_of_an_image_and_its_mirror_image_are_averaged() {
    let recipe = recipe(&[]);
    let data = Data::load(&recipe, None).unwrap();
    let network = Network::new(recipe.model.architecture, 10, 0, &Device::Cpu).unwrap();
    let mut compiled = Compiled::new(&network, recipe.compile_options()).unwrap();
    let back = Tensor::from_vec((0..32u32).rev().collect(), 32, &Device::Cpu).unwrap();
    let (split, indices) = data.judging();
    let mut want = Vec::new();
    for batch in evaluation_batches(&recipe.augmentation().unwrap(), split, &indices, 4) {
        let images = batch.unwrap().images;
        let plain = compiled.logits(&images).unwrap().to_vec();
        let mirrored = compiled.logits(&images.index_select(&back, 2).unwrap()).unwrap();
        want.extend(plain.iter().zip(mirrored).map(|(a, b)| 0.5 * a + 0.5 * b));
    }
    let got = judged(&recipe, &network, Views::Mirror);
    assert_eq!(got.probabilities.len(), 10);
    for (got, want) in got.probabilities.iter().zip(want.chunks(10)) {
        assert_eq!(*got, softmax(want));
    }
    let [none, six] = [Views::None, Views::Six].map(|views| judged(&recipe, &network, views));
    assert!(none.probabilities != got.probabilities && six.probabilities != got.probabilities);
}

#[test]
fn a_speedrun_is_judged_by_its_views_and_starts_on_its_images() {
    let recipe = recipe(&["model.architecture=speedrun", "evaluate.views=six", "optim.lr=0.001"]);
    let root = tempfile::tempdir().unwrap();
    let run = RunDir::create(root.path(), "run", 0, Timestamp::now()).unwrap();
    let data = Arc::new(Data::load(&recipe, None).unwrap());
    train(&recipe, &data, &run, Start::Fresh, &AtomicBool::new(false), &mut |_| {}).unwrap();
    let (network, _) = Network::load(&run.last(), None, &Device::Cpu).unwrap();
    let rows: Vec<EpochRow> = read_rows(&run.epochs()).unwrap();
    assert_eq!(rows[0].test_loss, judged(&recipe, &network, Views::Six).loss);
    assert_ne!(rows[0].test_loss, judged(&recipe, &network, Views::None).loss);

    let augmentation = recipe.augmentation().unwrap();
    let mut images = evaluation_batches(&augmentation, &data.dataset.train, &data.train_indices, 16);
    let images = images.next().unwrap().unwrap().images;
    let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let whiten = network.parameters.get("whiten.weight").unwrap();
    assert_eq!(values(&whiten), values(&whitening_filters(&images, 5e-4).unwrap()));
}
