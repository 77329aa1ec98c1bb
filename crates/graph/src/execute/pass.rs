//! One pass: its description turned into the kernel's arguments.

use wick_kernels::fused::{
    self, Algorithm, Coefficients, Epilogue, Extent, Gate as KernelGate, Sink, Source, Write as Mode,
};
use wick_kernels::{Conv2dShape, Element, Pool2dShape};

use super::arena::Tensors;
use super::norm::Norm;
use super::packed::Packed;
use crate::GraphError;
use crate::graph::{Graph, NormKind};
use crate::plan::{Finish, Gate, NormId, Pass, Plan, Point, Read, Work, Write};

/// What passes read besides tensors.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub graph: &'a Graph,
    pub plan: &'a Plan,
    pub algorithm: Algorithm,
    pub images: usize,
    pub pixels: &'a [f32],
    pub parameters: &'a [&'a [f32]],
    pub norms: &'a [Norm],
    /// Where in what the arena keeps weights lie ready.
    pub packed: &'a Packed,
    /// As many as the widest map has channels.
    pub ones: &'a [f32],
    pub zeros: &'a [f32],
    /// The features' gradient over the number of pixels.
    pub spread: &'a [f32],
}

/// What passes write besides tensors.
#[derive(Debug)]
pub(super) struct Outputs<'a> {
    pub sums: &'a mut Vec<f32>,
    pub indices: &'a mut [Vec<u8>],
    pub features: &'a mut [f32],
    pub gradients: &'a mut [Vec<f32>],
    pub keeps_indices: bool,
}

