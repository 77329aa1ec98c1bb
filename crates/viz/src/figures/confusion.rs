use crate::{
    RgbImage, VizError,
    colour::palette::{BLUE, Colour, FRAME, INK, MUTED, VERMILLION, WHITE, ink_on, mix},
    error::same_length,
    format,
    sheet::{Rect, Sheet},
    text::{self, Anchor, Style},
};

const FIGURE: &str = "confusion matrix";
const MARGIN: u64 = 24;
const TITLE: Style = Style::bold(18.0, INK);
const AXIS: Style = Style::bold(15.0, INK);
const NOTE: Style = Style::regular(13.0, MUTED);
const COUNT: f32 = 14.0;
const RATE: f32 = 12.0;
/// Above this many classes the cells are too small for numbers.
const WITH_NUMBERS: usize = 20;
const NAME_LIMIT: f32 = 150.0;

/// How [`confusion`] draws.
#[derive(Clone, Debug)]
pub struct ConfusionOptions {
    /// Above the matrix, if any.
    pub title: Option<String>,
}

impl Default for ConfusionOptions {
    fn default() -> Self {
        Self { title: Some("Confusion matrix".to_owned()) }
    }
}

/// The confusion matrix of `counts`, in rows of true classes and columns of predicted ones, both named by `classes`. A cell
/// shows how many, and which share of the true class that is; its colour deepens with the root of that share, so that
/// a few mistakes are seen beside many hits: blue on the diagonal, orange off it. Above 20 classes the cells are coloured only; above
/// some 120, not every class is named.
///
/// # Errors
/// [`VizError::Empty`] without a class, [`VizError::Length`] if there are not `classes²` counts,
/// [`VizError::TooLarge`] if the picture would be over 100 million pixels.
pub fn confusion<S: AsRef<str>>(
    counts: &[u64],
    classes: &[S],
    options: &ConfusionOptions,
) -> Result<RgbImage, VizError> {
    if classes.is_empty() {
        return Err(VizError::Empty { figure: FIGURE, what: "the list of classes" });
    }
    same_length(
        FIGURE,
        "counts, classes² of them",
        classes.len().saturating_mul(classes.len()),
        counts.len(),
    )?;
    let names: Vec<&str> = classes.iter().map(AsRef::as_ref).collect();
    let matrix = Matrix::of(counts, &names, options);
    let mut sheet = Sheet::new(FIGURE, matrix.width(), matrix.height())?;
    matrix.head(&mut sheet, options);
    matrix.cells(&mut sheet);
    matrix.names(&mut sheet);
    matrix.scale(&mut sheet);
    Ok(sheet.into_image())
}

struct Matrix<'a> {
    counts: &'a [u64],
    names: &'a [&'a str],
    totals: Vec<u64>,
    /// Width and height of a cell.
    cell: u64,
    left: u64,
    top: u64,
    name: Style,
    /// Whether the names above the columns read upwards.
    upwards: bool,
}

