//! The table of methods, for people.

use wick_runs::CamQualityRow;

use crate::terminal::{Column, Table};

type Figure = (&'static str, fn(&CamQualityRow) -> String);

/// Arrows tell which way is good.
const COLUMNS: [Figure; 7] = [
    ("deletion ↓", |r| format!("{:.3}", r.deletion)),
    ("insertion ↑", |r| format!("{:.3}", r.insertion)),
    ("ROAD most ↓", |r| format!("{:+.3}", r.road_most)),
    ("ROAD least ↑", |r| format!("{:+.3}", r.road_least)),
    ("ROAD ↑", |r| format!("{:+.3}", r.road)),
    ("drop ↓", |r| format!("{:.1} %", 100.0 * r.average_drop)),
    ("increase ↑", |r| format!("{:.1} %", 100.0 * r.increase)),
];

const LEGEND: &str = "\
↓ the less, the better; ↑ the more, the better; a method that does not beat random maps says nothing.
deletion, insertion   area below the probability while the most important pixels go (to the mean) or come (into a blurred image)
ROAD most, least      change of the probability once the most or least important pixels are filled in from their neighbours
ROAD                  half of what the second is more than the first
drop, increase        mean relative drop of the probability, and share of images where it rises, once only the map's part is left";

/// Each group's rows below one another, and what the columns mean.
pub fn of(rows: &[CamQualityRow], explained: &str) -> String {
    let mut out = String::new();
    for group in rows.chunk_by(|a, b| a.images == b.images) {
        let Some(first) = group.first() else { continue };
        let common = CamQualityRow::common_layer(group);
        let place = common.map_or_else(String::new, |layer| format!(" at {layer}"));
        out += &format!("{} {} images, {explained} explained{place}\n", first.count, first.images);
        let heads = COLUMNS.iter().map(|(head, _)| Column::right(head));
        let mut table =
            Table::new([Column::left("method")].into_iter().chain(heads).chain([Column::left("")]));
        for row in group {
            let name = match row.method.as_str() {
                CamQualityRow::RANDOM => "random maps".to_owned(),
                method if Some(&*row.layer) == common => method.to_owned(),
                method => format!("{method}, {}", row.layer),
            };
            let cells = COLUMNS.iter().map(|(_, cell)| cell(row));
            let flat = if row.flat == 0 { String::new() } else { format!("{} maps say nothing", row.flat) };
            table.row([name].into_iter().chain(cells).chain([flat]));
        }
        out += &table.text(None);
        out.push('\n');
    }
    out + LEGEND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_well() {
        let row = CamQualityRow {
            images: "correct".to_owned(),
            count: 50,
            method: "gradcam++".to_owned(),
            layer: "layer4".to_owned(),
            flat: 2,
            deletion: 0.25,
            insertion: 0.75,
            road_most: -0.5,
            road_least: -0.125,
            road: 0.1875,
            average_drop: 0.125,
            increase: 1.0,
        };
        let random = CamQualityRow {
            method: CamQualityRow::RANDOM.to_owned(),
            layer: String::new(),
            flat: 0,
            ..row.clone()
        };
        console::set_colors_enabled(false);
        let at = |layer: &str| CamQualityRow { layer: layer.to_owned(), ..row.clone() };
        let several = of(&[at("layer3"), at("layer4"), random.clone()], "cat");
        let lines: Vec<&str> = several.lines().collect();
        assert_eq!(lines[0], "50 correct images, cat explained");
        assert!(lines[2].starts_with("gradcam++, layer3  ") && lines[3].starts_with("gradcam++, layer4  "));
        let input = of(&[at("layer4"), at("input")], "cat");
        assert!(
            input.contains("cat explained at layer4\n") && input.contains("gradcam++, input  "),
            "{input}"
        );
        let table = of(&[row, random], "the predicted class");
        let lines: Vec<&str> = table.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "50 correct images, the predicted class explained at layer4");
        let head =
            "method       deletion ↓  insertion ↑  ROAD most ↓  ROAD least ↑  ROAD ↑  drop ↓  increase ↑";
        assert_eq!(lines[1], head);
        let cells = "     0.250        0.750       -0.500        -0.125  +0.188  12.5 %     100.0 %";
        assert_eq!(lines[2], format!("gradcam++    {cells}  2 maps say nothing"));
        assert_eq!(lines[3], format!("random maps  {cells}"));
    }
}
