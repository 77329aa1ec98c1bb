//! Each chart of fixed data against the stored one, letter by letter. `WICK_REPORT_STORE=1 cargo test -p wick-report --lib`
//! stores them anew: look at them, in a page's styles, before committing them.

use std::fs;
use std::path::PathBuf;

use wick_metrics::Calibration;

use super::{Chart, Format, Height, Line, Mark, XAxis, reliability};

fn compare(name: &str, svg: &str) {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name).with_extension("svg");
    let svg = format!("{svg}\n");
    if std::env::var_os("WICK_REPORT_STORE").is_some() {
        fs::write(&path, &svg).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap();
    // The first element that differs says more than two long texts.
    let different = stored.split_inclusive('>').zip(svg.split_inclusive('>')).find(|(a, b)| a != b);
    assert_eq!(different, None, "{name}: stored, and drawn now, unlike {}", path.display());
    assert_eq!(stored.len(), svg.len(), "{name} ends earlier or later than {}", path.display());
}

fn notes(x: &[f64]) -> Vec<String> {
    x.iter().map(|v| format!("at {v}")).collect()
}

fn line<'a>(class: &str, values: &'a [f64]) -> Line<'a> {
    Line { class: class.to_owned(), values }
}

/// Two lines over epochs, one of them with a gap and a point by itself.
#[test]
fn lines_of_percentages_over_epochs() {
    let x = [1.0, 2.0, 3.0, 4.0, 5.0];
    let (train, test) = ([0.3, 0.5, 0.625, 0.7, 0.75], [0.25, f64::NAN, 0.5, f64::NAN, 0.875]);
    let chart = Chart {
        summary: "Accuracy over 5 epochs".to_owned(),
        x: &x,
        x_axis: XAxis::Count("epoch"),
        lines: vec![line("train", &train), line("test", &test)],
        y: Format::Percent,
        height: Height::Full,
        marks: Vec::new(),
        notes: notes(&x),
    };
    compare("accuracy", &chart.svg().unwrap());
}

/// Marks, whose names change sides where the chart ends, over rates of four decades.
#[test]
fn marked_numbers_over_rates() {
    let x = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1];
    let (batch, smoothed) = ([2.5, 2.25, 2.375, 1.5, 4.0], [2.5, 2.375, 2.25, 1.875, 3.0]);
    let mark = |class: &str, name: &str, x: f64| Mark { class: class.to_owned(), name: name.to_owned(), x };
    let chart = Chart {
        summary: "Loss over learning rates".to_owned(),
        x: &x,
        x_axis: XAxis::Logarithmic("learning rate"),
        lines: vec![line("raw", &batch), line("test", &smoothed)],
        y: Format::Number,
        height: Height::Full,
        marks: vec![mark("s0", "valley 0.001", 1e-3), mark("s1", "steepest 0.05", 0.05)],
        notes: notes(&x),
    };
    compare("range_test", &chart.svg().unwrap());
}

#[test]
fn one_epoch_in_a_low_chart() {
    let chart = Chart {
        summary: "Learning rate over 1 epoch".to_owned(),
        x: &[1.0],
        x_axis: XAxis::Count("epoch"),
        lines: vec![line("rate", &[0.01])],
        y: Format::Number,
        height: Height::Low,
        marks: Vec::new(),
        notes: notes(&[1.0]),
    };
    compare("one_epoch", &chart.svg().unwrap());
}

/// Bins that say too much, too little, and just right; the rest are empty.
#[test]
fn reliability_of_four_bins() {
    let confidence = [0.5625, 0.625, 0.625, 0.75, 0.75, 0.75, 0.75, 0.875, 0.875];
    let truth = [1, 1, 0, 0, 0, 0, 1, 0, 0];
    let probabilities: Vec<f32> = confidence.iter().flat_map(|p| [*p, 1.0 - p]).collect();
    let calibration = Calibration::new(&truth, &probabilities, 2, 10).unwrap();
    compare("reliability", &reliability(&calibration).unwrap());
}
