//! From points to what is drawn of them: runs between gaps, at most four points a pixel column, cut to the panel, dashed.

use super::Place;

pub(crate) type Point = (f64, f64);

/// The points between the gaps.
pub(crate) fn runs(points: &[Point]) -> Vec<Vec<Point>> {
    let whole = |p: &Point| p.0.is_finite() && p.1.is_finite();
    points.split(|p| !whole(p)).filter(|run| !run.is_empty()).map(<[Point]>::to_vec).collect()
}

/// What of a run, in pixels, can be told apart: the first, lowest, highest and last point of each column `width` wide.
pub(crate) fn thin(run: &[Point], width: f64) -> Vec<Point> {
    let column = |p: &Point| (p.0 / width).floor();
    let mut out = Vec::new();
    for same in run.chunk_by(|a, b| column(a) == column(b)) {
        let by_height = |a: &&usize, b: &&usize| same[**a].1.total_cmp(&same[**b].1);
        let indices: Vec<usize> = (0..same.len()).collect();
        let lowest = indices.iter().min_by(by_height).copied().unwrap_or(0);
        let highest = indices.iter().max_by(by_height).copied().unwrap_or(0);
        let mut kept = [0, lowest, highest, same.len() - 1];
        kept.sort_unstable();
        out.extend(
            kept.iter().enumerate().filter(|(i, k)| *i == 0 || kept[i - 1] != **k).map(|(_, &k)| same[k]),
        );
    }
    out
}

/// What is left of a run without the points that lie within `tolerance` of the line through those left (Ramer, Douglas and Peucker).
pub(crate) fn straighten(run: &[Point], tolerance: f64) -> Vec<Point> {
    let Some(end) = run.len().checked_sub(1) else { return Vec::new() };
    let mut kept = vec![false; run.len()];
    (kept[0], kept[end]) = (true, true);
    let mut spans = vec![(0, end)];
    while let Some((from, to)) = spans.pop() {
        let away = |i: &usize| distance(run[*i], run[from], run[to]);
        let farthest = (from + 1..to).max_by(|a, b| away(a).total_cmp(&away(b)));
        if let Some(i) = farthest.filter(|i| away(i) > tolerance) {
            kept[i] = true;
            spans.extend([(from, i), (i, to)]);
        }
    }
    run.iter().zip(kept).filter(|(_, kept)| *kept).map(|(p, _)| *p).collect()
}

/// How far `p` is from the segment from `a` to `b`.
fn distance(p: Point, a: Point, b: Point) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx * dx + dy * dy;
    let t = if length > 0.0 { (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    (p.0 - a.0 - t * dx).hypot(p.1 - a.1 - t * dy)
}

/// The part of the segment within `place` (Liang and Barsky's algorithm).
pub(crate) fn clip(a: Point, b: Point, place: Place) -> Option<(Point, Point)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut from, mut to) = (0f64, 1f64);
    for (step, room) in
        [(-dx, a.0 - place.x), (dx, place.right() - a.0), (-dy, a.1 - place.y), (dy, place.bottom() - a.1)]
    {
        if step == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if step < 0.0 {
            from = from.max(room / step);
        } else {
            to = to.min(room / step);
        }
    }
    let at = |t: f64| (a.0 + t * dx, a.1 + t * dy);
    (from <= to).then(|| (at(from), at(to)))
}

/// The drawn parts of a dashed line along `run`, whose pattern goes on round corners.
pub(crate) fn dashes(run: &[Point], on: f64, off: f64) -> Vec<(Point, Point)> {
    let mut out = Vec::new();
    let mut phase = 0.0;
    for pair in run.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let length = (b.0 - a.0).hypot(b.1 - a.1);
        let at = |d: f64| (a.0 + (b.0 - a.0) * d / length, a.1 + (b.1 - a.1) * d / length);
        let mut done = 0.0;
        while done < length {
            let (drawn, left) = if phase < on { (true, on - phase) } else { (false, on + off - phase) };
            let end = (done + left).min(length);
            if drawn {
                out.push((at(done), at(end)));
            }
            phase = (phase + (end - done)) % (on + off);
            if end - done < 1e-6 {
                phase = if drawn { on } else { 0.0 };
            }
            done = end;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { x: 0.0, y: 0.0, width: 10.0, height: 10.0 };

    #[test]
    fn gaps_split() {
        let p = [(1.0, 1.0), (2.0, f64::NAN), (3.0, 3.0), (4.0, 4.0), (5.0, f64::INFINITY)];
        assert_eq!(runs(&p), [vec![(1.0, 1.0)], vec![(3.0, 3.0), (4.0, 4.0)]]);
    }

    #[test]
    fn thinning_keeps_extremes_in_order() {
        let run: Vec<Point> =
            (0..100).map(|i| (f64::from(i) / 100.0, if i == 40 { 9.0 } else { 0.1 })).collect();
        assert_eq!(thin(&run, 1.0), [run[0], run[40], run[99]]);
        let few = [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)];
        assert_eq!(thin(&few, 1.0), few);
    }

    #[test]
    fn what_lies_on_a_line_is_left_out() {
        let run = [(0.0, 0.0), (1.0, 1.0), (2.0, 2.01), (3.0, 0.0), (3.0, 0.0)];
        assert_eq!(straighten(&run, 0.05), [(0.0, 0.0), (2.0, 2.01), (3.0, 0.0)]);
        assert_eq!(straighten(&run[..1], 0.05), run[..1]);
        assert!(straighten(&[], 0.05).is_empty());
    }

    #[test]
    fn clipping_by_hand() {
        assert_eq!(clip((-5.0, 5.0), (5.0, 5.0), PLACE), Some(((0.0, 5.0), (5.0, 5.0))));
        assert_eq!(clip((5.0, 5.0), (5.0, 1e30), PLACE).map(|s| s.1.0), Some(5.0));
        assert_eq!(clip((-5.0, -1.0), (5.0, -1.0), PLACE), None);
        assert_eq!(clip((2.0, 2.0), (2.0, 2.0), PLACE), Some(((2.0, 2.0), (2.0, 2.0))));
    }

    #[test]
    fn dashes_go_round_corners() {
        let d = dashes(&[(0.0, 0.0), (3.0, 0.0), (3.0, 7.0)], 4.0, 2.0);
        assert_eq!(d, [((0.0, 0.0), (3.0, 0.0)), ((3.0, 0.0), (3.0, 1.0)), ((3.0, 3.0), (3.0, 7.0))]);
        assert!(dashes(&[(1.0, 1.0), (1.0, 1.0)], 4.0, 2.0).is_empty());
    }
}
