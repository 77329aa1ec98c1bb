//! What follows a normalisation.

use crate::gelu::Normal;
use crate::simd::Simd;

/// A function of single values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `max(v, 0)`.
    Relu,
    /// `v·Φ(v)`, Φ the distribution function of the standard normal distribution (Hendrycks & Gimpel 2016).
    Gelu,
}

impl Activation {
    /// Its value.
    pub(crate) fn apply(self, v: f32) -> f32 {
        match self {
            Self::None => v,
            Self::Relu => v.max(0.0),
            Self::Gelu => v * Normal::at(v).distribution,
        }
    }

    /// Its derivative; a ReLU's at 0 is 0.
    pub(crate) fn derivative(self, v: f32) -> f32 {
        match self {
            Self::None => 1.0,
            Self::Relu => f32::from(v > 0.0),
            Self::Gelu => {
                let normal = Normal::at(v);
                normal.distribution + v * normal.density
            }
        }
    }

    /// Its value of each lane.
    #[inline(always)]
    pub(crate) fn lanes<S: Simd>(self, s: S, v: S::Lanes) -> S::Lanes {
        match self {
            Self::None => v,
            Self::Relu => s.max(v, s.splat(0.0)),
            Self::Gelu => each(s, v, |v| Self::Gelu.apply(v)),
        }
    }

    /// `g` times its derivative at `v`, for each lane.
    #[inline(always)]
    pub(crate) fn gated<S: Simd>(self, s: S, v: S::Lanes, g: S::Lanes) -> S::Lanes {
        match self {
            Self::None => g,
            Self::Relu => s.where_positive(v, g),
            Self::Gelu => s.mul(g, each(s, v, |v| Self::Gelu.derivative(v))),
        }
    }
}

#[inline(always)]
fn each<S: Simd>(s: S, v: S::Lanes, f: impl Fn(f32) -> f32) -> S::Lanes {
    let mut values = [0.0; 16];
    s.store(v, &mut values);
    for value in &mut values {
        *value = f(*value); // a loop, which is vectorised for the caller's instructions
    }
    s.load(&values)
}
