use super::headline;
use crate::{
    Chart, VizError,
    chart::{
        Axis, Legend, Marker, Panel, Place, Series, Side, Stroke, Ticks, Words, draw_panel, finite,
        left_gutter, log10,
    },
    colour::palette::{BLUE, Colour, GREEN, MUTED, PURPLE, VERMILLION},
    error::same_length,
    format,
    text::{self, Anchor, Style},
};

const FIGURE: &str = "curves";
const WIDTH: f64 = 1040.0;
const TOP: f64 = 400.0;
const BOTTOM: f64 = 250.0;

/// What [`curves`] draws: one value an epoch in each slice. A slice may be empty: its line is then left out. NaN and
/// infinities are gaps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Curves<'a> {
    /// Mean loss over the epoch's training batches.
    pub train_loss: &'a [f64],
    /// Mean loss on the test split after the epoch.
    pub test_loss: &'a [f64],
    /// Accuracy over the epoch's training batches, a fraction.
    pub train_accuracy: &'a [f64],
    /// Accuracy on the test split after the epoch, a fraction.
    pub test_accuracy: &'a [f64],
    /// Learning rate.
    pub lr: &'a [f64],
    /// Momentum.
    pub momentum: &'a [f64],
}

/// The scale of the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LossScale {
    /// Linear, unless the greatest loss is over 20 times the median: then logarithmic.
    #[default]
    Auto,
    /// Linear.
    Linear,
    /// Logarithmic; a loss of 0 or less is a gap.
    Log,
}

/// How [`curves`] draws.
#[derive(Clone, Debug)]
pub struct CurvesOptions {
    /// Above everything, if any.
    pub title: Option<String>,
    /// The number of the first epoch.
    pub first_epoch: usize,
    /// The scale of the loss.
    pub loss_scale: LossScale,
}

impl Default for CurvesOptions {
    fn default() -> Self {
        Self { title: None, first_epoch: 1, loss_scale: LossScale::Auto }
    }
}

/// Loss and accuracy of train and test over the epochs, side by side; under them learning rate and momentum, if there are any.
///
/// # Errors
/// [`VizError::Empty`] if there is no value at all, [`VizError::Length`] if two slices that are not empty differ in length.
pub fn curves(data: &Curves<'_>, options: &CurvesOptions) -> Result<Chart, VizError> {
    let epochs = check(data)?;
    let chart = Epochs { data, first: options.first_epoch, epochs };
    let head = if options.title.is_some() { 40.0 } else { 8.0 };
    let scheduled = !data.lr.is_empty() || !data.momentum.is_empty();
    let note = chart.note();
    let foot = if note.is_empty() { 4.0 } else { 28.0 };
    let low = if scheduled { BOTTOM } else { 0.0 };
    let height = head + TOP + low + foot;
    let half = WIDTH / 2.0;
    let mut panels = [chart.loss(options.loss_scale), chart.accuracy(), chart.schedule()];
    let gutter = panels.iter().map(|p| left_gutter(&p.y)).fold(0.0, f64::max);
    panels.iter_mut().for_each(|p| p.gutter = gutter);
    let [loss, accuracy, schedule] = &panels;
    let words = Words {
        title: options.title.clone().unwrap_or_else(|| "Training curves".to_owned()),
        description: chart.description(),
    };
    Ok(Chart::draw(FIGURE, (WIDTH, height), words, |brush| {
        headline(brush, options.title.as_deref(), WIDTH);
        let place = |x, y, width, height| Place { x, y, width, height };
        draw_panel(brush, loss, place(0.0, head, half, TOP));
        draw_panel(brush, accuracy, place(half, head, half, TOP));
        if scheduled {
            draw_panel(brush, schedule, place(0.0, head + TOP, WIDTH, BOTTOM));
        }
        let style = Style::regular(13.0, MUTED);
        let note = text::elide(&note, style, WIDTH as f32 - 40.0);
        brush.text(&note, style, Anchor::Middle, (half, height - 10.0));
    }))
}

