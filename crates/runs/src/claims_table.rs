//! The claims as a table for people.

use crate::{Claim, Claims, Kind, Unit, Value, Verdict};

impl Claims {
    /// What the columns of a table of claims are called.
    pub const HEAD: [&str; 5] = ["claim", "published", "measured", "asked", "verdict"];

    /// A plain-text table, one line a claim (published, measured, tolerance, verdict), and a last line that counts
    /// the verdicts. Fractions are shown as per cent.
    pub fn table(&self) -> String {
        let mut lines = vec![Self::HEAD.map(String::from)];
        lines.extend(self.claims.iter().map(Claim::cells));
        let width = |column: usize| {
            lines
                .iter()
                .filter_map(|line| line.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        let rule = widths.map(|width| "-".repeat(width));
        lines.insert(1, rule);
        let mut table = String::new();
        for line in &lines {
            let [name, published, measured, asked, verdict] = line;
            let [w0, w1, w2, w3, _] = widths;
            table += &format!("{name:<w0$}  {published:>w1$}  {measured:>w2$}  {asked:<w3$}  {verdict}\n");
        }
        table + &self.verdicts() + "\n"
    }

    /// How many of each verdict, in words.
    pub fn verdicts(&self) -> String {
        let (matches, differs, other) = self.count();
        format!("{matches} match, {differs} differ, {other} not comparable")
    }
}

impl Claim {
    /// The claim's cells under [`Claims::HEAD`].
    pub fn cells(&self) -> [String; 5] {
        cells(self)
    }
}

fn cells(claim: &Claim) -> [String; 5] {
    let measured = claim.measured.as_ref();
    let asked = match claim.kind {
        Kind::Exact => "exact".to_owned(),
        Kind::Within { tolerance } => format!("± {}", tolerance_text(tolerance, claim.unit)),
    };
    let verdict = match &claim.verdict {
        Verdict::Matches => "matches".to_owned(),
        Verdict::Differs => measured
            .and_then(|measured| difference(&claim.published, measured, claim.unit))
            .map_or("differs".to_owned(), |difference| format!("differs: {difference}")),
        Verdict::NotComparable { why } => format!("not comparable: {why}"),
    };
    let measured = measured.map_or("-".to_owned(), |measured| value(measured, claim.unit));
    [claim.name.clone(), value(&claim.published, claim.unit), measured, asked, verdict]
}

fn value(value: &Value, unit: Unit) -> String {
    match value {
        Value::Integer(integer) if unit == Unit::Number => grouped(*integer),
        Value::Numbers(numbers) => match (numbers.first(), numbers.last()) {
            (Some(first), Some(last)) if numbers.len() > 1 => {
                format!("{} values, {} … {}", numbers.len(), short(*first, unit), short(*last, unit))
            }
            (Some(only), _) => number(*only, unit),
            _ => "no values".to_owned(),
        },
        _ => number(value.numbers().first().copied().unwrap_or(f64::NAN), unit),
    }
}

/// In full, so that an exact claim can be compared by eye.
fn number(number: f64, unit: Unit) -> String {
    match unit {
        Unit::Number => format!("{number:?}"),
        Unit::Fraction => short(number, unit),
    }
}

fn short(number: f64, unit: Unit) -> String {
    match unit {
        Unit::Fraction => format!("{:.2} %", number * 100.0),
        Unit::Number if number != 0.0 && !(1e-3..1e6).contains(&number.abs()) => format!("{number:.3e}"),
        Unit::Number => format!("{number:.4}"),
    }
}

fn tolerance_text(tolerance: f64, unit: Unit) -> String {
    match unit {
        // In percentage points, rounded to what a reader would write: 0.4, not 0.40000000000000002.
        Unit::Fraction => format!("{} points", (tolerance * 1e8).round() / 1e6),
        Unit::Number => tolerance.to_string(),
    }
}

/// The largest difference, and where in a list it is.
fn difference(published: &Value, measured: &Value, unit: Unit) -> Option<String> {
    let (published, measured) = (published.numbers(), measured.numbers());
    if published.len() != measured.len() {
        return Some(format!("{} values instead of {}", measured.len(), published.len()));
    }
    let differences = published.iter().zip(&measured).map(|(published, measured)| measured - published);
    let (index, largest) = differences
        .enumerate()
        .filter(|(_, difference)| *difference != 0.0)
        .max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()))?;
    let amount = match unit {
        Unit::Fraction => format!("by {:+.2} points", largest * 100.0),
        Unit::Number => format!("by {largest:+.3e}"),
    };
    Some(if published.len() > 1 { format!("{amount} at value {}", index + 1) } else { amount })
}

fn grouped(integer: i64) -> String {
    let digits = integer.unsigned_abs().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if integer < 0 { format!("-{text}") } else { text }
}
