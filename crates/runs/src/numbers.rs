//! Numbers as people read them.

/// A whole number with its thousands apart: `11,173,962`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same with its sign.
pub(crate) fn grouped_signed(number: i64) -> String {
    let text = grouped(number.unsigned_abs());
    if number < 0 { format!("-{text}") } else { text }
}

/// Rounded to so many digits that matter, of which noughts at the end are left out: `0.00509414`, `5.09414e-7`; whole numbers below
/// 2⁵³ in full.
pub(crate) fn significant(number: f64, digits: usize) -> String {
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return grouped_signed(number as i64);
    }
    let rounded: f64 = format!("{number:.*e}", digits.saturating_sub(1)).parse().unwrap_or(number);
    if (1e-4..1e6).contains(&rounded.abs()) || !rounded.is_finite() {
        format!("{rounded}")
    } else {
        format!("{rounded:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1000, 170_052_171].map(grouped), ["0", "999", "1,000", "170,052,171"]);
        assert_eq!(grouped_signed(-11_173_962), "-11,173,962");
        assert_eq!(grouped_signed(i64::MIN), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn digits_that_matter() {
        let told = |digits| move |number| significant(number, digits);
        assert_eq!([359.66, 0.1 + 0.2, 1.0 / 3.0].map(told(6)), ["359.66", "0.3", "0.333333"]);
        assert_eq!([5.094_138_014_818_95e-7, -2.5e9 / 3.0].map(told(4)), ["5.094e-7", "-8.333e8"]);
        assert_eq!([-10.0, 11_173_962.0, 0.0].map(told(3)), ["-10", "11,173,962", "0"]);
        assert_eq!([f64::NAN, f64::INFINITY].map(told(3)), ["NaN", "inf"]);
    }
}
