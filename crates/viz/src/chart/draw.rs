use super::{
    Axis, Brush, Legend, Marker, Panel, Place, Series, Side, Stroke,
    band::draw_band,
    bar::draw_bar,
    flags,
    line::{clip, dashes, runs, straighten, thin},
    tips::draw_tips,
};
use crate::{
    colour::palette::{FRAME, GRID, INK, MUTED, WHITE},
    text::{self, Anchor, Style},
};

const TITLE: Style = Style::bold(16.0, INK);
const LABEL: Style = Style::regular(14.0, INK);
const TICK: Style = Style::regular(13.0, INK);
const FLAG_ROW: f64 = 26.0;
const KEY_ROW: f64 = 26.0;

/// How much room the ticks and the label of `axis` take beside the lines.
pub(crate) fn left_gutter(axis: &Axis) -> f64 {
    let widest = axis.ticks.iter().map(|t| text::width(&t.1, TICK)).fold(0.0, f32::max);
    f64::from(widest).ceil() + 46.0
}

/// Draws `panel` into `place`.
pub(crate) fn draw_panel(brush: &mut Brush, panel: &Panel, place: Place) {
    let left = panel.gutter.max(left_gutter(&panel.y));
    let right = panel.right.as_ref().map_or(20.0, left_gutter);
    let (x0, x1) = (place.x + left, place.right() - right);
    let labels: Vec<(f64, f64)> = panel
        .flags
        .iter()
        .map(|f| (x0 + panel.x.share(f.x) * (x1 - x0), f64::from(text::width(&f.text, TICK)) + 14.0))
        .collect();
    let spots = flags::place(&labels, x0, x1, 8.0);
    let rows = spots.iter().map(|s| s.row + 1).max().unwrap_or(0);
    let named = panel.legend == Legend::Above && panel.series.iter().any(|s| !s.name.is_empty());
    let key_rows = f64::from(u8::from(named) + u8::from(!panel.swatches.is_empty()));
    let top = 34.0 + KEY_ROW * key_rows + FLAG_ROW * rows as f64;
    let plot =
        Place { x: x0, y: place.y + top, width: x1 - x0, height: (place.height - top - 52.0).max(1.0) };
    header(brush, panel, place, plot);
    swatches(brush, panel, place, plot);
    if named {
        legend(brush, panel, place, plot);
    }
    grid(brush, panel, plot);
    for (flag, label) in panel.flags.iter().zip(&labels) {
        let line = [(label.0, plot.bottom()), (label.0, plot.y)];
        for (a, b) in dashes(&line, 5.0, 4.0) {
            brush.rule(a, b, flag.colour, 1.6);
        }
    }
    for bar in &panel.bars {
        draw_bar(brush, panel, bar, plot);
    }
    for band in &panel.bands {
        draw_band(brush, panel, band, plot);
    }
    for series in &panel.series {
        draw_series(brush, panel, series, plot);
    }
    axes(brush, panel, plot);
    for ((flag, label), spot) in panel.flags.iter().zip(&labels).zip(&spots) {
        let box_bottom = plot.y - 6.0 - FLAG_ROW * spot.row as f64;
        brush.rule((label.0, plot.y), (label.0, box_bottom), flag.colour, 1.6);
    }
    for ((flag, label), spot) in panel.flags.iter().zip(&labels).zip(&spots) {
        let bottom = plot.y - 6.0 - FLAG_ROW * spot.row as f64;
        let frame = Place { x: spot.left, y: bottom - 21.0, width: label.1, height: 21.0 };
        brush.fill(frame, flag.colour);
        let inner = Place {
            x: frame.x + 1.5,
            y: frame.y + 1.5,
            width: frame.width - 3.0,
            height: frame.height - 3.0,
        };
        brush.fill(inner, WHITE);
        brush.text_centred(&flag.text, TICK, Anchor::Start, (frame.x + 7.0, frame.y + 10.5));
        if let Some(y) = flag.y {
            let at = (label.0, plot.bottom() - panel.y.share(y) * plot.height);
            brush.disc(at, 6.0, WHITE);
            brush.disc(at, 4.5, flag.colour);
        }
    }
    draw_tips(brush, panel, plot);
}

