use super::headline;
use crate::{
    Chart, VizError,
    chart::{
        Axis, Bar, Legend, Marker, Panel, Place, Series, Side, Stroke, Swatch, Ticks, Words, draw_panel,
        left_gutter,
    },
    colour::palette::{BLUE, Colour, INK, PURPLE, SHADE, VERMILLION},
    format,
};

const FIGURE: &str = "reliability diagram";
const WIDTH: f64 = 720.0;
const UPPER: f64 = 496.0;
const LOWER: f64 = 210.0;

/// Images whose confidence, the predicted class's probability, lies between two ends.
#[derive(Clone, Copy, Debug)]
pub struct ReliabilityBin {
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
    /// How many images.
    pub images: u64,
    /// Their mean confidence; `None` without images.
    pub confidence: Option<f64>,
    /// The share of them that is right; `None` without images.
    pub accuracy: Option<f64>,
}

/// What [`reliability`] draws.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reliability<'a> {
    /// From the least confidence to the greatest.
    pub bins: &'a [ReliabilityBin],
    /// Expected calibration error: the mean of |accuracy − confidence| over the images.
    pub expected_error: f64,
    /// Maximum calibration error: the greatest |accuracy − confidence| of a bin.
    pub maximum_error: f64,
}

/// How [`reliability`] draws.
#[derive(Clone, Debug)]
pub struct ReliabilityOptions {
    /// Above everything, if any.
    pub title: Option<String>,
}

impl Default for ReliabilityOptions {
    fn default() -> Self {
        Self { title: Some("Reliability diagram".to_owned()) }
    }
}

/// Accuracy over confidence in bars beside the diagonal on which a network is as often right as it says, the gap between the two
/// in a colour of its own for each direction; below it how many images each bar stands for.
///
/// # Errors
/// [`VizError::Empty`] without a bin, [`VizError::OutOfRange`] where a bin's end, confidence or accuracy is not between 0 and 1.
pub fn reliability(data: &Reliability<'_>, options: &ReliabilityOptions) -> Result<Chart, VizError> {
    check(data)?;
    let (mut upper, mut lower) = (accuracies(data), counts(data));
    let gutter = left_gutter(&upper.y).max(left_gutter(&lower.y));
    (upper.gutter, lower.gutter) = (gutter, gutter);
    let head = if options.title.is_some() { 40.0 } else { 6.0 };
    let words = Words {
        title: options.title.clone().unwrap_or_else(|| "Reliability diagram".to_owned()),
        description: description(data),
    };
    Ok(Chart::draw(FIGURE, (WIDTH, head + UPPER + LOWER + 4.0), words, |brush| {
        headline(brush, options.title.as_deref(), WIDTH);
        draw_panel(brush, &upper, Place { x: 0.0, y: head, width: WIDTH, height: UPPER });
        draw_panel(brush, &lower, Place { x: 0.0, y: head + UPPER, width: WIDTH, height: LOWER });
    }))
}

fn check(data: &Reliability<'_>) -> Result<(), VizError> {
    if data.bins.is_empty() {
        return Err(VizError::Empty { figure: FIGURE, what: "the list of bins" });
    }
    for (i, bin) in data.bins.iter().enumerate() {
        let shares = [Some(bin.lower), Some(bin.upper), bin.confidence, bin.accuracy];
        if let Some(got) = shares.into_iter().flatten().find(|share| !(0.0..=1.0).contains(share)) {
            let expected = "ends, confidence and accuracy from 0 to 1".to_owned();
            return Err(VizError::OutOfRange {
                what: format!("{FIGURE}: bin {i}"),
                expected,
                got: got.to_string(),
            });
        }
    }
    Ok(())
}

fn accuracies(data: &Reliability<'_>) -> Panel {
    let diagonal =
        line("as often right as it says", vec![(0.0, 0.0), (1.0, 1.0)], (INK, Stroke::Dashed, Marker::None));
    let means = data.bins.iter().filter_map(|bin| Some((bin.confidence?, bin.accuracy?))).collect();
    let means = line("mean of the bar's images", means, (BLUE, Stroke::Solid, Marker::Disc));
    Panel {
        title: format!(
            "Calibration error: expected {}, maximum {}",
            format::percent2(data.expected_error),
            format::percent2(data.maximum_error)
        ),
        y: Axis::linear("accuracy", [0.0, 1.0].into_iter(), Ticks::Percent, 6).over(0.0, 1.0),
        bars: data.bins.iter().flat_map(both_bars).collect(),
        series: vec![diagonal, means],
        swatches: vec![SAME, SURER, LESS_SURE],
        ..panel()
    }
}

