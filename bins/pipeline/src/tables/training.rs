//! A training run, epoch by epoch.

use wick_runs::{EpochRow, TimingRow};

use crate::terminal::{Column, Table, Tone, clock, paint, rate, spark};

/// The most epochs that are shown; of more, as many are picked at equal distances, and the best.
const SHOWN: usize = 24;
/// The most characters of a curve.
const CURVE: usize = 40;

/// The epoch with the best test accuracy, the earliest of equals.
pub fn best(epochs: &[EpochRow]) -> Option<&EpochRow> {
    epochs.iter().reduce(|best, e| if e.test_accuracy > best.test_accuracy { e } else { best })
}

/// A table of the epochs, curves, and the last and the best accuracy. `split` is what judged: `test` or `held-out`.
pub fn text(epochs: &[EpochRow], timing: &[TimingRow], split: &str, room: Option<usize>) -> String {
    let (Some(last), Some(best)) = (epochs.last(), best(epochs)) else {
        return "no epoch was run".to_owned();
    };
    let mut text = table(epochs, timing, best, split).text(room);
    if epochs.len() > SHOWN {
        text += &format!("some of {} epochs; the file below has all\n", epochs.len());
    }
    if epochs.len() > 1 {
        text += &format!("\n{}", curves(epochs, split));
    }
    let seconds: f64 = timing.iter().map(|t| t.seconds).sum();
    let last_accuracy = format!("{:.2} % {split} accuracy", 100.0 * last.test_accuracy);
    text += &format!(
        "\nlast epoch: {}, after {} of training\nbest by {split}: {:.2} %, in epoch {}\n",
        paint(&last_accuracy, Tone::Good),
        clock(seconds),
        100.0 * best.test_accuracy,
        best.epoch
    );
    text
}

fn table(epochs: &[EpochRow], timing: &[TimingRow], best: &EpochRow, split: &str) -> Table {
    let heads = [
        "epoch",
        "train loss",
        "train acc %",
        &format!("{split} loss"),
        &format!("{split} acc %"),
        "time",
        "images/s",
    ];
    let mut table = Table::new(heads.map(Column::right).into_iter().chain([Column::left("")]));
    for e in epochs.iter().enumerate().filter(|(i, e)| is_shown(*i, epochs.len()) || e.epoch == best.epoch) {
        let e = e.1;
        let t = timing.iter().find(|t| t.epoch == e.epoch);
        let is_best = e.epoch == best.epoch;
        let cells = [
            e.epoch.to_string(),
            format!("{:.4}", e.train_loss),
            format!("{:.2}", 100.0 * e.train_accuracy),
            format!("{:.4}", e.test_loss),
            format!("{:.2}", 100.0 * e.test_accuracy),
            t.map_or_else(|| "–".to_owned(), |t| clock(t.seconds)),
            t.map_or_else(|| "–".to_owned(), |t| rate(t.images_per_second)),
            if is_best { "best".to_owned() } else { String::new() },
        ];
        table.toned(cells, is_best.then_some(Tone::Good));
    }
    table
}

/// Whether one of `SHOWN` epochs at equal distances, the first and the last among them, is the one at `index`.
fn is_shown(index: usize, epochs: usize) -> bool {
    if epochs <= SHOWN {
        return true;
    }
    let nearest = (index * (SHOWN - 1) + (epochs - 1) / 2) / (epochs - 1);
    (nearest * (epochs - 1) + (SHOWN - 1) / 2) / (SHOWN - 1) == index
}

