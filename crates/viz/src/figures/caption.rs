//! What the galleries have in common: the words under a picture, and the size to show it at.

use crate::{
    Photo, RgbImage, VizError,
    colour::palette::{INK, MUTED, VERMILLION},
    format,
    sheet::Sheet,
    text::{self, Anchor, Style},
};

pub(super) const TITLE: Style = Style::bold(18.0, INK);
pub(super) const HEADING: Style = Style::regular(14.0, MUTED);
pub(super) const PLAIN: Style = Style::regular(14.0, INK);
pub(super) const SMALL: Style = Style::regular(13.0, MUTED);
pub(super) const WRONG: Style = Style::bold(14.0, VERMILLION);
pub(super) const RIGHT: Style = Style::bold(14.0, INK);
/// Around every gallery.
pub(super) const MARGIN: u64 = 24;
/// From one line of a caption to the next.
pub(super) const LINE: u64 = 20;

/// The three lines under a picture.
pub(super) fn lines(
    index: Option<usize>,
    truth: &str,
    predicted: &str,
    probability: f64,
) -> [(String, Style); 3] {
    let style = if truth == predicted || truth.is_empty() { RIGHT } else { WRONG };
    let number = index.map_or_else(String::new, |index| format!("#{index} "));
    let sure = if probability.is_finite() { format::percent(probability) } else { "unknown".to_owned() };
    [
        (format!("{number}true: {}", if truth.is_empty() { "not known" } else { truth }), PLAIN),
        (format!("predicted: {predicted}"), style),
        (format!("probability {sure}"), PLAIN),
    ]
}

/// The widest of `captions`, in pixels.
pub(super) fn widest<'a>(captions: impl Iterator<Item = &'a (String, Style)>) -> u64 {
    captions.map(|(text, style)| text::width(text, *style).ceil() as u64).max().unwrap_or(0)
}

/// The factor to enlarge photos by: the one given, or the one that brings the largest near 128 pixels.
pub(super) fn zoom<'a>(given: Option<u32>, photos: impl Iterator<Item = Photo<'a>>) -> Result<u32, VizError> {
    match given {
        Some(0) => Err(VizError::OutOfRange {
            what: "zoom".to_owned(),
            expected: "at least 1".to_owned(),
            got: "0".to_owned(),
        }),
        Some(zoom) => Ok(zoom),
        None => {
            let side = photos.map(|p| p.size().height.max(p.size().width)).max().unwrap_or(32);
            Ok((128.0 / side as f64).round().clamp(1.0, 32.0) as u32)
        }
    }
}

/// The title at the top of a sheet, if there is one.
pub(super) fn title(sheet: &mut Sheet, words: Option<&str>, width: u64) {
    let words = text::elide(words.unwrap_or(""), TITLE, width.saturating_sub(2 * MARGIN) as f32);
    sheet.text(&words, TITLE, Anchor::Start, MARGIN as f32, MARGIN as f32 + 16.0);
}

/// How far a title pushes down what is below it, and how much width it asks for.
pub(super) fn title_size(words: Option<&str>) -> (u64, u64) {
    words.map_or((0, 0), |w| (40, (text::width(w, TITLE).ceil() as u64).min(900)))
}

/// `columns`, unless it is 0.
pub(super) fn some_columns(figure: &str, columns: usize) -> Result<u64, VizError> {
    match columns {
        0 => Err(VizError::OutOfRange {
            what: format!("columns of a {figure}"),
            expected: "at least 1".to_owned(),
            got: "0".to_owned(),
        }),
        n => Ok(n as u64),
    }
}

/// A picture that says that there is nothing to show.
pub(super) fn nothing(figure: &'static str, title: Option<&str>, words: &str) -> Result<RgbImage, VizError> {
    let style = Style::regular(18.0, MUTED);
    let room = 900.0;
    let (words, title) = (text::elide(words, style, room), text::elide(title.unwrap_or(""), TITLE, room));
    let width = text::width(&words, style).max(text::width(&title, TITLE)).max(320.0) + 48.0;
    let head = if title.is_empty() { 0.0 } else { 40.0 };
    let height = 128.0 + head;
    let mut sheet = Sheet::new(figure, width as u64, height as u64)?;
    sheet.text(&title, TITLE, Anchor::Start, 24.0, 40.0);
    sheet.text_centred(&words, style, Anchor::Middle, width / 2.0, head + 64.0);
    Ok(sheet.into_image())
}
