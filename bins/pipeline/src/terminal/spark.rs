//! Curves in one line of text.

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// `values` from the lowest (`▁`) to the highest (`█`), at most `width` characters: where there are more values, the mean of
/// neighbours. What is no number is a space; values that are all alike lie in the middle.
pub fn spark(values: &[f64], width: usize) -> String {
    let columns = values.len().min(width);
    let part = |c: usize| &values[c * values.len() / columns..(c + 1) * values.len() / columns];
    let means: Vec<f64> = (0..columns).map(|c| mean(part(c))).collect();
    let finite = || means.iter().copied().filter(|v| v.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let level = |value: f64| {
        if high <= low {
            return 3;
        }
        // Halves before the difference: that of two finite values may not be finite.
        let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
        ((share * 7.0).round() as usize).min(7)
    };
    means.iter().map(|&v| if v.is_finite() { LEVELS[level(v)] } else { ' ' }).collect()
}

/// Of those that are numbers; none if there are none.
fn mean(values: &[f64]) -> f64 {
    let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    finite.iter().map(|v| v / finite.len() as f64).sum::<f64>()
        + if finite.is_empty() { f64::NAN } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::spark;

    #[test]
    fn the_lowest_is_the_lowest_and_the_highest_the_highest() {
        assert_eq!(spark(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 60), "▁▂▃▄▅▆▇█");
        assert_eq!(spark(&[0.9, 0.1], 60), "█▁");
        assert_eq!(spark(&[-1e308, 0.0, 1e308], 60), "▁▅█");
    }

    #[test]
    fn many_values_share_the_width() {
        let values: Vec<f64> = (0..200).map(f64::from).collect();
        assert_eq!(spark(&values, 8), "▁▂▃▄▅▆▇█");
        assert_eq!(spark(&[1.0, 3.0, 0.0, 0.0, 7.0], 2).chars().count(), 2);
    }

    #[test]
    fn what_cannot_be_drawn_is_left_out() {
        assert_eq!(spark(&[], 60), "");
        assert_eq!(spark(&[1.0], 0), "");
        assert_eq!(spark(&[0.5, 0.5], 60), "▄▄");
        assert_eq!(spark(&[0.0, f64::NAN, 1.0, f64::INFINITY], 60), "▁ █ ");
    }
}
