//! A network up to one of its layers.

use candle_core::{Tensor, Var};
use wick_graph::{Executor, Options};

use super::storage::read;
use super::{pixels, variables};
use crate::error::ModelError;
use crate::model::unknown_layer;
use crate::network::Network;

/// What a network computes of images up to the end of one of its [`layers`](crate::CifarModel::layers), compiled for the CPU: what
/// `forward_until` gives in evaluation, but for the order of rounding, in fewer passes.
#[derive(Debug)]
pub struct Trunk {
    executor: Executor,
    /// In the graph's order.
    variables: Vec<Var>,
}

impl Trunk {
    /// Compiles the layers of `network` up to `layer`, that one included. Variables are shared: what changes them changes what is
    /// computed.
    ///
    /// # Errors
    /// No such layer ([`ModelError::UnknownLayer`], wrapped); variables that are not f32 in the CPU's memory.
    pub fn new(network: &Network, layer: &str, options: Options) -> Result<Self, ModelError> {
        let known = network.model.layers();
        if !known.contains(&layer) {
            return Err(unknown_layer(known, layer).into());
        }
        let graph = network.architecture.graph(network.classes)?.until(layer)?;
        Ok(Self { variables: variables(network, &graph)?, executor: Executor::new(&graph, options)? })
    }

    /// The layer's output `(N, h, w, C)` of images `(N, H, W, C)` in f32, with the running statistics.
    ///
    /// # Errors
    /// Images of another shape.
    pub fn map(&mut self, images: &Tensor) -> Result<Tensor, ModelError> {
        let [height, width, channels] = self.executor.graph().features_of();
        let images = pixels(self.executor.graph(), images)?;
        let (n, device) = (images.dim(0)?, images.device().clone());
        let variables = self.variables.iter().map(|v| read(v)).collect::<Result<Vec<_>, _>>()?;
        let parameters = variables.iter().map(|v| v.values()).collect::<Result<Vec<_>, _>>()?;
        let images = read(&images)?;
        let map = self.executor.last_map(&parameters, images.values()?)?;
        Ok(Tensor::from_vec(map, (n, height, width, channels), &device)?)
    }
}
