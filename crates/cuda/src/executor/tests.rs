//! What needs no device: the steps of networks, and that their kernels compile.

use std::collections::BTreeSet;

use wick_graph::plan::{ConvInputs, Plan};

use super::build::{passes, program};
use super::elementwise::make;
use super::script::{Purpose, steps};
use super::threads::Threads;
use super::{HEAD, NORM, NUMBERS};
use crate::device::compile;

#[path = "../../../graph/src/tests/networks.rs"]
mod networks;

/// Where NVIDIA's compiler is at hand: it needs no GPU.
fn compiler() -> bool {
    // SAFETY: loading the library runs its initialisers, which are made for that.
    unsafe { cudarc::nvrtc::sys::is_culib_present() }
}

#[test]
fn every_kernel_compiles() {
    if !compiler() {
        return;
    }
    compile(&[NUMBERS, NORM, HEAD].concat(), "sm_80").unwrap();
    compile(&crate::training::program(), "sm_80").unwrap();
    for (name, graph) in networks::all() {
        for element in ["float", "bf16"] {
            let plans = [
                (Plan::training(&graph, ConvInputs::Written).unwrap(), Purpose::Train),
                (Plan::evaluation(&graph, ConvInputs::Written).unwrap(), Purpose::Evaluate),
            ];
            let mut texts = BTreeSet::new();
            for (plan, purpose) in &plans {
                let steps = steps(&graph, plan, *purpose);
                texts.extend(passes(&steps).map(|pass| make(&graph, pass, element).text));
            }
            let text = program(&texts.iter().collect::<Vec<_>>(), element);
            compile(&text, "sm_90").unwrap_or_else(|e| panic!("{name}, {element}: {e}\n{text}"));
        }
    }
}

/// Every pixel and channel is some thread's, and no two threads'.
#[test]
fn threads_cover_a_map() {
    for pixels in [1, 9, 16, 49, 961, 1024] {
        for channels in [1, 3, 5, 17, 24, 64, 512, 2048, 3000] {
            let t = Threads::of(pixels, channels);
            let mut times = vec![0; pixels * channels];
            t.each(pixels, channels, |pixel, channel| times[pixel * channels + channel] += 1);
            assert!(times.iter().all(|n| *n == 1), "{pixels} pixels, {channels} channels: {t:?}");
        }
    }
}
