//! An optimiser's buffers as named tensors, and back.

use super::Parameter;
use super::op::State;
use super::{Buffers, Real};
use crate::OptimError;
use candle_core::{DType, Device, Shape, Tensor};
use std::collections::HashMap;

const STEP: &str = "step";

fn key(slot: &str, variable: &str) -> String {
    format!("{slot}/{variable}")
}

pub(super) fn save(slots: &[&str], parameters: &[Parameter]) -> Result<Vec<(String, Tensor)>, OptimError> {
    let mut tensors = Vec::new();
    for p in parameters {
        let steps = i64::try_from(p.state.steps()).unwrap_or(i64::MAX);
        tensors.push((key(STEP, &p.name), Tensor::new(&[steps], &Device::Cpu)?));
        match &p.state {
            State::F32(b) => save_buffers(slots, p, b, &mut tensors)?,
            State::F64(b) => save_buffers(slots, p, b, &mut tensors)?,
        }
    }
    Ok(tensors)
}

fn save_buffers<T: Real>(
    slots: &[&str],
    p: &Parameter,
    buffers: &Buffers<T>,
    to: &mut Vec<(String, Tensor)>,
) -> Result<(), OptimError> {
    for (slot, buffer) in slots.iter().zip(&buffers.slots) {
        to.push((key(slot, &p.name), Tensor::from_slice(buffer, p.var.shape(), &Device::Cpu)?));
    }
    Ok(())
}

/// The state of each of `parameters`, or the first tensor that does not fit.
pub(super) fn read(
    slots: &[&str],
    parameters: &[Parameter],
    tensors: &[(String, Tensor)],
) -> Result<Vec<State>, OptimError> {
    let mut saved: HashMap<&str, &Tensor> = tensors.iter().map(|(k, t)| (k.as_str(), t)).collect();
    let states = parameters
        .iter()
        .map(|p| {
            Ok(match &p.state {
                State::F32(_) => State::F32(read_buffers(slots, p, &mut saved)?),
                State::F64(_) => State::F64(read_buffers(slots, p, &mut saved)?),
            })
        })
        .collect::<Result<Vec<_>, OptimError>>()?;
    // The smallest name, so that the message does not depend on the map's order.
    match saved.keys().min() {
        Some(name) => Err(OptimError::StateUnexpected { name: name.to_string() }),
        None => Ok(states),
    }
}

fn read_buffers<T: Real>(
    slots: &[&str],
    p: &Parameter,
    saved: &mut HashMap<&str, &Tensor>,
) -> Result<Buffers<T>, OptimError> {
    let steps: Vec<i64> = take(saved, &key(STEP, &p.name), &Shape::from(1), DType::I64)?.to_vec1()?;
    let mut buffers = Buffers { steps: steps[0].max(0).unsigned_abs(), slots: Vec::new() };
    // All of a variable's buffers, or none: an optimiser makes them together, when it first needs them.
    if slots.iter().any(|slot| saved.contains_key(key(slot, &p.name).as_str())) {
        for slot in slots {
            let tensor = take(saved, &key(slot, &p.name), p.var.shape(), T::DTYPE)?;
            buffers.slots.push(tensor.flatten_all()?.to_vec1()?);
        }
    }
    Ok(buffers)
}

pub(crate) fn take(
    saved: &mut HashMap<&str, &Tensor>,
    name: &str,
    expected: &Shape,
    expected_dtype: DType,
) -> Result<Tensor, OptimError> {
    let tensor = saved.remove(name).ok_or_else(|| OptimError::StateMissing { name: name.to_string() })?;
    if tensor.shape() != expected || tensor.dtype() != expected_dtype {
        return Err(OptimError::State {
            name: name.to_string(),
            expected: expected.clone(),
            got: tensor.shape().clone(),
            expected_dtype,
            got_dtype: tensor.dtype(),
        });
    }
    Ok(tensor.to_device(&Device::Cpu)?)
}
