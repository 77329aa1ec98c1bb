//! Sources, sixteen channels of a pixel at a time.

use super::source::{Coefficients, Source};
use super::{Activation, Extent};
use crate::element::Element;
use crate::simd::{LANES, Simd};

/// Gives up to sixteen channels of any pixel: those that it was made for.
pub(crate) trait Reader<S: Simd>: Copy {
    /// The values at `at`, the place of the first channel in the tensor.
    fn read(self, s: S, at: usize) -> S::Lanes;
    /// The first `lanes` of them, and zeros.
    fn read_some(self, s: S, at: usize, lanes: usize) -> S::Lanes;
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
    let mut some = [E::default(); LANES];
    some[..lanes].copy_from_slice(&from[at..at + lanes]);
    E::load(s, &some)
}

/// The `lanes` coefficients of an image from channel `channel` on.
#[inline(always)]
pub(crate) fn coefficients<S: Simd>(
    s: S,
    c: Coefficients,
    (image, channel, channels): (usize, usize, usize),
    lanes: usize,
) -> S::Lanes {
    load_some(s, c.of(image, channels), channel, lanes)
}

#[derive(Clone, Copy)]
pub(crate) struct Plain<'a, E>(&'a [E]);

#[derive(Clone, Copy)]
pub(crate) struct Normalised<'a, E, L> {
    x: &'a [E],
    scale: L,
    shift: L,
    activation: Activation,
}

#[derive(Clone, Copy)]
pub(crate) struct Gradient<'a, E, L> {
    g: &'a [E],
    y: &'a [E],
    a: L,
    b: L,
    c: L,
}

#[derive(Clone, Copy)]
pub(crate) struct Spread<L>(L);

impl<S: Simd, E: Element> Reader<S> for Plain<'_, E> {
    #[inline(always)]
    fn read(self, s: S, at: usize) -> S::Lanes {
        load(s, self.0, at)
    }

    #[inline(always)]
    fn read_some(self, s: S, at: usize, lanes: usize) -> S::Lanes {
        load_some(s, self.0, at, lanes)
    }
}

impl<S: Simd, E: Element> Reader<S> for Normalised<'_, E, S::Lanes> {
    #[inline(always)]
    fn read(self, s: S, at: usize) -> S::Lanes {
        self.activation.lanes(s, s.mul_add(load(s, self.x, at), self.scale, self.shift))
    }

    #[inline(always)]
    fn read_some(self, s: S, at: usize, lanes: usize) -> S::Lanes {
        self.activation.lanes(s, s.mul_add(load_some(s, self.x, at, lanes), self.scale, self.shift))
    }
}

impl<S: Simd, E: Element> Reader<S> for Gradient<'_, E, S::Lanes> {
    #[inline(always)]
    fn read(self, s: S, at: usize) -> S::Lanes {
        let y = s.mul_add(load(s, self.y, at), self.b, self.c);
        s.mul_add(load(s, self.g, at), self.a, y)
    }

    #[inline(always)]
    fn read_some(self, s: S, at: usize, lanes: usize) -> S::Lanes {
        let y = s.mul_add(load_some(s, self.y, at, lanes), self.b, self.c);
        s.mul_add(load_some(s, self.g, at, lanes), self.a, y)
    }
}

impl<S: Simd> Reader<S> for Spread<S::Lanes> {
    #[inline(always)]
    fn read(self, _: S, _: usize) -> S::Lanes {
        self.0
    }

    #[inline(always)]
    fn read_some(self, _: S, _: usize, _: usize) -> S::Lanes {
        self.0
    }
}

/// What is done with a reader, whichever it is.
pub(crate) trait WithReader<S: Simd> {
    fn with<R: Reader<S>>(self, s: S, reader: R);
}

impl<E: Element> Source<'_, E> {
    /// Calls `f` with the reader of `lanes` channels of `image` from `channel` on.
    #[inline(always)]
    pub(crate) fn reader<S: Simd>(
        &self,
        s: S,
        extent: Extent,
        (image, channel, lanes): (usize, usize, usize),
        f: impl WithReader<S>,
    ) {
        let of = |c: &Coefficients| coefficients(s, *c, (image, channel, extent.channels), lanes);
        match self {
            Self::Plain(x) => f.with(s, Plain(x)),
            Self::Normalised { x, scale, shift, activation } => {
                f.with(s, Normalised { x, scale: of(scale), shift: of(shift), activation: *activation });
            }
            Self::Gradient { g, y, a, b, c } => f.with(s, Gradient { g, y, a: of(a), b: of(b), c: of(c) }),
            Self::Spread(values) => f.with(s, Spread(of(&Coefficients::PerImage(values)))),
        }
    }
}
