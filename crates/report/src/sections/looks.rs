//! Where the network looks on average, class by class, and how well each method tells it.

use askama::Template;
use wick_runs::CamQualityRow;

use super::missing;
use crate::ReportError;
use crate::format::percent1;
use crate::frame::Section;
use crate::maps::proper_name;
use crate::picture::Picture;
use crate::read::Run;

#[derive(Template)]
#[template(path = "sections/looks.html")]
struct Looks {
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
    let mut averages = Vec::new();
    for method in run.dir.cams()? {
        if let Some(picture) = Picture::file(&run.dir.cam(&method)?.classes(), "gradcam")? {
            averages.push(Average { method: proper_name(&method), picture });
        }
    }
    let groups: Vec<Group> = run
        .cam_quality
        .iter()
        .flat_map(|rows| rows.chunk_by(|a, b| a.images == b.images))
        .filter_map(|rows| rows.first().map(|first| group(first, rows)))
        .collect();
    if averages.is_empty() && groups.is_empty() {
        let body = missing(&run.dir.cam("gradcam")?.classes(), "gradcam")?;
        return Ok(Section { id, title, lead: String::new(), body });
    }
    let lead = match groups.is_empty() {
        true => {
            "Maps averaged over correct images of each class. The stage gradcam with --evaluate measures how well each method tells."
        }
        false => {
            "Maps averaged over correct images of each class, and how well each method tells where the network looks."
        }
    };
    Ok(Section { id, title, lead: lead.to_owned(), body: Looks { averages, groups }.render()? })
}

fn group(first: &CamQualityRow, rows: &[CamQualityRow]) -> Group {
    let common = CamQualityRow::common_layer(rows);
    let row = |row: &CamQualityRow| {
        let area = |v: f64| format!("{v:.3}");
        let change = |v: f64| format!("{v:+.3}").replace('-', "−");
        let name = match row.method.as_str() {
            CamQualityRow::RANDOM => "random maps".to_owned(),
            method if Some(&*row.layer) == common => proper_name(method),
            method => format!("{} at {}", proper_name(method), row.layer),
        };
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
    let place = common.map_or_else(String::new, |layer| format!(", explained at {layer}"));
    Group {
        images: format!("{} {} images{place}", first.count, first.images),
        rows: rows.iter().map(row).collect(),
    }
}
