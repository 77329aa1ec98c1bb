//! What follows a normalisation.

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
            Self::Gelu => (f64::from(v) * normal(f64::from(v))) as f32,
        }
    }

    /// Its derivative; a ReLU's at 0 is 0.
    pub(crate) fn derivative(self, v: f32) -> f32 {
        match self {
            Self::None => 1.0,
            Self::Relu => f32::from(v > 0.0),
            Self::Gelu => {
                let v = f64::from(v);
                let density = (-0.5 * v * v).exp() / std::f64::consts::TAU.sqrt();
                (normal(v) + v * density) as f32
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
    s.load(&values.map(f))
}

/// Φ, by the series of the error function near zero and its continued fraction far away: exact to 1e-15.
fn normal(v: f64) -> f64 {
    let x = v.abs() / std::f64::consts::SQRT_2;
    let upper = if x < 3.0 {
        // erf x = 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!
        let (mut term, mut sum) = (x, x);
        for n in 1..100 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
        }
        0.5 - sum * (-x * x).exp() / std::f64::consts::PI.sqrt()
    } else {
        // erfc x = e^(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + …))))
        let fraction = (1..=60).rev().fold(x, |f, k| x + f64::from(k) / 2.0 / f);
        0.5 * (-x * x).exp() / (std::f64::consts::PI.sqrt() * fraction)
    };
    if v < 0.0 { upper } else { 1.0 - upper }
}
