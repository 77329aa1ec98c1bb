use crate::fused::Rule;
use crate::{
    Adam, AdamOptions, AdamW, AdamWOptions, Fused, GradientOptions, Group, Muon, MuonOptions, OptimError,
    Optimizer, RmsProp, RmsPropOptions, Sgd, SgdOptions,
};
use candle_core::Var;
use serde::{Deserialize, Serialize};

/// An optimiser as data: `kind = "sgd" | "adam" | "adamw" | "rmsprop" | "muon"` beside the keys of its options. Unknown keys are refused.
///
/// ```
/// # #[derive(serde::Deserialize)] struct File { optimizer: wick_optim::OptimizerConfig }
/// let file: File = toml::from_str(
///     r#"
///     [optimizer]
///     kind = "sgd"
///     lr = 0.1
///     momentum = { nesterov = 0.9 }
///     weight_decay = 5e-4
///     "#,
/// )?;
/// assert_eq!(file.optimizer.momentum(), Some(0.9));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OptimizerConfig {
    /// [`Sgd`]
    Sgd(SgdOptions),
    /// [`Adam`]
    Adam(AdamOptions),
    /// [`AdamW`]
    #[serde(rename = "adamw")]
    AdamW(AdamWOptions),
    /// [`RmsProp`]
    #[serde(rename = "rmsprop")]
    RmsProp(RmsPropOptions),
    /// [`Muon`]
    Muon(MuonOptions),
}

impl OptimizerConfig {
    /// Whether every option is in its range and goes with the others.
    ///
    /// # Errors
    /// [`OptimError::Option`] or [`OptimError::Conflict`], naming keys and values.
    pub fn check(&self) -> Result<(), OptimError> {
        match self {
            Self::Sgd(o) => o.check(),
            Self::Adam(o) => o.check(),
            Self::AdamW(o) => o.check(),
            Self::RmsProp(o) => o.check(),
            Self::Muon(o) => o.check(),
        }
    }

    /// The learning rate at the start.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd(o) => o.learning_rate(),
            Self::Adam(o) => o.learning_rate(),
            Self::AdamW(o) => o.learning_rate(),
            Self::RmsProp(o) => o.learning_rate(),
            Self::Muon(o) => o.learning_rate(),
        }
    }

    /// The momentum (Adam's: β₁) at the start, if the optimiser has one.
    pub fn momentum(&self) -> Option<f64> {
        match self {
            Self::Sgd(o) => o.momentum(),
            Self::Adam(o) => o.momentum(),
            Self::AdamW(o) => o.momentum(),
            Self::RmsProp(o) => o.momentum(),
            Self::Muon(o) => o.momentum(),
        }
    }

    /// The optimiser of `variables`.
    ///
    /// # Errors
    /// Those of [`Fused::new`](crate::Fused::new).
    pub fn build(&self, variables: Vec<(String, Var)>) -> Result<Box<dyn Optimizer>, OptimError> {
        self.build_with(variables, GradientOptions::default(), &[])
    }

    /// The same, with gradients penalised and clipped, and groups of variables optimised otherwise.
    ///
    /// # Errors
    /// Those of [`Fused::new`](crate::Fused::new), [`Fused::with_gradients`](crate::Fused::with_gradients) and
    /// [`Fused::with_groups`](crate::Fused::with_groups).
    pub fn build_with(
        &self,
        variables: Vec<(String, Var)>,
        gradients: GradientOptions,
        groups: &[Group],
    ) -> Result<Box<dyn Optimizer>, OptimError> {
        fn boxed<R: Rule + 'static>(
            optimizer: Fused<R>,
            gradients: GradientOptions,
            groups: &[Group],
        ) -> Result<Box<dyn Optimizer>, OptimError> {
            Ok(Box::new(optimizer.with_gradients(gradients)?.with_groups(groups)?))
        }
        match *self {
            Self::Sgd(o) => boxed(Sgd::new(variables, o)?, gradients, groups),
            Self::Adam(o) => boxed(Adam::new(variables, o)?, gradients, groups),
            Self::AdamW(o) => boxed(AdamW::new(variables, o)?, gradients, groups),
            Self::RmsProp(o) => boxed(RmsProp::new(variables, o)?, gradients, groups),
            Self::Muon(o) => boxed(Muon::new(variables, o)?, gradients, groups),
        }
    }
}
