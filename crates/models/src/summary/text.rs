//! The summary as a table.

use std::fmt;

use super::{Summary, SummaryRow};

const MEGA: f64 = 1e6;
const GIGA: f64 = 1e9;

impl fmt::Display for Summary {
    /// A table for people. Megabytes are of 10⁶ bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.rows.iter().map(cells);
        let header = ["Layer", "Kind", "Output (N, H, W, C)", "Parameters", "Mult-adds"].map(str::to_owned);
        let table: Vec<_> = [header].into_iter().chain(table).collect();
        let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(width);
        let rule = "=".repeat(a + b + c + d + e + 8);
        for (i, [layer, kind, output, parameters, mult_adds]) in table.iter().enumerate() {
            writeln!(f, "{layer:a$}  {kind:b$}  {output:c$}  {parameters:>d$}  {mult_adds:>e$}")?;
            if i == 0 {
                writeln!(f, "{rule}")?;
            }
        }
        writeln!(f, "{rule}")?;
        let mb = |bytes: u64| bytes as f64 / MEGA;
        writeln!(f, "Input (N, H, W, C):         {:?}", self.input)?;
        writeln!(f, "Total parameters:           {}", grouped(self.parameters))?;
        writeln!(f, "Total mult-adds (G):        {:.2}", self.mult_adds as f64 / GIGA)?;
        writeln!(f, "Input size (MB):            {:.2}", mb(self.input_bytes))?;
        writeln!(f, "Forward/backward size (MB): {:.2}", mb(self.forward_backward_bytes))?;
        writeln!(f, "Parameters size (MB):       {:.2}", mb(self.parameter_bytes))?;
        writeln!(f, "Estimated total size (MB):  {:.2}", mb(self.total_bytes()))
    }
}

fn cells(row: &SummaryRow) -> [String; 5] {
    let name = if row.name.is_empty() { row.kind } else { &row.name };
    let layer = format!("{}{name}", "  ".repeat(row.depth));
    let cost = |value: Option<u64>| value.map_or_else(|| "--".to_owned(), grouped);
    let (parameters, mult_adds) = (row.cost.map(|c| c.parameters), row.cost.map(|c| c.mult_adds));
    [layer, row.kind.to_owned(), format!("{:?}", row.output), cost(parameters), cost(mult_adds)]
}

/// `1234567` as `1,234,567`.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_set_apart() {
        let text = [0, 12, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(text, ["0", "12", "999", "1,000", "1,234,567"]);
    }
}
