use super::Gradient;
use crate::OptimError;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The numbers that optimisers work on: `f32` and `f64`.
pub trait Real: candle_core::WithDType + std::ops::Neg<Output = Self> + sealed::Sealed {
    /// √self
    fn sqrt(self) -> Self;
}

impl Real for f32 {
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
}

impl Real for f64 {
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
}

/// What an optimiser remembers of one variable.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Buffers<T> {
    /// Updates so far, the one under way included.
    pub steps: u64,
    /// One buffer a slot of the rule, each as long as the variable; none before the rule first asks for them.
    pub(crate) slots: Vec<Vec<T>>,
}

impl<T: Real> Buffers<T> {
    /// The `N` buffers (as many as the rule has [slots](Rule::SLOTS)), made of zeros where there are none yet; and whether
    /// they were made just now.
    pub fn slots<const N: usize>(&mut self, length: usize) -> (&mut [Vec<T>; N], bool) {
        let fresh = self.slots.len() != N;
        if fresh {
            self.slots = vec![vec![T::zero(); length]; N];
        }
        match self.slots.as_mut_slice().try_into() {
            Ok(slots) => (slots, fresh),
            Err(_) => unreachable!("made with N buffers above"),
        }
    }
}

/// An optimiser's options and its arithmetic.
///
/// ```
/// use wick_optim::fused::{Buffers, Gradient, Real, Rule, update};
/// use wick_optim::{Fused, OptimError};
///
/// /// signSGD (Bernstein et al. 2018): steps of one size, in the direction of the gradient's sign.
/// #[derive(Clone)]
/// struct SignSgd(f64);
///
/// impl Rule for SignSgd {
///     const SLOTS: &'static [&'static str] = &[];
///     fn check(&self) -> Result<(), OptimError> { Ok(()) }
///     fn learning_rate(&self) -> f64 { self.0 }
///     fn with_learning_rate(&self, learning_rate: f64) -> Self { Self(learning_rate) }
///     fn weight_decay(&self) -> f64 { 0.0 }
///     fn with_weight_decay(&self, _: f64) -> Self { self.clone() }
///     fn momentum(&self) -> Option<f64> { None }
///     fn with_momentum(&self, _: f64) -> Option<Self> { None }
///     fn update<T: Real>(&self, parameter: &mut [T], gradient: Gradient<'_, T>, _: &mut Buffers<T>) {
///         let step = T::from_f64(self.0);
///         update(parameter, gradient, |p, g| {
///             if g > T::zero() { *p -= step } else if g < T::zero() { *p += step }
///         });
///     }
/// }
/// let optimizer = Fused::new(vec![], SignSgd(1e-3))?;
/// # Ok::<(), OptimError>(())
/// ```
pub trait Rule: Clone + Send + Sync {
    /// Names of the buffers that [`update`](Self::update) asks [`Buffers::slots`] for, as they are saved.
    const SLOTS: &'static [&'static str];

    /// Whether every option is in its range and goes with the others.
    ///
    /// # Errors
    /// [`OptimError::Option`] or [`OptimError::Conflict`], naming keys and values.
    fn check(&self) -> Result<(), OptimError>;

    /// The learning rate.
    fn learning_rate(&self) -> f64;

    /// The same options with another learning rate, unchecked.
    fn with_learning_rate(&self, learning_rate: f64) -> Self;

    /// The weight decay; 0 where there is none.
    fn weight_decay(&self) -> f64;

    /// The same options with another weight decay, unchecked; the same where there is none.
    #[must_use]
    fn with_weight_decay(&self, weight_decay: f64) -> Self;

    /// The momentum, or Adam's β₁.
    fn momentum(&self) -> Option<f64>;

    /// The same options with another momentum, unchecked; `None` where there is none to set.
    fn with_momentum(&self, momentum: f64) -> Option<Self>;

    /// One step of one variable: `parameter`, `gradient` and all buffers have the same length. The result must not
    /// depend on how the work is split between threads.
    fn update<T: Real>(&self, parameter: &mut [T], gradient: Gradient<'_, T>, buffers: &mut Buffers<T>);

    /// The same of a variable of that shape, for rules to which shapes matter: [`update`](Self::update) unless they say
    /// otherwise.
    ///
    /// # Errors
    /// Those of candle, for a rule that computes with it.
    fn update_shaped<T: Real>(
        &self,
        _shape: &[usize],
        parameter: &mut [T],
        gradient: Gradient<'_, T>,
        buffers: &mut Buffers<T>,
    ) -> candle_core::Result<()> {
        self.update(parameter, gradient, buffers);
        Ok(())
    }
}
