use super::headline;
use crate::{
    Chart, VizError,
    chart::{Brush, Place, Words, finite},
    colour::palette::{BLUE, FRAME, GRID, INK, MUTED, VERMILLION, WHITE},
    format,
    text::{self, Anchor, Style},
};

const FIGURE: &str = "per-class accuracy";
const WIDTH: f64 = 880.0;
const NAME: Style = Style::regular(14.0, INK);
const SMALL: Style = Style::regular(13.0, INK);
const NOTE: Style = Style::regular(13.0, MUTED);
const NAME_LIMIT: f32 = 180.0;
/// The width of a column of percentages.
const COLUMN: f64 = 84.0;
/// Above this many classes rows are as narrow as their text allows.
const ROOMY: usize = 20;

/// How well one class is told, in [`per_class`].
#[derive(Clone, Copy, Debug)]
pub struct ClassAccuracy<'a> {
    /// The class's name.
    pub name: &'a str,
    /// The share of its images that were predicted rightly; NaN where it has none.
    pub accuracy: f64,
    /// The published share, where there is one.
    pub published: Option<f64>,
}

/// The order of the classes from the top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClassOrder {
    /// As given.
    #[default]
    Given,
    /// The best told first; of equal ones, that given first.
    BestFirst,
}

/// How [`per_class`] draws.
#[derive(Clone, Debug)]
pub struct PerClassOptions {
    /// Above everything, if any.
    pub title: Option<String>,
    /// The order of the classes.
    pub order: ClassOrder,
}

impl Default for PerClassOptions {
    fn default() -> Self {
        Self { title: Some("Accuracy of each class".to_owned()), order: ClassOrder::Given }
    }
}

/// A bar a class from 0 to its accuracy, a mark at the published value, and a line at the mean over the classes.
///
/// # Errors
/// [`VizError::Empty`] without a class, [`VizError::OutOfRange`] where a share is not between 0 and 1.
pub fn per_class(classes: &[ClassAccuracy<'_>], options: &PerClassOptions) -> Result<Chart, VizError> {
    if classes.is_empty() {
        return Err(VizError::Empty { figure: FIGURE, what: "the list of classes" });
    }
    for class in classes {
        for share in [Some(class.accuracy), class.published].into_iter().flatten() {
            if !share.is_nan() && !(0.0..=1.0).contains(&share) {
                let what = format!("{FIGURE}: a share of class {}", class.name);
                let expected = "a fraction from 0 to 1".to_owned();
                return Err(VizError::OutOfRange { what, expected, got: share.to_string() });
            }
        }
    }
    let mut classes = classes.to_vec();
    if options.order == ClassOrder::BestFirst {
        let key = |c: &ClassAccuracy<'_>| if c.accuracy.is_nan() { -1.0 } else { c.accuracy };
        classes.sort_by(|a, b| key(b).total_cmp(&key(a)));
    }
    let bars = Bars::of(&classes, options);
    let words = Words {
        title: options.title.clone().unwrap_or_else(|| "Accuracy of each class".to_owned()),
        description: bars.description(),
    };
    Ok(Chart::draw(FIGURE, (WIDTH, bars.plot.bottom() + 56.0), words, |brush| {
        headline(brush, options.title.as_deref(), WIDTH);
        bars.legend(brush);
        bars.grid(brush);
        classes.iter().enumerate().for_each(|(i, class)| bars.row(brush, i, class));
        bars.mean_line(brush);
    }))
}

struct Bars<'a> {
    classes: &'a [ClassAccuracy<'a>],
    plot: Place,
    row: f64,
    mean: Option<f64>,
    published: bool,
}

