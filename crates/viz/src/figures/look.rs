use crate::{
    chart::{Marker, Series, Side, Stroke},
    colour::palette::CYCLE,
};

/// A line that looks like none of the twenty before it in colour, marker and stroke together, nor like its neighbours in colour or
/// marker.
pub(super) fn series(i: usize, name: String, points: &[(f64, f64)]) -> Series {
    let marker = if i.is_multiple_of(2) { Marker::Square } else { Marker::Disc };
    let stroke = if (i / 2).is_multiple_of(2) { Stroke::Solid } else { Stroke::Dashed };
    let (colour, note) = (CYCLE[i % CYCLE.len()], String::new());
    Series { name, note, points: points.to_vec(), colour, width: 2.2, stroke, marker, side: Side::Left }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_differ() {
        let looks: Vec<_> = (0..20).map(|i| series(i, String::new(), &[])).collect();
        for (i, a) in looks.iter().enumerate() {
            for b in &looks[i + 1..] {
                assert!((a.colour, a.marker, a.stroke) != (b.colour, b.marker, b.stroke));
            }
        }
        assert!(looks.windows(2).all(|p| p[0].colour != p[1].colour && p[0].marker != p[1].marker));
    }
}
