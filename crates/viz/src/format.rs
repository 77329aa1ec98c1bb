//! Numbers as people read them.

/// A fraction as percent with one decimal: 0.873 is "87.3 %"; "–" if it is no number.
pub(crate) fn percent(fraction: f64) -> String {
    percent_to(fraction, 1)
}

/// A fraction as percent with two decimals.
pub(crate) fn percent2(fraction: f64) -> String {
    percent_to(fraction, 2)
}

fn percent_to(fraction: f64, decimals: usize) -> String {
    let number = fixed(100.0 * fraction, decimals);
    if fraction.is_finite() { number + " %" } else { number }
}

/// `decimals` decimals, or "–" if it is no number.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    match value {
        v if !v.is_finite() => "–".to_owned(),
        v if v.abs() >= 1e6 => format!("{v:.2e}"),
        v => format!("{v:.decimals$}").replace('-', "−"),
    }
}

/// Four significant digits: 0.49871 is "0.4987", 2.5 is "2.5".
pub(crate) fn digits(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    let plain = rounded == 0.0 || (1e-3..1e6).contains(&rounded.abs());
    let text = if plain { format!("{rounded}") } else { format!("{rounded:e}") };
    text.replace('-', "−")
}

/// A learning rate with three digits: 0.0050941 is "5.09e-3", 0.1 is "0.1".
pub(crate) fn rate(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    if rounded == 0.0 || (0.01..1000.0).contains(&rounded.abs()) {
        format!("{rounded}")
    } else {
        format!("{rounded:e}")
    }
}

/// A whole number with its thousands apart: "31 260".
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            out.push('\u{2009}');
        }
        out.push(c);
    }
    out
}

/// A power of ten: "10⁻³".
pub(crate) fn power_of_ten(exponent: i32) -> String {
    let raised = |c| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        c => char::from_u32('⁰' as u32 + c as u32 - '0' as u32).unwrap_or(c),
    };
    "10".chars().chain(exponent.to_string().chars().map(raised)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(percent(0.8734), "87.3 %");
        assert_eq!(percent(f64::NAN), "–");
        assert_eq!(percent2(0.92221), "92.22 %");
        assert_eq!(fixed(-0.5, 1), "−0.5");
        assert_eq!(
            [digits(0.498_71), digits(2.5), digits(-12_345.6), digits(5.094e-5)],
            ["0.4987", "2.5", "−12350", "5.094e−5"]
        );
        assert_eq!(fixed(1e300, 3), "1.00e300");
        assert_eq!(
            [rate(5.0941380148e-3), rate(0.1), rate(1e-5), rate(0.0)],
            ["5.09e-3", "0.1", "1e-5", "0"]
        );
        assert_eq!(
            [count(9_222), count(31_260), count(1_000_000)],
            ["9222", "31\u{2009}260", "1\u{2009}000\u{2009}000"]
        );
        assert_eq!([power_of_ten(-3), power_of_ten(0), power_of_ten(14)], ["10⁻³", "10⁰", "10¹⁴"]);
    }
}
