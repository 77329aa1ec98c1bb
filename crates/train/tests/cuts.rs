//! Networks cut behind each of their layers: as a GPU computes them against the CPU. Without a GPU its graphs are computed on the CPU.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // in helpers as in tests

use candle_core::{Device, Tensor};
use wick_models::Architecture;
use wick_train::gpu::CudaError;
use wick_train::{Compute, Determinism, TrainError, Wanted};

mod networks;

use networks::{Cutter, by_graphs, distance, images, network, on};

/// Both round in f32 but in another order, by up to 3e-6 of the norm in what is seen: maps, logits and gradients may differ by 1e-4,
/// and gradients by `flips` where rounding is let turn rectifiers over.
fn compared(cutter: Cutter<'_>, count: impl Fn(Architecture) -> usize, flips: f64) {
    let mut broken = Vec::new();
    for architecture in Architecture::ALL {
        let network = network(architecture);
        for layer in network.model.layers() {
            let (mut cpu, mut other) = (on(&Compute::Cpu, &network, layer), cutter(&network, layer));
            let n = count(architecture);
            let images = images(n);
            let map = cpu.map(&images).unwrap();
            // Of two logits that are told apart, another two in each image.
            let mut dlogits = vec![0f32; n * 10];
            for image in 0..n {
                (dlogits[10 * image + image], dlogits[10 * image + 9 - image]) = (1.0, -1.0);
            }
            let dlogits = Tensor::from_vec(dlogits, (n, 10), &Device::Cpu).unwrap();
            let errors = [
                distance(&other.map(&images).unwrap(), &map),
                distance(&other.logits(&map).unwrap(), &cpu.logits(&map).unwrap()),
                distance(&other.gradient(&map, &dlogits).unwrap(), &cpu.gradient(&map, &dlogits).unwrap()),
            ];
            let [map, logits, gradient] = errors;
            let what = format!(
                "{architecture}, {layer}: map {map:.1e}, logits {logits:.1e}, gradient {gradient:.1e}"
            );
            println!("{what}");
            let near = map < 1e-4 && logits < 1e-4 && gradient < flips;
            broken.extend((!near).then_some(what));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Every network and layer: of two images where these are cheap, elsewhere of one, which costs some twenty passes.
#[test]
fn graphs_of_a_gpu_are_the_network() {
    let count = |architecture| if architecture == Architecture::Speedrun { 2 } else { 1 };
    compared(&by_graphs, count, 1e-4);
}

/// Which rectifiers are near enough to 0 to flip, and pixels near enough to be each other's maximum, differs from GPU to GPU. A flip is the
/// gradient of one value of some 10⁴ at the last layers, which moves the gradient of all by 1e-2 of its norm.
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
    compared(&|network, layer| on(&gpu, network, layer), |_| 3, 2e-2);
}
