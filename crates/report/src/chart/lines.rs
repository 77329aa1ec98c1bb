//! Lines over a common x axis. Under the pointer each x shows a rule, its points and its values, without a script too.

use askama::Template;

use super::axis::{Axis, Format, Scale};
use super::{Area, WIDTH, at};
use crate::ReportError;

/// Width of a letter of a mark's name, about.
const LETTER: f64 = 6.5;

/// A chart of lines.
pub(crate) struct Chart<'a> {
    /// What it shows, for those who do not see it.
    pub summary: String,
    pub x: &'a [f64],
    pub x_axis: XAxis,
    pub lines: Vec<Line<'a>>,
    pub y: Format,
    pub height: Height,
    /// Places on the x axis that have a name.
    pub marks: Vec<Mark>,
    /// What is said of each x.
    pub notes: Vec<String>,
}

/// One line: as many values as there are x; a gap where one is not finite.
pub(crate) struct Line<'a> {
    /// How the style sheet knows it.
    pub class: String,
    pub values: &'a [f64],
}

/// A named place on the x axis.
pub(crate) struct Mark {
    pub class: String,
    pub name: String,
    pub x: f64,
}

/// What the x axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum XAxis {
    /// Epochs or steps: whole numbers only.
    Count(&'static str),
    /// Learning rates.
    Logarithmic(&'static str),
}

/// How high a chart is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Height {
    Full,
    Low,
}

impl Height {
    fn pixels(self) -> f64 {
        match self {
            Self::Full => 250.0,
            Self::Low => 140.0,
        }
    }
}

#[derive(Template)]
#[template(path = "chart.html")]
struct Svg<'a> {
    summary: &'a str,
    width: f64,
    height: f64,
    left: String,
    right: String,
    top: String,
    bottom: String,
    x_label: &'static str,
    x_ticks: Vec<(String, String)>,
    y_ticks: Vec<(String, String)>,
    /// What the style sheet knows each by, and where it goes.
    paths: Vec<(String, String)>,
    marks: Vec<DrawnMark<'a>>,
    columns: Vec<DrawnColumn<'a>>,
}

struct DrawnMark<'a> {
    class: &'a str,
    name: &'a str,
    x: String,
    /// Where its name stands: each on a line of its own, to the right where there is room.
    text_x: String,
    text_y: String,
    anchor: &'static str,
}

struct DrawnColumn<'a> {
    x: String,
    left: String,
    width: String,
    dots: Vec<(&'a str, String)>,
    note: &'a str,
}

