//! One line that says how far work has come: a bar between words, as wide as the terminal lets it be.

use console::{measure_text_width, truncate_str};
use wick_runs::grouped;

use super::colour::{Tone, paint_error};

/// The least and the most characters of a bar.
const SHORTEST: usize = 5;
const LONGEST: usize = 40;

/// What stands before a bar and what after it.
#[derive(Debug, Clone)]
pub struct Words {
    pub before: String,
    pub after: String,
}

/// The first of several ways of saying it that leaves `room` for a bar; the last one is cut if it must be.
pub fn line(room: usize, share: f64, ways: &[Words]) -> String {
    let taken = |words: &Words| measure_text_width(&words.before) + measure_text_width(&words.after) + 2;
    let Some(words) = ways.iter().find(|words| taken(words) + SHORTEST <= room).or(ways.last()) else {
        return String::new();
    };
    let bar = bar(share, room.saturating_sub(taken(words)).clamp(SHORTEST, LONGEST));
    truncate_str(&format!("{} {bar} {}", words.before, words.after), room, "").into_owned()
}

/// Heavy as far as it has come, light from there on; told apart by their weight, and by colour where there is any.
fn bar(share: f64, width: usize) -> String {
    let halves = (share.clamp(0.0, 1.0) * (2 * width) as f64).floor() as usize;
    let mut done = "━".repeat(halves / 2);
    if halves % 2 == 1 {
        done.push('╸');
    }
    let rest = "─".repeat(width - halves.div_ceil(2));
    if done.is_empty() { rest } else { paint_error(&done, Tone::Good) + &rest }
}

/// `0:45`, `3:20`, `1:02:05`; of years nothing is told.
pub fn clock(seconds: f64) -> String {
    if !(0.0..1e8).contains(&seconds) {
        return "?".to_owned();
    }
    let s = seconds.round() as u64;
    match s {
        0..3600 => format!("{}:{:02}", s / 60, s % 60),
        _ => format!("{}:{:02}:{:02}", s / 3600, s % 3600 / 60, s % 60),
    }
}

/// A whole number with its thousands apart: `10,000`.
pub fn count(number: usize) -> String {
    grouped(number as u64)
}

/// A rate in three digits or more: `0.42`, `12.4`, `1590`, `61,300`; thousands are apart where there are five, since bars have little room.
pub fn rate(per_second: f64) -> String {
    let decimals = match per_second {
        r if !r.is_finite() => return "?".to_owned(),
        r if r >= 9_999.5 => return grouped(r.round() as u64),
        r if r >= 99.95 => 0,
        r if r >= 9.995 => 1,
        _ => 2,
    };
    format!("{per_second:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_rates_read_well() {
        assert_eq!(
            [0.4, 45.4, 200.0, 3599.4, 3725.0].map(clock),
            ["0:00", "0:45", "3:20", "59:59", "1:02:05"]
        );
        assert_eq!([f64::INFINITY, f64::NAN, -1.0].map(clock), ["?", "?", "?"]);
        let rates = [0.416, 9.996, 12.44, 1590.3, 9_999.4, 9_999.6, 412_876.2, f64::NAN].map(rate);
        assert_eq!(rates, ["0.42", "10.0", "12.4", "1590", "9999", "10,000", "412,876", "?"]);
        assert_eq!([7, 1_000, 50_000].map(count), ["7", "1,000", "50,000"]);
    }

    #[test]
    fn a_bar_grows_by_halves() {
        console::set_colors_enabled_stderr(false);
        assert_eq!(
            [0.0, 0.1, 0.2, 0.5, 1.0].map(|s| bar(s, 5)),
            ["─────", "╸────", "━────", "━━╸──", "━━━━━"]
        );
        assert_eq!([f64::NAN, 7.0].map(|s| bar(s, 5)), ["─────", "━━━━━"]);
    }

    #[test]
    fn the_richest_words_that_fit_are_said() {
        console::set_colors_enabled_stderr(false);
        let words = |before: &str, after: &str| Words { before: before.to_owned(), after: after.to_owned() };
        let ways = [words("epoch 1/2", "loss 1.0000, accuracy 50.0 %"), words("1/2", "loss 1.0")];
        assert_eq!(line(60, 0.5, &ways), "epoch 1/2 ━━━━━━━━━━╸────────── loss 1.0000, accuracy 50.0 %");
        assert_eq!(line(44, 0.0, &ways), "epoch 1/2 ───── loss 1.0000, accuracy 50.0 %");
        assert_eq!(line(43, 0.0, &ways).chars().count(), 43);
        assert!(line(43, 0.0, &ways).starts_with("1/2 ─"));
        assert_eq!(line(10, 0.0, &ways), "1/2 ───── ");
    }
}
