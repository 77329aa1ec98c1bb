//! Reading 60,000 images from a folder in the page cache, and drawing 5,000 of the stand-in's.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wick_cifar::{IMAGE_BYTES, load, synthetic_dataset, write_folder};

fn reading(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    write_folder(&synthetic_dataset(0, 50_000, 10_000), folder.path()).unwrap();
    let mut group = c.benchmark_group("load");
    group.sample_size(10).throughput(Throughput::Bytes(60_000 * IMAGE_BYTES as u64));
    group.bench_function("60000 images from a folder", |b| b.iter(|| load(folder.path()).unwrap()));
    group.finish();
}

fn drawing(c: &mut Criterion) {
    let mut group = c.benchmark_group("synthetic");
    group.sample_size(10).throughput(Throughput::Elements(5000));
    group.bench_function("5000 images", |b| b.iter(|| synthetic_dataset(0, 4000, 1000)));
    group.finish();
}

criterion_group!(benches, reading, drawing);
criterion_main!(benches);
