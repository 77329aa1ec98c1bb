//! What a network's parameters are called and how they are shaped, without making them.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Device, Error, Result, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};

/// What a variable is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Training updates it by its gradient.
    Trainable,
    /// A parameter that training leaves as it is: it is handed to no optimiser, and has no gradient.
    Frozen,
    /// A running statistic, which the forward pass updates.
    Statistic,
}

impl Role {
    /// The role that a name's last part tells: `running_mean` and `running_var` are statistics, everything else is
    /// trainable. What is frozen, [`Architecture::role`](crate::Architecture::role) knows.
    pub fn of(name: &str) -> Self {
        match name.rsplit('.').next() {
            Some("running_mean" | "running_var") => Role::Statistic,
            _ => Role::Trainable,
        }
    }
}

/// The name, shape and role of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterSpec {
    /// Its name.
    pub name: String,
    /// Its shape in memory; filters are `(KH, KW, C_in, C_out)`.
    pub shape: Vec<usize>,
    /// What it is for.
    pub role: Role,
}

impl ParameterSpec {
    /// Its shape on disk, where filters are `(C_out, C_in, KH, KW)` and maps `(C, H, W)`.
    pub fn shape_on_disk(&self) -> Vec<usize> {
        match *self.shape {
            [kh, kw, c_in, c_out] => vec![c_out, c_in, kh, kw],
            [h, w, c] => vec![c, h, w],
            _ => self.shape.clone(),
        }
    }
}

/// Runs `build` on a builder that gives every parameter without its memory, and lists what was asked for, in order.
pub(crate) fn recorded(build: impl FnOnce(VarBuilder<'static>) -> Result<()>) -> Result<Vec<ParameterSpec>> {
    let recorder = Recorder::default();
    build(VarBuilder::from_backend(Box::new(recorder.clone()), DType::F32, Device::Cpu))?;
    let list = std::mem::take(&mut *recorder.0.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(list)
}

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<ParameterSpec>>>);

impl SimpleBackend for Recorder {
    fn get(&self, shape: Shape, name: &str, _: Init, dtype: DType, device: &Device) -> Result<Tensor> {
        let spec =
            ParameterSpec { name: name.to_owned(), shape: shape.dims().to_vec(), role: Role::of(name) };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(spec);
        // One zero, seen from every index.
        Tensor::zeros((), dtype, device)?.broadcast_as(shape)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        Err(Error::CannotFindTensor { path: name.to_owned() }.bt())
    }

    fn contains_tensor(&self, _: &str) -> bool {
        false
    }
}
