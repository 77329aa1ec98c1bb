//! A network in two parts, to look at what goes from one to the other.

use candle_core::{Tensor, Var};
use wick_cuda::{CudaError, Determinism, Device, Executor, Numbers, Options};
use wick_models::{CompileOptions, Mode, ModelError, Network, Trunk};

use super::{Compute, values};
use crate::TrainError;

/// A network that is cut behind one of its layers, with running statistics and nothing dropped. In f32. Its variables may have been read once,
/// when it was cut: after they change, it is to be cut again.
pub trait Cut {
    /// What the layer leaves of images `(N, H, W, 3)`: `(N, h, w, C)`.
    ///
    /// # Errors
    /// Images of another shape; the device's.
    fn map(&mut self, images: &Tensor) -> Result<Tensor, TrainError>;

    /// Logits `(N, classes)` of what the layer leaves.
    ///
    /// # Errors
    /// Maps of another shape; the device's.
    fn logits(&mut self, map: &Tensor) -> Result<Tensor, TrainError>;

    /// The gradient of something with respect to what the layer leaves, `(N, h, w, C)`, from that with respect to the logits.
    ///
    /// # Errors
    /// Tensors of other shapes; the device's.
    fn gradient(&mut self, map: &Tensor, dlogits: &Tensor) -> Result<Tensor, TrainError>;
}

/// Whether candle's autograd goes back through a computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It does.
    ByCandle,
    /// It sees no more than the result.
    ByNobody,
}

impl Compute {
    /// Whether candle's autograd goes back from logits to the maps that a network [cut](Self::cut) here makes them of.
    pub fn recorded(&self) -> Recorded {
        match self {
            Self::Cpu => Recorded::ByCandle,
            Self::Cuda(..) => Recorded::ByNobody,
        }
    }

    /// `network`, cut behind `layer`.
    ///
    /// # Errors
    /// No such layer; variables that are not f32 in the CPU's memory; the device's.
    pub fn cut<'a>(&self, network: &'a Network, layer: &str) -> Result<Box<dyn Cut + 'a>, TrainError> {
        match self {
            Self::Cpu => {
                let trunk = Trunk::new(network, layer, CompileOptions::default())?;
                Ok(Box::new(OnCpu { network, layer: layer.to_owned(), trunk }))
            }
            Self::Cuda(device, determinism) => {
                Ok(Box::new(OnGpu::new((device, *determinism), network, layer)?))
            }
        }
    }
}

/// Images by a compiled trunk, what is behind it by candle, which records it.
struct OnCpu<'a> {
    network: &'a Network,
    layer: String,
    trunk: Trunk,
}

impl Cut for OnCpu<'_> {
    fn map(&mut self, images: &Tensor) -> Result<Tensor, TrainError> {
        Ok(self.trunk.map(images)?)
    }

    fn logits(&mut self, map: &Tensor) -> Result<Tensor, TrainError> {
        Ok(self.network.model.forward_from(map, &self.layer, Mode::Evaluate)?)
    }

    fn gradient(&mut self, map: &Tensor, dlogits: &Tensor) -> Result<Tensor, TrainError> {
        let map = Var::from_tensor(&map.detach())?;
        let score = (self.logits(&map)? * dlogits)?.sum_all()?;
        let gradient = score.backward()?.remove(&map);
        // What does not depend on the map has no gradient in the store.
        Ok(gradient.map_or_else(|| map.zeros_like(), Ok)?)
    }
}

/// Two graphs, each with its own values.
struct OnGpu {
    until: Executor,
    behind: Executor,
    /// `(H, W, C)` of an image.
    image: [usize; 3],
    /// `(h, w, C)` of what the layer leaves.
    map: [usize; 3],
}

