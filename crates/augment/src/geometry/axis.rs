//! Pads, flips and crops as index arithmetic: where each row, or each column, of the result comes from.

/// Where the pixels of a new edge come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Edge {
    Reflect101,
    /// A constant colour, named by a negative code. Where a pixel's row and column have different codes, the lower
    /// one, of the later transform, holds.
    Constant(i32),
}

/// For each row (or column) of the image so far: the source's row, or the negative code of a constant colour.
#[derive(Debug, Default)]
pub(crate) struct Axis {
    index: Vec<i32>,
    is_identity: bool,
}

impl Axis {
    /// Back to an untouched source of `length` rows.
    pub(crate) fn reset(&mut self, length: usize) {
        self.index.clear();
        self.index.extend(0..length as i32);
        self.is_identity = true;
    }

    pub(crate) fn index(&self) -> &[i32] {
        &self.index
    }

    /// Whether nothing has happened since the reset. (Something that came to nothing counts as something.)
    pub(crate) fn is_identity(&self) -> bool {
        self.is_identity
    }

    pub(crate) fn mirror(&mut self) {
        self.index.reverse();
        self.is_identity = false;
    }

    pub(crate) fn crop(&mut self, start: usize, length: usize) {
        self.index.copy_within(start..start + length, 0);
        self.index.truncate(length);
        self.is_identity = false;
    }

    pub(crate) fn pad(&mut self, before: usize, after: usize, edge: Edge) {
        let length = self.index.len();
        self.index.resize(before + length + after, 0);
        self.index.copy_within(0..length, before);
        let end = before + length;
        match edge {
            Edge::Constant(code) => {
                self.index[..before].fill(code);
                self.index[end..].fill(code);
            }
            Edge::Reflect101 => {
                for i in 0..before {
                    self.index[before - 1 - i] = self.index[before + 1 + i];
                }
                for i in 0..after {
                    self.index[end + i] = self.index[end - 2 - i];
                }
            }
        }
        self.is_identity = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(length: usize) -> Axis {
        let mut axis = Axis::default();
        axis.reset(length);
        axis
    }

    #[test]
    fn reflection_leaves_out_the_edge() {
        let mut a = axis(4);
        a.pad(3, 2, Edge::Reflect101);
        assert_eq!(a.index(), [3, 2, 1, 0, 1, 2, 3, 2, 1]);
    }

    #[test]
    fn operations_compose() {
        let mut a = axis(3);
        assert!(a.is_identity());
        a.pad(1, 2, Edge::Constant(-2));
        assert_eq!(a.index(), [-2, 0, 1, 2, -2, -2]);
        a.mirror();
        a.crop(1, 4);
        assert_eq!(a.index(), [-2, 2, 1, 0]);
        a.pad(2, 0, Edge::Reflect101);
        assert_eq!(a.index(), [1, 2, -2, 2, 1, 0]);
        assert!(!a.is_identity());
        a.reset(2);
        assert_eq!(a.index(), [0, 1]);
    }
}
