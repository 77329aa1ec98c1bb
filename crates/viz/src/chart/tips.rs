//! What a pointer is told, where an SVG is shown in a page.

use super::{Brush, Panel, Place, Series, Side, finite};

/// Above this many points a line's are too close to be pointed at one by one.
const MANY: usize = 200;
/// A line thinner than this is one of many behind those that matter.
const THIN: f64 = 1.0;

/// Tells each value of the panel's lines and bars, above all that is drawn.
pub(super) fn draw_tips(brush: &mut Brush, panel: &Panel, plot: Place) {
    for bar in panel.bars.iter().filter(|bar| !bar.tip.is_empty()) {
        let (x, y) = ((bar.from + bar.to) / 2.0, finite(bar.high).unwrap_or(panel.y.low));
        brush.tip(at(panel, panel.y.share(y), x, plot), bar.tip.clone());
    }
    for series in panel.series.iter().filter(|s| s.points.len() <= MANY && s.width >= THIN) {
        series_tips(brush, panel, series, plot);
    }
}

fn series_tips(brush: &mut Brush, panel: &Panel, series: &Series, plot: Place) {
    let axis = match (series.side, &panel.right) {
        (Side::Right, Some(right)) => right,
        _ => &panel.y,
    };
    for &(x, y) in &series.points {
        let (Some(_), Some(known)) = (finite(x), finite(y)) else { continue };
        let share = axis.share(known);
        if !(0.0..=1.0).contains(&share) {
            continue;
        }
        let name = if series.name.is_empty() { axis.quantity() } else { &series.name };
        let text = format!("{} {}: {name} {}", panel.x.quantity(), (panel.x.value)(x), (axis.value)(known));
        brush.tip(at(panel, share, x, plot), text);
    }
}

fn at(panel: &Panel, share: f64, x: f64, plot: Place) -> (f64, f64) {
    (plot.x + panel.x.share(x) * plot.width, plot.bottom() - share * plot.height)
}
