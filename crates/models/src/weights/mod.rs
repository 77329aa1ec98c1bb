//! Weights on disk: safetensors out; safetensors and PyTorch's `.pth` in.
//!
//! Tensors carry the names of PyTorch's modules (for ResNets kuangliu/pytorch-cifar's) and PyTorch's layouts, filters
//! `(O, I, KH, KW)`, so that either side reads the other's. Reading casts f16, bf16 and f64 to f32, and strips the prefixes `module.`
//! (of `DataParallel`) and `_orig_mod.` (of `torch.compile`).

mod checkpoint;
mod compare;
mod layout;
mod metadata;
mod pickle;
mod pth;
mod safe;
mod write;

pub use checkpoint::Checkpoint;
pub use metadata::{Metadata, Normalisation};
pub use write::save;

/// PyTorch's count of batches beside each running statistic. Nothing here reads it; `load_state_dict(strict=True)`
/// wants it to be there.
const BATCH_COUNTER: &str = "num_batches_tracked";

fn is_batch_counter(name: &str) -> bool {
    name.rsplit('.').next() == Some(BATCH_COUNTER)
}
