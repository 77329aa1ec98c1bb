//! The measurement for people: each number with a sentence on what it is.

use std::fmt::Write as _;

use super::measure::Measurement;
use super::profile;
use crate::terminal::{Column, Table, rate, result_room};

pub fn text(m: &Measurement) -> String {
    let mut text = format!(
        "{}, {}, batch {}, {} thread{}, engine {}, {}\n\n",
        m.work,
        m.precision,
        m.batch,
        m.threads,
        if m.threads == 1 { "" } else { "s" },
        m.engine,
        m.instruction_set
    );
    let range = |[low, high]: [f64; 2]| format!("{} to {}", rate(low), rate(high));
    let error = |e: Option<f64>| e.map_or_else(|| "–".to_owned(), |e| format!("{e:.1e}"));
    let rows = [
        (
            "training",
            format!("{} images/s", rate(m.img_per_s)),
            format!(
                "forward, backward and SGD's update; median of {} ({})",
                times(m.steps, "step"),
                range(m.img_per_s_range)
            ),
        ),
        (
            "evaluation",
            format!("{} images/s", rate(m.eval_img_per_s)),
            format!("forward with running statistics; median ({})", range(m.eval_img_per_s_range)),
        ),
        (
            "arithmetic",
            format!("{} GFLOP/s", rate(m.gflop_per_s)),
            format!(
                "training as if computed directly: {} GFLOP an image, 3 × the forward pass, the first convolution's too",
                rate(m.gflop_per_img)
            ),
        ),
        (
            "peak",
            m.peak_gflop_per_s.map_or_else(|| "–".to_owned(), |peak| format!("{} GFLOP/s", rate(peak))),
            match m.peak_instruction {
                Some(instruction) => {
                    format!("measured before and after: {instruction} in registers, all threads")
                }
                None => "of the CPU, which did not compute".to_owned(),
            },
        ),
        (
            "share of peak",
            m.share_of_peak.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", 100.0 * share)),
            "arithmetic over peak; may pass 100 %, since Winograd's tiles multiply less".to_owned(),
        ),
        (
            "memory",
            m.peak_rss_mb.map_or_else(|| "–".to_owned(), |mb| format!("{mb} MiB")),
            "the most this process held, after training and evaluation".to_owned(),
        ),
        (
            "error of logits",
            error(m.logits_error),
            "norm of the difference from f64 over the norm; another batch, of 4".to_owned(),
        ),
        (
            "error of gradients",
            error(m.gradient_error),
            format!(
                "difference from f64 over each gradient's root mean square; at worst {}",
                error(m.gradient_error_max)
            ),
        ),
    ];
    let mut table = Table::new([Column::left("measured"), Column::right("value"), Column::left("meaning")]);
    for (name, value, meaning) in rows {
        table.row([name.to_owned(), value, meaning]);
    }
    text += &table.text(result_room());
    if !m.profile.is_empty() {
        let _ = write!(text, "\n{}", profile::text(&m.profile));
    }
    text
}

fn times(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
