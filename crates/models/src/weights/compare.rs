//! Do these tensors fit that network?

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use candle_core::Tensor;

use crate::error::{Difference, Mismatch};
use crate::parameters::ParameterSpec;

/// How `tensors` (layouts of the disk) differ from what `network`, whose parameters are `specs`, takes.
pub(super) fn mismatch(
    path: &Path,
    network: String,
    specs: &[ParameterSpec],
    tensors: &BTreeMap<String, Tensor>,
) -> Option<Mismatch> {
    let mut reshaped = Vec::new();
    let mut missing = Vec::new();
    for spec in specs {
        let (tensor, expected) = (spec.name.clone(), spec.shape_on_disk());
        match tensors.get(&spec.name).map(|t| t.dims().to_vec()) {
            None => missing.push(Difference::Missing { tensor, expected }),
            Some(got) if got != expected => reshaped.push(Difference::Shape { tensor, expected, got }),
            Some(_) => {}
        }
    }
    let known: HashSet<&str> = specs.iter().map(|s| s.name.as_str()).collect();
    let unexpected: Vec<Difference> = tensors
        .iter()
        .filter(|(name, _)| !known.contains(name.as_str()))
        .map(|(name, t)| Difference::Unexpected { tensor: name.clone(), got: t.dims().to_vec() })
        .collect();
    let first = reshaped.iter().chain(&missing).chain(&unexpected).next()?.clone();
    Some(Mismatch {
        path: path.to_owned(),
        network,
        first,
        missing: names(missing),
        unexpected: names(unexpected),
        reshaped: reshaped.len(),
        recognised: None,
    })
}

fn names(differences: Vec<Difference>) -> Vec<String> {
    let name = |d| match d {
        Difference::Shape { tensor, .. }
        | Difference::Missing { tensor, .. }
        | Difference::Unexpected { tensor, .. } => tensor,
    };
    differences.into_iter().map(name).collect()
}
