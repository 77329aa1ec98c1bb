//! The kernels of the GPU's side: that they compile, where NVIDIA's compiler is there, and how their sums are spread. Neither takes a
//! GPU, nor the feature.
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

use wick_cuda::{CudaError, raw};

#[path = "../src/cuda/kernels.rs"]
mod kernels;
use kernels::{GROUP_THREADS, LOSS_THREADS, SUMMING, TEXT, parts};

#[test]
fn every_kernel_compiles() {
    for architecture in ["sm_80", "sm_90"] {
        match raw::compile(TEXT, architecture) {
            Ok(binary) => assert!(!binary.is_empty()),
            Err(error @ CudaError::NoLibrary { .. }) => println!("not run: {error}"),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Blocks are as large as the text takes them to be.
#[test]
fn blocks_are_what_kernels_count_with() {
    let defined = |name: &str| {
        let line = TEXT.lines().find_map(|line| line.strip_prefix(&format!("#define {name} "))).unwrap();
        line.parse::<usize>().unwrap()
    };
    assert_eq!(SUMMING, [defined("LANES"), defined("ROWS")]);
    assert_eq!(GROUP_THREADS, defined("THREADS"));
    assert_eq!(LOSS_THREADS, defined("THREADS_OF_IMAGE"));
}

/// From the batches of a CIFAR ResNet to a single value.
#[test]
fn sums_are_spread_over_a_gpu() {
    // 128 images of 32x32 by 64 channels: two blocks beside each other.
    assert_eq!(parts(128 * 1024, 64, 1), 128);
    assert_eq!(parts(128 * 16, 512, 1), 32);
    // Ghosts share them.
    assert_eq!(parts(512 * 1024, 64, 16), 16);
    // No thread without work.
    assert_eq!(parts(65, 3, 1), 2);
    assert_eq!(parts(1, 1, 1), 1);
    assert_eq!(parts(0, 0, 3), 1);
    assert_eq!(parts(1 << 30, 1 << 20, 1), 1);
}
