/// What a map's values spanned before they were scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// From `min`, now 0, to `max`, now 1.
    Spread {
        /// The least value.
        min: f32,
        /// The greatest value.
        max: f32,
    },
    /// All values are this one, to within rounding: there is no "more" and "less" to show, and stretching the rounding to 0..=1
    /// would draw noise. All are now 0.
    Flat(f32),
}

/// A map between 0 and 1, and what that stood for.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaled {
    /// The values, 0 to 1.
    pub values: Vec<f32>,
    /// What they spanned before.
    pub range: Range,
}

/// Scales values to 0..=1: `(v − min)/(max − min)`. A spread below 10⁻⁶ of the greatest magnitude counts as
/// [`Range::Flat`]. NaN and infinities are left out of the range; NaN becomes 0.
pub fn min_max(values: &[f32]) -> Scaled {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let (min, max) = finite().fold((f32::INFINITY, f32::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
    // In f64, where the spread of two f32 cannot overflow.
    let (lo, spread) = (f64::from(min), f64::from(max) - f64::from(min));
    let dust = 1e-6 * f64::from(min.abs().max(max.abs()));
    if min > max || spread <= dust {
        let value = if min > max { 0.0 } else { max };
        return Scaled { values: vec![0.0; values.len()], range: Range::Flat(value) };
    }
    let scale =
        |&v: &f32| if v.is_nan() { 0.0 } else { ((f64::from(v) - lo) / spread).clamp(0.0, 1.0) as f32 };
    Scaled { values: values.iter().map(scale).collect(), range: Range::Spread { min, max } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_become_zero_and_one() {
        let s = min_max(&[-1.0, 1.0, 3.0]);
        assert_eq!(s, Scaled { values: vec![0.0, 0.5, 1.0], range: Range::Spread { min: -1.0, max: 3.0 } });
        // Small numbers are not flat; only small differences are.
        assert_eq!(min_max(&[1e-30, 3e-30, 2e-30]).values, [0.0, 1.0, 0.5]);
        assert_eq!(min_max(&[-f32::MAX, f32::MAX, 0.0]).values, [0.0, 1.0, 0.5]);
    }

    #[test]
    fn equal_values_are_flat() {
        assert_eq!(min_max(&[2.5; 3]), Scaled { values: vec![0.0; 3], range: Range::Flat(2.5) });
        assert_eq!(min_max(&[0.0; 2]).range, Range::Flat(0.0));
        assert!(matches!(min_max(&[1.0, 1.0 + f32::EPSILON]).range, Range::Flat(_)));
        assert_eq!(min_max(&[]), Scaled { values: vec![], range: Range::Flat(0.0) });
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let s = min_max(&[f32::NAN, 0.0, 4.0, f32::INFINITY, f32::NEG_INFINITY]);
        assert_eq!(s.values, [0.0, 0.0, 1.0, 1.0, 0.0]);
        assert_eq!(min_max(&[f32::NAN]).range, Range::Flat(0.0));
    }
}
