//! Guided backpropagation (Springenberg et al. 2015, <https://arxiv.org/abs/1412.6806>).

use std::cell::Cell;

use candle_core::{Result, Tensor};
use wick_kernels::Activation;

thread_local! {
    static IN_SCOPE: Cell<ReluGradient> = const { Cell::new(ReluGradient::Plain) };
}

/// Runs `f` with the rectifiers that it applies on this thread guided, those that are fused with a norm or an addition too:
/// their backward passes, whenever they run, let a gradient through only where it is above 0, as well as their input.
///
/// What a network is differentiated with to see what an image's pixels speak for. GELU is no rectifier and stays as it is.
/// Scopes may be nested.
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// # fn main() -> candle_core::Result<()> {
/// let x = Var::new(&[[-1f32, 2., 3.]], &Device::Cpu)?;
/// let from_above = Tensor::new(&[[5f32, 5., -5.]], &Device::Cpu)?;
/// let y = wick_ops::guided_relus(|| wick_ops::relu(&x))?;
/// let gradients = (y * from_above)?.sum_all()?.backward()?;
/// assert_eq!(gradients.get(&x).unwrap().to_vec2::<f32>()?, [[0., 5., 0.]]);
/// # Ok(())
/// # }
/// ```
pub fn guided_relus<T>(f: impl FnOnce() -> T) -> T {
    struct Restore(ReluGradient);
    impl Drop for Restore {
        fn drop(&mut self) {
            IN_SCOPE.set(self.0);
        }
    }
    let _restore = Restore(IN_SCOPE.replace(ReluGradient::Guided));
    f()
}

/// What a rectifier makes of the gradient that reaches it, before it is masked by the input's sign.
#[derive(Clone, Copy)]
pub(crate) enum ReluGradient {
    Plain,
    /// Negative gradients become 0.
    Guided,
}

impl ReluGradient {
    /// That of an op with this activation, applied now.
    pub(crate) fn now(activation: Activation) -> Self {
        match activation {
            Activation::Relu => IN_SCOPE.get(),
            _ => Self::Plain,
        }
    }

    /// As kernels on a GPU are told: 1 for guided.
    #[cfg(feature = "cuda")]
    pub(crate) fn flag(self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Guided => 1,
        }
    }

    /// The gradient, contiguous.
    pub(crate) fn of(self, dy: &Tensor) -> Result<Tensor> {
        match self {
            Self::Plain => dy.contiguous(),
            Self::Guided => dy.relu()?.contiguous(),
        }
    }
}
