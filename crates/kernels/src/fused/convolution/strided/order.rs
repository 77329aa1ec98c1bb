//! The order of a tile's values: those that are summed stand side by side.

use super::transforms::{OUT, POINTS, VALUES};

/// Values of a tile along both axes.
pub(in crate::fused::convolution) const ALL: usize = VALUES * VALUES;
/// Sums of a tile.
pub(super) const SUMS: usize = POINTS * POINTS;

/// At a point, the values of the outer taps, and those of the middle one, if it has any there.
const fn values(point: usize) -> usize {
    if point < OUT { 2 } else { 1 }
}

/// Forward: sum by sum, column by column, the place `row · VALUES + column` of each value; and where each sum begins.
const FORWARD: ([usize; ALL], [usize; SUMS + 1]) = {
    let (mut places, mut starts) = ([0; ALL], [0; SUMS + 1]);
    let (mut next, mut sum) = (0, 0);
    while sum < SUMS {
        let (column, row) = (sum / POINTS, sum % POINTS);
        starts[sum] = next;
        let mut number = 0;
        while number < values(column) * values(row) {
            let (j, i) = (number / values(row), number % values(row));
            places[next] = (row + i * POINTS) * VALUES + column + j * POINTS;
            next += 1;
            number += 1;
        }
        sum += 1;
    }
    starts[SUMS] = next;
    (places, starts)
};

/// Place `row · VALUES + column` of each value, in the order of a patch's rows.
pub(super) const PLACES: [usize; ALL] = FORWARD.0;
/// The first row of each sum, and their end.
pub(super) const STARTS: [usize; SUMS + 1] = FORWARD.1;

/// The sum that each row belongs to.
pub(super) const SUM_OF: [usize; ALL] = {
    let mut sums = [0; ALL];
    let mut sum = 0;
    while sum < SUMS {
        let mut row = STARTS[sum];
        while row < STARTS[sum + 1] {
            sums[row] = sum;
            row += 1;
        }
        sum += 1;
    }
    sums
};

/// Which inputs a phase of an input gradient makes, along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Under {
    /// Those under the outer taps, at odd places.
    Outer,
    /// Those under the middle tap, at even places.
    Middle,
}

impl Under {
    /// The points that contribute.
    pub(super) const fn points(self) -> usize {
        match self {
            Self::Outer => POINTS,
            Self::Middle => OUT,
        }
    }

    /// Where their values begin.
    const fn start(self) -> usize {
        match self {
            Self::Outer => 0,
            Self::Middle => POINTS,
        }
    }
}

/// The phases, rows and columns.
pub(super) const PHASES: [[Under; 2]; 4] = [
    [Under::Outer, Under::Outer],
    [Under::Outer, Under::Middle],
    [Under::Middle, Under::Outer],
    [Under::Middle, Under::Middle],
];

/// An input gradient's weights: phase by phase, column by column, the place of each value.
pub(super) const BY_PHASE: [usize; ALL] = {
    let mut places = [0; ALL];
    let (mut next, mut phase) = (0, 0);
    while phase < PHASES.len() {
        let [down, across] = PHASES[phase];
        let mut number = 0;
        while number < down.points() * across.points() {
            let (column, row) = (number / down.points(), number % down.points());
            places[next] = (down.start() + row) * VALUES + across.start() + column;
            next += 1;
            number += 1;
        }
        phase += 1;
    }
    places
};
