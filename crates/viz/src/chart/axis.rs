use crate::{
    colour::palette::{Colour, INK},
    format,
};

/// How ticks are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ticks {
    Number,
    /// Fractions, written as percent; the axis stays within 0 to 100 % where the values do.
    Percent,
}

/// A range of values, with the ticks that lie in it.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) label: String,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Positions and their text; a tick without text is a small one.
    pub(crate) ticks: Vec<(f64, String)>,
    pub(crate) colour: Colour,
    /// How one of its values is written.
    pub(crate) value: fn(f64) -> String,
    /// No value was finite: there is nothing to draw along it.
    pub(crate) empty: bool,
}

/// `value`, if a chart can show it: finite and not absurdly large.
pub(crate) fn finite(value: f64) -> Option<f64> {
    (value.abs() <= 1e30).then_some(value)
}

/// log10, and NaN (a gap) for what has none.
pub(crate) fn log10(value: f64) -> f64 {
    if value > 0.0 { value.log10() } else { f64::NAN }
}

impl Axis {
    /// Room for all finite `values` and a little more.
    pub(crate) fn linear(
        label: &str,
        values: impl Iterator<Item = f64>,
        ticks: Ticks,
        target: usize,
    ) -> Self {
        let (low, high, empty) = range(values);
        let pad = if high - low > 1e-9 * low.abs().max(high.abs()) {
            0.05 * (high - low)
        } else {
            (0.1 * high.abs()).max(if high == 0.0 { 0.5 } else { 0.0 })
        };
        let (mut from, mut to) = (low - pad, high + pad);
        if ticks == Ticks::Percent {
            from = if low >= 0.0 { from.max(0.0) } else { from };
            to = if high <= 1.0 { to.min(1.005) } else { to };
        } else if low >= 0.0 {
            from = from.max(-0.02 * (to - from)); // a loss does not go below 0, and its axis hardly
        }
        let step = nice_step(to - from, target);
        let value = if ticks == Ticks::Percent { format::percent2 } else { format::digits };
        let ticks = multiples(from, to, step).map(|v| (v, tick_text(v, step, ticks))).collect();
        Self { label: label.to_owned(), low: from, high: to, ticks, colour: INK, value, empty }
    }

    /// Whole numbers from `first` to `first + n − 1`.
    pub(crate) fn whole(label: &str, first: f64, n: usize, target: usize) -> Self {
        let last = first + n.saturating_sub(1) as f64;
        let pad = if n <= 1 { 0.5 } else { 0.025 * (last - first) };
        let (low, high) = (first - pad, last + pad);
        let step = nice_step(high - low, target).max(1.0);
        let text: fn(f64) -> String = |v| if v < 0.0 { format::fixed(v, 0) } else { format::count(v as u64) };
        let ticks =
            multiples(low, high, step).filter(|v| (first..=last).contains(v)).map(|v| (v, text(v))).collect();
        Self { label: label.to_owned(), low, high, ticks, colour: INK, value: text, empty: n == 0 }
    }

    /// From the least to the greatest of `values`, which count something.
    pub(crate) fn numbers(label: &str, values: impl Iterator<Item = f64>, target: usize) -> Self {
        let (low, high, _) = range(values);
        let pad = if high > low { 0.025 * (high - low) } else { 0.5 };
        let step = nice_step(high - low + 2.0 * pad, target).max(1.0);
        let axis = Self::whole(label, 0.0, 1, target);
        let ticks = multiples(low, high, step).map(|v| (v, (axis.value)(v))).collect();
        Self { low: low - pad, high: high + pad, ticks, ..axis }
    }

    /// `values` are logarithms to the base ten; ticks are written as what they are logarithms of.
    pub(crate) fn log10(label: &str, values: impl Iterator<Item = f64>, margin: f64) -> Self {
        let (low, high, empty) = range(values);
        let pad = (margin * (high - low)).max(if high - low < 0.1 { 0.1 } else { 0.0 });
        let (low, high) = (low - pad, high + pad);
        let every = ((high - low) / 9.0).ceil().max(1.0) as i32;
        let mut ticks = Vec::new();
        for exponent in low.floor() as i32..=high.ceil() as i32 {
            for digit in 1..=9 {
                let at = f64::from(exponent) + f64::from(digit).log10();
                if !(low..=high).contains(&at) {
                    continue;
                }
                let text = match digit {
                    1 if exponent.rem_euclid(every) == 0 => format::power_of_ten(exponent),
                    2 | 5 if high - low < 2.0 => format!("{digit}·{}", format::power_of_ten(exponent)),
                    _ if high - low > 12.0 => continue,
                    _ if high - low < 0.3 => format!("{digit}·{}", format::power_of_ten(exponent)),
                    _ => String::new(),
                };
                ticks.push((at, text));
            }
        }
        let value = |v| format::rate(10f64.powf(v));
        Self { label: label.to_owned(), low, high, ticks, colour: INK, value, empty }
    }

