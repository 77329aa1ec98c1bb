//! What follows a normalisation.

use crate::gelu::{Normal, reference};
use crate::simd::Simd;

/// A function of single values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `max(v, 0)`; NaN stays NaN.
    Relu,
    /// `v·Φ(v)`, Φ the distribution function of the standard normal distribution (Hendrycks & Gimpel 2016).
    Gelu,
}

impl Activation {
    /// Its value, by its definition.
    pub(crate) fn apply(self, v: f32) -> f32 {
        match self {
            Self::None => v,
            Self::Relu => {
                // This way round NaN passes.
                if v <= 0.0 { 0.0 } else { v }
            }
            Self::Gelu => (f64::from(v) * reference::distribution(v.into())) as f32,
        }
    }

    /// Its derivative, by its definition; a ReLU's at 0 is 0.
    pub(crate) fn derivative(self, v: f32) -> f32 {
        match self {
            Self::None => 1.0,
            Self::Relu => f32::from(v > 0.0),
            Self::Gelu => reference::slope(v.into()) as f32,
        }
    }

    /// Its value of each lane.
    #[inline(always)]
    pub(crate) fn lanes<S: Simd>(self, s: S, v: S::Lanes) -> S::Lanes {
        match self {
            Self::None => v,
            Self::Relu => s.max(s.splat(0.0), v), // as above: of a number and a NaN, `max` gives its second argument
            Self::Gelu => s.mul(v, Normal::at(s, v).distribution),
        }
    }

    /// `g` times its derivative at `v`, for each lane.
    #[inline(always)]
    pub(crate) fn gated<S: Simd>(self, s: S, v: S::Lanes, g: S::Lanes) -> S::Lanes {
        match self {
            Self::None => g,
            Self::Relu => s.where_positive(v, g),
            Self::Gelu => {
                let normal = Normal::at(s, v);
                s.mul(g, s.mul_add(v, normal.density, normal.distribution))
            }
        }
    }
}

#[cfg(test)]
#[allow(unsafe_code)]
mod tests {
    use super::*;
    use crate::isa::InstructionSet;
    use crate::simd::Baseline;
    #[cfg(target_arch = "x86_64")]
    use crate::simd::{Avx2, Avx512};

    const ALL: [Activation; 3] = [Activation::None, Activation::Relu, Activation::Gelu];

    /// From -16 to 16, densely, with the places where something happens: sixteen times as many.
    fn places() -> Vec<[f32; 16]> {
        let special =
            [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45];
        let mut places: Vec<f32> = (-16_000..=16_000).map(|i| i as f32 * 1e-3 + 3e-5).collect();
        places.extend(special.into_iter().chain([f32::NAN; 8]));
        places.as_chunks().0.to_vec()
    }

    #[test]
    fn the_definitions_derivative_is_the_slope_of_its_value() {
        // Central differences, whose error is that of two values, 6e-8·|x| each, over the step, and the third derivative's
        // (below 1) times a sixth of its square.
        let step = 1.0 / 64.0;
        for activation in ALL {
            for x in (-50..50).map(|i| 0.1 * i as f32 + 0.05) {
                let difference = (activation.apply(x + step) - activation.apply(x - step)) / (2.0 * step);
                let got = activation.derivative(x);
                assert!((got - difference).abs() <= 5e-5, "{activation:?}'({x}) = {got}, want {difference}");
            }
        }
    }

    #[test]
    fn a_rectifier_cuts_at_zero_and_passes_nan() {
        let relu = Activation::Relu;
        assert_eq!([-1.0, 0.0, 2.0, f32::NEG_INFINITY].map(|v| relu.apply(v)), [0.0, 0.0, 2.0, 0.0]);
        assert_eq!([-1.0, 0.0, 1e-45, 2.0].map(|v| relu.derivative(v)), [0.0, 0.0, 1.0, 1.0]);
        assert!(ALL.iter().all(|activation| activation.apply(f32::NAN).is_nan()));
    }

    /// What sixteen lanes give is what the definitions give: GELU's to 2e-7 (from 1 on, of `x`) and 3e-7, of a polynomial's
    /// 2.4e-8 and some four roundings of 6e-8 each; exactly where f32 holds nothing between the value and 0 or `x`. Its left
    /// tail fades without a step and with the right sign.
    fn check<S: Simd>(s: S, set: InstructionSet) {
        let same = |got: f32, want: f32, tolerance: f32| {
            got == want || (got - want).abs() <= tolerance || got.is_nan() && want.is_nan()
        };
        let gradients: [f32; 16] = std::array::from_fn(|i| i as f32 - 7.5);
        for activation in ALL {
            for x in places() {
                let (mut y, mut g) = ([f32::NAN; 16], [f32::NAN; 16]);
                s.store(activation.lanes(s, s.load(&x)), &mut y);
                s.store(activation.gated(s, s.load(&x), s.load(&gradients)), &mut g);
                for i in 0..16 {
                    let (value, gated) = (activation.apply(x[i]), activation.derivative(x[i]) * gradients[i]);
                    let of_gelu = f32::from(activation == Activation::Gelu && x[i].abs() < 15.0);
                    let close = same(y[i], value, 2e-7 * of_gelu * x[i].abs().max(1.0));
                    assert!(close, "{set:?} {activation:?}({}) = {}, want {value}", x[i], y[i]);
                    let close = same(g[i], gated, 3e-7 * of_gelu * gradients[i].abs());
                    assert!(close, "{set:?} {activation:?}'({}): {}, want {gated}", x[i], g[i]);
                    if of_gelu == 1.0 && (-8.0..0.0).contains(&x[i]) {
                        assert!((y[i] / value - 1.0).abs() < 1e-5, "{set:?}: gelu({}) = {}", x[i], y[i]);
                    }
                }
            }
        }
    }

    #[test]
    fn lanes_are_as_exact_as_stated_by_every_available_set() {
        check(Baseline, InstructionSet::Baseline);
        #[cfg(target_arch = "x86_64")]
        for set in InstructionSet::available() {
            match set {
                InstructionSet::Baseline => {}
                // SAFETY: the CPU was found to have it.
                InstructionSet::Avx2 => check(unsafe { Avx2::new() }, set),
                // SAFETY: as above.
                InstructionSet::Avx512 => check(unsafe { Avx512::<false>::new() }, set),
                // SAFETY: as above.
                InstructionSet::Avx512Bf16 => check(unsafe { Avx512::<true>::new() }, set),
            }
        }
    }
}
