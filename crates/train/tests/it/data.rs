//! Which images a run trains on, in which order, and what is remembered of them.

use std::collections::HashSet;

use wick_cifar::synthetic_dataset;
use wick_train::{
    Batch, BatchPlan, Data, DataRecord, DataSource, LastBatch, Mix, Partners, Recipe, TrainError,
    training_batches,
};

use crate::tiny::tiny;

fn data(limit: usize, holdout: usize) -> Result<Data, TrainError> {
    Data::divide(synthetic_dataset(0, 50, 10), DataSource::Synthetic, limit, holdout)
}

fn recipe(assignments: &[&str]) -> Recipe {
    tiny(assignments, "")
}

#[test]
fn limit_and_holdout_never_overlap() {
    let d = data(20, 15).unwrap();
    assert_eq!((d.train_indices.len(), d.holdout_indices.len()), (20, 15));
    let all: HashSet<usize> = d.train_indices.iter().chain(&d.holdout_indices).copied().collect();
    assert_eq!(all.len(), 35);
    assert_eq!(d.judging().1, d.holdout_indices);
    // What is set aside does not depend on how much of the rest is used.
    assert_eq!(data(0, 15).unwrap().holdout_indices, d.holdout_indices);
    assert_eq!(data(0, 0).unwrap().judging().1, (0..10).collect::<Vec<_>>());
}

#[test]
fn more_than_there_is_is_refused() {
    for (limit, holdout, key) in [(51, 0, "data.limit"), (0, 50, "data.holdout"), (41, 10, "data.limit")] {
        let said = data(limit, holdout).unwrap_err().to_string();
        assert!(said.contains(key), "{said}");
    }
}

#[test]
fn an_epochs_order_is_a_permutation_of_its_own() {
    let d = data(0, 0).unwrap();
    let first = d.epoch_order(1, 1);
    assert_eq!(d.epoch_order(1, 1), first);
    assert_ne!(d.epoch_order(1, 2), first);
    assert_ne!(d.epoch_order(2, 1), first);
    let mut sorted = first;
    sorted.sort_unstable();
    assert_eq!(sorted, d.train_indices);
}

#[test]
fn skipped_batches_are_the_first_and_short_ones_are_kept_or_dropped() {
    let d = std::sync::Arc::new(data(0, 0).unwrap());
    let recipe = recipe(&["train.batch_size=16"]);
    let augmentation = recipe.augmentation().unwrap();
    let labels = |plan: BatchPlan| -> Vec<Vec<usize>> {
        training_batches(&d, &augmentation, plan).map(|batch| batch.unwrap().labels).collect()
    };
    let plan = BatchPlan::of(&recipe, 3);
    let all = labels(plan);
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [16, 16, 16, 2]);
    assert_eq!(labels(BatchPlan { skip: 2, ..plan }), all[2..]);
    assert_eq!(labels(BatchPlan { last_batch: LastBatch::Drop, ..plan }), all[..3]);
    assert_eq!(recipe.steps_per_epoch(50), 4);
}

#[test]
fn mixed_batches_name_both_labels_and_count_the_heavier() {
    let d = std::sync::Arc::new(data(0, 0).unwrap());
    let batches = |plan: BatchPlan| -> Vec<Batch> {
        let augmentation = recipe(&[]).augmentation().unwrap();
        training_batches(&d, &augmentation, plan).map(|batch| batch.unwrap()).collect()
    };
    let pixels = |batch: &Batch| batch.images.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let plain = BatchPlan::of(&recipe(&["train.batch_size=10"]), 3);
    let plan = BatchPlan { mix: Mix::Mixup(1.0), ..plain };
    let (alone, mixed) = (batches(plain), batches(plan));
    let mut heavier = 0;
    for (alone, mixed) in alone.iter().zip(&mixed) {
        assert_eq!(alone.partners, None);
        assert_eq!(mixed.targets, alone.targets);
        let Partners { targets, weight } = mixed.partners.as_ref().unwrap();
        let sorted = |labels: &[u32]| {
            let mut labels = labels.to_vec();
            labels.sort_unstable();
            labels
        };
        assert_eq!(sorted(targets), sorted(&mixed.targets));
        let counted = if *weight < 0.5 { targets } else { &mixed.targets };
        assert!(mixed.labels.iter().zip(counted).all(|(a, b)| *a == *b as usize));
        heavier += usize::from(*weight < 0.5);
        // Partners are a permutation, so that sums over the batch stay: 30,720 f32 of some 1, each rounded twice.
        let sum = |batch| pixels(batch).iter().map(|v| f64::from(*v)).sum::<f64>();
        assert!((sum(alone) - sum(mixed)).abs() < 1e-2, "{} {}", sum(alone), sum(mixed));
        assert_ne!(pixels(alone), pixels(mixed));
    }
    assert!((1..5).contains(&heavier), "{heavier} of 5"); // of both kinds
    // A step's mixture does not depend on the steps before.
    for (late, all) in batches(BatchPlan { skip: 3, ..plan }).iter().zip(&mixed[3..]) {
        assert_eq!((pixels(late), &late.partners), (pixels(all), &all.partners));
    }
    let weights = |batches: &[Batch]| -> Vec<f32> {
        batches.iter().map(|batch| batch.partners.as_ref().unwrap().weight).collect()
    };
    assert!(weights(&mixed).windows(2).all(|pair| pair[0] != pair[1]));
    assert_ne!(weights(&batches(BatchPlan { epoch: 4, ..plan })), weights(&mixed));
}

#[test]
fn an_epoch_without_a_step_is_refused() {
    let recipe = recipe(&["train.batch_size=65", "train.last_batch=drop"]);
    assert!(matches!(Data::load(&recipe, None), Err(TrainError::NoSteps { batch_size: 65 })));
}

#[test]
fn the_record_reads_back_and_knows_its_data() {
    let recipe = recipe(&[]);
    let d = Data::load(&recipe, None).unwrap();
    let record = DataRecord::of(&d);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.safetensors");
    record.write(&file).unwrap();
    assert_eq!(DataRecord::read(&file).unwrap(), record);
    assert_eq!(record.load(&recipe, None).unwrap().sha256, d.sha256);

    let other = DataRecord { sha256: "0".repeat(64), ..record };
    assert!(matches!(other.load(&recipe, None), Err(TrainError::OtherData { .. })));
    std::fs::write(&file, b"no tensors").unwrap();
    assert!(DataRecord::read(&file).unwrap_err().to_string().contains("data.safetensors"));
}

#[test]
fn statistics_are_those_of_the_images_used() {
    let d = data(1, 0).unwrap();
    let image = d.dataset.train.image(d.train_indices[0]);
    let record = DataRecord::of(&d);
    for c in 0..3 {
        let values: Vec<f64> = image.iter().skip(c).step_by(3).map(|&v| f64::from(v) / 255.0).collect();
        let mean = values.iter().sum::<f64>() / 1024.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 1024.0;
        // Sums of integers are exact; the two formulas differ by f64 rounding.
        assert!((record.mean[c] - mean).abs() < 1e-12 && (record.std[c] - variance.sqrt()).abs() < 1e-12);
    }
}
