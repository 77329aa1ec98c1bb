//! Networks that are cut, and what computes them: the CPU's graphs stand in for a GPU's, which are planned alike.

use candle_core::{Device, Tensor};
use wick_graph::{Algorithm, Executor, Graph, Options};
use wick_models::{Architecture, Network, Role};
use wick_train::{Compute, Cut, TrainError};

#[path = "../../../../fixtures/golden/golden.rs"]
mod golden;

/// A network whose norms do something.
pub fn network(architecture: Architecture) -> Network {
    let network = Network::new(architecture, 10, 1, &Device::Cpu).unwrap();
    for (k, parameter) in network.parameters.all().into_iter().enumerate() {
        let (name, var) = (&parameter.name, &parameter.var);
        let is_norm = var.rank() == 1 && parameter.role != Role::Frozen;
        let around = if name.ends_with("weight") || name.ends_with("var") { 1.0 } else { 0.0 };
        if is_norm {
            let noise = golden::uniform(golden::SEED + k as u64, var.elem_count(), 0.2);
            let values = noise.iter().map(|v| around + v).collect();
            var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()).unwrap();
        }
    }
    network
}

/// `(n, 32, 32, 3)`
pub fn images(n: usize) -> Tensor {
    let pixels = golden::uniform(golden::SEED + 500, n * 32 * 32 * 3, 1.5);
    Tensor::from_vec(pixels, (n, 32, 32, 3), &Device::Cpu).unwrap()
}

/// The norm of the difference over the norm of what was expected.
pub fn distance(got: &Tensor, want: &Tensor) -> f64 {
    assert_eq!(got.dims(), want.dims());
    let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let square = |v: f32| f64::from(v).powi(2);
    let difference: f64 = flat(got).iter().zip(flat(want)).map(|(g, w)| square(g - w)).sum();
    (difference / flat(want).into_iter().map(square).sum::<f64>()).sqrt()
}

/// What computes a network that is cut behind a layer.
pub type Cutter<'c> = &'c dyn for<'n> Fn(&'n Network, &str) -> Box<dyn Cut + 'n>;

/// On this.
pub fn on<'n>(compute: &Compute, network: &'n Network, layer: &str) -> Box<dyn Cut + 'n> {
    compute.cut(network, layer).unwrap()
}

/// The graphs that a GPU would be given, on the CPU.
pub fn by_graphs<'n>(network: &'n Network, layer: &str) -> Box<dyn Cut + 'n> {
    let whole = network.architecture.graph(network.classes).unwrap();
    let half = |graph: Graph| {
        let value = |p: &wick_graph::Parameter| {
            network.parameters.get(&p.name).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        let values = graph.parameters().iter().map(value).collect();
        // By another algorithm than the CPU's trunk has, or maps would be compared with themselves.
        let options = Options { algorithm: Algorithm::Direct, ..Options::default() };
        Half { executor: Executor::new(&graph, options).unwrap(), values }
    };
    let [until, behind] = [whole.until(layer).unwrap(), whole.behind(layer).unwrap()].map(half);
    Box::new(Graphs { until, behind })
}

struct Half {
    executor: Executor,
    values: Vec<Vec<f32>>,
}

impl Half {
    fn ask<R>(&mut self, read: &Tensor, f: impl FnOnce(&mut Executor, &[&[f32]], &[f32]) -> R) -> R {
        let values: Vec<&[f32]> = self.values.iter().map(Vec::as_slice).collect();
        let read = read.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        f(&mut self.executor, &values, &read)
    }
}

struct Graphs {
    until: Half,
    behind: Half,
}

impl Cut for Graphs {
    fn map(&mut self, images: &Tensor) -> Result<Tensor, TrainError> {
        let [h, w, c] = self.behind.executor.graph().image();
        let map = self.until.ask(images, |graph, p, x| graph.last_map(p, x)).unwrap();
        Ok(Tensor::from_vec(map, (images.dim(0)?, h, w, c), &Device::Cpu)?)
    }

    fn logits(&mut self, map: &Tensor) -> Result<Tensor, TrainError> {
        let logits = self.behind.ask(map, |graph, p, x| graph.logits(p, x).map(<[f32]>::to_vec)).unwrap();
        let n = map.dim(0)?;
        Ok(Tensor::from_vec(logits.clone(), (n, logits.len() / n), &Device::Cpu)?)
    }

    fn gradient(&mut self, map: &Tensor, dlogits: &Tensor) -> Result<Tensor, TrainError> {
        let dlogits = dlogits.flatten_all()?.to_vec1::<f32>()?;
        let gradient = self.behind.ask(map, |graph, p, x| graph.input_gradient(p, x, &dlogits)).unwrap();
        Ok(Tensor::from_vec(gradient, map.shape(), &Device::Cpu)?)
    }
}
