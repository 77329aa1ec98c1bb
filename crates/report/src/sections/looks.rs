//! Where the network looks on average, class by class, and how well each method tells it.

use askama::Template;
use wick_runs::CamQualityRow;

use super::missing;
use crate::ReportError;
use crate::format::percent1;
use crate::frame::Section;
use crate::maps::{Origin, Weights, layer_place, proper_name, weights_in_words};
use crate::picture::Picture;
use crate::read::Run;

/// Bytes of the averages' pictures at most: those of eleven methods and ten classes take less.
const MOST_BYTES: usize = 1_700_000;

/// The method whose averages are seen without asking for them.
const BEST_KNOWN: &str = "gradcam";

#[derive(Template)]
#[template(path = "sections/looks.html")]
struct Looks {
    /// What the maps are maps of.
    origins: Vec<Origin>,
    /// The best known method's first, which is shown; the others' open.
    averages: Vec<Average>,
    groups: Vec<Group>,
}

/// A method's picture of all classes.
struct Average {
    method: String,
    picture: Picture,
}

/// The methods' figures over some images.
struct Group {
    images: String,
    rows: Vec<[String; 8]>,
}

pub(crate) fn section(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("looks", "Where it looks");
    let (averages, left_out) = averages(run)?;
    let groups = groups(run)?;
    let origins = run.origins();
    if averages.is_empty() && groups.is_empty() {
        let told = Looks { origins, averages, groups }.render()?;
        let body = told + &missing(&run.dir.cam("gradcam")?.classes(), "gradcam")?;
        return Ok(Section { id, title, lead: String::new(), body });
    }
    let mut lead = match groups.is_empty() {
        true => {
            "Maps averaged over correct images of each class. The stage gradcam with --evaluate measures how well each method tells."
        }
        false => {
            "Maps averaged over correct images of each class, and how well each method tells where the network looks."
        }
    }
    .to_owned();
    if !left_out.is_empty() {
        let left_out = left_out.join(", ");
        lead +=
            &format!(" The averages of {left_out} would make this page too large; the run folder has them.");
    }
    Ok(Section { id, title, lead, body: Looks { origins, averages, groups }.render()? })
}

/// Each method's picture of all classes, and the methods whose pictures would take too much room.
fn averages(run: &Run) -> Result<(Vec<Average>, Vec<String>), ReportError> {
    let (mut averages, mut left_out, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut methods = run.dir.cams()?;
    methods.sort_by_key(|method| method != BEST_KNOWN);
    for method in methods {
        let picture = Picture::small_file(&run.dir.cam(&method)?.classes(), "gradcam")?;
        let (Some(picture), method) = (picture, proper_name(&method)) else { continue };
        if bytes + picture.bytes() <= MOST_BYTES {
            bytes += picture.bytes();
            averages.push(Average { method, picture });
        } else {
            left_out.push(method);
        }
    }
    Ok((averages, left_out))
}

fn groups(run: &Run) -> Result<Vec<Group>, ReportError> {
    let Some(rows) = &run.cam_quality else { return Ok(Vec::new()) };
    let weights = Weights::of(&run.dir, run.manifest.as_ref(), "gradcam-evaluate", &run.dir.cam_quality())?;
    let alike = rows.chunk_by(|a, b| a.images == b.images);
    Ok(alike.filter_map(|rows| rows.first().map(|first| group(first, rows, weights))).collect())
}

fn group(first: &CamQualityRow, rows: &[CamQualityRow], weights: Weights) -> Group {
    let common = CamQualityRow::common_layer(rows);
    let row = |row: &CamQualityRow| {
        let name = match row.method.as_str() {
            CamQualityRow::RANDOM => "random maps".to_owned(),
            method if common.is_some_and(|layer| layer == row.layer) => proper_name(method),
            method => format!("{} at {}", proper_name(method), layer_place(&row.layer)),
        };
        let area = |v: f64| format!("{v:.3}");
        let change = |v: f64| format!("{v:+.3}").replace('-', "−");
        [
            name,
            area(row.deletion),
            area(row.insertion),
            change(row.road_most),
            change(row.road_least),
            change(row.road),
            percent1(row.average_drop),
            percent1(row.increase),
        ]
    };
    let at = common.map(|layer| format!(" at {}", layer_place(layer))).unwrap_or_default();
    let weights = weights_in_words(weights).text;
    Group {
        images: format!("{} {} images, explained{at} {weights}", first.count, first.images),
        rows: rows.iter().map(row).collect(),
    }
}
