//! The backward passes: from the features' gradient to every parameter's.

mod points;

use super::lower::{Lowered, UnitKind};
use super::{Buf, NormId, Pass, Read, Size, Work};
use crate::graph::{Graph, NormKind, Role};

use points::{PointId, Points};

/// The passes, and the sizes of all tensors: those of the forward passes, then the gradients'.
pub(super) fn passes(graph: &Graph, lowered: &Lowered) -> (Vec<Pass>, Vec<Size>) {
    let learns = Learns::of(graph, lowered);
    let points = Points::of(lowered, &learns);
    let mut backward = Backward { graph, lowered, learns, points };
    backward.features();
    for unit in (0..lowered.units.len()).rev() {
        if backward.learns.tensors[unit] {
            backward.unit(unit);
        }
    }
    backward.points.into_passes()
}

/// What depends on a parameter that is trained.
struct Learns {
    tensors: Vec<bool>,
    norms: Vec<bool>,
}

impl Learns {
    fn of(graph: &Graph, lowered: &Lowered) -> Self {
        let trained = |parameter: usize| graph.parameters[parameter].role == Role::Trainable;
        let norm = |n: &crate::graph::NormLayer| trained(n.bias) || n.weight.is_some_and(trained);
        let mut learns = Self { tensors: Vec::new(), norms: graph.norms.iter().map(norm).collect() };
        for unit in &lowered.units {
            let weight = match unit.kind {
                UnitKind::Conv { conv, .. } => trained(graph.convs[conv].weight),
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
        let dy = self.tensor(unit.y);
        match &unit.kind {
            UnitKind::Images => {}
            UnitKind::Conv { conv, x } => {
                let layer = &self.graph.convs[*conv];
                if self.graph.parameters[layer.weight].role == Role::Trainable {
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
            let read = match (norm.filter(|&n| self.passes_statistics(n)), g) {
                (Some(norm), Read::Plain(g)) => Read::Gradient { g, y, norm },
                _ => g,
            };
            self.points.contribute(point, read);
        }
        self.points.settle(point)
    }

    /// Whether a gradient also flows through a norm's statistics. A bias has none.
    fn passes_statistics(&self, norm: NormId) -> bool {
        !matches!(self.graph.norms[norm].kind, NormKind::Bias)
    }
}

/// For each view that is never written: the unit that reads it and which of its reads that is.
type Place = (usize, usize);

/// A view over a tensor: its point and its norm.
type View = (PointId, Option<NormId>);
