//! Networks cut behind each of their layers: as a GPU computes them against the CPU. Without a GPU its graphs are computed on the CPU.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // in helpers as in tests

use candle_core::{Device, Tensor};
use wick_models::Architecture;
use wick_train::gpu::CudaError;
use wick_train::{Compute, Determinism, TrainError, Wanted};

mod networks;

use networks::{Cutter, by_graphs, distance, images, network, on};

/// Both round in f32 but in another order: maps and logits differ by 1e-4 of their norm at most, two orders above what is seen. So do
/// gradients of the ResNets (1e-6 seen); a rectifier near 0 that flips, or a pool that takes another pixel, moves one by up to `flips`.
fn compared(cutter: Cutter<'_>, flips: f64) {
    for architecture in Architecture::ALL {
        let network = network(architecture);
        for layer in network.model.layers() {
            let (mut cpu, mut other) = (on(&Compute::Cpu, &network, layer), cutter(&network, layer));
            let images = images(3);
            let map = cpu.map(&images).unwrap();
            // Of two logits that are told apart, another two in each image.
            let mut dlogits = vec![0f32; 3 * 10];
            for image in 0..3 {
                (dlogits[10 * image + image], dlogits[10 * image + 9 - image]) = (1.0, -1.0);
            }
            let dlogits = Tensor::from_vec(dlogits, (3, 10), &Device::Cpu).unwrap();
            let errors = [
                distance(&other.map(&images).unwrap(), &map),
                distance(&other.logits(&map).unwrap(), &cpu.logits(&map).unwrap()),
                distance(&other.gradient(&map, &dlogits).unwrap(), &cpu.gradient(&map, &dlogits).unwrap()),
            ];
            println!("{architecture}, {layer}: map, logits, gradient: {errors:?}");
            let most = [1e-4, 1e-4, flips];
            let fits = errors.iter().zip(most).all(|(error, most)| *error < most);
            assert!(fits, "{architecture}, {layer}: {errors:?}");
        }
    }
}

#[test]
fn graphs_of_a_gpu_are_the_network() {
    compared(&by_graphs, 2e-2);
}

#[test]
fn a_gpu_is_the_cpu() {
    let gpu = match Wanted::Cuda(0).open(None, Determinism::Required) {
        Ok((compute, _)) => compute,
        Err(TrainError::Cuda(error @ (CudaError::NoLibrary { .. } | CudaError::NoDevice { .. }))) => {
            println!("not run: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    compared(&|network, layer| on(&gpu, network, layer), 2e-2);
}
