//! The reliability diagram.

use askama::Template;
use wick_metrics::Calibration;

use super::{Area, WIDTH, at};
use crate::ReportError;
use crate::format::{count, percent, percent1};

const HEIGHT: f64 = 300.0;
/// The share of a bin's width that its bar takes.
const BAR: f64 = 0.86;

#[derive(Template)]
#[template(path = "reliability.html")]
struct Svg {
    summary: String,
    width: f64,
    height: f64,
    left: String,
    right: String,
    top: String,
    bottom: String,
    x_ticks: Vec<(String, String)>,
    y_ticks: Vec<(String, String)>,
    bars: Vec<Bar>,
}

struct Bar {
    x: String,
    width: String,
    /// From what accuracy and confidence share down.
    y: String,
    height: String,
    /// Which of the two is greater: `over`-confident or `under`.
    gap: &'static str,
    gap_y: String,
    gap_height: String,
    slot_x: String,
    slot_width: String,
    note: String,
}

/// Accuracy over confidence, bin by bin, with the gap between the two.
pub(crate) fn reliability(calibration: &Calibration) -> Result<String, ReportError> {
    let area = Area::of(HEIGHT);
    let bar = |bin: &wick_metrics::Bin| {
        let (accuracy, confidence) = (bin.accuracy?, bin.confidence?);
        let (left, right) = (area.x(bin.lower), area.x(bin.upper));
        let width = BAR * (right - left);
        let (top, shared) = (area.y(accuracy.max(confidence)), area.y(accuracy.min(confidence)));
        Some(Bar {
            x: at((left + right - width) / 2.0),
            width: at(width),
            y: at(shared),
            height: at(area.bottom - shared),
            gap: if confidence > accuracy { "over" } else { "under" },
            gap_y: at(top),
            gap_height: at(shared - top),
            slot_x: at(left),
            slot_width: at(right - left),
            note: format!(
                "{} of confidence {} to {}\nmean confidence {}\naccuracy {}",
                images(bin.count),
                percent1(bin.lower),
                percent1(bin.upper),
                percent1(confidence),
                percent1(accuracy)
            ),
        })
    };
    let ticks = |place: &dyn Fn(f64) -> f64| {
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].map(|v| (at(place(v)), format!("{:.0}\u{a0}%", 100.0 * v))).to_vec()
    };
    let svg = Svg {
        summary: format!(
            "Accuracy of the predictions in {} bins of confidence; the diagonal is where both are the same. They are {} apart on average, {} at most.",
            calibration.bins.len(),
            percent(calibration.expected_error),
            percent(calibration.maximum_error)
        ),
        width: WIDTH,
        height: HEIGHT,
        left: at(area.left),
        right: at(area.right),
        top: at(area.top),
        bottom: at(area.bottom),
        x_ticks: ticks(&|v| area.x(v)),
        y_ticks: ticks(&|v| area.y(v)),
        bars: calibration.bins.iter().filter_map(bar).collect(),
    };
    Ok(svg.render()?)
}

fn images(n: usize) -> String {
    if n == 1 { "1 image".to_owned() } else { format!("{} images", count(n as u64)) }
}
