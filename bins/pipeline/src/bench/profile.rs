//! What each part of a training step takes.

use std::fmt::Write as _;

use serde::Serialize;

use super::engine::OpTime;
use crate::terminal::{Column, Table};

/// All runs of one part, averaged over the steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub op: String,
    /// Runs a step.
    pub calls: f64,
    /// Milliseconds a step.
    pub ms: f64,
    /// Of the step's time.
    pub share: f64,
    /// As if computed directly; absent where operations are not counted.
    pub gflop_per_s: Option<f64>,
}

/// Adds up what has one name, in order of time taken.
pub fn rows(times: Vec<OpTime>, steps: usize) -> Vec<Row> {
    let steps = steps as f64;
    let total: f64 = times.iter().map(|t| t.seconds).sum();
    let mut sums: Vec<(OpTime, f64)> = Vec::new();
    for time in times {
        match sums.iter_mut().find(|(sum, _)| sum.name == time.name) {
            Some((sum, calls)) => {
                sum.seconds += time.seconds;
                sum.flops += time.flops;
                *calls += 1.0;
            }
            None => sums.push((time, 1.0)),
        }
    }
    sums.sort_by(|(a, _), (b, _)| b.seconds.total_cmp(&a.seconds));
    let row = |(sum, calls): (OpTime, f64)| Row {
        calls: calls / steps,
        ms: 1e3 * sum.seconds / steps,
        share: if total > 0.0 { sum.seconds / total } else { 0.0 },
        gflop_per_s: (sum.flops > 0.0 && sum.seconds > 0.0).then(|| sum.flops / sum.seconds / 1e9),
        op: sum.name,
    };
    sums.into_iter().map(row).collect()
}

/// The rows for people, the sum last.
pub fn text(rows: &[Row]) -> String {
    let mut table = Table::new([
        Column::left("part of a step"),
        Column::right("calls"),
        Column::right("ms"),
        Column::right("share %"),
        Column::right("GFLOP/s"),
    ]);
    for row in rows {
        let rate = row.gflop_per_s.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.0}"));
        let share = format!("{:.1}", 100.0 * row.share);
        table.row([row.op.clone(), row.calls.to_string(), format!("{:.2}", row.ms), share, rate]);
    }
    let mut text = table.text(None);
    let total: f64 = rows.iter().map(|row| row.ms).sum();
    let _ = writeln!(text, "together {total:.2} ms a step");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(name: &str, seconds: f64, flops: f64) -> OpTime {
        OpTime { name: name.to_owned(), seconds, flops }
    }

    #[test]
    fn runs_of_one_name_are_added_up() {
        // Two steps.
        let times = vec![
            time("relu", 0.1, 0.0),
            time("conv", 0.2, 1e9),
            time("conv", 0.4, 2e9),
            time("relu", 0.1, 0.0),
        ];
        let rows = rows(times, 2);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        assert_eq!((rows[0].op.as_str(), rows[1].op.as_str()), ("conv", "relu"));
        close(rows[0].calls, 1.0);
        close(rows[0].ms, 300.0);
        close(rows[0].share, 0.75);
        close(rows[0].gflop_per_s.unwrap(), 5.0);
        assert_eq!(rows[1].gflop_per_s, None);
        let text = text(&rows);
        assert!(
            text.lines().any(|l| l.split_whitespace().eq(["conv", "1", "300.00", "75.0", "5"])),
            "{text}"
        );
        assert!(text.ends_with("together 400.00 ms a step\n"), "{text}");
    }

    #[test]
    fn nothing_is_no_rows() {
        assert!(rows(Vec::new(), 5).is_empty());
    }
}
