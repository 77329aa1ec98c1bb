//! Sinks, sixteen channels of a pixel at a time.
#![allow(unsafe_code)]

use super::read::{Channels, Of, load_some};
use super::shared::Shared;
use super::{Activation, Coefficients, Epilogue, Gate, Sink, Write};
use crate::element::Element;
use crate::prefetch::{Ahead, LINE, Region};
use crate::simd::{LANES, Simd};

/// A sink that several threads write to, each to images or channels of its own.
pub(crate) struct SharedSink<'a, E> {
    to: Shared<'a, E>,
    sums: Shared<'a, f32>,
    sums_a_channel: usize,
    /// What the place allows of what was asked for.
    write: Write,
    epilogue: Kind<'a, E>,
}

/// An epilogue without its sums.
enum Kind<'a, E> {
    None,
    Statistics,
    Affine {
        scale: Option<Coefficients<'a>>,
        shift: Option<Coefficients<'a>>,
        residual: Option<&'a [E]>,
        activation: Activation,
    },
    Gradient {
        gate: Gate<'a, E>,
        with: [Option<&'a [E]>; 2],
    },
}

/// Ends when it is dropped.
struct Streaming<S: Simd>(S);

impl<S: Simd> Drop for Streaming<S> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.end_streaming();
    }
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
        // Sixteen bf16 are half a line, and halves that are streamed are each written alone.
        let lines = size_of::<[E; LANES]>() == LINE && to.start().addr().is_multiple_of(LINE);
        let write = if write == Write::Stream && !lines { Write::Overwrite } else { write };
        Self { to, sums, sums_a_channel, write, epilogue }
    }

    /// Adds what it reads and writes for a region of the tensor.
    pub(crate) fn ahead<const N: usize>(&self, region: &Region, ahead: &mut Ahead<N>) {
        if self.write != Write::Stream {
            ahead.add(self.to.start(), self.to.len(), region);
        }
        let mut add = |x: &[E]| ahead.add(x.as_ptr(), x.len(), region);
        match &self.epilogue {
            Kind::None | Kind::Statistics => {}
            Kind::Affine { residual, .. } => residual.iter().for_each(|r| add(r)),
            Kind::Gradient { gate, with } => {
                let of_gate = match gate {
                    Gate::Open => None,
                    Gate::Positive(y) | Gate::Normalised { y, .. } => Some(*y),
                };
                of_gate.iter().for_each(|y| add(y));
                // Often the gate's own.
                let differs = |y: &&&[E]| of_gate.is_none_or(|gate| gate.as_ptr() != y.as_ptr());
                with.iter().flatten().filter(differs).for_each(|y| add(y));
            }
        }
    }

    /// Whether nothing becomes of zeros that are sent into it.
    pub(crate) fn ignores_zeros(&self) -> bool {
        self.write == Write::Add && matches!(self.epilogue, Kind::None)
    }

    /// Calls `f` with the writer of some channels of `image`, and adds what it summed.
    ///
    /// # Safety
    /// Meanwhile no other thread writes to these channels of any image that the writer is turned to.
    #[inline(always)]
    pub(crate) unsafe fn writer<S: Simd>(
        &self,
        s: S,
        image: usize,
        channels: Channels,
        f: impl WithWriter<S>,
    ) {
        let of = |c: Coefficients<'a>| Of::new(s, c, image, channels);
        let place = Place { to: self.to, write: self.write, channels };
        let zero = s.splat(0.0);
        let sums = Sums { to: self.sums, count: self.sums_a_channel, image, channels, lanes: [zero; 3] };
        let _streaming = (self.write == Write::Stream).then_some(Streaming(s));
        match &self.epilogue {
            Kind::None => f.with(s, &mut Plainly(place)),
            Kind::Statistics => {
                let mut writer = Summing { place, sums };
                f.with(s, &mut writer);
                writer.sums.flush(s);
            }
            Kind::Affine { scale, shift, residual, activation } => {
                let (scale, shift) = (scale.map(of), shift.map(of));
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
                writer.sums.flush(s);
            }
        }
    }
}