/// What accuracy and confidence share.
const SAME: Swatch = Swatch { name: "right, as it says", colour: BLUE, share: 0.45 };
/// What the accuracy lacks of the confidence.
const SURER: Swatch = Swatch { name: "over-confident", colour: VERMILLION, share: 0.7 };
/// What the accuracy has beyond the confidence.
const LESS_SURE: Swatch = Swatch { name: "under-confident", colour: PURPLE, share: 0.6 };

/// What accuracy and confidence share, and above it the gap between them.
fn both_bars(bin: &ReliabilityBin) -> Vec<Bar> {
    let (Some(confidence), Some(accuracy)) = (bin.confidence, bin.accuracy) else { return Vec::new() };
    let tip = format!(
        "{} images, confidence {}, accuracy {}",
        format::count(bin.images),
        format::percent(confidence),
        format::percent(accuracy)
    );
    let (shared, top) = (accuracy.min(confidence), accuracy.max(confidence));
    let gap = if confidence > accuracy { SURER } else { LESS_SURE };
    vec![
        Bar { high: shared, tip, ..bar(bin, SAME.colour, SAME.share) },
        Bar { low: shared, high: top, ..bar(bin, gap.colour, gap.share) },
    ]
}

fn counts(data: &Reliability<'_>) -> Panel {
    let most = data.bins.iter().map(|bin| bin.images).max().unwrap_or(0).max(1) as f64;
    let bars = data.bins.iter().filter(|bin| bin.images > 0).map(|bin| Bar {
        high: bin.images as f64,
        text: format::count(bin.images),
        ..bar(bin, SHADE, 1.0)
    });
    let y = Axis::linear("images", [0.0, most].into_iter(), Ticks::Number, 3).over(0.0, 1.18 * most);
    Panel { title: "Images a bar stands for".to_owned(), y, bars: bars.collect(), ..panel() }
}

fn panel() -> Panel {
    Panel {
        title: String::new(),
        aside: String::new(),
        x: Axis::linear(
            "confidence: probability of the predicted class",
            [0.0, 1.0].into_iter(),
            Ticks::Percent,
            10,
        )
        .over(0.0, 1.0),
        y: Axis::linear("", [0.0, 1.0].into_iter(), Ticks::Number, 5),
        right: None,
        bars: Vec::new(),
        bands: Vec::new(),
        series: Vec::new(),
        swatches: Vec::new(),
        legend: Legend::Above,
        flags: Vec::new(),
        gutter: 0.0,
    }
}

fn bar(bin: &ReliabilityBin, colour: Colour, share: f64) -> Bar {
    let (from, to) = (bin.lower, bin.upper);
    Bar { from, to, low: 0.0, high: 0.0, colour, share, text: String::new(), tip: String::new() }
}

fn line(name: &str, points: Vec<(f64, f64)>, (colour, stroke, marker): (Colour, Stroke, Marker)) -> Series {
    let (name, note) = (name.to_owned(), String::new());
    Series { name, note, points, colour, width: 1.8, stroke, marker, side: Side::Left }
}

fn description(data: &Reliability<'_>) -> String {
    let images: u64 = data.bins.iter().fold(0, |sum, bin| sum.saturating_add(bin.images));
    let over = |bin: &&ReliabilityBin| bin.confidence > bin.accuracy;
    format!(
        "Accuracy over confidence of {} images in {} bins. Expected calibration error {}, maximum {}. In {} of {} bins \
         with images the network is surer than it is right.",
        format::count(images),
        data.bins.len(),
        format::percent2(data.expected_error),
        format::percent2(data.maximum_error),
        data.bins.iter().filter(over).count(),
        data.bins.iter().filter(|bin| bin.images > 0).count()
    )
}