fn header(brush: &mut Brush, panel: &Panel, place: Place, plot: Place) {
    let room = (place.right() - plot.x - 12.0).max(0.0) as f32;
    let title = text::elide(&panel.title, TITLE, room);
    brush.text(&title, TITLE, Anchor::Start, (plot.x, place.y + 22.0));
    let left = room - text::width(&title, TITLE) - 16.0;
    let aside = Style::regular(13.0, MUTED);
    if !panel.aside.is_empty() && left > 40.0 {
        let text = text::elide(&panel.aside, aside, left);
        brush.text(&text, aside, Anchor::End, (plot.right(), place.y + 22.0));
    }
}

fn legend(brush: &mut Brush, panel: &Panel, place: Place, plot: Place) {
    let mut x = plot.x;
    let y = place.y + 44.0 + if panel.swatches.is_empty() { 0.0 } else { KEY_ROW };
    for series in panel.series.iter().filter(|s| !s.name.is_empty()) {
        x = key(brush, series, (x, y), place.right()) + 20.0;
    }
}

fn swatches(brush: &mut Brush, panel: &Panel, place: Place, plot: Place) {
    let (mut x, y) = (plot.x, place.y + 44.0);
    for swatch in &panel.swatches {
        let end = x + 30.0;
        let corners = [(x, y + 6.0), (x, y - 6.0), (end, y - 6.0), (end, y + 6.0)];
        brush.glaze(&corners, swatch.colour, swatch.share);
        let room = (place.right() - end - 8.0).max(0.0) as f32;
        let name = text::elide(swatch.name, TICK, room);
        brush.text_centred(&name, TICK, Anchor::Start, (end + 7.0, y));
        x = end + 7.0 + f64::from(text::width(&name, TICK)) + 20.0;
    }
}

/// Draws what the legend says of `series`, left end at `at` and no further than `right`; returns its right end.
pub(crate) fn key(brush: &mut Brush, series: &Series, (x, y): (f64, f64), right: f64) -> f64 {
    let end = x + 30.0;
    stroke(brush, &[(x, y), (end, y)], series, Place { x, y: y - 5.0, width: 30.0, height: 10.0 });
    mark(brush, (x + 15.0, y), series);
    let name = match series.note.as_str() {
        "" => series.name.clone(),
        note => format!("{}, {note}", series.name),
    };
    let name = text::elide(&name, TICK, ((right - end - 8.0) as f32).max(0.0));
    brush.text_centred(&name, TICK, Anchor::Start, (end + 7.0, y));
    end + 7.0 + f64::from(text::width(&name, TICK))
}

fn grid(brush: &mut Brush, panel: &Panel, plot: Place) {
    for (value, _) in panel.y.ticks.iter().filter(|t| !t.1.is_empty() && !panel.y.empty) {
        let y = plot.bottom() - panel.y.share(*value) * plot.height;
        brush.rule((plot.x, y), (plot.right(), y), GRID, 1.0);
    }
    for (value, _) in panel.x.ticks.iter().filter(|t| !t.1.is_empty()) {
        let x = plot.x + panel.x.share(*value) * plot.width;
        brush.rule((x, plot.y), (x, plot.bottom()), GRID, 1.0);
    }
}

fn axes(brush: &mut Brush, panel: &Panel, plot: Place) {
    brush.rule((plot.x, plot.bottom()), (plot.right(), plot.bottom()), FRAME, 1.0);
    brush.rule((plot.x, plot.y), (plot.x, plot.bottom()), FRAME, 1.0);
    for (value, name) in &panel.x.ticks {
        let x = plot.x + panel.x.share(*value) * plot.width;
        let length = if name.is_empty() { 3.0 } else { 6.0 };
        brush.rule((x, plot.bottom()), (x, plot.bottom() + length), FRAME, 1.0);
        brush.text(name, TICK, Anchor::Middle, (x, plot.bottom() + 20.0));
    }
    let middle = (plot.x + plot.width / 2.0, plot.bottom() + 42.0);
    brush.text(&panel.x.label, LABEL, Anchor::Middle, middle);
    side(brush, &panel.y, plot, Side::Left, panel.gutter.max(left_gutter(&panel.y)));
    if let Some(right) = &panel.right {
        brush.rule((plot.right(), plot.y), (plot.right(), plot.bottom()), FRAME, 1.0);
        side(brush, right, plot, Side::Right, left_gutter(right));
    }
    if panel.y.empty && panel.right.as_ref().is_none_or(|r| r.empty) {
        let middle = (plot.x + plot.width / 2.0, plot.y + plot.height / 2.0);
        let style = Style::regular(15.0, MUTED);
        let room = plot.width as f32;
        brush.text_centred(
            &text::elide("no finite value to draw", style, room),
            style,
            Anchor::Middle,
            middle,
        );
    }
}

