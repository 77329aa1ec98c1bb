//! From a plan to steps of which each is a kernel or a few: what cuDNN reads is written out for it, and what a pass does to
//! a convolution's output is a pass of its own. Nothing here needs a device.

use wick_graph::plan::{Buf, ConvLayer, Finish, NormId, NormKind, Pass, Plan, Read, Size, Work};
use wick_graph::{Activation, Graph};

use super::pass::{Elementwise, Ending, Source};
use super::place::Place;
use super::threads::Threads;
use crate::cudnn::Direction;

/// What a batch is computed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Train,
    Evaluate,
    /// For the gradient of the images.
    Differentiate,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// What a norm multiplies by and adds, without statistics of the batch.
    Know(NormId),
    Pass(Elementwise),
    /// A convolution or a gradient of one, from and to the places of its input and output.
    Convolution {
        conv: usize,
        direction: Direction,
        x: Place,
        y: Place,
    },
    /// The features, from what a pass summed.
    Features {
        parts: usize,
    },
    /// The layers behind the features: to the logits and, unless that is all, back.
    Head,
    Measure {
        norm: NormId,
        sums: Summed,
    },
    Differentiate {
        norm: NormId,
        slot: usize,
        sums: Summed,
    },
}

/// What a pass summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Summed {
    /// Sums a channel.
    pub slots: usize,
    /// Rows of sums an image.
    pub parts: usize,
}

/// All steps of a batch, in order.
pub(super) fn steps(graph: &Graph, plan: &Plan, purpose: Purpose) -> Vec<Step> {
    let mut script = Script { graph, plan, purpose, steps: Vec::new(), written: None };
    for (norm, layer) in graph.norms().iter().enumerate() {
        let known = match layer.kind {
            NormKind::Bias => true,
            NormKind::Batch { .. } => purpose != Purpose::Train,
            NormKind::Group(_) => false,
        };
        if known {
            script.steps.push(Step::Know(norm));
        }
    }
    plan.forward.iter().for_each(|pass| script.pass(pass));
    script.steps.push(Step::Head);
    plan.backward.iter().for_each(|pass| script.pass(pass));
    script.steps
}

struct Script<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    purpose: Purpose,
    steps: Vec<Step>,
    /// The gradient that was written out for cuDNN last, and is still there.
    written: Option<Read>,
}

