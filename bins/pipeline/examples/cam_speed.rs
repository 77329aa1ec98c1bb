//! How long class activation maps of ResNet-18 take behind one of its layers, the last unless another is named, for 20 images by a method that needs gradients or none, for one image
//! by a method that needs a forward pass a channel. `xtask/peer/cam_peer.py` is pytorch-grad-cam's side.
//!
//! `cargo run --release -p wick-pipeline --example cam_speed [layer3]`
#![allow(clippy::print_stdout)]

use std::cell::RefCell;
use std::time::Instant;

use candle_core::{Device, Tensor};
use wick_gradcam::{CamOptions, Layer, Method, Needs, Target, explain_with};
use wick_models::{Architecture, CompileOptions, Mode, Network, Trunk};

/// Runs of each method; the median counts.
const RUNS: usize = 5;

fn main() -> anyhow::Result<()> {
    wick_ops::retain_pages();
    let network = Network::new(Architecture::ResNet18, 10, 0, &Device::Cpu)?;
    let model = network.model.as_ref();
    let layer = std::env::args().nth(1).unwrap_or_else(|| "layer4".to_owned());
    let trunk = RefCell::new(Trunk::new(&network, &layer, CompileOptions::default())?);
    let layers = [Layer::new(
        &layer,
        |x: &Tensor| trunk.borrow_mut().map(x).map_err(candle_core::Error::wrap),
        |a: &Tensor| model.forward_from(a, &layer, Mode::Evaluate),
    )
    .guided(|x: &Tensor| wick_ops::guided_relus(|| model.forward_t(x, false)))];
    println!("{:24}{:>8}{:>12}", "method", "images", "seconds");
    for method in Method::ALL {
        let n = if method.needs() == Needs::ForwardPasses { 1 } else { 20 };
        let images = Tensor::randn(0f32, 1.0, (n, 32, 32, 3), &Device::Cpu)?;
        let mut seconds = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let start = Instant::now();
            explain_with(method, &images, &layers, &Target::Class(3), &CamOptions::default())?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        println!("{:24}{n:>8}{:>12.3}", method.title(), seconds[RUNS / 2]);
    }
    Ok(())
}