/// Ticks and label of a vertical axis.
fn side(brush: &mut Brush, axis: &Axis, plot: Place, side: Side, gutter: f64) {
    let (edge, out, anchor) = match side {
        Side::Left => (plot.x, -1.0, Anchor::End),
        Side::Right => (plot.right(), 1.0, Anchor::Start),
    };
    for (value, name) in axis.ticks.iter().filter(|_| !axis.empty) {
        let y = plot.bottom() - axis.share(*value) * plot.height;
        let length = if name.is_empty() { 3.0 } else { 6.0 };
        brush.rule((edge, y), (edge + out * length, y), FRAME, 1.0);
        let style = Style { colour: axis.colour, ..TICK };
        brush.text_centred(name, style, anchor, (edge + out * 10.0, y));
    }
    let style = Style { colour: axis.colour, ..LABEL };
    let x = match side {
        Side::Left => edge - gutter + 24.0,
        Side::Right => edge + gutter - 14.0,
    };
    brush.text_upwards(&axis.label, style, (x, plot.y + plot.height / 2.0));
}

fn draw_series(brush: &mut Brush, panel: &Panel, series: &Series, plot: Place) {
    let axis = match (series.side, &panel.right) {
        (Side::Right, Some(right)) => right,
        _ => &panel.y,
    };
    let pixel = |&(x, y): &(f64, f64)| {
        let (x, y) = (super::finite(x).unwrap_or(f64::NAN), super::finite(y).unwrap_or(f64::NAN));
        (plot.x + panel.x.share(x) * plot.width, plot.bottom() - axis.share(y) * plot.height)
    };
    let points: Vec<_> = series.points.iter().map(pixel).collect();
    for run in runs(&points) {
        stroke(brush, &straighten(&thin(&run, 0.5), 0.04), series, plot);
    }
    // As many markers as stand apart; a point between two gaps always has one.
    let apart = plot.width / points.len().max(1) as f64;
    let every = (18.0 / apart).ceil().max(1.0) as usize;
    let whole = |i: usize| points.get(i).is_some_and(|p| p.0.is_finite() && p.1.is_finite());
    for (i, &at) in points.iter().enumerate().filter(|(i, _)| whole(*i)) {
        let alone = !whole(i + 1) && (i == 0 || !whole(i - 1));
        let inside = (plot.y - 1.0..=plot.bottom() + 1.0).contains(&at.1);
        if inside && alone && series.marker == Marker::None {
            brush.disc(at, series.width, series.colour);
        } else if inside && (alone || i % every == 0) {
            mark(brush, at, series);
        }
    }
}

fn stroke(brush: &mut Brush, run: &[(f64, f64)], series: &Series, within: Place) {
    let segments: Vec<_> = match series.stroke {
        Stroke::Solid => run.windows(2).map(|p| (p[0], p[1])).collect(),
        // Cut before it is dashed: a line that leaves far beyond the panel would have millions of dashes.
        Stroke::Dashed => {
            let cut: Vec<_> = run.windows(2).filter_map(|p| clip(p[0], p[1], within)).collect();
            let joined = cut.chunk_by(|a, b| a.1 == b.0);
            joined
                .flat_map(|part| {
                    let line: Vec<_> = part.iter().map(|s| s.0).chain(part.last().map(|s| s.1)).collect();
                    dashes(&line, 5.0, 5.0)
                })
                .collect()
        }
    };
    for (a, b) in segments.into_iter().filter_map(|(a, b)| clip(a, b, within)) {
        brush.line(a, b, series.colour, series.width);
    }
}

/// A marker with a white rim, which keeps it apart from lines that cross it.
fn mark(brush: &mut Brush, at: (f64, f64), series: &Series) {
    match series.marker {
        Marker::None => {}
        Marker::Disc => {
            brush.disc(at, 5.0, WHITE);
            brush.disc(at, 3.8, series.colour);
        }
        Marker::Square => {
            brush.square(at, 4.6, WHITE);
            brush.square(at, 3.4, series.colour);
        }
    }
}
