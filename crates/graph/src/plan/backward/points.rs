//! Where gradients come together: before each activation, and at each tensor.

use std::collections::HashMap;

use wick_kernels::fused::Activation;

use super::{Learns, Place, View};
use crate::plan::lower::{Lowered, UnitKind};
use crate::plan::{Buf, Finish, Gate, Pass, Point, Read, Size, Work, Write};

pub(super) type PointId = usize;

/// A place where a gradient is summed up, and how far that is.
struct State {
    layer: String,
    size: Size,
    point: Point,
    /// Layers that read the value.
    expected: usize,
    /// Those of them whose gradient has arrived.
    received: usize,
    /// What has arrived but is in no buffer of the point's own.
    pending: Vec<Read>,
    buffer: Option<Buf>,
    settled: Option<Read>,
    /// How often the gradient will be read.
    readers: usize,
}

pub(super) struct Points {
    states: Vec<State>,
    of_tensor: Vec<PointId>,
    of_view: HashMap<Place, PointId>,
    views: Vec<Vec<View>>,
    sizes: Vec<Size>,
    /// Readers to come of each gradient's buffer: the last one may have it for its own.
    holds: HashMap<Buf, usize>,
    passes: Vec<Pass>,
}

impl Points {
    pub fn of(lowered: &Lowered, learns: &Learns) -> Self {
        let mut points = Self {
            states: Vec::new(),
            of_tensor: Vec::new(),
            of_view: HashMap::new(),
            views: vec![Vec::new(); lowered.sizes.len()],
            sizes: lowered.sizes.clone(),
            holds: HashMap::new(),
            passes: Vec::new(),
        };
        for (i, unit) in lowered.units.iter().enumerate() {
            let id = points.open(&unit.layer, lowered.sizes[unit.y]);
            points.of_tensor.push(id);
            let reads = unit.kind.reads();
            if let UnitKind::Join { terms } = &unit.kind {
                if unit.after.activation != Activation::None {
                    points.states[id].point.gate = Gate::Positive(unit.y);
                }
                let read = terms.iter().filter(|term| learns.read(**term));
                points.states[id].readers = read.count();
            } else {
                points.states[id].readers = 1;
            }
            let alone = matches!(unit.kind, UnitKind::Join { .. }) && reads.len() == 1;
            for (term, read) in reads.iter().enumerate() {
                let before_join = matches!(unit.kind, UnitKind::Join { .. })
                    && matches!(read, Read::Normalised { activation: Activation::None, .. });
                let shared = (alone || before_join).then_some(id);
                points.reader(*read, (i, term), shared, lowered, learns);
            }
        }
        points.reader(lowered.features, (lowered.units.len(), 0), None, lowered, learns);
        points
    }

    /// Notes that a unit reads `read`: at a view, whose point is `shared` with the unit's tensor or its own.
    fn reader(
        &mut self,
        read: Read,
        place: Place,
        shared: Option<PointId>,
        lowered: &Lowered,
        learns: &Learns,
    ) {
        match read {
            Read::Plain(x) => self.states[self.of_tensor[x]].expected += 1,
            Read::Normalised { x, norm, activation } => {
                let id = shared.unwrap_or_else(|| {
                    let id = self.open(&lowered.units[x].layer, lowered.sizes[x]);
                    self.states[id].expected = 1;
                    self.states[id].readers = 1;
                    id
                });
                if shared.is_none() && !learns.tensors[x] {
                    self.states[id].readers = 0;
                }
                if shared.is_some() && !learns.tensors[x] && learns.read(read) {
                    self.states[id].readers -= 1;
                }
                let state = &mut self.states[id];
                if activation != Activation::None {
                    state.point.gate = Gate::Normalised { y: x, norm, activation };
                }
                let summed = norm.filter(|&norm| learns.summed[norm]);
                state.point.norms.extend(summed.map(|norm| (norm, x)));
                self.of_view.insert(place, id);
                self.views[x].push((id, norm));
                self.states[self.of_tensor[x]].expected += 1;
            }
            Read::Gradient { .. } | Read::Spread => {}
        }
    }

    fn open(&mut self, layer: &str, size: Size) -> PointId {
        self.states.push(State {
            layer: layer.to_owned(),
            size,
            point: Point { gate: Gate::Open, norms: Vec::new() },
            expected: 0,
            received: 0,
            pending: Vec::new(),
            buffer: None,
            settled: None,
            readers: 0,
        });
        self.states.len() - 1
    }

    pub fn of_tensor(&self, y: Buf) -> PointId {
        self.of_tensor[y]
    }

    /// The point of what the unit `unit` reads as its `term`th.
    pub fn of_read(&self, read: Read, unit: usize, term: usize) -> PointId {
        match read {
            Read::Plain(x) => self.of_tensor[x],
            _ => self.of_view[&(unit, term)],
        }
    }

