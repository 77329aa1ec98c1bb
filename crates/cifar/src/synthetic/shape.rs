//! The ten shapes, as signed distances.

/// What is drawn; its number is its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Disc,
    Ring,
    Square,
    Triangle,
    Plus,
    Star,
    Moon,
    BarsHorizontal,
    BarsVertical,
    Checkers,
}

impl Shape {
    pub(super) const ALL: [Self; 10] = [
        Self::Disc,
        Self::Ring,
        Self::Square,
        Self::Triangle,
        Self::Plus,
        Self::Star,
        Self::Moon,
        Self::BarsHorizontal,
        Self::BarsVertical,
        Self::Checkers,
    ];

    /// Distance of the point `(x, y)` (y downwards) from the edge of the shape centred at the origin, negative
    /// inside, in units of the shape's radius. Exact near the edge, where it is needed, and a bound elsewhere.
    pub(super) fn distance(self, x: f32, y: f32) -> f32 {
        match self {
            Self::Disc => x.hypot(y) - 0.95,
            Self::Ring => (x.hypot(y) - 0.7).abs() - 0.28,
            Self::Square => rectangle(x, y, 0.85, 0.85),
            Self::Triangle => polygon(x, y, &[(0.0, -1.0), (1.05, 0.8), (-1.05, 0.8)]),
            Self::Plus => rectangle(x, y, 1.0, 0.3).min(rectangle(x, y, 0.3, 1.0)),
            Self::Star => polygon(x, y, &STAR),
            Self::Moon => (x.hypot(y) - 0.98).max(0.74 - (x - 0.44).hypot(y)),
            Self::BarsHorizontal => bars(x, y),
            Self::BarsVertical => bars(y, x),
            Self::Checkers => checkers(x, y),
        }
    }
}

/// Ten corners, outer and inner by turns, the first at the top.
const STAR: [(f32, f32); 10] = [
    (0.0, -1.1),
    (0.259, -0.356),
    (1.046, -0.340),
    (0.418, 0.136),
    (0.647, 0.890),
    (0.0, 0.440),
    (-0.647, 0.890),
    (-0.418, 0.136),
    (-1.046, -0.340),
    (-0.259, -0.356),
];

fn rectangle(x: f32, y: f32, half_width: f32, half_height: f32) -> f32 {
    let (dx, dy) = (x.abs() - half_width, y.abs() - half_height);
    dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0)
}

/// Three bars along x.
fn bars(x: f32, y: f32) -> f32 {
    let nearest = (y / 0.72).round().clamp(-1.0, 1.0) * 0.72;
    rectangle(x, y - nearest, 1.0, 0.22)
}

/// The five dark squares of a board of three by three.
fn checkers(x: f32, y: f32) -> f32 {
    const CELL: f32 = 0.64;
    let corner = rectangle(x.abs() - CELL, y.abs() - CELL, CELL / 2.0, CELL / 2.0);
    corner.min(rectangle(x, y, CELL / 2.0, CELL / 2.0))
}

/// Distance from the outline, its sign from the number of edges that a ray to the right crosses.
fn polygon(x: f32, y: f32, corners: &[(f32, f32)]) -> f32 {
    let mut squared = f32::INFINITY;
    let mut inside = false;
    let mut previous = corners.last().copied().unwrap_or_default();
    for &(cx, cy) in corners {
        let (ex, ey) = (previous.0 - cx, previous.1 - cy);
        let (wx, wy) = (x - cx, y - cy);
        let along = ((wx * ex + wy * ey) / (ex * ex + ey * ey)).clamp(0.0, 1.0);
        let (dx, dy) = (wx - ex * along, wy - ey * along);
        squared = squared.min(dx * dx + dy * dy);
        if (cy > y) != (previous.1 > y) && x < cx + ex * (y - cy) / ey {
            inside = !inside;
        }
        previous = (cx, cy);
    }
    if inside { -squared.sqrt() } else { squared.sqrt() }
}