impl OnGpu {
    fn new(
        (device, determinism): (&Device, Determinism),
        network: &Network,
        layer: &str,
    ) -> Result<Self, TrainError> {
        let whole = network.architecture.graph(network.classes)?;
        let graph = |part: Result<wick_models::Graph, wick_models::GraphError>| part.map_err(CudaError::from);
        let (until, behind) = (graph(whole.until(layer))?, graph(whole.behind(layer))?);
        let executor = |graph: &wick_models::Graph| -> Result<Executor, TrainError> {
            let mut executor = Executor::new(device, graph, Options { numbers: Numbers::F32, determinism })?;
            let values = values(network, graph)?;
            executor.set_parameters(&values.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
            Ok(executor)
        };
        let (image, map) = (whole.image(), behind.image());
        Ok(Self { until: executor(&until)?, behind: executor(&behind)?, image, map })
    }
}

impl Cut for OnGpu {
    fn map(&mut self, images: &Tensor) -> Result<Tensor, TrainError> {
        let (n, pixels) = flat(images, self.image)?;
        let [h, w, c] = self.map;
        Ok(Tensor::from_vec(self.until.last_map(&pixels)?, (n, h, w, c), images.device())?)
    }

    fn logits(&mut self, map: &Tensor) -> Result<Tensor, TrainError> {
        let (n, values) = flat(map, self.map)?;
        let classes = self.behind.graph().classes();
        Ok(Tensor::from_vec(self.behind.logits(&values)?, (n, classes), map.device())?)
    }

    fn gradient(&mut self, map: &Tensor, dlogits: &Tensor) -> Result<Tensor, TrainError> {
        let (_, values) = flat(map, self.map)?;
        let dlogits = dlogits.flatten_all()?.to_vec1::<f32>()?;
        let gradient = self.behind.input_gradient(&values, &dlogits)?;
        Ok(Tensor::from_vec(gradient, map.shape(), map.device())?)
    }
}

/// How many maps of that shape a tensor holds, and their values.
fn flat(maps: &Tensor, expected: [usize; 3]) -> Result<(usize, Vec<f32>), TrainError> {
    match maps.dims() {
        [n, rest @ ..] if rest == expected.as_slice() => Ok((*n, maps.flatten_all()?.to_vec1::<f32>()?)),
        got => Err(ModelError::Images { expected, got: got.to_vec() }.into()),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use wick_models::Architecture;

    use super::*;

    /// The CPU's parts are the network, and its gradient is what candle makes of the logits by itself.
    #[test]
    fn parts_are_the_network() {
        let network = Network::new(Architecture::Speedrun, 10, 3, &Device::Cpu).unwrap();
        let waves =
            Tensor::arange(0f32, 6144.0, &Device::Cpu).unwrap().affine(0.37, 0.0).unwrap().sin().unwrap();
        let images = waves.reshape((2, 32, 32, 3)).unwrap();
        let want = network.model.forward_t(&images, false).unwrap().to_vec2::<f32>().unwrap();
        for layer in network.model.layers() {
            let mut cut = Compute::Cpu.cut(&network, layer).unwrap();
            assert_eq!(Compute::Cpu.recorded(), Recorded::ByCandle);
            let map = Var::from_tensor(&cut.map(&images).unwrap()).unwrap();
            let logits = cut.logits(&map).unwrap();
            let far = |a: &f32, b: &f32| (a - b).abs() > 1e-4 * b.abs().max(1.0);
            let got = logits.to_vec2::<f32>().unwrap().concat();
            assert!(!got.iter().zip(want.concat()).any(|(a, b)| far(a, &b)), "{layer}: {got:?} {want:?}");
            let score = logits.narrow(1, 4, 1).unwrap().sum_all().unwrap();
            let by_candle = score.backward().unwrap().remove(&map).unwrap();
            let mut dlogits = vec![0f32; 20];
            (dlogits[4], dlogits[14]) = (1.0, 1.0);
            let dlogits = Tensor::from_vec(dlogits, (2, 10), &Device::Cpu).unwrap();
            let values = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(values(cut.gradient(&map, &dlogits).unwrap()), values(by_candle), "{layer}");
        }
        let said = Compute::Cpu.cut(&network, "layer9").err().unwrap().to_string();
        assert!(said.contains("layer9") && said.contains("whiten"), "{said}");
    }

    #[test]
    fn maps_of_another_shape_are_refused() {
        let map = Tensor::zeros((2, 4, 4, 7), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert_eq!(flat(&map, [4, 4, 7]).unwrap(), (2, vec![0.0; 2 * 4 * 4 * 7]));
        let said = flat(&map, [4, 4, 8]).unwrap_err().to_string();
        assert!(said.contains("4, 4, 8") && said.contains("[2, 4, 4, 7]"), "{said}");
    }
}