impl Context<'_> {
    pub fn run<E: Element>(
        &self,
        pass: &Pass,
        mut tensors: Tensors<'_, E>,
        out: Outputs<'_>,
    ) -> Result<(), GraphError> {
        let algorithm = self.algorithm;
        let to = tensors.written.take().unwrap_or_default();
        let mut sink = Sink::plain(to);
        if let Some(write) = &pass.write {
            out.sums.resize(self.images * sums_a_channel(self.graph, write) * self.channels(write), 0.0);
            sink = self.sink(write, &tensors, sink, out.sums);
        }
        match &pass.work {
            Work::Images => {
                sink.to.iter_mut().zip(self.pixels).for_each(|(to, value)| *to = E::from_f32(*value));
            }
            Work::Conv { conv, x } => {
                let (shape, x) = (self.conv(*conv), self.source(*x, &tensors));
                if let Some(place) = self.packed.place(*conv) {
                    fused::conv2d_packed(&shape, algorithm, x, &tensors.kept[place], sink)?;
                } else {
                    let weight = self.parameters[self.graph.convs[*conv].weight];
                    fused::conv2d(&shape, algorithm, x, weight, sink)?;
                }
            }
            Work::ConvInputGradient { conv, dy } => {
                let weight = self.parameters[self.graph.convs[*conv].weight];
                let dy = self.source(*dy, &tensors);
                fused::conv2d_input_gradient(&self.conv(*conv), algorithm, dy, weight, sink)?;
            }
            Work::ConvWeightGradient { conv, x, dy } => {
                let (x, dy) = (self.source(*x, &tensors), self.source(*dy, &tensors));
                let dw = &mut out.gradients[self.graph.convs[*conv].weight];
                fused::conv2d_weight_gradient(&self.conv(*conv), algorithm, x, dy, dw)?;
            }
            Work::Pool { pool, x } => {
                let (shape, x) = (self.pool(*pool), self.source(*x, &tensors));
                let indices = out.keeps_indices.then(|| {
                    out.indices[*pool].resize(shape.output_len(), 0);
                    out.indices[*pool].as_mut_slice()
                });
                fused::max_pool2d(&shape, x, indices, sink)?;
            }
            Work::PoolGradient { pool, dy } => {
                let (shape, dy) = (self.pool(*pool), self.source(*dy, &tensors));
                fused::max_pool2d_gradient(&shape, dy, &out.indices[*pool], sink)?;
            }
            Work::Combine { terms } => {
                let mut sources = [Source::Plain(&[]); 2];
                for (source, term) in sources.iter_mut().zip(terms) {
                    *source = self.source(*term, &tensors);
                }
                let size = pass.write.as_ref().map_or(self.plan.features, |w| self.plan.sizes[w.to]);
                let extent = self.extent(size.pixels, size.channels);
                fused::combine(extent, &sources[..terms.len().min(2)], sink)?;
            }
            Work::Features { x } => {
                let size = self.plan.features;
                let extent = self.extent(size.pixels, size.channels);
                fused::global_avg_pool2d(extent, self.source(*x, &tensors), out.features)?;
            }
        }
        Ok(())
    }

    fn extent(&self, pixels: usize, channels: usize) -> Extent {
        Extent { images: self.images, pixels, channels }
    }

    fn conv(&self, conv: usize) -> Conv2dShape {
        Conv2dShape { batch: self.images, ..self.graph.convs[conv].shape }
    }

    fn pool(&self, pool: usize) -> Pool2dShape {
        Pool2dShape { batch: self.images, ..self.graph.pools[pool] }
    }

    fn channels(&self, write: &Write) -> usize {
        self.plan.sizes[write.to].channels
    }

    fn affine(&self, norm: Option<NormId>, channels: usize) -> (Coefficients<'_>, Coefficients<'_>) {
        match norm {
            Some(norm) => (self.norms[norm].scale(), self.norms[norm].shift()),
            None => {
                let constant = |values| Coefficients::PerChannel(values);
                (constant(&self.ones[..channels]), constant(&self.zeros[..channels]))
            }
        }
    }

    fn source<'a, E>(&'a self, read: Read, tensors: &Tensors<'a, E>) -> Source<'a, E> {
        match read {
            Read::Plain(x) => Source::Plain(tensors.get(x)),
            Read::Normalised { x, norm, activation } => {
                let (scale, shift) = self.affine(norm, self.plan.sizes[x].channels);
                Source::Normalised { x: tensors.get(x), scale, shift, activation }
            }
            Read::Gradient { g, y, norm } => {
                let [a, b, c] = self.norms[norm].gradient();
                Source::Gradient { g: tensors.get(g), y: tensors.get(y), a, b, c }
            }
            Read::Spread => Source::Spread(self.spread),
        }
    }

    fn sink<'a, E>(
        &'a self,
        write: &Write,
        tensors: &Tensors<'a, E>,
        plain: Sink<'a, E>,
        sums: &'a mut [f32],
    ) -> Sink<'a, E> {
        let epilogue = match &write.finish {
            Finish::None => Epilogue::None,
            Finish::Statistics(_) => Epilogue::Statistics { sums },
            Finish::Affine(after) => {
                let norm = after.norm.map(|norm| &self.norms[norm]);
                Epilogue::Affine {
                    scale: norm.map(Norm::scale),
                    shift: norm.map(Norm::shift),
                    residual: after.residual.map(|residual| tensors.get(residual)),
                    activation: after.activation,
                }
            }
            Finish::Gradient(point) => {
                let mut with = [None; 2];
                for (with, (_, x)) in with.iter_mut().zip(products(self.graph, point)) {
                    *with = Some(tensors.get(x));
                }
                Epilogue::Gradient { gate: self.gate(point.gate, tensors), with, sums }
            }
        };
        let write = match write.adds {
            true => Mode::Add,
            false if size_of_val(plain.to) > STREAMED => Mode::Stream,
            false => Mode::Overwrite,
        };
        Sink { write, epilogue, ..plain }
    }

    fn gate<'a, E>(&'a self, gate: Gate, tensors: &Tensors<'a, E>) -> KernelGate<'a, E> {
        match gate {
            Gate::Open => KernelGate::Open,
            Gate::Positive(y) => KernelGate::Positive(tensors.get(y)),
            Gate::Normalised { y, norm, activation } => {
                let (scale, shift) = self.affine(norm, self.plan.sizes[y].channels);
                KernelGate::Normalised { y: tensors.get(y), scale, shift, activation }
            }
        }
    }
}

/// Bytes of a tensor that is written past the caches. ResNet-18's steps at batch 128, in f32, took 2.5 % less with this bound,
/// 1 % less with 12 MB, and no less with 30 MB.
const STREAMED: usize = 4 << 20;

/// The norms of a point whose gradient needs `Σg·y`, with `y`: a bias does not.
pub(super) fn products<'a>(
    graph: &'a Graph,
    point: &'a Point,
) -> impl Iterator<Item = (NormId, crate::plan::Buf)> + 'a {
    let needs = |norm: NormId| !matches!(graph.norms[norm].kind, NormKind::Bias);
    point.norms.iter().copied().filter(move |(norm, _)| needs(*norm))
}

/// Sums a channel and image that the pass leaves.
pub(super) fn sums_a_channel(graph: &Graph, write: &Write) -> usize {
    match &write.finish {
        Finish::None | Finish::Affine(_) => 0,
        Finish::Statistics(_) => 2,
        Finish::Gradient(point) => 1 + products(graph, point).count(),
    }
}
