//! Passes over a variable's memory and a copy beside it.

use crate::OptimError;
use crate::fused::{CHUNK, Real};
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, DType, Device, InplaceOp1, Layout, Tensor, Var, bail};
use rayon::prelude::*;
use std::cell::RefCell;

/// As many values as a variable has, in its type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Pass {
    /// `values ← variable`
    Take,
    /// `values ← values + weight·(variable − values)`
    Mix(f64),
    /// `variable ← values`
    Give,
    /// Each takes the other's.
    Swap,
}

impl Values {
    /// Those of `tensor`, which is `var` or of its shape and type.
    pub(super) fn of(name: &str, tensor: &Tensor) -> Result<Self, OptimError> {
        let flat = tensor.flatten_all()?;
        match tensor.dtype() {
            DType::F32 => Ok(Self::F32(flat.to_vec1()?)),
            DType::F64 => Ok(Self::F64(flat.to_vec1()?)),
            got => Err(OptimError::VariableDType { name: name.to_string(), got }),
        }
    }

    pub(super) fn tensor(&self, like: &Var) -> candle_core::Result<Tensor> {
        match self {
            Self::F32(values) => Tensor::from_slice(values, like.shape(), &Device::Cpu),
            Self::F64(values) => Tensor::from_slice(values, like.shape(), &Device::Cpu),
        }
    }

    pub(super) fn pass(&mut self, var: &Var, pass: Pass) -> candle_core::Result<()> {
        var.inplace_op1(&Beside { pass, values: RefCell::new(self) })
    }
}

/// candle hands an in-place op one mutable storage only; the copy is ours and rides along.
struct Beside<'a> {
    pass: Pass,
    values: RefCell<&'a mut Values>,
}

impl InplaceOp1 for Beside<'_> {
    fn name(&self) -> &'static str {
        "average"
    }

    fn cpu_fwd(&self, variable: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            bail!("{}: the variable must be contiguous", self.name())
        };
        match (variable, &mut **self.values.borrow_mut()) {
            (CpuStorage::F32(v), Values::F32(values)) => run(self.pass, &mut v[start..end], values),
            (CpuStorage::F64(v), Values::F64(values)) => run(self.pass, &mut v[start..end], values),
            (v, _) => bail!("{}: {:?} variable", self.name(), v.dtype()),
        }
        Ok(())
    }
}

fn run<T: Real>(pass: Pass, variable: &mut [T], values: &mut [T]) {
    variable.par_chunks_mut(CHUNK).zip(values.par_chunks_mut(CHUNK)).for_each(
        |(variable, values)| match pass {
            Pass::Take => values.copy_from_slice(variable),
            Pass::Mix(weight) => {
                let weight = T::from_f64(weight);
                for (value, &v) in values.iter_mut().zip(&*variable) {
                    *value += weight * (v - *value);
                }
            }
            Pass::Give => variable.copy_from_slice(values),
            Pass::Swap => variable.swap_with_slice(values),
        },
    );
}