    /// What it measures: its label up to a comma or a bracket.
    pub(crate) fn quantity(&self) -> &str {
        self.label.split([',', '(']).next().unwrap_or_default().trim_end()
    }

    /// From `low` to `high` exactly, without a margin.
    pub(crate) fn over(self, low: f64, high: f64) -> Self {
        let within = |tick: &(f64, String)| (low..=high).contains(&tick.0);
        Self { ticks: self.ticks.into_iter().filter(within).collect(), low, high, ..self }
    }

    pub(crate) fn coloured(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    /// Where `value` lies from 0 (low) to 1 (high).
    pub(crate) fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64, bool) {
    let (low, high) =
        values.filter_map(finite).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high { (0.0, 1.0, true) } else { (low, high, false) }
}

/// The least of 1, 2, 5 times a power of ten that makes not many more than `target` steps over `span`.
fn nice_step(span: f64, target: usize) -> f64 {
    let least = span / (1.4 * target as f64);
    let power = 10f64.powf(least.log10().floor());
    let nice = [1.0, 2.0, 5.0].into_iter().find(|n| n * power >= least * 0.999).unwrap_or(10.0);
    nice * power
}

fn multiples(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    let first = (low / step - 1e-9).ceil();
    let n = ((high / step + 1e-9).floor() - first).clamp(-1.0, 50.0) as i64;
    (0..=n).map(move |i| (first + i as f64) * step)
}

fn tick_text(value: f64, step: f64, ticks: Ticks) -> String {
    let value = if value.abs() < step * 1e-6 { 0.0 } else { value };
    let (value, step) = if ticks == Ticks::Percent { (100.0 * value, 100.0 * step) } else { (value, step) };
    let decimals = (-(step * 1.001).log10().floor()).max(0.0) as usize;
    let number = match decimals {
        5.. => format::rate(value).replace('-', "−"),
        _ if value.abs() >= 1e5 => format::rate(value),
        _ => format::fixed(value, decimals),
    };
    if ticks == Ticks::Percent { number + " %" } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|t| t.1.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        let axis = Axis::linear("", [0.31, 1.6].into_iter(), Ticks::Number, 6);
        assert_eq!(texts(&axis), ["0.4", "0.6", "0.8", "1.0", "1.2", "1.4", "1.6"]);
        let axis = Axis::linear("", [0.5569, 0.9338].into_iter(), Ticks::Percent, 6);
        assert_eq!(texts(&axis), ["55 %", "60 %", "65 %", "70 %", "75 %", "80 %", "85 %", "90 %", "95 %"]);
        let axis = Axis::linear("", [5e-7, 5.09e-3].into_iter(), Ticks::Number, 4);
        assert_eq!(texts(&axis), ["0.000", "0.001", "0.002", "0.003", "0.004", "0.005"]);
    }

    #[test]
    fn epochs_are_whole_and_exist() {
        for (n, expected) in [
            (1, &["1"][..]),
            (2, &["1", "2"]),
            (3, &["1", "2", "3"]),
            (20, &["2", "4", "6", "8", "10", "12", "14", "16", "18", "20"]),
        ] {
            assert_eq!(texts(&Axis::whole("", 1.0, n, 8)), expected);
        }
    }

    #[test]
    fn logarithmic_ticks_name_decades() {
        let axis = Axis::log10("", [-5.0, -1.0].into_iter(), 0.0);
        let named: Vec<_> = texts(&axis).into_iter().filter(|t| !t.is_empty()).collect();
        assert_eq!(named, ["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹"]);
    }

    #[test]
    fn odd_values_have_an_axis_too() {
        let odd = [
            vec![],
            vec![f64::NAN],
            vec![0.0],
            vec![5.0; 3],
            vec![-1e30, 1e30],
            vec![1e-300, 2e-300],
            vec![1e9, 1e9 + 1e-7],
        ];
        for values in odd {
            for ticks in [Ticks::Number, Ticks::Percent] {
                let axis = Axis::linear("", values.iter().copied(), ticks, 6);
                assert!(axis.low < axis.high && axis.ticks.len() < 30, "{values:?}: {axis:?}");
            }
            let axis = Axis::log10("", values.iter().copied().map(log10), 0.02);
            assert!(axis.low < axis.high && axis.ticks.len() < 700, "{values:?}: {axis:?}");
        }
    }
}
