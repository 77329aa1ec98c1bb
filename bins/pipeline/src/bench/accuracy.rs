//! How far logits and gradients are from those in f64, so that speed bought with wrong numbers shows.
//!
//! `reference.json` holds, for each network, what PyTorch computes in f64 on a batch of four, in training: all logits, and
//! of each parameter's gradient the root mean square and the first four values in PyTorch's memory order.
//! Parameters and images come from a counter:
//!
//! ```python
//! for k, (name, p) in enumerate(model.named_parameters()):
//!     p.copy_(uniform(1 + k, p.shape, sqrt(6 / fan_in)))     # filters; linear: sqrt(1 / fan_in); biases: 0.1
//!                                                            # norms' weights: 1 + uniform(1 + k, p.shape, 0.2)
//! logits = model.double().train()(uniform(501, (4, 3, 32, 32), 1)); cross_entropy(logits, [3, 8, 0, 5]).backward()
//! ```

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use serde::Deserialize;
use wick_models::{Architecture, Network};

use super::counter::uniform;
use super::engine::{Batch, Gradients, open};
use wick_train::Compute;

use super::options::{EngineKind, Precision};
use super::work::CLASSES;

/// With which the reference was made.
const SEED: u64 = 1;
const IMAGES: usize = 4;
const LABELS: [u32; IMAGES] = [3, 8, 0, 5];

/// Distances from f64.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Errors {
    /// Norm of the logits' error over the norm of the logits.
    pub logits: f64,
    /// Root mean square of the gradients' errors, each over its parameter's root mean square.
    pub gradients: f64,
    /// The largest of them.
    pub gradients_max: f64,
}

#[derive(Deserialize)]
struct Reference {
    logits: Vec<f64>,
    parameters: Vec<ReferenceParameter>,
}

#[derive(Deserialize)]
struct ReferenceParameter {
    name: String,
    /// As in PyTorch: filters `(O, I, KH, KW)`.
    shape: Vec<usize>,
    /// Absent for a parameter that is not trained.
    gradient: Option<ReferenceGradient>,
}

#[derive(Deserialize)]
struct ReferenceGradient {
    rms: f64,
    head: Vec<f64>,
}

/// Computes the reference's batch and compares; `None` for a network that has no reference.
pub fn check(
    work: Architecture,
    engine: (EngineKind, &Compute),
    precision: Precision,
) -> Result<Option<Errors>> {
    let mut all: HashMap<String, Reference> =
        serde_json::from_str(include_str!("reference.json")).context("the reference values are broken")?;
    let Some(reference) = all.remove(&work.name()) else { return Ok(None) };
    let network = Network::new(work, CLASSES, 0, &Device::Cpu)?;
    fill(&network, &reference)?;
    let mut engine = open(engine, network, precision, IMAGES)?;
    compare(&engine.logits_and_gradients(&batch()?)?, &reference).map(Some)
}

fn fill(network: &Network, reference: &Reference) -> Result<()> {
    for (k, parameter) in reference.parameters.iter().enumerate() {
        let (name, n) = (&parameter.name, parameter.shape.iter().product());
        let values = |bound: f64| uniform(SEED + k as u64, n, bound as f32);
        let values = match *parameter.shape {
            [_, i, h, w] => values((6.0 / (i * h * w) as f64).sqrt()),
            [_, i] => values((1.0 / i as f64).sqrt()),
            _ if name.ends_with("weight") => values(0.2).into_iter().map(|v| 1.0 + v).collect(),
            _ => values(0.1),
        };
        let value = Tensor::from_vec(values, &parameter.shape[..], &Device::Cpu)?;
        // Filters are (KH, KW, C_in, C_out) in memory.
        let value = if value.rank() == 4 { value.permute((2, 3, 1, 0))?.contiguous()? } else { value };
        let variable = network.parameters.get(name);
        let variable = variable.with_context(|| format!("the network has no parameter {name}"))?;
        variable.set(&value).with_context(|| format!("{name} has another shape than its reference"))?;
    }
    Ok(())
}

fn batch() -> Result<Batch> {
    let images = uniform(SEED + 500, IMAGES * 3 * 32 * 32, 1.0);
    let images = Tensor::from_vec(images, (IMAGES, 3, 32, 32), &Device::Cpu)?;
    Ok(Batch {
        images: images.permute((0, 2, 3, 1))?.contiguous()?,
        labels: Tensor::new(&LABELS, &Device::Cpu)?,
    })
}

