//! Cross-entropy.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};

use crate::apply::{apply1, expect_shape, input, output, slice, tensor, with_slice};
use crate::error::{OpsError, kernel};

const OP: &str = "cross_entropy";

/// Mean cross-entropy of softmax(logits) against class indices, as PyTorch's `F.cross_entropy`.
///
/// `logits` is `(N, K)` f32, `targets` `(N)` u32 in `0..K`; the result is a scalar in nats. With smoothing `s` the
/// target distribution is `(1 − s)·onehot + s/K` (Szegedy et al. 2016, <https://arxiv.org/abs/1512.00567>).
///
/// # Errors
/// Other shapes, types or devices; a target out of range (on a GPU the loss is NaN instead: to find out would take a wait); smoothing outside
/// `0..=1`.
pub fn cross_entropy(logits: &Tensor, targets: &Tensor, label_smoothing: f64) -> Result<Tensor> {
    let &[batch, classes] = logits.dims() else {
        let got = logits.dims().to_vec();
        return Err(OpsError::Rank { op: OP, tensor: "logits", expected: "(N, K)", got }.into());
    };
    expect_shape(OP, "targets", targets, &[batch])?;
    if targets.dtype() != DType::U32 {
        let got = targets.dtype();
        return Err(OpsError::DType { op: OP, tensor: "targets", expected: DType::U32, got }.into());
    }
    #[cfg(feature = "cuda")]
    if logits.device().is_cuda() {
        return crate::cuda::cross_entropy(logits, targets, label_smoothing as f32);
    }
    let targets = targets.to_vec1()?;
    let op = CrossEntropy { targets, classes, label_smoothing: label_smoothing as f32 };
    apply1(&input(OP, "logits", logits)?, op)
}

struct CrossEntropy {
    targets: Vec<u32>,
    classes: usize,
    label_smoothing: f32,
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        OP
    }

    fn cpu_fwd(&self, logits: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let logits = slice(OP, logits, layout)?;
        let loss =
            wick_kernels::cross_entropy_forward(logits, self.classes, &self.targets, self.label_smoothing)
                .map_err(kernel(OP))?;
        Ok(output(vec![loss], ()))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, dloss: &Tensor) -> Result<Option<Tensor>> {
        let mut gradient = vec![0.0; logits.elem_count()];
        with_slice(OP, logits, |z| {
            wick_kernels::cross_entropy_backward(
                z,
                self.classes,
                &self.targets,
                self.label_smoothing,
                &mut gradient,
            )
            .map_err(kernel(OP))
        })?;
        let scale = dloss.to_scalar::<f32>()?;
        if scale != 1.0 {
            gradient.iter_mut().for_each(|g| *g *= scale);
        }
        tensor(gradient, logits.shape()).map(Some)
    }
}