impl Script<'_> {
    fn pass(&mut self, pass: &Pass) {
        match &pass.work {
            Work::Images => self.elementwise(pass, vec![Source::Images], None),
            Work::Combine { terms } => {
                let sources = terms.iter().map(|term| source(*term)).collect();
                self.elementwise(pass, sources, None);
            }
            Work::Pool { pool, x } => {
                let keeps = (self.purpose != Purpose::Evaluate).then_some(*pool);
                let source = Source::Pool { pool: *pool, x: Box::new(source(*x)) };
                self.elementwise(pass, vec![source], keeps);
            }
            Work::PoolGradient { pool, dy } => {
                let source = Source::PoolGradient { pool: *pool, dy: Box::new(source(*dy)) };
                self.elementwise(pass, vec![source], None);
            }
            Work::Features { x } => self.features(*x),
            Work::Conv { conv, x } => {
                let x = self.plain(*x, Place::X, *conv);
                let y = written(pass);
                self.steps.push(Step::Convolution { conv: *conv, direction: Direction::Forward, x, y });
                self.finish(pass, None);
            }
            Work::ConvInputGradient { conv, dy } => {
                let y = self.plain(*dy, Place::Dy, *conv);
                let adds = pass.write.as_ref().is_some_and(|write| write.adds);
                let x = if adds { Place::Dx } else { written(pass) };
                self.steps.push(Step::Convolution { conv: *conv, direction: Direction::Input, x, y });
                self.finish(pass, adds.then_some(Place::Dx));
            }
            Work::ConvWeightGradient { conv, x, dy } => {
                let (x, y) = (self.plain(*x, Place::X, *conv), self.plain(*dy, Place::Dy, *conv));
                self.steps.push(Step::Convolution { conv: *conv, direction: Direction::Weight, x, y });
            }
        }
        if let Some(write) = &pass.write {
            let gone = |read: &Read| read.buffers().any(|buf| buf == write.to);
            if self.written.as_ref().is_some_and(gone) {
                self.written = None;
            }
            self.reduce(&write.finish, self.plan.sizes[write.to]);
        }
    }

    /// A pass that computes value by value.
    fn elementwise(&mut self, pass: &Pass, mut sources: Vec<Source>, keeps: Option<usize>) {
        let Some(write) = &pass.write else { return };
        let to = Place::Tensor(write.to);
        if write.adds {
            sources.push(Source::Plain(to));
        }
        let ending = self.ending(&write.finish);
        let measures_only = sources == [Source::Plain(to)] && ending == Ending::Statistics;
        let elementwise = Elementwise {
            sources,
            ending,
            to: (!measures_only).then_some(to),
            keeps,
            ..self.over(self.plan.sizes[write.to])
        };
        self.steps.push(Step::Pass(elementwise));
    }

    fn features(&mut self, x: Read) {
        let size = self.plan.features;
        let pass = Elementwise { sources: vec![source(x)], ending: Ending::Sum, ..self.over(size) };
        self.steps.push(Step::Pass(pass));
        self.steps.push(Step::Features { parts: Threads::of(size.pixels, size.channels).parts });
    }

    /// What is left to do with what a convolution wrote to the pass's tensor or, if it is still to be added, elsewhere.
    fn finish(&mut self, pass: &Pass, elsewhere: Option<Place>) {
        let Some(write) = &pass.write else { return };
        if write.finish == Finish::None && elsewhere.is_none() {
            return;
        }
        let mut pass = pass.clone();
        pass.write.iter_mut().for_each(|write| write.adds = true);
        self.elementwise(&pass, elsewhere.map(Source::Plain).into_iter().collect(), None);
    }

    fn ending(&self, finish: &Finish) -> Ending {
        match finish {
            Finish::None => Ending::Nothing,
            Finish::Statistics(_) => Ending::Statistics,
            Finish::Affine(after) => Ending::Affine {
                norm: after.norm,
                residual: after.residual.map(Place::Tensor),
                activation: after.activation,
            },
            Finish::Gradient(point) => {
                let with = point.norms.iter().filter(|(norm, _)| self.has_statistics(*norm));
                Ending::Gradient { gate: point.gate, with: with.map(|(_, y)| Place::Tensor(*y)).collect() }
            }
        }
    }

    fn has_statistics(&self, norm: NormId) -> bool {
        !matches!(self.graph.norms()[norm].kind, NormKind::Bias)
    }

    /// Makes of a pass's sums what the next ones need.
    fn reduce(&mut self, finish: &Finish, size: Size) {
        let parts = Threads::of(size.pixels, size.channels).parts;
        let sums = Summed { slots: self.ending(finish).slots(), parts };
        match finish {
            Finish::None | Finish::Affine(_) => {}
            Finish::Statistics(norms) => {
                self.steps.extend(norms.iter().map(|norm| Step::Measure { norm: *norm, sums }));
            }
            Finish::Gradient(point) => {
                let mut slot = 0;
                for (norm, _) in &point.norms {
                    slot += usize::from(self.has_statistics(*norm));
                    self.steps.push(Step::Differentiate { norm: *norm, slot, sums });
                }
            }
        }
    }

    /// Where convolution `conv` finds what it reads: in a tensor, or written out to `scratch`.
    fn plain(&mut self, read: Read, scratch: Place, conv: usize) -> Place {
        if let Read::Plain(buf) = read {
            return Place::Tensor(buf);
        }
        if scratch == Place::Dy && self.written == Some(read) {
            return scratch;
        }
        let size = size(&self.graph.convs()[conv], scratch);
        let pass = Elementwise { sources: vec![source(read)], to: Some(scratch), ..self.over(size) };
        self.steps.push(Step::Pass(pass));
        if scratch == Place::Dy {
            self.written = Some(read);
        }
        scratch
    }

    /// A pass over maps of that size that does nothing yet.
    fn over(&self, size: Size) -> Elementwise {
        Elementwise {
            pixels: size.pixels,
            channels: size.channels,
            sources: Vec::new(),
            ending: Ending::Nothing,
            to: None,
            keeps: None,
            share: 1.0 / self.plan.features.pixels as f64,
        }
    }
}

/// The size of a convolution's input or of its output.
fn size(conv: &ConvLayer, scratch: Place) -> Size {
    let s = &conv.shape;
    match scratch {
        Place::Dy => Size { pixels: s.out_height() * s.out_width(), channels: s.out_channels },
        _ => Size { pixels: s.height * s.width, channels: s.in_channels },
    }
}

fn source(read: Read) -> Source {
    let place = |buf: Buf| Place::Tensor(buf);
    match read {
        Read::Plain(x) | Read::Normalised { x, norm: None, activation: Activation::None } => {
            Source::Plain(place(x))
        }
        Read::Normalised { x, norm, activation } => Source::Normalised { x: place(x), norm, activation },
        Read::Gradient { g, y, norm } => Source::Gradient { g: place(g), y: place(y), norm },
        Read::Spread => Source::Spread,
    }
}

fn written(pass: &Pass) -> Place {
    pass.write.as_ref().map_or(Place::Dx, |write| Place::Tensor(write.to))
}