fn check(data: &Curves<'_>) -> Result<usize, VizError> {
    let all = [
        ("train losses", data.train_loss),
        ("test losses", data.test_loss),
        ("train accuracies", data.train_accuracy),
        ("test accuracies", data.test_accuracy),
        ("learning rates", data.lr),
        ("momenta", data.momentum),
    ];
    let given = || all.iter().filter(|s| !s.1.is_empty());
    let epochs = given().next().ok_or(VizError::Empty { figure: FIGURE, what: "every slice" })?.1.len();
    for (what, slice) in given() {
        same_length(FIGURE, &format!("{what}, one an epoch"), epochs, slice.len())?;
    }
    Ok(epochs)
}

struct Epochs<'a> {
    data: &'a Curves<'a>,
    first: usize,
    epochs: usize,
}

impl Epochs<'_> {
    fn x(&self, target: usize) -> Axis {
        Axis::whole("epoch", self.first as f64, self.epochs, target)
    }

    fn series(
        &self,
        (name, note): (String, String),
        values: &[f64],
        (colour, stroke, marker): Look,
    ) -> Series {
        let points = values.iter().enumerate().map(|(i, &v)| ((self.first + i) as f64, v)).collect();
        let name = if values.is_empty() { String::new() } else { name };
        Series { name, note, points, colour, width: 2.2, stroke, marker, side: Side::Left }
    }

    fn panel(&self, title: &str, aside: String, y: Axis, series: Vec<Series>) -> Panel {
        let x = self.x(8);
        Panel {
            title: title.to_owned(),
            aside,
            x,
            y,
            right: None,
            series,
            bars: Vec::new(),
            bands: Vec::new(),
            swatches: Vec::new(),
            legend: Legend::Above,
            flags: Vec::new(),
            gutter: 0.0,
        }
    }

    fn loss(&self, scale: LossScale) -> Panel {
        let (train, test) = (self.data.train_loss, self.data.test_loss);
        let all = || train.iter().chain(test).copied();
        let log = match scale {
            LossScale::Linear => false,
            LossScale::Log => true,
            LossScale::Auto => spans_decades(all()),
        };
        let values = |s: &[f64]| s.iter().map(|&v| if log { log10(v) } else { v }).collect::<Vec<_>>();
        let y = match log {
            true => Axis::log10("loss, log scale", all().map(log10), 0.05),
            false => Axis::linear("loss", all(), Ticks::Number, 6),
        };
        let text = |v| format::fixed(v, 3);
        let series = vec![
            self.series(named("train", train, text), &values(train), TRAIN),
            self.series(named("test", test, text), &values(test), TEST),
        ];
        let aside = self.best("lowest test", test, |v| -v, text);
        self.panel("Loss", aside, y, series)
    }

    fn accuracy(&self) -> Panel {
        let (train, test) = (self.data.train_accuracy, self.data.test_accuracy);
        let y = Axis::linear("accuracy", train.iter().chain(test).copied(), Ticks::Percent, 6);
        let series = vec![
            self.series(named("train", train, format::percent2), train, TRAIN),
            self.series(named("test", test, format::percent2), test, TEST),
        ];
        let aside = self.best("best test", test, |v| v, format::percent2);
        self.panel("Accuracy", aside, y, series)
    }

    fn schedule(&self) -> Panel {
        let (lr, momentum) = (self.data.lr, self.data.momentum);
        let mut series = Vec::new();
        // Two constants would lie in the middle both: room below the one and above the other keeps them apart.
        let apart = [lr, momentum].iter().all(|s| !s.is_empty() && s.windows(2).all(|p| p[0] == p[1]));
        let axis = |label: &str, values: &[f64], colour, room: f64| {
            let more = values.first().filter(|_| apart).map(|v| v * room);
            Axis::linear(label, values.iter().copied().chain(more), Ticks::Number, 4).coloured(colour)
        };
        let rate = (GREEN, Stroke::Solid, Marker::Disc);
        let mass = (PURPLE, Stroke::Dashed, Marker::Square);
        let (title, y, right) = match (lr.is_empty(), momentum.is_empty()) {
            (false, false) => {
                series.push(self.series(("learning rate".to_owned(), "left axis".to_owned()), lr, rate));
                let line = self.series(("momentum".to_owned(), "right axis".to_owned()), momentum, mass);
                series.push(Series { side: Side::Right, ..line });
                let right = axis("momentum", momentum, PURPLE, 1.25);
                ("Learning rate and momentum", axis("learning rate", lr, GREEN, 0.75), Some(right))
            }
            (false, true) => {
                series.push(self.series(<_>::default(), lr, rate));
                ("Learning rate", axis("learning rate", lr, GREEN, 0.75), None)
            }
            (true, _) => {
                series.push(self.series(<_>::default(), momentum, mass));
                ("Momentum", axis("momentum", momentum, PURPLE, 1.25), None)
            }
        };
        Panel { x: self.x(20), right, ..self.panel(title, String::new(), y, series) }
    }

    /// The epoch with the greatest `key`, in words.
    fn best(&self, what: &str, values: &[f64], key: fn(f64) -> f64, text: fn(f64) -> String) -> String {
        let known = values.iter().enumerate().filter(|(_, v)| v.is_finite());
        let best = known.max_by(|a, b| key(*a.1).total_cmp(&key(*b.1)).then(b.0.cmp(&a.0)));
        best.map_or_else(String::new, |(i, &v)| format!("{what} {} in epoch {}", text(v), self.first + i))
    }

    /// What the figure shows, in sentences.
    fn description(&self) -> String {
        let d = self.data;
        let mut says = format!("Epochs {} to {}.", self.first, self.first + self.epochs - 1);
        type Line<'a> = (&'a str, &'a [f64], fn(f64) -> String);
        let lines: [Line<'_>; 6] = [
            ("Train loss", d.train_loss, |v| format::fixed(v, 3)),
            ("Test loss", d.test_loss, |v| format::fixed(v, 3)),
            ("Train accuracy", d.train_accuracy, format::percent2),
            ("Test accuracy", d.test_accuracy, format::percent2),
            ("Learning rate", d.lr, format::rate),
            ("Momentum", d.momentum, |v| format::fixed(v, 3)),
        ];
        for (name, values, text) in lines {
            if let (Some(&first), Some(&last)) = (values.first(), values.last()) {
                says.push_str(&format!(" {name}: first {}, last {}.", text(first), text(last)));
            }
        }
        let best = self.best("Best test accuracy", d.test_accuracy, |v| v, format::percent2);
        if !best.is_empty() {
            says.push_str(&format!(" {best}."));
        }
        says
    }

    /// Which lines have gaps, and where.
    fn note(&self) -> String {
        let d = self.data;
        let named = [
            ("train loss", d.train_loss),
            ("test loss", d.test_loss),
            ("train accuracy", d.train_accuracy),
            ("test accuracy", d.test_accuracy),
            ("learning rate", d.lr),
            ("momentum", d.momentum),
        ];
        let gaps: Vec<String> = named
            .iter()
            .filter_map(|(name, values)| {
                let bad: Vec<usize> = (0..values.len()).filter(|&i| finite(values[i]).is_none()).collect();
                let first = self.first + bad.first()?;
                Some(match bad.len() {
                    1 => format!("{name} in epoch {first}"),
                    n => format!("{name} in {n} epochs from {first} on"),
                })
            })
            .collect();
        if gaps.is_empty() { String::new() } else { format!("Not a finite number: {}", gaps.join(", ")) }
    }
}

type Look = (Colour, Stroke, Marker);

const TRAIN: Look = (BLUE, Stroke::Dashed, Marker::Disc);
const TEST: Look = (VERMILLION, Stroke::Solid, Marker::Square);

/// The line's name and its last value.
fn named(name: &str, values: &[f64], text: fn(f64) -> String) -> (String, String) {
    let last = values.last().map(|&v| format!("last {}", text(v)));
    (name.to_owned(), last.unwrap_or_default())
}

pub(super) fn spans_decades(values: impl Iterator<Item = f64>) -> bool {
    let mut known: Vec<f64> = values.filter_map(finite).filter(|v| *v > 0.0).collect();
    known.sort_by(f64::total_cmp);
    match known.last() {
        Some(greatest) => *greatest > 20.0 * known[known.len() / 2],
        None => false,
    }
}