/// Writes up to sixteen channels of any pixel of one image: those that it was made for.
pub(crate) trait Writer<S: Simd> {
    /// From now on, of this image.
    fn turn_to(&mut self, s: S, image: usize);
    /// Values of the tensor.
    fn len(&self) -> usize;
    /// Writes `v` to `at`, the place of the first channel in the tensor.
    ///
    /// # Safety
    /// `at` plus the number of channels is at most `len`.
    unsafe fn write(&mut self, s: S, at: usize, v: S::Lanes);
}

/// What is done with a writer, whichever it is.
pub(crate) trait WithWriter<S: Simd> {
    fn with<W: Writer<S>>(self, s: S, writer: &mut W);
}

/// Sums over pixels of one image.
struct Sums<'a, L> {
    to: Shared<'a, f32>,
    count: usize,
    image: usize,
    channels: Channels,
    lanes: [L; 3],
}

impl<L: Copy> Sums<'_, L> {
    /// Adds them to where they belong.
    #[inline(always)]
    fn flush<S: Simd<Lanes = L>>(&mut self, s: S) {
        for k in 0..self.count.min(3) {
            let at = (self.image * self.count + k) * self.channels.of + self.channels.first;
            // SAFETY: the sums of the writer's channels and image, which are its own.
            let to = unsafe { self.to.part(at, self.channels.lanes) };
            let so_far = load_some(s, to, 0, self.channels.lanes);
            store_some(s, s.add(so_far, self.lanes[k]), to);
            self.lanes[k] = s.splat(0.0);
        }
    }

    #[inline(always)]
    fn turn_to<S: Simd<Lanes = L>>(&mut self, s: S, image: usize) {
        if image != self.image {
            self.flush(s);
            self.image = image;
        }
    }
}

#[inline(always)]
fn store_some<S: Simd, E: Element>(s: S, v: S::Lanes, to: &mut [E]) {
    match to.first_chunk_mut() {
        Some(to) => E::store(s, v, to),
        None => E::store_first(s, v, to),
    }
}

struct Place<'a, E> {
    to: Shared<'a, E>,
    write: Write,
    channels: Channels,
}

impl<E: Element> Place<'_, E> {
    /// The channels of another tensor of the same size.
    ///
    /// # Safety
    /// `at` plus the number of channels is at most its length.
    #[inline(always)]
    unsafe fn read<S: Simd>(&self, s: S, from: &[E], at: usize) -> S::Lanes {
        debug_assert!(at + self.channels.lanes <= from.len());
        // SAFETY: the caller's promise.
        let from = unsafe { from.get_unchecked(at..at + self.channels.lanes) };
        match from.first_chunk() {
            Some(from) => E::load(s, from),
            None => E::load_first(s, from),
        }
    }

    /// `v`, plus what is there if the sink adds.
    ///
    /// # Safety
    /// As [`Writer::write`].
    #[inline(always)]
    unsafe fn before<S: Simd>(&self, s: S, at: usize, v: S::Lanes) -> S::Lanes {
        if self.write == Write::Add {
            let lanes = self.channels.lanes;
            // SAFETY: channels of the writer's own, as `SharedSink::writer`'s caller promised; the caller's promise.
            unsafe { s.add(v, self.read(s, self.to.part_unchecked(at, lanes), 0)) }
        } else {
            v
        }
    }

    /// # Safety
    /// As [`Writer::write`].
    #[inline(always)]
    unsafe fn store<S: Simd>(&self, s: S, at: usize, v: S::Lanes) {
        // SAFETY: as in `before`.
        let to = unsafe { self.to.part_unchecked(at, self.channels.lanes) };
        match to.first_chunk_mut() {
            // SAFETY: `SharedSink::writer` ends the streaming, however it is left.
            Some(to) if self.write == Write::Stream => unsafe { E::stream(s, v, to) },
            _ => store_some(s, v, to),
        }
    }
}

struct Plainly<'a, E>(Place<'a, E>);

impl<S: Simd, E: Element> Writer<S> for Plainly<'_, E> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.0.to.len()
    }

    #[inline(always)]
    fn turn_to(&mut self, _: S, _: usize) {}

    #[inline(always)]
    unsafe fn write(&mut self, s: S, at: usize, v: S::Lanes) {
        // SAFETY: the caller's promise.
        unsafe { self.0.store(s, at, self.0.before(s, at, v)) }
    }
}

