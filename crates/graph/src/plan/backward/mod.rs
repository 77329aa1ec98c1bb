//! The backward passes: from the features' gradient to every parameter's, or to the input's.

mod points;

use super::lower::{Lowered, UnitKind};
use super::{Buf, NormId, Pass, Read, Size, Work};
use crate::graph::{Graph, NormKind, Role};

use points::{PointId, Points};

/// Whose gradients are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Those of the parameters that are trained; batch norms have statistics of the batch.
    Parameters,
    /// That of the images; batch norms have running statistics.
    Input,
}

/// The backward passes.
pub(super) struct Passes {
    pub passes: Vec<Pass>,
    /// Of all tensors: those of the forward passes, then the gradients.
    pub sizes: Vec<Size>,
    /// Where the gradient of the images is, if that is wanted.
    pub of_input: Option<Buf>,
}

/// The passes to the gradients that are wanted.
pub(super) fn passes(graph: &Graph, lowered: &Lowered, wanted: Wanted) -> Passes {
    let learns = Learns::of(graph, lowered, wanted);
    let points = Points::of(lowered, &learns);
    let mut backward = Backward { graph, lowered, learns, points };
    backward.features();
    for unit in (0..lowered.units.len()).rev() {
        if backward.learns.tensors[unit] {
            backward.unit(unit);
        }
    }
    let of_input = match wanted {
        Wanted::Parameters => None,
        // The images are the first tensor.
        Wanted::Input => {
            let gradient = backward.tensor(0);
            Some(backward.points.written(0, gradient))
        }
    };
    let (passes, sizes) = backward.points.into_passes();
    Passes { passes, sizes, of_input }
}

/// What depends on something whose gradient is wanted.
struct Learns {
    tensors: Vec<bool>,
    norms: Vec<bool>,
    weights: Vec<bool>,
    /// Norms that need sums of gradients: for parameters that are trained, or since their statistics depend on their input.
    summed: Vec<bool>,
}

impl Learns {
    fn of(graph: &Graph, lowered: &Lowered, wanted: Wanted) -> Self {
        let trained = |parameter: usize| {
            wanted == Wanted::Parameters && graph.parameters[parameter].role == Role::Trainable
        };
        let norm = |n: &crate::graph::NormLayer| trained(n.bias) || n.weight.is_some_and(trained);
        let summed = |n: &crate::graph::NormLayer| match n.kind {
            NormKind::Bias | NormKind::Batch { .. } => wanted == Wanted::Parameters,
            NormKind::Group(_) => true,
        };
        let mut learns = Self {
            tensors: Vec::new(),
            norms: graph.norms.iter().map(norm).collect(),
            weights: graph.convs.iter().map(|conv| trained(conv.weight)).collect(),
            summed: graph.norms.iter().map(summed).collect(),
        };
        for unit in &lowered.units {
            let weight = match unit.kind {
                UnitKind::Images => wanted == Wanted::Input,
                UnitKind::Conv { conv, .. } => learns.weights[conv],
                _ => false,
            };
            let any = weight || unit.kind.reads().iter().any(|read| learns.read(*read));
            learns.tensors.push(any);
        }
        learns
    }

    fn read(&self, read: Read) -> bool {
        match read {
            Read::Plain(x) => self.tensors[x],
            Read::Normalised { x, norm, .. } => self.tensors[x] || norm.is_some_and(|n| self.norms[n]),
            Read::Gradient { .. } | Read::Spread => false,
        }
    }
}

struct Backward<'a> {
    graph: &'a Graph,
    lowered: &'a Lowered,
    learns: Learns,
    points: Points,
}

impl Backward<'_> {
    /// The features' gradient goes to every pixel.
    fn features(&mut self) {
        let read = self.lowered.features;
        if self.learns.read(read) {
            let point = self.points.of_read(read, self.lowered.units.len(), 0);
            self.points.contribute(point, Read::Spread);
            if matches!(read, Read::Normalised { .. }) {
                self.points.settle(point);
            }
        }
    }

    /// From the gradient of what a unit leaves to that of what it reads.
    fn unit(&mut self, i: usize) {
        let unit = &self.lowered.units[i];
        if unit.kind == UnitKind::Images {
            return;
        }
        let dy = self.tensor(unit.y);
        match &unit.kind {
            UnitKind::Images => {}
            UnitKind::Conv { conv, x } => {
                if self.learns.weights[*conv] {
                    let work = Work::ConvWeightGradient { conv: *conv, x: *x, dy };
                    self.points.push(Pass { layer: unit.layer.clone(), work, write: None });
                }
                if self.learns.read(*x) {
                    let point = self.points.of_read(*x, i, 0);
                    self.points.pass(point, &unit.layer, Work::ConvInputGradient { conv: *conv, dy });
                }
                self.points.release(dy);
            }
            UnitKind::Pool { pool, x } => {
                let point = self.points.of_read(*x, i, 0);
                self.points.pass(point, &unit.layer, Work::PoolGradient { pool: *pool, dy });
                self.points.release(dy);
            }
            UnitKind::Join { terms } if terms.len() == 1 => {} // one point with its term
            UnitKind::Join { terms } => {
                for (term, read) in terms.iter().enumerate().filter(|(_, read)| self.learns.read(**read)) {
                    let point = self.points.of_read(*read, i, term);
                    if point != self.points.of_tensor(unit.y) {
                        self.points.contribute(point, dy);
                        if matches!(read, Read::Normalised { .. }) {
                            self.points.settle(point);
                        }
                    }
                }
            }
        }
    }

    /// The gradient of a tensor, with what the norms that read it make of theirs.
    fn tensor(&mut self, y: Buf) -> Read {
        let point = self.points.of_tensor(y);
        for (view, norm) in self.points.views_of(y) {
            let g = self.points.settle(view);
            let read = match norm.filter(|&n| self.multiplies(n)) {
                Some(norm) => Read::Gradient { g: self.points.written(view, g), y, norm },
                None => g,
            };
            self.points.contribute(point, read);
        }
        self.points.settle(point)
    }

    /// Whether a norm makes another gradient of its output's. A bias does not.
    fn multiplies(&self, norm: NormId) -> bool {
        !matches!(self.graph.norms[norm].kind, NormKind::Bias)
    }
}

/// For each view that is never written: the unit that reads it and which of its reads that is.
type Place = (usize, usize);

/// A view over a tensor: its point and its norm.
type View = (PointId, Option<NormId>);
