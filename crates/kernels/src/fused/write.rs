//! Sinks, sixteen channels of a pixel at a time.
#![allow(unsafe_code)]

use super::read::{coefficients, load_some};
use super::shared::Shared;
use super::{Activation, Epilogue, Extent, Gate, Sink, Write};
use crate::element::Element;
use crate::simd::{LANES, Simd};

/// A sink that several threads write to, each to images or channels of its own.
pub(crate) struct SharedSink<'a, E> {
    to: Shared<'a, E>,
    sums: Shared<'a, f32>,
    sums_a_channel: usize,
    add: bool,
    epilogue: Kind<'a, E>,
}

/// An epilogue without its sums.
enum Kind<'a, E> {
    None,
    Statistics,
    Affine {
        scale: Option<super::Coefficients<'a>>,
        shift: Option<super::Coefficients<'a>>,
        residual: Option<&'a [E]>,
        activation: Activation,
    },
    Gradient {
        gate: Gate<'a, E>,
        with: [Option<&'a [E]>; 2],
    },
}

impl<'a, E: Element> SharedSink<'a, E> {
    /// The sink, its sums at zero.
    pub(crate) fn new(sink: Sink<'a, E>) -> Self {
        let sums_a_channel = sink.sums_a_channel();
        let Sink { to, write, epilogue } = sink;
        let (epilogue, sums): (_, &mut [f32]) = match epilogue {
            Epilogue::None => (Kind::None, &mut []),
            Epilogue::Statistics { sums } => (Kind::Statistics, sums),
            Epilogue::Affine { scale, shift, residual, activation } => {
                (Kind::Affine { scale, shift, residual, activation }, &mut [])
            }
            Epilogue::Gradient { gate, with, sums } => {
                let with = if with[0].is_none() { [with[1], None] } else { with };
                (Kind::Gradient { gate, with }, sums)
            }
        };
        sums.fill(0.0);
        let (to, sums) = (Shared::new(to), Shared::new(sums));
        Self { to, sums, sums_a_channel, add: write == Write::Add, epilogue }
    }

    /// Calls `f` with the writer of `lanes` channels of `image` from `channel` on, and adds what it summed.
    ///
    /// # Safety
    /// Meanwhile no other thread writes to these channels of this image.
    #[inline(always)]
    pub(crate) unsafe fn writer<S: Simd>(
        &self,
        s: S,
        extent: Extent,
        (image, channel, lanes): (usize, usize, usize),
        f: impl WithWriter<S>,
    ) {
        let of = |c: super::Coefficients| coefficients(s, c, (image, channel, extent.channels), lanes);
        let place = Place { to: self.to, add: self.add, lanes };
        let zero = s.splat(0.0);
        let mut sums = [zero; 3];
        match &self.epilogue {
            Kind::None => f.with(s, &mut Plainly(place)),
            Kind::Statistics => {
                let mut writer = Summing { place, sum: zero, squares: zero };
                f.with(s, &mut writer);
                sums = [writer.sum, writer.squares, zero];
            }
            Kind::Affine { scale, shift, residual, activation } => {
                let scale = scale.map_or(s.splat(1.0), of);
                let shift = shift.map_or(zero, of);
                f.with(s, &mut Affine { place, scale, shift, residual: *residual, activation: *activation });
            }
            Kind::Gradient { gate, with } => {
                let gate = match gate {
                    Gate::Open => LaneGate::Open,
                    Gate::Positive(z) => LaneGate::Positive(z),
                    Gate::Normalised { y, scale, shift, activation } => {
                        LaneGate::Normalised(y, of(*scale), of(*shift), *activation)
                    }
                };
                let mut writer = Gradient { place, gate, with: *with, sums };
                f.with(s, &mut writer);
                sums = writer.sums;
            }
        }
        for (k, sum) in sums.into_iter().enumerate().take(self.sums_a_channel) {
            let at = (image * self.sums_a_channel + k) * extent.channels + channel;
            // SAFETY: the sums of these channels and this image, which are this thread's.
            let to = unsafe { self.sums.part(at, lanes) };
            let so_far = load_some(s, to, 0, lanes);
            store_some(s, s.add(so_far, sum), to);
        }
    }
}

/// Writes up to sixteen channels of any pixel of one image: those that it was made for.
pub(crate) trait Writer<S: Simd> {
    /// Writes `v` to `at`, the place of the first channel in the tensor.
    fn write(&mut self, s: S, at: usize, v: S::Lanes);
}