impl<'a> Bars<'a> {
    fn of(classes: &'a [ClassAccuracy<'a>], options: &PerClassOptions) -> Self {
        let head = if options.title.is_some() { 40.0 } else { 8.0 };
        let longest = classes.iter().map(|c| text::width(c.name, NAME)).fold(0.0, f32::max).min(NAME_LIMIT);
        let row = if classes.len() <= ROOMY { 32.0 } else { 19.0 };
        let published = classes.iter().any(|c| c.published.is_some());
        let columns = COLUMN * if published { 2.0 } else { 1.0 };
        let x = 32.0 + f64::from(longest);
        let height = row * classes.len() as f64;
        // Bars alone are told of by the heading of their column.
        let legend = if published { 28.0 } else { 0.0 };
        let plot = Place { x, y: head + 34.0 + legend, width: WIDTH - x - columns - 20.0, height };
        let known: Vec<f64> = classes.iter().filter_map(|c| finite(c.accuracy)).collect();
        let mean = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
        Self { classes, plot, row, mean, published }
    }

    fn x(&self, share: f64) -> f64 {
        self.plot.x + share * self.plot.width
    }

    fn legend(&self, brush: &mut Brush) {
        if self.published {
            let y = self.plot.y - 48.0;
            let measured = Place { x: self.plot.x, y: y - 6.0, width: 24.0, height: 12.0 };
            brush.fill(measured, BLUE);
            brush.text_centred("measured", SMALL, Anchor::Start, (self.plot.x + 31.0, y));
            let x = self.plot.x + 126.0;
            mark(brush, x, y, 7.0);
            brush.text_centred("published", SMALL, Anchor::Start, (x + 10.0, y));
        }
        let head = |brush: &mut Brush, words, column: f64| {
            let at = (self.plot.right() + COLUMN * column, self.plot.y - 12.0);
            brush.text(words, NOTE, Anchor::End, at);
        };
        head(brush, "measured", 1.0);
        if self.published {
            head(brush, "published", 2.0);
        }
    }

    fn grid(&self, brush: &mut Brush) {
        let (top, bottom) = (self.plot.y, self.plot.bottom());
        for percent in (0..=100).step_by(20) {
            let x = self.x(f64::from(percent) / 100.0);
            brush.rule((x, top), (x, bottom), if percent == 0 { FRAME } else { GRID }, 1.0);
            brush.text(&format!("{percent} %"), SMALL, Anchor::Middle, (x, bottom + 20.0));
        }
        let middle = (self.plot.x + self.plot.width / 2.0, bottom + 42.0);
        brush.text("accuracy: share of the class's images", NAME, Anchor::Middle, middle);
    }

    fn row(&self, brush: &mut Brush, i: usize, class: &ClassAccuracy<'_>) {
        let y = self.plot.y + self.row * (i as f64 + 0.5);
        let thick = self.row * 0.62;
        let name = text::elide(class.name, NAME, NAME_LIMIT);
        let style = if self.row < 25.0 { Style::regular(12.0, INK) } else { NAME };
        brush.text_centred(&name, style, Anchor::End, (self.plot.x - 10.0, y));
        if let Some(share) = finite(class.accuracy) {
            let width = share * self.plot.width;
            brush.fill(Place { x: self.plot.x, y: y - thick / 2.0, width, height: thick }, BLUE);
            brush.tip((self.x(share), y), format!("{name}: {}", format::percent2(share)));
        }
        let right = self.plot.right();
        let measured = format::percent(class.accuracy);
        brush.text_centred(&measured, SMALL, Anchor::End, (right + COLUMN, y));
        if let Some(published) = class.published {
            let written = format::percent(published);
            brush.text_centred(&written, NOTE, Anchor::End, (right + 2.0 * COLUMN, y));
            if let Some(share) = finite(published) {
                mark(brush, self.x(share), y, thick / 2.0 + 3.0);
            }
        }
    }

    fn mean_line(&self, brush: &mut Brush) {
        let Some(mean) = self.mean else { return };
        let x = self.x(mean);
        let mut y = self.plot.y - 4.0;
        while y < self.plot.bottom() {
            let end = (y + 5.0).min(self.plot.bottom());
            brush.rule((x, y), (x, end), WHITE, 3.4);
            brush.rule((x, y), (x, end), INK, 1.6);
            y += 9.0;
        }
        let words = format!("mean {}", format::percent2(mean));
        brush.text(&words, Style::bold(13.0, INK), Anchor::Middle, (x, self.plot.y - 12.0));
    }

    fn description(&self) -> String {
        let mut says = match self.mean {
            Some(mean) => format!("Mean over {} classes {}.", self.classes.len(), format::percent2(mean)),
            None => String::new(),
        };
        for class in self.classes {
            says.push_str(&format!(" {} {}", class.name, format::percent(class.accuracy)));
            if let Some(published) = class.published {
                says.push_str(&format!(" (published {})", format::percent(published)));
            }
            says.push(';');
        }
        says.truncate(says.trim_end_matches(';').len());
        says + "."
    }
}

/// The mark of a published value: an upright stroke with a rim that keeps it apart from the bar.
fn mark(brush: &mut Brush, x: f64, y: f64, half: f64) {
    brush.rule((x, y - half - 1.0), (x, y + half + 1.0), WHITE, 6.0);
    brush.rule((x, y - half), (x, y + half), VERMILLION, 3.4);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_told_come_first_and_the_unknown_last() {
        let class = |name, accuracy| ClassAccuracy { name, accuracy, published: None };
        let classes = [class("a", 0.5), class("b", f64::NAN), class("c", 0.9), class("d", 0.5)];
        let options = PerClassOptions { order: ClassOrder::BestFirst, ..Default::default() };
        let says = per_class(&classes, &options).unwrap().description().to_owned();
        assert_eq!(says, "Mean over 4 classes 63.33 %. c 90.0 %; a 50.0 %; d 50.0 %; b –.");
        assert!(matches!(per_class(&[class("e", 50.0)], &options), Err(VizError::OutOfRange { .. })));
    }

    /// As high as one of bars alone, without the row in which the two are told apart.
    #[test]
    fn bars_alone_have_no_legend() {
        let height = |published| {
            let class = ClassAccuracy { name: "a", accuracy: 0.5, published };
            per_class(&[class], &PerClassOptions::default()).unwrap().height()
        };
        assert_eq!(height(Some(0.6)) - height(None), 28);
    }
}
