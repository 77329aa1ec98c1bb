//! A few measurements of one thing.

use serde::{Deserialize, Serialize};

/// The middle and the ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Spread {
    /// `None` of nothing, and where a value is missing.
    pub(super) fn of(values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let mut values = values.into_iter().collect::<Option<Vec<f64>>>()?;
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let half = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 };
        Some(Self { median: short(median), min, max })
    }

    /// Ours over theirs: the medians' ratio, and the ends of the ratios round by round.
    pub(super) fn ratio(pairs: &[(Option<f64>, Option<f64>)]) -> Option<Self> {
        let ours = Self::of(pairs.iter().map(|(ours, _)| *ours))?;
        let theirs = Self::of(pairs.iter().map(|(_, theirs)| *theirs))?;
        let each = Self::of(pairs.iter().map(|(ours, theirs)| Some((*ours)? / (*theirs)?)))?;
        Some(Self { median: short(ours.median / theirs.median), ..each })
    }
}

/// Five significant digits: no timing is known better.
pub(super) fn short(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_ends() {
        let of = |values: &[f64]| Spread::of(values.iter().map(|&v| Some(v)));
        assert_eq!(of(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(of(&[4.0, 1.0]), Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
        assert_eq!(of(&[8.3, 8.30002]).unwrap().median, 8.3);
        assert_eq!(of(&[]), None);
        assert_eq!(Spread::of([Some(1.0), None]), None);
    }

    #[test]
    fn a_ratio_is_that_of_medians_and_its_ends_those_of_rounds() {
        let pairs = [(10.0, 5.0), (30.0, 10.0), (20.0, 20.0)].map(|(a, b)| (Some(a), Some(b)));
        assert_eq!(Spread::ratio(&pairs), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(Spread::ratio(&[(Some(1.0), None)]), None);
        assert_eq!(Spread::ratio(&[]), None);
    }
}
