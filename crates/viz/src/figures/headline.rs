use crate::{
    chart::Brush,
    colour::palette::INK,
    text::{self, Anchor, Style},
};

/// Writes `title`, if there is one, centred above a chart that is `width` wide.
pub(super) fn headline(brush: &mut Brush, title: Option<&str>, width: f64) {
    if let Some(title) = title {
        let style = Style::bold(20.0, INK);
        let title = text::elide(title, style, width as f32 - 40.0);
        brush.text(&title, style, Anchor::Middle, (width / 2.0, 30.0));
    }
}