/// What is done with a writer, whichever it is.
pub(crate) trait WithWriter<S: Simd> {
    fn with<W: Writer<S>>(self, s: S, writer: &mut W);
}

#[inline(always)]
fn store_some<S: Simd, E: Element>(s: S, v: S::Lanes, to: &mut [E]) {
    if let Some(to) = to.first_chunk_mut() {
        return E::store(s, v, to);
    }
    let mut some = [E::default(); LANES];
    E::store(s, v, &mut some);
    let lanes = to.len();
    to.copy_from_slice(&some[..lanes]);
}

struct Place<'a, E> {
    to: Shared<'a, E>,
    add: bool,
    lanes: usize,
}

impl<E: Element> Place<'_, E> {
    #[inline(always)]
    fn before<S: Simd>(&self, s: S, at: usize, v: S::Lanes) -> S::Lanes {
        if self.add {
            // SAFETY: channels of the writer's own, as `SharedSink::writer`'s caller promised.
            let there = unsafe { self.to.part(at, self.lanes) };
            s.add(v, load_some(s, there, 0, self.lanes))
        } else {
            v
        }
    }

    #[inline(always)]
    fn store<S: Simd>(&self, s: S, at: usize, v: S::Lanes) {
        // SAFETY: as in `before`.
        store_some(s, v, unsafe { self.to.part(at, self.lanes) });
    }
}

struct Plainly<'a, E>(Place<'a, E>);

impl<S: Simd, E: Element> Writer<S> for Plainly<'_, E> {
    #[inline(always)]
    fn write(&mut self, s: S, at: usize, v: S::Lanes) {
        let v = self.0.before(s, at, v);
        self.0.store(s, at, v);
    }
}

struct Summing<'a, E, L> {
    place: Place<'a, E>,
    sum: L,
    squares: L,
}

impl<S: Simd, E: Element> Writer<S> for Summing<'_, E, S::Lanes> {
    #[inline(always)]
    fn write(&mut self, s: S, at: usize, v: S::Lanes) {
        let v = self.place.before(s, at, v);
        self.sum = s.add(self.sum, v);
        self.squares = s.mul_add(v, v, self.squares);
        self.place.store(s, at, v);
    }
}

struct Affine<'a, E, L> {
    place: Place<'a, E>,
    scale: L,
    shift: L,
    residual: Option<&'a [E]>,
    activation: Activation,
}

impl<S: Simd, E: Element> Writer<S> for Affine<'_, E, S::Lanes> {
    #[inline(always)]
    fn write(&mut self, s: S, at: usize, v: S::Lanes) {
        let v = self.place.before(s, at, v);
        let mut v = s.mul_add(v, self.scale, self.shift);
        if let Some(residual) = self.residual {
            v = s.add(v, load_some(s, residual, at, self.place.lanes));
        }
        self.place.store(s, at, self.activation.lanes(s, v));
    }
}

enum LaneGate<'a, E, L> {
    Open,
    Positive(&'a [E]),
    Normalised(&'a [E], L, L, Activation),
}

struct Gradient<'a, E, L> {
    place: Place<'a, E>,
    gate: LaneGate<'a, E, L>,
    with: [Option<&'a [E]>; 2],
    sums: [L; 3],
}

impl<S: Simd, E: Element> Writer<S> for Gradient<'_, E, S::Lanes> {
    #[inline(always)]
    fn write(&mut self, s: S, at: usize, v: S::Lanes) {
        let lanes = self.place.lanes;
        let v = self.place.before(s, at, v);
        let g = match &self.gate {
            LaneGate::Open => v,
            LaneGate::Positive(z) => s.where_positive(load_some(s, z, at, lanes), v),
            LaneGate::Normalised(y, scale, shift, activation) => {
                let input = s.mul_add(load_some(s, y, at, lanes), *scale, *shift);
                activation.gated(s, input, v)
            }
        };
        self.sums[0] = s.add(self.sums[0], g);
        if let Some(y) = self.with[0] {
            self.sums[1] = s.mul_add(g, load_some(s, y, at, lanes), self.sums[1]);
        }
        if let Some(y) = self.with[1] {
            self.sums[2] = s.mul_add(g, load_some(s, y, at, lanes), self.sums[2]);
        }
        self.place.store(s, at, g);
    }
}
