//! Vertical lines with a label above the chart, in as many rows as it takes for no label to cover another.

use crate::colour::palette::Colour;

/// A vertical line at `x`, in the axis's units, with its label.
#[derive(Clone, Debug)]
pub(crate) struct Flag {
    pub(crate) x: f64,
    /// The height at which the line meets a curve and gets a dot, in the left axis's units.
    pub(crate) y: Option<f64>,
    pub(crate) text: String,
    pub(crate) colour: Colour,
}

/// Where a label lies: its left end and its row, 0 the lowest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spot {
    pub(crate) left: f64,
    pub(crate) row: usize,
}

/// Places labels of the given `(line, width)`s between `left` and `right`, in the order given: each starts a little left of its line
/// and is moved to stay within. The rightmost are placed first and lowest, so that few lines pass a label on their way up.
pub(crate) fn place(labels: &[(f64, f64)], left: f64, right: f64, gap: f64) -> Vec<Spot> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&a, &b| labels[b].0.total_cmp(&labels[a].0));
    let mut spots = vec![Spot { left, row: 0 }; labels.len()];
    let mut rows: Vec<Vec<(f64, f64)>> = Vec::new();
    for i in order {
        let (line, width) = labels[i];
        let start = (line - 6.0).min(right - width).max(left);
        let free =
            |row: &Vec<(f64, f64)>| row.iter().all(|&(a, b)| start + width + gap <= a || b + gap <= start);
        let row = rows.iter().position(free).unwrap_or_else(|| {
            rows.push(Vec::new());
            rows.len() - 1
        });
        rows[row].push((start, start + width));
        spots[i] = Spot { left: start, row };
    }
    spots
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn apart_in_one_row_together_in_several() {
        let spots = place(&[(10.0, 50.0), (200.0, 50.0)], 0.0, 400.0, 8.0);
        assert_eq!(spots, [Spot { left: 4.0, row: 0 }, Spot { left: 194.0, row: 0 }]);
        let spots = place(&[(100.0, 50.0), (110.0, 50.0), (395.0, 50.0)], 0.0, 400.0, 8.0);
        assert_eq!(spots.iter().map(|s| s.row).collect::<Vec<_>>(), [1, 0, 0]);
        assert_eq!(spots[2].left, 350.0);
    }

    proptest! {
        #[test]
        fn none_covers_another(labels in proptest::collection::vec((0.0..500.0f64, 10.0..300.0f64), 0..12)) {
            let spots = place(&labels, 0.0, 500.0, 8.0);
            for (i, a) in spots.iter().enumerate() {
                prop_assert!(a.left >= 0.0 && a.left + labels[i].1 <= 500.0 + 1e-9);
                for (j, b) in spots.iter().enumerate().skip(i + 1) {
                    let apart = a.left + labels[i].1 <= b.left || b.left + labels[j].1 <= a.left;
                    prop_assert!(a.row != b.row || apart);
                }
            }
        }
    }
}
