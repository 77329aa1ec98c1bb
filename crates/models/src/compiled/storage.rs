//! Tensors' memory as slices.

use std::cell::RefCell;
use std::ops::Deref;

use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Storage, Tensor, bail};

/// A tensor's memory, locked for reading.
pub(super) struct Reading<'a, G> {
    storage: G,
    layout: &'a Layout,
}

/// Locks a tensor's memory for reading.
pub(super) fn read(tensor: &Tensor) -> Result<Reading<'_, impl Deref<Target = Storage> + '_>> {
    let (storage, layout) = tensor.storage_and_layout();
    Ok(Reading { storage, layout })
}

impl<G: Deref<Target = Storage>> Reading<'_, G> {
    /// The values, which must be f32, in one piece and in the CPU's memory.
    pub fn values(&self) -> Result<&[f32]> {
        let Storage::Cpu(cpu) = &*self.storage else {
            bail!("a compiled network runs on the CPU; move its variables and images there")
        };
        let Some((start, end)) = self.layout.contiguous_offsets() else {
            bail!("a compiled network reads tensors in one piece; make them contiguous")
        };
        Ok(&cpu.as_slice::<f32>()?[start..end])
    }
}

/// Runs `f` on a tensor's own memory. The tensor is f32 and owns all of it.
pub(super) fn in_place(tensor: &Tensor, f: impl FnOnce(&mut Vec<f32>)) -> Result<()> {
    tensor.inplace_op1(&InPlace(RefCell::new(Some(f))))
}

struct InPlace<F>(RefCell<Option<F>>);

impl<F: FnOnce(&mut Vec<f32>)> InplaceOp1 for InPlace<F> {
    fn name(&self) -> &'static str {
        "in place"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, _: &Layout) -> Result<()> {
        let CpuStorage::F32(values) = storage else { bail!("a compiled network's variables are f32") };
        self.0.take().into_iter().for_each(|f| f(values));
        Ok(())
    }
}
