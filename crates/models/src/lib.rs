//! Convolutional networks for CIFAR as candle modules, their summary, their weights in and out.
//!
//! Images and activations are f32 and channels-last, `(N, H, W, C)`; filters in memory are `(KH, KW, C_in, C_out)`.
//! On disk they have PyTorch's names and layouts.
//!
//! ```
//! use candle_core::{Device, ModuleT, Tensor};
//! use wick_models::{Architecture, Mode, Network};
//!
//! let network = Network::new(Architecture::ResNet18, 10, 42, &Device::Cpu)?;
//! let images = Tensor::zeros((2, 32, 32, 3), candle_core::DType::F32, &Device::Cpu)?;
//! let logits = network.model.forward_t(&images, false)?;
//! assert_eq!(logits.dims(), [2, 10]);
//!
//! // Cut after a layer, as an explanation does.
//! let features = network.model.forward_until(&images, "layer4", Mode::Evaluate)?;
//! assert_eq!(features.dims(), [2, 4, 4, 512]);
//!
//! assert_eq!(Architecture::ResNet18.summary(10, 32)?.parameters, 11_173_962);
//! # Ok::<(), wick_models::ModelError>(())
//! ```

mod architecture;
mod compiled;
mod custom_resnet;
mod error;
pub mod layers;
mod model;
mod network;
mod parameters;
mod resnet;
mod speedrun;
mod summary;
pub mod weights;

pub use architecture::{Architecture, build};
pub use compiled::{Compiled, Step, Trunk};
pub use custom_resnet::{CustomResNet, CustomResNetConfig, CustomResNetVariant};
pub use error::{Difference, Mismatch, ModelError};
pub use model::{CifarModel, Mode, Model};
pub use network::Network;
pub use parameters::{Parameter, ParameterSpec, Parameters, Role};
pub use resnet::{BasicBlock, ResNet, ResNetConfig};
pub use speedrun::{SpeedrunConfig, SpeedrunNet, start_speedrun, whitening_filters};
pub use summary::{Cost, Outline, Summary, SummaryRow};
pub use weights::{Checkpoint, Metadata, Normalisation};
pub use wick_graph::{
    Algorithm, Batch as GraphBatch, Graph, GraphError, LEAST_PART, Mixed, Options as CompileOptions,
    Parameter as GraphParameter, Precision, ProfileRow, Profiling, Role as GraphRole, StepOptions, parts,
};
