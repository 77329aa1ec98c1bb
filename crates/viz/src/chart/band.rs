//! The room between two lines.

use super::{Band, Brush, Panel, Place, finite};

/// How much of a band's colour covers what lies below.
const SHARE: f64 = 0.18;
/// Half the width of a band that is one point long.
const ALONE: f64 = 3.0;

pub(super) fn draw_band(brush: &mut Brush, panel: &Panel, band: &Band, plot: Place) {
    let pixel = |&(x, low, high): &(f64, f64, f64)| {
        let y = |v| Some(plot.bottom() - panel.y.share(finite(v)?) * plot.height);
        Some((plot.x + panel.x.share(finite(x)?) * plot.width, y(low)?, y(high)?))
    };
    let points: Vec<Option<(f64, f64, f64)>> = band.points.iter().map(pixel).collect();
    for run in points.split(Option::is_none) {
        let run: Vec<(f64, f64, f64)> = run.iter().copied().flatten().collect();
        let corners: Vec<(f64, f64)> = match run[..] {
            [] => continue,
            [(x, low, high)] => {
                vec![(x - ALONE, low), (x + ALONE, low), (x + ALONE, high), (x - ALONE, high)]
            }
            _ => {
                let back = run.iter().rev().map(|p| (p.0, p.2));
                run.iter().map(|p| (p.0, p.1)).chain(back).collect()
            }
        };
        brush.glaze(&corners, band.colour, SHARE);
    }
}
