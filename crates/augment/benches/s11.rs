//! Images a second of whole lists, a batch of 128 at a time, on one thread.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wick_augment::random::splitmix64;
use wick_augment::{Augmentation, Border, Fill, Placement, Size, Transform};

const BATCH: usize = 128;

fn lists() -> Vec<(&'static str, Vec<Transform>)> {
    let normalize = Transform::normalize([0.4914, 0.4822, 0.4471], [0.2469, 0.2433, 0.2615]);
    let crop = Transform::RandomCrop { height: 32, width: 32, p: 1.0 };
    let pad = |border| Transform::Pad { amount: 4, border, p: 1.0 };
    let rotate = |limit| Transform::Rotate { limit, border: Border::Reflect101, p: 1.0 };
    let hole = |placement| Transform::CoarseDropout {
        holes: 1,
        height: 16,
        width: 16,
        fill: Fill::default(),
        placement,
        p: 1.0,
    };
    vec![
        ("normalize", vec![normalize.clone()]),
        (
            "s11",
            vec![
                normalize.clone(),
                Transform::HorizontalFlip { p: 0.5 },
                pad(Border::Reflect101),
                crop.clone(),
                hole(Placement::Overhanging),
            ],
        ),
        (
            "rotate, black pad, crop, hole",
            vec![
                rotate(5.0),
                pad(Border::Constant([0; 3])),
                crop.clone(),
                hole(Placement::Inside),
                normalize.clone(),
            ],
        ),
        (
            "pad, crop, rotate, hole",
            vec![pad(Border::Reflect101), crop, rotate(15.0), hole(Placement::Inside), normalize],
        ),
    ]
}

fn batches(c: &mut Criterion) {
    let count = 4 * BATCH;
    let images: Vec<u8> = (0..(count * 3072) as u64).map(|i| (splitmix64(i) >> 56) as u8).collect();
    let indices: Vec<usize> = (0..BATCH).map(|i| (i * 67) % count).collect();
    let mut group = c.benchmark_group("batch");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (name, list) in lists() {
        let augmentation = Augmentation::new(&list, Size::new(32, 32)).unwrap();
        let mut out = Vec::new();
        let mut epoch = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                epoch += 1;
                augmentation.batch(1, epoch, black_box(&indices), &images, &mut out).unwrap();
                black_box(out.last().copied())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, batches);
criterion_main!(benches);
