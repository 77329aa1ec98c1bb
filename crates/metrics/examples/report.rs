//! Every figure of a small made-up evaluation: `cargo run -p wick-metrics --example report`.
#![allow(clippy::print_stdout)]

use wick_metrics::{
    Calibration, ConfusionMatrix, MetricsError, Order, PairedComparison, accuracy, argmax, mean,
    misclassified, standard_deviation, top_k_accuracy,
};

const CLASSES: [&str; 3] = ["cat", "dog", "frog"];
const TRUTH: [usize; 8] = [0, 0, 0, 1, 1, 1, 2, 2];
#[rustfmt::skip]
const PROBABILITIES: [f32; 24] = [
    0.85, 0.10, 0.05,
    0.55, 0.35, 0.10,
    0.30, 0.65, 0.05,
    0.20, 0.75, 0.05,
    0.92, 0.07, 0.01,
    0.05, 0.90, 0.05,
    0.02, 0.03, 0.95,
    0.10, 0.20, 0.70,
];

fn main() -> Result<(), MetricsError> {
    let predicted = argmax(&PROBABILITIES, CLASSES.len())?;
    println!("accuracy {:.1} %", 100.0 * accuracy(&TRUTH, &predicted)?);
    println!("top 2    {:.1} %", 100.0 * top_k_accuracy(&TRUTH, &PROBABILITIES, CLASSES.len(), 2)?);

    println!("\nconfusion (rows true, columns predicted)        recall  precision  f1");
    let matrix = ConfusionMatrix::new(CLASSES.len(), &TRUTH, &predicted)?;
    let figure = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    for (class, name) in CLASSES.iter().enumerate() {
        let row: String =
            (0..CLASSES.len()).map(|other| format!("{:6}", matrix.count(class, other))).collect();
        let [recall, precision, f1] =
            [matrix.recall(class), matrix.precision(class), matrix.f1(class)].map(figure);
        println!("  {name:10}{row:30}      {recall:6}  {precision:9}  {f1}");
    }

    println!("\nmistakes, the surest first");
    for mistake in misclassified(&TRUTH, &PROBABILITIES, CLASSES.len(), Order::MostConfident)? {
        let (truth, predicted) = (CLASSES[mistake.truth], CLASSES[mistake.predicted]);
        println!(
            "  image {}: a {truth}, taken for a {predicted} ({:.0} %)",
            mistake.index,
            100.0 * mistake.confidence
        );
    }

    let calibration = Calibration::new(&TRUTH, &PROBABILITIES, CLASSES.len(), 5)?;
    println!("\ncalibration: expected error {:.3}", calibration.expected_error);
    for bin in &calibration.bins {
        if let (Some(confidence), Some(accuracy)) = (bin.confidence, bin.accuracy) {
            let (lower, upper) = (bin.lower, bin.upper);
            println!(
                "  {lower:.1} to {upper:.1}: says {confidence:.2}, is {accuracy:.2} ({} images)",
                bin.count
            );
        }
    }

    let (with, without) = ([0.9222, 0.9240, 0.9215, 0.9231], [0.9190, 0.9211, 0.9197, 0.9195]);
    let comparison = PairedComparison::new(&with, &without, 0.95)?;
    println!("\ntest accuracy over {} seeds", comparison.n);
    for (name, values) in [("with", with), ("without", without)] {
        println!(
            "  {name:8} {:.4} ± {:.4} (standard deviation)",
            mean(&values)?,
            standard_deviation(&values)?
        );
    }
    let (difference, interval) = (comparison.mean_difference, comparison.interval);
    println!(
        "  difference {difference:+.4}, 95 % interval {:+.4} to {:+.4}, p = {:.3}",
        interval.lower, interval.upper, comparison.p_value
    );
    Ok(())
}
