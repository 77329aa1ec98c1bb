use super::{Bar, Brush, Panel, Place, finite};
use crate::{
    colour::palette::INK,
    text::{Anchor, Style},
};

const LABEL: Style = Style::regular(12.0, INK);

pub(super) fn draw_bar(brush: &mut Brush, panel: &Panel, bar: &Bar, plot: Place) {
    let (Some(low), Some(high)) = (finite(bar.low), finite(bar.high)) else { return };
    let x = |v: f64| plot.x + panel.x.share(v) * plot.width;
    let y = |v: f64| plot.bottom() - panel.y.share(v).clamp(0.0, 1.0) * plot.height;
    let (left, right, bottom, top) = (x(bar.from) + 1.0, x(bar.to) - 1.0, y(low), y(high));
    let corners = [(left, bottom), (left, top), (right, top), (right, bottom)];
    brush.glaze(&corners, bar.colour, bar.share);
    let middle = (left + right) / 2.0;
    brush.text(&bar.text, LABEL, Anchor::Middle, (middle, top - 5.0));
}
