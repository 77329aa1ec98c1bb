//! The claims as a table for people.

use crate::numbers::{grouped_signed, significant};
use crate::{Claim, Claims, Kind, Unit, Value, Verdict};

impl Claims {
    /// What the columns of a table of claims are called.
    pub const HEAD: [&str; 5] = ["claim", "published", "measured", "within", "verdict"];

    /// A plain-text table, one line a claim (published, measured, tolerance, verdict), and a last line that counts
    /// the verdicts. Fractions are shown as per cent, numbers with as many digits as a reader takes in, or as tell the two apart; of
    /// lists their ends and the largest difference.
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
            let [name, published, measured, within, verdict] = line;
            let [w0, w1, w2, w3, _] = widths;
            table += &format!("{name:<w0$}  {published:>w1$}  {measured:>w2$}  {within:<w3$}  {verdict}\n");
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
    let asked = match claim.kind {
        Kind::Exact => "exact".to_owned(),
        Kind::Within { tolerance } => format!("± {}", tolerance_text(tolerance, claim.unit)),
    };
    let off = || claim.measured.as_ref().and_then(|measured| furthest(claim, measured));
    let verdict = match &claim.verdict {
        Verdict::Matches => off()
            .filter(|_| !claim.published.is_single())
            .map_or("matches".to_owned(), |off| format!("matches: furthest {off}")),
        Verdict::Differs => off().map_or("differs".to_owned(), |off| format!("differs: {off}")),
        Verdict::NotComparable { why } => format!("not comparable: {why}"),
    };
    let (published, measured) = both(claim);
    [claim.name.clone(), published, measured, asked, verdict]
}

/// The published value and the measured one, with as many digits as tell the two apart.
fn both(claim: &Claim) -> (String, String) {
    let Some(measured) = &claim.measured else {
        return (value(&claim.published, claim.unit, DIGITS), "-".to_owned());
    };
    let numbers = measured.numbers();
    let text = |digits| [&claim.published, measured].map(|v| value(v, claim.unit, digits));
    let is_told = |digits: &usize| {
        let [published, measured] = text(*digits);
        published != measured || claim.published.numbers() == numbers
    };
    let single = claim.published.is_single() && measured.is_single() && claim.unit == Unit::Number;
    let digits = (DIGITS..MOST_DIGITS).find(is_told).unwrap_or(MOST_DIGITS);
    let [published, measured] = text(if single { digits } else { DIGITS });
    (published, measured)
}

/// Digits that a reader takes in.
const DIGITS: usize = 6;
/// Digits that tell any two floats apart.
const MOST_DIGITS: usize = 17;

fn value(value: &Value, unit: Unit, digits: usize) -> String {
    let numbers = match value {
        Value::Integer(integer) if unit == Unit::Number => return grouped_signed(*integer),
        value => value.numbers(),
    };
    match numbers[..] {
        [] => "no values".to_owned(),
        [only] => number(only, unit, digits),
        _ => {
            let finite = || numbers.iter().copied().filter(|number| number.is_finite());
            let (least, most) = (finite().reduce(f64::min), finite().reduce(f64::max));
            let range =
                least.zip(most).map(|ends| [ends.0, ends.1].map(|end| number(end, unit, LIST_DIGITS)));
            let count = numbers.len();
            match range {
                Some([least, most]) if least == most => format!("{count} values of {least}"),
                Some([least, most]) => format!("{count} values, {least} to {most}"),
                None => format!("{count} values, none finite"),
            }
        }
    }
}

/// Digits of the ends of a list.
const LIST_DIGITS: usize = 4;

fn number(number: f64, unit: Unit, digits: usize) -> String {
    match unit {
        Unit::Fraction => format!("{:.2} %", number * 100.0),
        Unit::Number => significant(number, digits),
    }
}

fn tolerance_text(tolerance: f64, unit: Unit) -> String {
    match unit {
        // In percentage points, rounded to what a reader would write: 0.4, not 0.40000000000000002.
        Unit::Fraction => format!("{} points", (tolerance * 1e8).round() / 1e6),
        Unit::Number => tolerance.to_string(),
    }
}

/// The largest difference, and where in a list it is; nothing where there is none.
fn furthest(claim: &Claim, measured: &Value) -> Option<String> {
    let (published, measured) = (claim.published.numbers(), measured.numbers());
    if published.len() != measured.len() {
        return Some(format!("{} values instead of {}", measured.len(), published.len()));
    }
    let differences = published.iter().zip(&measured).map(|(published, measured)| measured - published);
    let (index, largest) = differences
        .enumerate()
        .filter(|(_, difference)| *difference != 0.0)
        .max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()))?;
    let amount = match claim.unit {
        Unit::Fraction => format!("by {:+.2} points", largest * 100.0),
        Unit::Number if largest > 0.0 => format!("by +{}", significant(largest, LIST_DIGITS)),
        Unit::Number => format!("by {}", significant(largest, LIST_DIGITS)),
    };
    if published.len() == 1 {
        return Some(amount);
    }
    Some(match claim.parts.get(index) {
        Some(part) => format!("{amount}, of {part}"),
        None => format!("{amount}, of value {}", index + 1),
    })
}
