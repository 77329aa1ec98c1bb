//! Where networks are computed.

mod cut;

use candle_core::Tensor;
use wick_cuda::{CudaError, DRIVER, Determinism, Device, Executor, Numbers, Options};
use wick_models::{CompileOptions, Compiled, Network, Precision};

use crate::training::Cuda;
use crate::{Recipe, TrainError};

pub use cut::{Cut, Recorded};

/// The CPU, or a GPU.
#[derive(Debug, Clone, Default)]
pub enum Compute {
    /// The CPU.
    #[default]
    Cpu,
    /// An NVIDIA GPU.
    Cuda(Device, Determinism),
}

/// What is asked for: `auto`, `cpu`, `cuda`, `cuda:1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wanted {
    /// A GPU, if there is one with all that belongs to it; the CPU else.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU of that number.
    Cuda(usize),
}

impl std::str::FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "auto" => Ok(Self::Auto),
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", number)) => {
                let number = number.parse();
                number
                    .map(Self::Cuda)
                    .map_err(|_| format!("`{text}` names no GPU; the first one is `cuda:0`"))
            }
            _ => Err(format!("`{text}` is no device; there are `auto`, `cpu`, `cuda` and `cuda:1`")),
        }
    }
}

impl Wanted {
    /// Opens it, to train as a recipe says if one is given. Beside the CPU for `auto`: why it is not the GPU that there seems to be.
    ///
    /// # Errors
    /// What is missing for a GPU that was named.
    pub fn open(
        self,
        recipe: Option<&Recipe>,
        determinism: Determinism,
    ) -> Result<(Compute, Option<TrainError>), TrainError> {
        let open = |ordinal| Ok(Compute::Cuda(Device::open(ordinal)?, determinism));
        let checked = |compute| match recipe.map(Cuda::check) {
            Some(Err(why)) => Err(why),
            _ => Ok(compute),
        };
        match self {
            Self::Cpu => Ok((Compute::Cpu, None)),
            Self::Cuda(ordinal) => Ok((open(ordinal)?, None)),
            Self::Auto => Ok(match open(0).and_then(checked) {
                Ok(compute) => (compute, None),
                Err(TrainError::Cuda(CudaError::NoDevice { .. })) => (Compute::Cpu, None),
                Err(TrainError::Cuda(CudaError::NoLibrary { library: DRIVER, .. })) => (Compute::Cpu, None),
                Err(why) => (Compute::Cpu, Some(why)),
            }),
        }
    }
}

impl Compute {
    /// `cpu`, or the GPU's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda(device, _) => device.name(),
        }
    }

    /// `network` as it is now, to be judged.
    ///
    /// # Errors
    /// Variables that are not f32 in the CPU's memory; the device's.
    pub fn judge(&self, network: &Network, options: CompileOptions) -> Result<Box<dyn Logits>, TrainError> {
        match self {
            Self::Cpu => Ok(Box::new(Compiled::new(network, options)?)),
            Self::Cuda(device, determinism) => {
                let options = Options { numbers: numbers(options.precision), determinism: *determinism };
                let graph = network.architecture.graph(network.classes)?;
                let mut executor = Executor::new(device, &graph, options)?;
                let values = values(network, &graph)?;
                executor.set_parameters(&values.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
                Ok(Box::new(executor))
            }
        }
    }
}

/// What tells classes apart.
pub trait Logits {
    /// Logits `(N, classes)` of images `(N, H, W, 3)` in f32, with running statistics.
    ///
    /// # Errors
    /// Images of another shape; the device's.
    fn logits(&mut self, images: &Tensor) -> Result<Vec<f32>, TrainError>;
}

impl Logits for Compiled {
    fn logits(&mut self, images: &Tensor) -> Result<Vec<f32>, TrainError> {
        Ok(Self::logits(self, images)?.to_vec())
    }
}

impl Logits for Executor {
    fn logits(&mut self, images: &Tensor) -> Result<Vec<f32>, TrainError> {
        let pixels = images.flatten_all()?.to_vec1::<f32>()?;
        Ok(Self::logits(self, &pixels)?)
    }
}

/// In which numbers a GPU computes.
pub fn numbers(precision: Precision) -> Numbers {
    match precision {
        Precision::F32 => Numbers::F32,
        Precision::Bf16 => Numbers::Bf16,
    }
}

/// A network's variables, in the order of its graph's parameters.
///
/// # Errors
/// A parameter that the network has not.
pub fn values(network: &Network, graph: &wick_models::Graph) -> Result<Vec<Vec<f32>>, TrainError> {
    let of = |parameter: &wick_models::GraphParameter| {
        let name = &parameter.name;
        let variable = network.parameters.get(name).ok_or_else(|| {
            let error = wick_models::GraphError::UnknownParameter { name: name.clone() };
            TrainError::from(CudaError::from(error))
        })?;
        Ok(variable.flatten_all()?.to_vec1::<f32>()?)
    };
    graph.parameters().iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named() {
        let named = |text: &str| text.parse::<Wanted>();
        assert_eq!(named("auto"), Ok(Wanted::Auto));
        assert_eq!(named("cpu"), Ok(Wanted::Cpu));
        assert_eq!(named("cuda"), Ok(Wanted::Cuda(0)));
        assert_eq!(named("cuda:3"), Ok(Wanted::Cuda(3)));
        assert!(named("cuda:x").unwrap_err().contains("cuda:0"));
        assert!(named("gpu").unwrap_err().contains("`auto`"));
    }
}