fn compare(got: &Gradients, want: &Reference) -> Result<Errors> {
    let logits: Vec<f32> = got.logits.flatten_all()?.to_vec1()?;
    ensure!(logits.len() == want.logits.len(), "{} logits instead of {}", logits.len(), want.logits.len());
    let differences = logits.iter().zip(&want.logits).map(|(&g, w)| f64::from(g) - w);
    let logits = norm(differences) / norm(want.logits.iter().copied());

    let gradients: HashMap<_, _> = got.gradients.iter().map(|(name, g)| (name.as_str(), g)).collect();
    let mut errors = Vec::new();
    for parameter in &want.parameters {
        let Some(gradient) = &parameter.gradient else { continue };
        let name = &parameter.name;
        let got = gradients.get(name.as_str()).with_context(|| format!("{name} has no gradient"))?;
        let got = if got.rank() == 4 { got.permute((3, 2, 0, 1))? } else { (*got).clone() };
        ensure!(got.dims() == parameter.shape, "the gradient of {name} is {:?} on disk", got.dims());
        let got: Vec<f32> = got.flatten_all()?.to_vec1()?;
        errors.extend(got.iter().zip(&gradient.head).map(|(&g, w)| (f64::from(g) - w) / gradient.rms));
    }
    ensure!(!errors.is_empty(), "the reference holds no gradients");
    Ok(Errors {
        logits,
        gradients: norm(errors.iter().copied()) / (errors.len() as f64).sqrt(),
        // A NaN is an error without bound.
        gradients_max: errors
            .iter()
            .map(|e| e.abs())
            .fold(0.0, |m, e| if e > m || e.is_nan() { e } else { m }),
    })
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(work: &str) -> Reference {
        let mut all: HashMap<String, Reference> =
            serde_json::from_str(include_str!("reference.json")).unwrap();
        all.remove(work).unwrap()
    }

    /// Of a network whose activations have no kink that rounding could turn over.
    #[test]
    fn autograd_is_right_and_a_wrong_parameter_shows() {
        let errors = check(Architecture::Speedrun, (EngineKind::Autograd, &Compute::Cpu), Precision::F32)
            .unwrap()
            .unwrap();
        assert!(errors.logits < 1e-5 && errors.logits > 0.0, "{errors:?}");
        assert!(errors.gradients < 1e-5 && errors.gradients_max < 1e-4, "{errors:?}");
        assert!(errors.gradients <= errors.gradients_max, "{errors:?}");

        let (want, network) =
            (reference("speedrun"), Network::new(Architecture::Speedrun, 10, 0, &Device::Cpu).unwrap());
        fill(&network, &want).unwrap();
        // Not a filter: batch norm after it would take the factor out again.
        let weight = network.parameters.get("group2.2.weight").unwrap();
        weight.set(&(weight.as_tensor() * 1.01).unwrap()).unwrap();
        let mut engine = open((EngineKind::Autograd, &Compute::Cpu), network, Precision::F32, 4).unwrap();
        let wrong = compare(&engine.logits_and_gradients(&batch().unwrap()).unwrap(), &want).unwrap();
        assert!(wrong.logits > 1e-4 && wrong.gradients > 100.0 * errors.gradients, "{wrong:?}");
    }

    #[test]
    fn what_is_not_a_number_is_an_error_without_bound() {
        let want = reference("resnet18");
        let nan = |shape: &[usize]| Tensor::full(f32::NAN, shape, &Device::Cpu).unwrap();
        let shape = |s: &[usize]| match *s {
            [o, i, h, w] => vec![h, w, i, o],
            _ => s.to_vec(),
        };
        let gradients = want.parameters.iter().map(|p| (p.name.clone(), nan(&shape(&p.shape)))).collect();
        let errors = compare(&Gradients { logits: nan(&[4, 10]), gradients }, &want).unwrap();
        assert!(errors.logits.is_nan() && errors.gradients.is_nan() && errors.gradients_max.is_nan());

        let missing = compare(&Gradients { logits: nan(&[4, 10]), gradients: Vec::new() }, &want);
        assert!(missing.unwrap_err().to_string().contains("conv1.weight"));
    }

    /// Cut from the values that the networks are tested against.
    #[test]
    fn the_reference_is_that_of_the_tests() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden/models.json");
        let all: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let near = |a: f64, b: &serde_json::Value| (a - b.as_f64().unwrap()).abs() <= 1e-8 * a.abs();
        let cases = [("resnet18", "resnet18_bn"), ("resnet34", "resnet34_bn")];
        for (work, case) in cases {
            let (ours, theirs) = (reference(work), &all[case]);
            assert!(ours.logits.iter().enumerate().all(|(i, &v)| near(v, &theirs["train_logits"][i])));
            assert_eq!(ours.parameters.len(), theirs["parameters"].as_array().unwrap().len());
            for (k, p) in ours.parameters.iter().enumerate() {
                assert_eq!(serde_json::json!([p.name, p.shape]), theirs["parameters"][k]);
                let gradient = p.gradient.as_ref().unwrap();
                assert!(near(gradient.rms, &theirs["grad_rms"][&p.name]));
                let head = &theirs["grad_head"][&p.name];
                assert!(gradient.head.iter().enumerate().all(|(i, &v)| near(v, &head[i])), "{}", p.name);
            }
        }
    }
}