struct Summing<'a, E, L> {
    place: Place<'a, E>,
    sums: Sums<'a, L>,
}

impl<S: Simd, E: Element> Writer<S> for Summing<'_, E, S::Lanes> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.place.to.len()
    }

    #[inline(always)]
    fn turn_to(&mut self, s: S, image: usize) {
        self.sums.turn_to(s, image);
    }

    #[inline(always)]
    unsafe fn write(&mut self, s: S, at: usize, v: S::Lanes) {
        // SAFETY: the caller's promise.
        let v = unsafe { self.place.before(s, at, v) };
        let [sum, squares, _] = &mut self.sums.lanes;
        *sum = s.add(*sum, v);
        *squares = s.mul_add(v, v, *squares);
        // SAFETY: the caller's promise.
        unsafe { self.place.store(s, at, v) }
    }
}

struct Affine<'a, E, L> {
    place: Place<'a, E>,
    scale: Option<Of<'a, L>>,
    shift: Option<Of<'a, L>>,
    residual: Option<&'a [E]>,
    activation: Activation,
}

impl<S: Simd, E: Element> Writer<S> for Affine<'_, E, S::Lanes> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.place.to.len()
    }

    #[inline(always)]
    fn turn_to(&mut self, s: S, image: usize) {
        for coefficients in [&mut self.scale, &mut self.shift].into_iter().flatten() {
            coefficients.turn_to(s, image, self.place.channels);
        }
    }

    #[inline(always)]
    unsafe fn write(&mut self, s: S, at: usize, v: S::Lanes) {
        // SAFETY: the caller's promise.
        let mut v = unsafe { self.place.before(s, at, v) };
        if let Some(scale) = self.scale {
            v = s.mul(v, scale.lanes);
        }
        if let Some(shift) = self.shift {
            v = s.add(v, shift.lanes);
        }
        if let Some(residual) = self.residual {
            // SAFETY: the caller's promise; it has the sink's size.
            v = s.add(v, unsafe { self.place.read(s, residual, at) });
        }
        // SAFETY: the caller's promise.
        unsafe { self.place.store(s, at, self.activation.lanes(s, v)) }
    }
}

enum LaneGate<'a, E, L> {
    Open,
    Positive(&'a [E]),
    Normalised(&'a [E], Of<'a, L>, Of<'a, L>, Activation),
}

struct Gradient<'a, E, L> {
    place: Place<'a, E>,
    gate: LaneGate<'a, E, L>,
    with: [Option<&'a [E]>; 2],
    sums: Sums<'a, L>,
}

impl<S: Simd, E: Element> Writer<S> for Gradient<'_, E, S::Lanes> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.place.to.len()
    }

    #[inline(always)]
    fn turn_to(&mut self, s: S, image: usize) {
        self.sums.turn_to(s, image);
        if let LaneGate::Normalised(_, scale, shift, _) = &mut self.gate {
            scale.turn_to(s, image, self.place.channels);
            shift.turn_to(s, image, self.place.channels);
        }
    }

    #[inline(always)]
    unsafe fn write(&mut self, s: S, at: usize, v: S::Lanes) {
        // SAFETY: of the whole block: the caller's promise; all tensors have the sink's size.
        unsafe {
            let v = self.place.before(s, at, v);
            let g = match &self.gate {
                LaneGate::Open => v,
                LaneGate::Positive(z) => s.where_positive(self.place.read(s, z, at), v),
                LaneGate::Normalised(y, scale, shift, activation) => {
                    let input = s.mul_add(self.place.read(s, y, at), scale.lanes, shift.lanes);
                    activation.gated(s, input, v)
                }
            };
            let [sum, first, second] = &mut self.sums.lanes;
            *sum = s.add(*sum, g);
            if let Some(y) = self.with[0] {
                *first = s.mul_add(g, self.place.read(s, y, at), *first);
            }
            if let Some(y) = self.with[1] {
                *second = s.mul_add(g, self.place.read(s, y, at), *second);
            }
            self.place.store(s, at, g);
        }
    }
}
