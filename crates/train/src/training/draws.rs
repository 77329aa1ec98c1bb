//! What a GPU's epoch draws, ahead of it.

use rayon::prelude::*;
use wick_augment::{Key, PackedList, Size};
use wick_cuda::training::{self as gpu, Mixing};

use crate::data::Drawn;

/// What is drawn for each image of an epoch, in its order, by all cores.
pub(super) fn words(packed: &PackedList, order: &[usize], seed: u64, epoch: u64) -> Vec<i16> {
    /// Images that one thread packs at a time.
    const SHARE: usize = 1000;
    let pack = |indices: &[usize]| {
        let mut words = Vec::with_capacity(indices.len() * packed.stride());
        let mut packer = packed.packer();
        for &index in indices {
            packer.pack_key(Key { seed, epoch, index: index as u64 }, &mut words);
        }
        words
    };
    order.par_chunks(SHARE).flat_map_iter(pack).collect()
}

/// What is drawn for each batch of `batch_size` images of an epoch, the first of which is `first`, as the CPU draws it; and for each
/// place in the order, the image whose label is counted as right.
pub(super) fn batches(
    order: &[usize],
    batch_size: usize,
    size: Size,
    first: Drawn,
) -> (Vec<gpu::Drawn>, Vec<usize>) {
    let (mut batches, mut counted) = (Vec::new(), Vec::with_capacity(order.len()));
    for (step, indices) in (first.step..).zip(order.chunks(batch_size)) {
        let (mixing, dropout_seed) = Drawn { step, ..first }.of(indices.len(), size);
        counted.extend((0..indices.len()).map(|at| match &mixing {
            Some(mixing) => indices[mixing.counted(at)],
            None => indices[at],
        }));
        let mixing = mixing.map(|m| {
            let (partners, rows, columns) = (m.partners, m.rows, m.columns);
            Mixing { partners, weight: m.weight, share: m.share, rows, columns }
        });
        batches.push(gpu::Drawn { images: indices.len(), dropout_seed, mixing });
    }
    (batches, counted)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::{BatchPlan, Data, training_batches};

    /// Batches as the CPU makes them, which are the reference: their labels, partners' labels, shares, dropouts' seeds.
    #[test]
    fn a_gpu_draws_what_the_cpu_draws() {
        for mix in ["none", "{ mixup = 1.0 }", "{ cutmix = 1.0 }"] {
            let mut layers =
                crate::Layers::default().over("tiny.toml", include_str!("../../examples/tiny.toml")).unwrap();
            for assignment in ["train.batch_size=24", &format!("train.mix={mix}")] {
                layers = layers.set(assignment).unwrap();
            }
            let recipe = layers.resolve().unwrap();
            let data = Arc::new(Data::load(&recipe, None).unwrap());
            let augmentation = recipe.augmentation().unwrap();
            let mut exchanged = 0;
            for epoch in 1..=5 {
                let order = data.epoch_order(recipe.seed, epoch);
                let first = Drawn { seed: recipe.seed, epoch, step: 0, mix: recipe.train.mix };
                let (drawn, counted) = batches(&order, 24, augmentation.output(), first);
                assert_eq!(drawn.iter().map(|batch| batch.images).collect::<Vec<_>>(), [24, 24, 16]);
                let label = |index: &usize| usize::from(data.dataset.train.label(*index));
                let mut at = 0;
                for (batch, drawn) in
                    training_batches(&data, &augmentation, BatchPlan::of(&recipe, epoch)).zip(&drawn)
                {
                    let batch = batch.unwrap();
                    let indices = &order[at..at + drawn.images];
                    let got: Vec<usize> = counted[at..at + drawn.images].iter().map(label).collect();
                    assert_eq!(got, batch.labels);
                    exchanged += usize::from(counted[at..at + drawn.images] != *indices);
                    assert_eq!(drawn.dropout_seed, batch.dropout_seed);
                    let targets = |mixing: &Mixing| {
                        mixing.partners.iter().map(|i| label(&indices[*i]) as u32).collect::<Vec<_>>()
                    };
                    let got = drawn.mixing.as_ref().map(|mixing| (targets(mixing), mixing.weight));
                    assert_eq!(got, batch.partners.map(|partners| (partners.targets, partners.weight)));
                    at += drawn.images;
                }
                assert_eq!(at, 64);
            }
            assert_eq!(exchanged > 0, mix != "none", "{mix}");
        }
    }
}