impl<'a> Matrix<'a> {
    fn of(counts: &'a [u64], names: &'a [&'a str], options: &ConfusionOptions) -> Self {
        let n = names.len();
        let totals =
            counts.chunks(n).map(|row| row.iter().fold(0, |a: u64, &c| a.saturating_add(c))).collect();
        let widest = counts.iter().map(|&c| text::width(&format::count(c), Style::regular(COUNT, INK)));
        let cell = match n {
            0..=WITH_NUMBERS => (widest.fold(44.0, f32::max).ceil() as u64 + 10).max(240 / n as u64),
            21..=120 => (900 / n as u64).clamp(13, 30),
            _ => (1600 / n as u64).max(2),
        };
        let name = Style::regular(if n <= WITH_NUMBERS { 14.0 } else { 12.0 }, INK);
        let longest = names.iter().map(|s| text::width(s, name)).fold(0.0, f32::max).min(NAME_LIMIT);
        let upwards = longest > cell as f32 - 4.0;
        let above = if upwards { longest.ceil() as u64 } else { 18 };
        let head = if options.title.is_some() { 56 } else { 28 };
        let (left, top) = (MARGIN + 34 + longest.ceil() as u64, MARGIN + head + 30 + above);
        Self { counts, names, totals, cell, left, top, name, upwards }
    }

    fn side(&self) -> u64 {
        self.cell * self.names.len() as u64
    }

    fn width(&self) -> u64 {
        self.left + self.side() + 120 + MARGIN
    }

    fn height(&self) -> u64 {
        self.top + self.side() + 44 + MARGIN
    }

    fn rate(&self, row: usize, column: usize) -> f64 {
        self.counts[row * self.names.len() + column] as f64 / self.totals[row].max(1) as f64
    }

    fn head(&self, sheet: &mut Sheet, options: &ConfusionOptions) {
        let room = (self.width() - 2 * MARGIN) as f32;
        let mut y = MARGIN as f32 + 16.0;
        if let Some(title) = &options.title {
            sheet.text(&text::elide(title, TITLE, room), TITLE, Anchor::Start, MARGIN as f32, y);
            y += 26.0;
        }
        let n = self.names.len();
        let right = (0..n).fold(0, |a: u64, i| a.saturating_add(self.counts[i * n + i]));
        let all = self.totals.iter().fold(0, |a: u64, &t| a.saturating_add(t));
        let words = match all {
            0 => "no image counted".to_owned(),
            _ => {
                let accuracy = format::percent2(right as f64 / all as f64);
                format!("accuracy {accuracy}: {} of {}", format::count(right), format::count(all))
            }
        };
        sheet.text(&text::elide(&words, NOTE, room), NOTE, Anchor::Start, MARGIN as f32, y);
    }

    fn cells(&self, sheet: &mut Sheet) {
        let n = self.names.len();
        let line = u64::from(self.cell >= 6);
        for (row, column) in (0..n).flat_map(|r| (0..n).map(move |c| (r, c))) {
            let (x, y) = (self.left + column as u64 * self.cell, self.top + row as u64 * self.cell);
            let (count, rate) = (self.counts[row * n + column], self.rate(row, column));
            let ground = ground(rate, row == column);
            let rect = Rect { x, y, width: self.cell - line, height: self.cell - line };
            sheet.fill(rect, ground);
            if n > WITH_NUMBERS {
                continue;
            }
            let middle = (x as f32 + self.cell as f32 / 2.0, y as f32 + self.cell as f32 / 2.0);
            let write = |sheet: &mut Sheet, words: &str, size, colour, dy| {
                let style = Style::regular(size, colour);
                sheet.text_centred(words, style, Anchor::Middle, middle.0, middle.1 + dy);
            };
            if count == 0 {
                write(sheet, "0", RATE, MUTED, 0.0);
            } else {
                write(sheet, &format::count(count), COUNT, ink_on(ground), -9.0);
                write(sheet, &format::percent(rate), RATE, ink_on(ground), 9.0);
            }
        }
        sheet.frame(Rect { x: self.left, y: self.top, width: self.side(), height: self.side() }, FRAME);
    }

    fn names(&self, sheet: &mut Sheet) {
        let middle = |start: u64| start as f32 + self.side() as f32 / 2.0;
        let axis = (self.top as f32 - 16.0) - if self.upwards { self.name_width() } else { 18.0 };
        sheet.text("Predicted", AXIS, Anchor::Middle, middle(self.left), axis);
        sheet.text_upwards("True", AXIS, Anchor::Middle, MARGIN as f32 + 8.0, middle(self.top));
        let every = 13u64.div_ceil(self.cell) as usize;
        for (i, name) in self.names.iter().enumerate().step_by(every.max(1)) {
            let name = text::elide(name, self.name, NAME_LIMIT);
            let along = |start: u64| start as f32 + (i as f32 + 0.5) * self.cell as f32;
            let (x, y) = (self.left as f32 - 8.0, self.top as f32 - 8.0);
            sheet.text_centred(&name, self.name, Anchor::End, x, along(self.top));
            if self.upwards {
                sheet.text_upwards(&name, self.name, Anchor::Start, along(self.left), y + 2.0);
            } else {
                sheet.text(&name, self.name, Anchor::Middle, along(self.left), y);
            }
        }
    }

    fn name_width(&self) -> f32 {
        self.names.iter().map(|s| text::width(s, self.name)).fold(0.0, f32::max).min(NAME_LIMIT).ceil()
    }

    /// The two colour scales, and what they mean.
    fn scale(&self, sheet: &mut Sheet) {
        let height = self.side().min(480);
        let (x, y) = (self.left + self.side() + 28, self.top);
        for i in 0..height {
            let root = 1.0 - i as f64 / (height - 1).max(1) as f64;
            for (k, right) in [(0, true), (1, false)] {
                let rect = Rect { x: x + k * 20, y: y + i, width: 16, height: 1 };
                sheet.fill(rect, ground(root * root, right));
            }
        }
        for k in [0, 1] {
            sheet.frame(Rect { x: x + k * 20, y, width: 16, height }, FRAME);
        }
        let mut last = f32::INFINITY;
        for share in [0.0f32, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0] {
            let at = y as f32 + height as f32 * (1.0 - share.sqrt());
            if last - at >= 16.0 {
                let words = format!("{:.0} %", 100.0 * share);
                sheet.text_centred(&words, Style::regular(12.0, INK), Anchor::Start, x as f32 + 44.0, at);
                last = at;
            }
        }
        let y = (self.top + self.side()) as f32;
        let room = (self.width() - 2 * MARGIN) as f32;
        for (words, line) in [
            ("Colour: share of the true class (row), root scale.", 24.0),
            ("Blue: correct. Orange: mistaken.", 44.0),
        ] {
            sheet.text(&text::elide(words, NOTE, room), NOTE, Anchor::Start, MARGIN as f32, y + line);
        }
    }
}

fn ground(rate: f64, right: bool) -> Colour {
    mix(WHITE, if right { BLUE } else { VERMILLION }, rate.clamp(0.0, 1.0).sqrt())
}
