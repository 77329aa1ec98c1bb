//! The in-place update of a variable's storage.

use super::gradient::Treatment;
use super::norms::Sums;
use super::{Buffers, Gradient, Real, Rule};
use crate::OptimError;
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, DType, InplaceOp2, Layout, Storage, Tensor, Var, bail};
use std::cell::RefCell;

/// A variable's buffers, in the variable's type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum State {
    F32(Buffers<f32>),
    F64(Buffers<f64>),
}

impl State {
    pub(crate) fn new(name: &str, var: &Var) -> Result<Self, OptimError> {
        match var.dtype() {
            DType::F32 => Ok(Self::F32(Buffers::default())),
            DType::F64 => Ok(Self::F64(Buffers::default())),
            got => Err(OptimError::VariableDType { name: name.to_string(), got }),
        }
    }

    pub(crate) fn steps(&self) -> u64 {
        match self {
            Self::F32(b) => b.steps,
            Self::F64(b) => b.steps,
        }
    }
}

/// One step of `var` by `rule`. The shapes and types of `var` and `gradient` are alike.
pub(crate) fn apply<R: Rule>(
    rule: &R,
    var: &Var,
    gradient: &Tensor,
    treatment: Treatment,
    state: &mut State,
) -> candle_core::Result<()> {
    let gradient = gradient.contiguous()?;
    var.inplace_op2(&gradient, &Step { rule, treatment, state: RefCell::new(state) })
}

/// The sums over a variable and its gradient, of like shapes and types.
pub(super) fn sums(var: &Var, gradient: &Tensor, l1: f64) -> candle_core::Result<Sums> {
    let (var, gradient) = (var.contiguous()?, gradient.contiguous()?);
    let (p, g) = (var.storage_and_layout(), gradient.storage_and_layout());
    let (Some(at), Some(from)) = (p.1.contiguous_offsets(), g.1.contiguous_offsets()) else {
        bail!("sums of gradients: the variable and its gradient must be contiguous")
    };
    match (&*p.0, &*g.0) {
        (Storage::Cpu(CpuStorage::F32(p)), Storage::Cpu(CpuStorage::F32(g))) => {
            Ok(Sums::of(&p[at.0..at.1], &g[from.0..from.1], l1))
        }
        (Storage::Cpu(CpuStorage::F64(p)), Storage::Cpu(CpuStorage::F64(g))) => {
            Ok(Sums::of(&p[at.0..at.1], &g[from.0..from.1], l1))
        }
        _ => bail!("sums of gradients: {:?} variable, {:?} gradient", var.dtype(), gradient.dtype()),
    }
}

/// candle hands an in-place op one mutable storage only; the buffers are ours and ride along.
struct Step<'a, R> {
    rule: &'a R,
    treatment: Treatment,
    state: RefCell<&'a mut State>,
}

impl<R: Rule> InplaceOp2 for Step<'_, R> {
    fn name(&self) -> &'static str {
        "optimiser step"
    }

    fn cpu_fwd(
        &self,
        parameter: &mut CpuStorage,
        parameter_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<()> {
        let (Some(to), Some(from)) =
            (parameter_layout.contiguous_offsets(), gradient_layout.contiguous_offsets())
        else {
            bail!("{}: the variable and its gradient must be contiguous", self.name())
        };
        let shape = parameter_layout.dims();
        match (parameter, gradient, &mut **self.state.borrow_mut()) {
            (CpuStorage::F32(p), CpuStorage::F32(g), State::F32(buffers)) => {
                let gradient = Gradient::new(&g[from.0..from.1], self.treatment);
                run(self.rule, shape, &mut p[to.0..to.1], gradient, buffers)
            }
            (CpuStorage::F64(p), CpuStorage::F64(g), State::F64(buffers)) => {
                let gradient = Gradient::new(&g[from.0..from.1], self.treatment);
                run(self.rule, shape, &mut p[to.0..to.1], gradient, buffers)
            }
            (p, g, _) => bail!("{}: {:?} variable, {:?} gradient", self.name(), p.dtype(), g.dtype()),
        }
    }
}

fn run<R: Rule, T: Real>(
    rule: &R,
    shape: &[usize],
    parameter: &mut [T],
    gradient: Gradient<'_, T>,
    buffers: &mut Buffers<T>,
) -> candle_core::Result<()> {
    buffers.steps += 1;
    rule.update_shaped(shape, parameter, gradient, buffers)
}
