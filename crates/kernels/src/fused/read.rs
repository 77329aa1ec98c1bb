//! Sources, sixteen channels of a pixel at a time.
#![allow(unsafe_code)]

use super::Activation;
use super::source::{Coefficients, Source};
use crate::element::Element;
use crate::simd::{LANES, Simd};

/// Gives up to sixteen channels of any pixel of one image: those that it was made for.
pub(crate) trait Reader<S: Simd>: Copy {
    /// From now on, of this image.
    fn turn_to(&mut self, s: S, image: usize);
    /// Values of the tensor.
    fn len(&self) -> usize;
    /// The values of sixteen channels at `at`, the place of the first one in the tensor.
    ///
    /// # Safety
    /// `at + 16 ≤ len`.
    unsafe fn read(self, s: S, at: usize) -> S::Lanes;
    /// The values of the channels that there are, and zeros.
    ///
    /// # Safety
    /// `at` plus the number of channels is at most `len`.
    unsafe fn read_some(self, s: S, at: usize) -> S::Lanes;
}

/// Sixteen values.
///
/// # Safety
/// `at + 16 ≤ from.len()`.
#[inline(always)]
unsafe fn load_unchecked<S: Simd, E: Element>(s: S, from: &[E], at: usize) -> S::Lanes {
    debug_assert!(at + LANES <= from.len());
    // SAFETY: the caller's promise.
    E::load(s, unsafe { &*from.as_ptr().add(at).cast() })
}

#[inline(always)]
pub(crate) fn load<S: Simd, E: Element>(s: S, from: &[E], at: usize) -> S::Lanes {
    match from[at..].first_chunk() {
        Some(lanes) => E::load(s, lanes),
        // Never: callers ask for whole lanes where there are some, and another panic would only take registers.
        None => s.splat(0.0),
    }
}

#[inline(always)]
pub(crate) fn load_some<S: Simd, E: Element>(s: S, from: &[E], at: usize, lanes: usize) -> S::Lanes {
    if lanes == LANES {
        return load(s, from, at);
    }
    E::load_first(s, &from[at..at + lanes])
}

/// Up to sixteen channels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channels {
    /// The first one.
    pub(crate) first: usize,
    /// How many.
    pub(crate) lanes: usize,
    /// Of how many that there are.
    pub(crate) of: usize,
}

impl Channels {
    /// The sixteen from `first` on, as far as they go.
    #[inline(always)]
    pub(crate) fn from(first: usize, of: usize) -> Self {
        Self { first, lanes: LANES.min(of - first), of }
    }
}

/// Coefficients of some channels of one image.
#[derive(Clone, Copy)]
pub(crate) struct Of<'a, L> {
    all: Coefficients<'a>,
    pub(crate) lanes: L,
}

impl<'a, L: Copy> Of<'a, L> {
    #[inline(always)]
    pub(crate) fn new<S: Simd<Lanes = L>>(
        s: S,
        all: Coefficients<'a>,
        image: usize,
        channels: Channels,
    ) -> Self {
        Self { all, lanes: load_some(s, all.of(image, channels.of), channels.first, channels.lanes) }
    }

    #[inline(always)]
    pub(crate) fn turn_to<S: Simd<Lanes = L>>(&mut self, s: S, image: usize, channels: Channels) {
        if let Coefficients::PerImage(_) = self.all {
            *self = Self::new(s, self.all, image, channels);
        }
    }
}

#[derive(Clone, Copy)]
struct Plain<'a, E> {
    x: &'a [E],
    channels: Channels,
}

#[derive(Clone, Copy)]
struct Normalised<'a, E, L> {
    x: &'a [E],
    channels: Channels,
    scale: Of<'a, L>,
    shift: Of<'a, L>,
    activation: Activation,
}

#[derive(Clone, Copy)]
struct Gradient<'a, E, L> {
    g: &'a [E],
    y: &'a [E],
    channels: Channels,
    a: Of<'a, L>,
    b: Of<'a, L>,
    c: Of<'a, L>,
}

#[derive(Clone, Copy)]
struct Spread<'a, L> {
    values: Of<'a, L>,
    channels: Channels,
}

