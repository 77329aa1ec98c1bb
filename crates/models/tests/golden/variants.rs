//! The custom ResNet's variants, which differ behind what models.json has of it.

use std::collections::HashMap;

use candle_core::Device;
use wick_models::{Architecture, CompileOptions, Compiled, Network, StepOptions};

use super::case::{TARGETS, flat};
use super::{golden, network};

/// Relative to the largest: rounding in f32 through ten layers moves logits by some 1e-6, and probabilities less.
const LOGITS: f32 = 2e-5;

#[test]
fn the_variants_of_the_custom_resnet_agree_with_pytorch() {
    let want: HashMap<String, Vec<f32>> =
        serde_json::from_str(&golden::read("custom_variants.json")).unwrap();
    for (architecture, name) in
        [(Architecture::CustomResNetScaled, "scaled"), (Architecture::CustomResNetPublished, "published")]
    {
        let of = Network::new(architecture, 10, 0, &Device::Cpu).unwrap();
        network::fill(&of);
        let images = network::images();
        let logits = flat(&of.model.forward_t(&images, false).unwrap());
        golden::assert_close(name, &logits, &want[name], LOGITS);
        let mut compiled = Compiled::new(&of, CompileOptions::default()).unwrap();
        golden::assert_close(name, compiled.logits(&images).unwrap(), &want[name], LOGITS);
    }
}

/// Cross-entropy of probabilities, which takes them for logits: with all of it on the right class it is ln(1 + 9/e) = 1.461, with
/// nothing learnt near ln 10. Another seed drops other features, the same one the same.
#[test]
fn the_published_variants_loss_has_a_floor_and_its_dropout_a_seed() {
    let step = |dropout_seed| {
        let of = Network::new(Architecture::CustomResNetPublished, 10, 0, &Device::Cpu).unwrap();
        network::fill(&of);
        let mut compiled = Compiled::new(&of, CompileOptions::default()).unwrap();
        let options = StepOptions { dropout_seed, ..StepOptions::default() };
        let step = compiled.training_step(&network::images(), &TARGETS, options).unwrap();
        (step.loss, step.logits.to_vec())
    };
    let (first, again, other) = (step(5), step(5), step(6));
    assert_eq!(first, again);
    assert_ne!(first.1, other.1);
    assert!((1.4611..2.4612).contains(&first.0), "{}", first.0); // the worst is ln(e + 9)
    for probabilities in first.1.chunks(10) {
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6); // ten roundings
    }
}