    pub fn views_of(&self, y: Buf) -> Vec<View> {
        self.views[y].clone()
    }

    pub fn push(&mut self, pass: Pass) {
        self.passes.push(pass);
    }

    /// Where a gradient of a point is in memory as it is.
    pub fn written(&mut self, point: PointId, gradient: Read) -> Buf {
        if let Read::Plain(to) = gradient {
            return to;
        }
        let State { layer, size, .. } = &self.states[point];
        let (layer, to) = (layer.clone(), self.sizes.len());
        self.sizes.push(*size);
        let write = Some(Write { to, adds: false, finish: Finish::None });
        self.passes.push(Pass { layer, work: Work::Combine { terms: vec![gradient] }, write });
        to
    }

    pub fn into_passes(self) -> (Vec<Pass>, Vec<Size>) {
        (self.passes, self.sizes)
    }

    /// Adds a gradient that is in memory to a point's.
    pub fn contribute(&mut self, point: PointId, read: Read) {
        let state = &mut self.states[point];
        state.received += 1;
        state.pending.push(read);
    }

    /// Adds a gradient that `work` computes to a point's.
    pub fn pass(&mut self, point: PointId, layer: &str, work: Work) {
        self.states[point].received += 1;
        // What is there already comes first: the last one, which closes the sum, is then the one that computes.
        if !self.states[point].pending.is_empty() {
            self.gather(point, Finish::None);
        }
        let adds = self.states[point].buffer.is_some();
        let to = self.buffer(point);
        let last = self.states[point].received == self.states[point].expected;
        let finish = if last { self.finish(point) } else { Finish::None };
        self.passes.push(Pass { layer: layer.to_owned(), work, write: Some(Write { to, adds, finish }) });
        if last {
            self.settle_as(point, Read::Plain(to));
        }
    }

    /// The gradient at a point to which everything has been contributed.
    pub fn settle(&mut self, point: PointId) -> Read {
        if let Some(settled) = self.states[point].settled {
            return settled;
        }
        let finish = self.finish(point);
        let state = &mut self.states[point];
        if finish == Finish::None && state.buffer.is_none() && state.pending.len() == 1 {
            let read = state.pending[0]; // as it is
            self.release(read);
            return self.settle_as(point, read);
        }
        if finish != Finish::None || !state.pending.is_empty() {
            self.gather(point, finish);
        }
        let to = self.buffer(point);
        self.settle_as(point, Read::Plain(to))
    }

    /// Counts a read of a gradient as done.
    pub fn release(&mut self, read: Read) {
        if let Read::Plain(g) | Read::Gradient { g, .. } = read {
            self.holds.entry(g).and_modify(|hold| *hold = hold.saturating_sub(1));
        }
    }

    /// Sums what is pending, and what the point's buffer holds, into that buffer. The buffer of a gradient that nothing
    /// else will read becomes the point's.
    fn gather(&mut self, point: PointId, finish: Finish) {
        let mut pending = std::mem::take(&mut self.states[point].pending);
        if self.states[point].buffer.is_none() {
            let free = |read: &Read| matches!(read, Read::Plain(g) if self.holds.get(g) == Some(&1));
            let found = pending.iter().position(free);
            if let Some(Read::Plain(g)) = found.map(|at| pending.remove(at)) {
                self.holds.remove(&g);
                self.states[point].buffer = Some(g);
                if pending.is_empty() && finish == Finish::None {
                    return;
                }
            }
        }
        let mut adds = self.states[point].buffer.is_some();
        let to = self.buffer(point);
        let layer = self.states[point].layer.clone();
        let groups = pending.len().div_ceil(2).max(1);
        for i in 0..groups {
            let terms = pending.iter().copied().skip(2 * i).take(2).collect();
            let finish = if i + 1 == groups { finish.clone() } else { Finish::None };
            let write = Some(Write { to, adds, finish });
            self.passes.push(Pass { layer: layer.clone(), work: Work::Combine { terms }, write });
            adds = true;
        }
        pending.into_iter().for_each(|read| self.release(read));
    }

    fn finish(&self, point: PointId) -> Finish {
        let point = &self.states[point].point;
        if point.gate == Gate::Open && point.norms.is_empty() {
            Finish::None
        } else {
            Finish::Gradient(point.clone())
        }
    }

    fn buffer(&mut self, point: PointId) -> Buf {
        let size = self.states[point].size;
        let sizes = &mut self.sizes;
        *self.states[point].buffer.get_or_insert_with(|| {
            sizes.push(size);
            sizes.len() - 1
        })
    }

    fn settle_as(&mut self, point: PointId, read: Read) -> Read {
        let state = &mut self.states[point];
        state.settled = Some(read);
        if let Read::Plain(g) | Read::Gradient { g, .. } = read {
            *self.holds.entry(g).or_default() += state.readers;
        }
        read
    }
}