impl<S: Simd, E: Element> Reader<S> for Plain<'_, E> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.x.len()
    }

    #[inline(always)]
    fn turn_to(&mut self, _: S, _: usize) {}

    #[inline(always)]
    unsafe fn read(self, s: S, at: usize) -> S::Lanes {
        // SAFETY: the caller's promise.
        unsafe { load_unchecked(s, self.x, at) }
    }

    #[inline(always)]
    unsafe fn read_some(self, s: S, at: usize) -> S::Lanes {
        load_some(s, self.x, at, self.channels.lanes)
    }
}

impl<S: Simd, E: Element> Reader<S> for Normalised<'_, E, S::Lanes> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.x.len()
    }

    #[inline(always)]
    fn turn_to(&mut self, s: S, image: usize) {
        self.scale.turn_to(s, image, self.channels);
        self.shift.turn_to(s, image, self.channels);
    }

    #[inline(always)]
    unsafe fn read(self, s: S, at: usize) -> S::Lanes {
        // SAFETY: the caller's promise.
        let x = unsafe { load_unchecked(s, self.x, at) };
        self.activation.lanes(s, s.mul_add(x, self.scale.lanes, self.shift.lanes))
    }

    #[inline(always)]
    unsafe fn read_some(self, s: S, at: usize) -> S::Lanes {
        let x = load_some(s, self.x, at, self.channels.lanes);
        self.activation.lanes(s, s.mul_add(x, self.scale.lanes, self.shift.lanes))
    }
}

impl<S: Simd, E: Element> Reader<S> for Gradient<'_, E, S::Lanes> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.g.len().min(self.y.len())
    }

    #[inline(always)]
    fn turn_to(&mut self, s: S, image: usize) {
        self.a.turn_to(s, image, self.channels);
        self.b.turn_to(s, image, self.channels);
        self.c.turn_to(s, image, self.channels);
    }

    #[inline(always)]
    unsafe fn read(self, s: S, at: usize) -> S::Lanes {
        // SAFETY: the caller's promise; both slices have the same length.
        let (g, y) = unsafe { (load_unchecked(s, self.g, at), load_unchecked(s, self.y, at)) };
        s.mul_add(g, self.a.lanes, s.mul_add(y, self.b.lanes, self.c.lanes))
    }

    #[inline(always)]
    unsafe fn read_some(self, s: S, at: usize) -> S::Lanes {
        let lanes = self.channels.lanes;
        let y = s.mul_add(load_some(s, self.y, at, lanes), self.b.lanes, self.c.lanes);
        s.mul_add(load_some(s, self.g, at, lanes), self.a.lanes, y)
    }
}

impl<S: Simd> Reader<S> for Spread<'_, S::Lanes> {
    #[inline(always)]
    fn len(&self) -> usize {
        usize::MAX
    }

    #[inline(always)]
    fn turn_to(&mut self, s: S, image: usize) {
        self.values.turn_to(s, image, self.channels);
    }

    #[inline(always)]
    unsafe fn read(self, _: S, _: usize) -> S::Lanes {
        self.values.lanes
    }

    #[inline(always)]
    unsafe fn read_some(self, _: S, _: usize) -> S::Lanes {
        self.values.lanes
    }
}

/// What is done with a reader, whichever it is.
pub(crate) trait WithReader<S: Simd> {
    fn with<R: Reader<S>>(self, s: S, reader: R);
}

impl<E: Element> Source<'_, E> {
    /// Calls `f` with the reader of some channels of `image`.
    #[inline(always)]
    pub(crate) fn reader<S: Simd>(&self, s: S, image: usize, channels: Channels, f: impl WithReader<S>) {
        let of = |c: Coefficients<'_>| -> S::Lanes { Of::new(s, c, image, channels).lanes };
        match *self {
            Self::Plain(x) => f.with(s, Plain { x, channels }),
            Self::Normalised { x, scale, shift, activation } => {
                let (scale, shift) =
                    (Of { all: scale, lanes: of(scale) }, Of { all: shift, lanes: of(shift) });
                f.with(s, Normalised { x, channels, scale, shift, activation });
            }
            Self::Gradient { g, y, a, b, c } => {
                let [a, b, c] = [a, b, c].map(|all| Of { all, lanes: of(all) });
                f.with(s, Gradient { g, y, channels, a, b, c });
            }
            Self::Spread(values) => {
                let all = Coefficients::PerImage(values);
                f.with(s, Spread { values: Of { all, lanes: of(all) }, channels });
            }
        }
    }
}