/// Curves, each with its first and its last value, and its highest where that is neither.
fn curves(epochs: &[EpochRow], split: &str) -> String {
    let column = |f: fn(&EpochRow) -> f64| epochs.iter().map(f).collect::<Vec<_>>();
    let percent = |v: f64| format!("{:.2}", 100.0 * v);
    let loss = |v: f64| format!("{v:.4}");
    let mut rows = [
        (format!("{split} accuracy %"), column(|e| e.test_accuracy), percent as fn(f64) -> String),
        ("train accuracy %".to_owned(), column(|e| e.train_accuracy), percent),
        (format!("{split} loss"), column(|e| e.test_loss), loss),
        ("train loss".to_owned(), column(|e| e.train_loss), loss),
        ("learning rate".to_owned(), column(|e| e.lr), |v| format!("{v:.2e}")),
    ]
    .map(|(name, values, say)| {
        let ends = [values[0], values[values.len() - 1]];
        let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut said = format!("{} → {}", say(ends[0]), say(ends[1]));
        if !ends.contains(&highest) && highest.is_finite() {
            said += &format!(", highest {}", say(highest));
        }
        [name, spark(&values, CURVE), said]
    });
    let width = rows.iter().map(|row| row[0].chars().count()).max().unwrap_or(0);
    let lines = rows.iter_mut().map(|[name, curve, said]| format!("{name:width$}  {curve}  {said}\n"));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(epochs: u64) -> (Vec<EpochRow>, Vec<TimingRow>) {
        let row = |epoch: u64| EpochRow {
            epoch,
            lr: 0.1 / epoch as f64,
            momentum: 0.9,
            train_loss: 2.0 / epoch as f64,
            train_accuracy: 1.0 - 0.5 / epoch as f64,
            test_loss: 2.5 / epoch as f64,
            // The last epoch is a little worse than the one before it.
            test_accuracy: 0.9 - 0.4 / epoch as f64 - if epoch == epochs { 0.1 } else { 0.0 },
        };
        let timing = |epoch| TimingRow { epoch, seconds: 75.0, images_per_second: 151.23 };
        ((1..=epochs).map(row).collect(), (1..=epochs).map(timing).collect())
    }

    #[test]
    fn the_best_epoch_is_marked_in_words() {
        console::set_colors_enabled(false);
        let (epochs, timing) = run(3);
        let text = text(&epochs, &timing, "test", None);
        let expected = "\
epoch  train loss  train acc %  test loss  test acc %  time  images/s
    1      2.0000        50.00     2.5000       50.00  1:15       151
    2      1.0000        75.00     1.2500       70.00  1:15       151  best
    3      0.6667        83.33     0.8333       66.67  1:15       151

test accuracy %   ▁█▇  50.00 → 66.67, highest 70.00
train accuracy %  ▁▆█  50.00 → 83.33
test loss         █▃▁  2.5000 → 0.8333
train loss        █▃▁  2.0000 → 0.6667
learning rate     █▃▁  1.00e-1 → 3.33e-2

last epoch: 66.67 % test accuracy, after 3:45 of training
best by test: 70.00 %, in epoch 2
";
        assert_eq!(text, expected);
        assert!(text.lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn a_long_run_is_no_wall() {
        console::set_colors_enabled(false);
        for n in [25, 30, 200, 1001] {
            let (epochs, timing) = run(n);
            let text = text(&epochs, &timing, "held-out", None);
            let shown: Vec<&str> =
                text.lines().skip(1).take_while(|line| !line.starts_with("some of")).collect();
            assert!((SHOWN..=SHOWN + 1).contains(&shown.len()), "{n}: {}", shown.len());
            let is = |line: &str, epoch: u64| line.trim_start().starts_with(&format!("{epoch} "));
            assert!(is(shown[0], 1) && is(shown[shown.len() - 1], n));
            assert!(shown[shown.len() - 2].ends_with("best") && is(shown[shown.len() - 2], n - 1));
            assert!(text.contains(&format!("some of {n} epochs")) && text.contains("held-out accuracy"));
        }
        assert!(text(&run(24).0, &[], "test", None).lines().filter(|l| l.contains('–')).count() == 24);
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert_eq!(text(&[], &[], "test", None), "no epoch was run");
        let (epochs, timing) = run(1);
        assert!(!text(&epochs, &timing, "test", None).contains('→'), "one value is no curve");
    }
}
