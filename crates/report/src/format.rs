//! Numbers as people read them.

pub(crate) use wick_runs::grouped as count;

/// Between a number and its unit, where no line may break.
const SPACE: char = '\u{a0}';

/// 0.9249 as `92.49 %`; what is no number as `–`.
pub(crate) fn percent(fraction: f64) -> String {
    if fraction.is_finite() { format!("{:.2}{SPACE}%", 100.0 * fraction) } else { "–".to_owned() }
}

/// As [`percent`], with one digit.
pub(crate) fn percent1(fraction: f64) -> String {
    if fraction.is_finite() { format!("{:.1}{SPACE}%", 100.0 * fraction) } else { "–".to_owned() }
}

/// For the style sheet: `92.5%`, from nothing to all; nothing for what is no number.
pub(crate) fn share(fraction: f64) -> String {
    let known = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
    format!("{:.1}%", 100.0 * known)
}

/// A difference of two fractions in percentage points, signed.
pub(crate) fn points(difference: f64) -> String {
    if difference.is_finite() { format!("{:+.2}", 100.0 * difference) } else { "–".to_owned() }
}

/// With four digits that matter: `0.2278`, `11.24`, `5.094e-7`.
pub(crate) fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if !value.is_finite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    let size = value.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if !(1e-4..1e6).contains(&size) {
        format!("{value:.3e}")
    } else {
        let before = size.log10().floor() as i32;
        let digits = usize::try_from((3 - before).clamp(0, 7)).unwrap_or(0);
        format!("{value:.digits$}")
    }
}

/// As short as says the same to four digits: `0.1`, `0.005094`, `1e-5`.
pub(crate) fn short(value: f64) -> String {
    let text = number(value);
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => {
            format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
        }
        _ if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        _ => text,
    }
}

/// `2 h 31 min`, `4 min 17 s`, `1.8 s`, `4 ms`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".to_owned();
    }
    if seconds < 0.1 {
        return format!("{:.0}{SPACE}ms", 1000.0 * seconds);
    }
    if seconds < 60.0 {
        return format!("{seconds:.1}{SPACE}s");
    }
    let whole = seconds.round() as u64;
    if whole < 3600 {
        format!("{}{SPACE}min {}{SPACE}s", whole / 60, whole % 60)
    } else {
        format!("{}{SPACE}h {}{SPACE}min", whole / 3600, whole % 3600 / 60)
    }
}

/// What a class is called, by its number where it has no name.
pub(crate) fn class_name(names: &[String], class: usize) -> String {
    names.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
}

/// With a capital at its beginning.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        let told = [0.227_842, 11.238, 5.094_138e-7, 0.000_123_46, 1234.56, 0.0, -0.5].map(number);
        assert_eq!(told, ["0.2278", "11.24", "5.094e-7", "0.0001235", "1235", "0", "-0.5000"]);
        assert_eq!([0.1, 1e-5, 0.002, 3.0, 120.0].map(short), ["0.1", "1e-5", "0.002", "3", "120"]);
        assert_eq!([f64::NAN, f64::INFINITY].map(number), ["NaN", "∞"]);
    }

    #[test]
    fn people_read_these() {
        assert_eq!(percent(0.9249), "92.49\u{a0}%");
        assert_eq!(percent1(f64::NAN), "–");
        assert_eq!([0.9249, f64::NAN, 1.5].map(share), ["92.5%", "0.0%", "100.0%"]);
        assert_eq!(points(-0.0027), "-0.27");
        assert_eq!([7, 1000, 11_173_962].map(count), ["7", "1,000", "11,173,962"]);
        assert_eq!(duration(9060.0), "2\u{a0}h 31\u{a0}min");
        assert_eq!(duration(257.4), "4\u{a0}min 17\u{a0}s");
        assert_eq!(duration(0.004_2), "4\u{a0}ms");
    }
}