impl Chart<'_> {
    /// The chart as SVG.
    pub(crate) fn svg(&self) -> Result<String, ReportError> {
        let height = self.height.pixels();
        let area = Area::of(height);
        let (scale, x_label) = match self.x_axis {
            XAxis::Count(label) => (Scale::Linear, label),
            XAxis::Logarithmic(label) => (Scale::Logarithmic, label),
        };
        let x_axis = Axis::tight(self.x.iter().copied(), scale);
        let y_axis = Axis::round(self.lines.iter().flat_map(|l| l.values.iter().copied()));
        let x = |v: f64| area.x(x_axis.share(v).clamp(0.0, 1.0));
        let y = |v: f64| area.y(y_axis.share(v));
        let x_ticks = match scale {
            Scale::Linear => x_axis.whole_ticks(),
            Scale::Logarithmic => x_axis.ticks(),
        };
        let svg = Svg {
            summary: &self.summary,
            width: WIDTH,
            height,
            left: at(area.left),
            right: at(area.right),
            top: at(area.top),
            bottom: at(area.bottom),
            x_label,
            x_ticks: x_ticks.into_iter().map(|v| (at(x(v)), Format::Number.text(v))).collect(),
            y_ticks: y_axis.ticks().into_iter().map(|v| (at(y(v)), self.y.text(v))).collect(),
            paths: self
                .lines
                .iter()
                .flat_map(|line| {
                    let (line_path, alone) = paths(self.x.iter().zip(line.values), x, y);
                    [(line.class.clone(), line_path), (format!("alone {}", line.class), alone)]
                })
                .filter(|(_, path)| !path.is_empty())
                .collect(),
            marks: self.marks(&area, &x_axis),
            columns: self.columns(&area, x, y),
        };
        Ok(svg.render()?)
    }

    fn marks(&self, area: &Area, x_axis: &Axis) -> Vec<DrawnMark<'_>> {
        let marks = self.marks.iter().enumerate().map(|(i, mark)| {
            let share = x_axis.share(mark.x).clamp(0.0, 1.0);
            let width = LETTER * mark.name.chars().count() as f64;
            let (anchor, gap) =
                if area.x(share) + width > area.right { ("end", -5.0) } else { ("start", 5.0) };
            DrawnMark {
                class: &mark.class,
                name: &mark.name,
                x: at(area.x(share)),
                text_x: at(area.x(share) + gap),
                text_y: at(area.top + 10.0 + 15.0 * i as f64),
                anchor,
            }
        });
        marks.collect()
    }

    fn columns(&self, area: &Area, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> Vec<DrawnColumn<'_>> {
        let centres: Vec<f64> = self.x.iter().map(|v| x(*v)).collect();
        let between = |a: usize, b: usize| Some((centres.get(a)? + centres.get(b)?) / 2.0);
        let column = |(i, centre): (usize, &f64)| {
            // Half the way to its neighbours.
            let left = i.checked_sub(1).and_then(|before| between(before, i)).unwrap_or(area.left - 6.0);
            let right = between(i, i + 1).unwrap_or(area.right + 6.0);
            let dots = self.lines.iter().filter_map(|line| {
                let value = line.values.get(i).copied().filter(|v| v.is_finite())?;
                Some((line.class.as_str(), at(y(value))))
            });
            DrawnColumn {
                x: at(*centre),
                left: at(left),
                width: at((right - left).max(0.1)),
                dots: dots.collect(),
                note: self.notes.get(i).map_or("", String::as_str),
            }
        };
        centres.iter().enumerate().map(column).collect()
    }
}

/// The path through all points, broken where one is not finite; and the points between two gaps, each a line of no length, whose
/// round ends are a dot.
fn paths<'a>(
    points: impl Iterator<Item = (&'a f64, &'a f64)>,
    x: impl Fn(f64) -> f64,
    y: impl Fn(f64) -> f64,
) -> (String, String) {
    let place = |(px, py): (&f64, &f64)| {
        (px.is_finite() && py.is_finite()).then(|| format!("{} {}", at(x(*px)), at(y(*py))))
    };
    let places: Vec<Option<String>> = points.map(place).collect();
    let (mut line, mut alone) = (String::new(), String::new());
    for part in places.split(Option::is_none) {
        let part: Vec<&str> = part.iter().flatten().map(String::as_str).collect();
        match part[..] {
            [] => {}
            [point] => alone += &format!("M{point}h0"),
            _ => line += &format!("M{}", part.join("L")),
        }
    }
    (line, alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_there_is_no_number() {
        let (x, y) = ([1.0, 2.0, 3.0, 4.0], [1.0, f64::NAN, 3.0, 2.0]);
        let (line, alone) = paths(x.iter().zip(&y), |v| 10.0 * v, |v| v);
        assert_eq!((line.as_str(), alone.as_str()), ("M30.0 3.0L40.0 2.0", "M10.0 1.0h0"));
    }

    #[test]
    fn names_and_notes_are_escaped() {
        let chart = Chart {
            summary: "a \"b\" <script>".to_owned(),
            x: &[1.0, 2.0],
            x_axis: XAxis::Count("epoch"),
            lines: vec![Line { class: "test".to_owned(), values: &[0.5, 0.7] }],
            y: Format::Percent,
            height: Height::Low,
            marks: vec![Mark { class: "s0".to_owned(), name: "<b>".to_owned(), x: 2.0 }],
            notes: vec!["<i>1".to_owned(), "2".to_owned()],
        };
        let svg = chart.svg().unwrap();
        assert!(!svg.contains("<script>") && !svg.contains("<b>") && !svg.contains("<i>"), "{svg}");
        assert_eq!(svg.matches("class=\"at\"").count(), 2);
    }
}
