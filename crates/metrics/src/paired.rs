//! Two ways of doing a thing, compared over the same seeds.

use crate::error::{check_enough, check_length};
use crate::{MetricsError, mean, standard_deviation, student_t_cdf, student_t_quantile};

/// A closed interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub lower: f64,
    /// Its upper end.
    pub upper: f64,
}

impl Interval {
    /// Whether `value` is in it.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        (self.lower..=self.upper).contains(&value)
    }
}

/// The paired t-test (Student, *The Probable Error of a Mean*, 1908) of `a − b`, each pair from one seed. It takes the differences for
/// normally distributed, which a handful of seeds can neither show nor refute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedComparison {
    /// Number of pairs.
    pub n: usize,
    /// Mean of `a − b`.
    pub mean_difference: f64,
    /// Standard deviation of `a − b` (n − 1).
    pub standard_deviation: f64,
    /// Two-sided interval of the mean difference at the given level.
    pub interval: Interval,
    /// How often a mean difference at least as far from 0 would come if there were none (two-sided).
    pub p_value: f64,
}

impl PairedComparison {
    /// Compares `a` and `b`, `(n)` each, in the same order of seeds; `level` is the interval's, 0.95 say.
    ///
    /// # Errors
    /// Slices of different length, fewer than two pairs, a value that is not finite, a level not between 0 and 1.
    pub fn new(a: &[f64], b: &[f64], level: f64) -> Result<Self, MetricsError> {
        check_length("values to compare with", a.len(), b.len())?;
        check_enough("a paired comparison", 2, a.len())?;
        if !(level > 0.0 && level < 1.0) {
            return Err(MetricsError::Option { what: "the level", expected: "between 0 and 1", got: level });
        }
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        let mean_difference = mean(&differences)?;
        let standard_deviation = standard_deviation(&differences)?;

        let freedom = (a.len() - 1) as f64;
        let error = standard_deviation / (a.len() as f64).sqrt();
        let reach = student_t_quantile(0.5 + level / 2.0, freedom)? * error;
        let interval = Interval { lower: mean_difference - reach, upper: mean_difference + reach };
        let p_value = match (mean_difference == 0.0, error == 0.0) {
            (true, _) => 1.0,
            (false, true) => 0.0,
            (false, false) => 2.0 * student_t_cdf(-(mean_difference / error).abs(), freedom)?,
        };
        Ok(Self { n: a.len(), mean_difference, standard_deviation, interval, p_value })
    }
}
