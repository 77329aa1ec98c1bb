//! Numbers for people.

use wick_runs::grouped;

use super::spread::Spread;

/// Columns of equal width, the first to the left, the others to the right.
pub(super) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
    let width = |column| rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = widths.iter().enumerate().map(|(column, width)| match column {
            0 => format!("{:width$}", cell(row, column)),
            _ => format!("{:>width$}", cell(row, column)),
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Three digits or more; thousands are apart where there are five.
pub(super) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 9_999.5 => return grouped(v.round() as u64),
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// `94.3 (89.0–97.1)`.
pub(super) fn spread(spread: Option<Spread>) -> String {
    let Some(Spread { median, min, max }) = spread else { return "–".to_owned() };
    format!("{} ({}–{})", number(median), number(min), number(max))
}

/// `1.3e-3`.
pub(super) fn error(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows: Vec<Vec<String>> = [vec!["", "one"], vec!["long", "2", "x"]]
            .map(|r| r.into_iter().map(String::from).collect())
            .into();
        assert_eq!(aligned(&rows), "      one\nlong    2  x\n");
        assert_eq!(aligned(&[]), "");
    }

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!([280.4, 99.96, 28.04, 2.804, 0.0].map(number), ["280", "100", "28.0", "2.80", "0.00"]);
        assert_eq!([9_999.4, 61_312.7].map(number), ["9999", "61,313"]);
        let some = Spread { median: 2.0, min: 1.5, max: 30.0 };
        assert_eq!(spread(Some(some)), "2.00 (1.50–30.0)");
        assert_eq!(
            (spread(None), error(None), error(Some(0.00131))),
            ("–".into(), "–".into(), "1.3e-3".into())
        );
    }
}
