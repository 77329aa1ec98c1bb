//! What a map's line of `index.csv` says, in words.

use wick_runs::CamIndexRow;

/// What is explained, as far as the method asks for a class: ` for cat`, ` for cat rather than dog`.
pub(crate) fn target(row: &CamIndexRow, name: &impl Fn(usize) -> String) -> String {
    match (row.target, row.against) {
        (None, _) => String::new(),
        (Some(of), None) => format!(" for {}", name(of)),
        (Some(of), Some(against)) => format!(" for {} rather than {}", name(of), name(against)),
    }
}

/// A layer's name within a sentence.
pub(crate) fn place(layer: &str) -> String {
    if layer == CamIndexRow::INPUT { "the input".to_owned() } else { layer.replace('+', " and ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::a_row;

    #[test]
    fn a_map_is_of_a_class_where_its_method_asks_for_one() {
        let name = |class: usize| ["cat", "dog"][class].to_owned();
        let row = CamIndexRow { target: Some(0), ..a_row(0) };
        assert_eq!(target(&row, &name), " for cat");
        assert_eq!(target(&CamIndexRow { against: Some(1), ..row }, &name), " for cat rather than dog");
        assert_eq!(target(&a_row(0), &name), "");
        assert_eq!(["layer3+layer4", "input"].map(place), ["layer3 and layer4", "the input"]);
    }
}
