//! Ranges and their ticks.

use crate::format::{percent1, short};

/// How an axis's numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Number,
    Percent,
}

/// How values spread over an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    Logarithmic,
}

/// An axis from `low` to `high`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    scale: Scale,
}

impl Format {
    pub(crate) fn text(self, value: f64) -> String {
        match self {
            Self::Number => short(value),
            Self::Percent => percent1(value).replace(".0", ""),
        }
    }
}

impl Axis {
    /// Over all finite `values`, widened to round numbers; from 0 where they come near it.
    pub(crate) fn round(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = bounds(values);
        let low = if low >= 0.0 && low < 0.35 * high { 0.0 } else { low };
        let (low, high) = if high - low > 1e-12 * high.abs() {
            (low, high)
        } else {
            (low - 0.5 * margin(low), high + 0.5 * margin(high))
        };
        let step = step(low, high);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, scale: Scale::Linear }
    }

    /// Over all finite `values`, from the first to the last of them.
    pub(crate) fn tight(values: impl Iterator<Item = f64>, scale: Scale) -> Self {
        let positive = |v: &f64| scale == Scale::Linear || *v > 0.0;
        let (low, high) = bounds(values.filter(positive));
        let (low, high) = match scale {
            _ if high > low => (low, high),
            Scale::Linear => (low - 0.5, high + 0.5),
            Scale::Logarithmic => (low / 2.0, high * 2.0),
        };
        Self { low, high, scale }
    }

    /// Where `value` lies, 0 to 1; beyond the ends outside of that.
    pub(crate) fn share(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => (value / self.low).ln() / (self.high / self.low).ln(),
        }
    }

    /// Round numbers within it.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => linear(self.low, self.high),
            Scale::Logarithmic => decades(self.low, self.high),
        }
    }

    /// Ticks that are whole numbers: epochs and steps.
    pub(crate) fn whole_ticks(&self) -> Vec<f64> {
        let mut ticks = self.ticks();
        ticks.retain(|t| (t - t.round()).abs() < 1e-9);
        ticks
    }
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high { (0.0, 1.0) } else { (low, high) }
}

fn margin(value: f64) -> f64 {
    if value == 0.0 { 1.0 } else { 0.2 * value.abs() }
}

/// 1, 2 or 5 times a power of ten, so that four to nine of them lie between `low` and `high`.
fn step(low: f64, high: f64) -> f64 {
    let rough = (high - low) / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let times = [1.0, 2.0, 5.0].into_iter().find(|m| m * power >= 0.999 * rough).unwrap_or(10.0);
    times * power
}

fn linear(low: f64, high: f64) -> Vec<f64> {
    let step = step(low, high);
    let first = (low / step - 1e-6).ceil() as i64;
    let last = (high / step + 1e-6).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

fn decades(low: f64, high: f64) -> Vec<f64> {
    let few = high / low < 50.0;
    let within = |v: &f64| *v >= low * (1.0 - 1e-9) && *v <= high * (1.0 + 1e-9);
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let of = |power: i32| {
        let times: &[u8] = if few { &[1, 2, 5] } else { &[1] };
        // Parsed, so that 1e-5 is the nearest number to it.
        times.iter().filter_map(move |m| format!("{m}e{power}").parse::<f64>().ok())
    };
    powers.flat_map(of).filter(within).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers() {
        let axis = Axis::round([0.23, 1.6, f64::NAN].into_iter());
        assert_eq!(axis.ticks().iter().map(|t| short(*t)).collect::<Vec<_>>(), ["0", "0.5", "1", "1.5", "2"]);
        assert!((axis.share(1.0) - 0.5).abs() < 1e-12);
        let axis = Axis::tight([1e-5, 0.1].into_iter(), Scale::Logarithmic);
        assert_eq!(axis.ticks(), [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]);
        assert!((axis.share(1e-3) - 0.5).abs() < 1e-12);
        let axis = Axis::tight([1.0, 4.0].into_iter(), Scale::Linear);
        assert_eq!(axis.whole_ticks(), [1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn one_value_and_none_still_have_an_axis() {
        for values in [vec![], vec![0.9], vec![0.0], vec![-3.0]] {
            let axis = Axis::round(values.iter().copied());
            assert!(axis.ticks().len() >= 2, "{values:?}: {axis:?}");
            for v in values {
                assert!((0.0..=1.0).contains(&axis.share(v)), "{axis:?}");
            }
        }
        let axis = Axis::tight([1.0].into_iter(), Scale::Linear);
        assert_eq!(axis.share(1.0), 0.5);
        let axis = Axis::tight([0.0, 2.0].into_iter(), Scale::Logarithmic);
        assert!((axis.share(2.0) - 0.5).abs() < 1e-12);
    }
}
