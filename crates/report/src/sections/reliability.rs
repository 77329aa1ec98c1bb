//! Whether the network is right as often as it says.

use askama::Template;

use super::missing;
use super::results::{BINS, calibration};
use crate::ReportError;
use crate::chart::reliability;
use crate::format::{count, percent, percent1};
use crate::frame::Section;
use crate::read::Run;

#[derive(Template)]
#[template(path = "sections/reliability.html")]
struct Diagram {
    svg: String,
    /// Class and meaning of each colour.
    keys: [(&'static str, &'static str); 3],
    expected: String,
    maximum: String,
    bins: Vec<[String; 4]>,
}

pub(crate) fn section(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("reliability", "Reliability");
    let calibration = match &run.predictions {
        Some(predictions) => calibration(run, predictions)?,
        None => None,
    };
    let Some(calibration) = calibration else {
        return Ok(Section {
            id,
            title,
            lead: String::new(),
            body: missing(&run.dir.predictions(), "evaluate")?,
        });
    };
    let known = |figure: Option<f64>| figure.map_or("–".to_owned(), percent1);
    let bins = calibration.bins.iter().map(|bin| {
        let range = format!("{} to {}", percent1(bin.lower), percent1(bin.upper));
        [range, count(bin.count as u64), known(bin.confidence), known(bin.accuracy)]
    });
    let diagram = Diagram {
        svg: reliability(&calibration)?,
        keys: [
            ("bar", "right, as it says"),
            ("gap over", "over-confident"),
            ("gap under", "under-confident"),
        ],
        expected: percent(calibration.expected_error),
        maximum: percent(calibration.maximum_error),
        bins: bins.collect(),
    };
    let lead = format!(
        "Predictions in {BINS} bins of confidence, the probability of the predicted class: how often they were right, beside how sure the network was of them."
    );
    Ok(Section { id, title, lead, body: diagram.render()? })
}
