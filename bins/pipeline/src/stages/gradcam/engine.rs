//! What computes a network for its explanation: on the CPU or a GPU, cut behind each layer that is looked at.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use candle_core::{Error, Tensor};
use wick_gradcam::Layer;
use wick_models::{Mode, Network};
use wick_train::{Compute, Cut, Recorded, TrainError};

/// A network and its parts before and behind each layer that was looked at.
pub struct Engine<'a> {
    compute: Compute,
    network: &'a Network,
    cuts: RefCell<HashMap<String, Box<dyn Cut + 'a>>>,
}

impl<'a> Engine<'a> {
    pub fn new(compute: &Compute, network: &'a Network) -> Self {
        Self { compute: compute.clone(), network, cuts: RefCell::default() }
    }

    /// The network, cut in two behind a layer.
    pub fn layer<'b>(&'b self, name: &'b str) -> Layer<'b> {
        let layer = Layer::new(
            name,
            move |x: &Tensor| self.with(name, |cut| cut.map(x)),
            move |a: &Tensor| self.with(name, |cut| cut.logits(a)),
        );
        let layer = match self.compute.recorded() {
            Recorded::ByCandle => layer,
            Recorded::ByNobody => layer.differentiated(move |a: &Tensor, dlogits: &Tensor| {
                self.with(name, |cut| cut.gradient(a, dlogits))
            }),
        };
        // Rectifiers are guided in candle's own record alone.
        let model = self.network.model.as_ref();
        layer.guided(move |x: &Tensor| {
            wick_ops::guided_relus(|| {
                let a = model.forward_until(x, name, Mode::Evaluate)?;
                model.forward_from(&a, name, Mode::Evaluate)
            })
        })
    }

    /// Asks the network that is cut behind `layer`.
    fn with(
        &self,
        layer: &str,
        ask: impl FnOnce(&mut dyn Cut) -> Result<Tensor, TrainError>,
    ) -> Result<Tensor, Error> {
        let mut cuts = self.cuts.borrow_mut();
        let cut = match cuts.entry(layer.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(self.compute.cut(self.network, layer).map_err(Error::wrap)?),
        };
        ask(cut.as_mut()).map_err(Error::wrap)
    }
}
