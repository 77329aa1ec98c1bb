//! Filters as the matrices that are orthogonalised, and the tiles of them that blocks of threads take.

use wick_graph::Graph;

use super::super::is_trained;
use crate::CudaError;
use crate::executor::{Parameters, expect};

/// Rows and columns of a tile, as kernels have it.
const SIDE: usize = 64;
/// Columns that one block sums over for a Gram matrix, as kernels have it.
const PART: usize = 256;

/// A filter among the parameters: where it begins, its rows, its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Filter {
    pub begin: usize,
    pub rows: usize,
    pub columns: usize,
}

/// Numbers that kernels know as `Matrix`.
const WORDS: usize = 10;

/// All of them, and lists of tiles: four numbers each, which kernels know as `Tile`.
#[derive(Debug, Default)]
pub(super) struct Matrices {
    pub filters: Vec<Filter>,
    pub words: Vec<i32>,
    /// All tiles of every matrix.
    pub tiles: Vec<i32>,
    /// Tiles of Gram matrices on and above the diagonal, in parts.
    pub parts: Vec<i32>,
    /// The same, whole.
    pub pairs: Vec<i32>,
    /// All tiles of Gram matrices.
    pub squares: Vec<i32>,
    /// Values of all matrices with their margins, of their Gram matrices, of those in parts.
    pub values: usize,
    pub gram_values: usize,
    pub part_values: usize,
}

/// The trained variables of four axes, which lie as (C_out, KH·KW·C_in).
pub(super) fn filters(graph: &Graph, parameters: &Parameters) -> Vec<Filter> {
    let all = graph.parameters().iter().enumerate();
    let of = |(at, parameter): (usize, &wick_graph::Parameter)| match parameter.shape[..] {
        [kh, kw, c_in, c_out] if is_trained(graph, at) && !parameter.is_empty() => {
            Some(Filter { begin: parameters.offset(at), rows: c_out, columns: kh * kw * c_in })
        }
        _ => None,
    };
    all.filter_map(of).collect()
}

impl Matrices {
    /// # Errors
    /// More values than kernels can count.
    pub fn new(filters: Vec<Filter>) -> Result<Self, CudaError> {
        let mut all = Self::default();
        for filter in &filters {
            all.push(*filter);
        }
        let most = all.values.max(all.gram_values).max(all.part_values);
        expect("values of filters with their margins", most.min(i32::MAX as usize), most)?;
        Ok(Self { filters, ..all })
    }

    fn push(&mut self, filter: Filter) {
        let sides = [filter.rows, filter.columns].map(|side| side.div_ceil(SIDE));
        let (m, n) = (sides[0].min(sides[1]), sides[0].max(sides[1]));
        let matrix = self.words.len() / WORDS;
        let first = self.tiles.len() / 4;
        let whole = |list: &mut Vec<i32>, i, j| list.extend([matrix, i, j, 0].map(number));
        for i in 0..m {
            (0..n).for_each(|j| whole(&mut self.tiles, i, j));
            (0..m).for_each(|j| whole(&mut self.squares, i, j));
            (i..m).for_each(|j| whole(&mut self.pairs, i, j));
        }
        let parts = (n * SIDE).div_ceil(PART);
        for part in 0..parts {
            let of_part = (0..m).flat_map(|i| (i..m).map(move |j| [matrix, i, j, part].map(number)));
            self.parts.extend(of_part.flatten());
        }
        let Filter { begin, rows, columns } = filter;
        let (x, gram, gram_parts) = (self.values, self.gram_values, self.part_values);
        let words = [begin, rows, columns, x, m * SIDE, n * SIDE, gram, gram_parts, first, m * n];
        self.words.extend(words.map(number));
        self.values += m * n * SIDE * SIDE;
        self.gram_values += m * m * SIDE * SIDE;
        self.part_values += parts * (m * (m + 1) / 2) * SIDE * SIDE;
    }
}

/// Larger ones are refused in the end.
fn number(value: usize) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 64 by 27, 70 by 600, 128 by 128.
    fn some() -> Matrices {
        let filters = [(0, 64, 27), (1728, 70, 600), (43776, 128, 128)];
        Matrices::new(filters.map(|(begin, rows, columns)| Filter { begin, rows, columns }).to_vec()).unwrap()
    }

    #[test]
    fn matrices_lie_with_their_shorter_side_down() {
        let all = some();
        let words: Vec<&[i32]> = all.words.chunks(WORDS).collect();
        assert_eq!(words[0], [0, 64, 27, 0, 64, 64, 0, 0, 0, 1]);
        // 2 by 10 tiles; 3 pairs in 3 parts.
        assert_eq!(words[1], [1728, 70, 600, 4096, 128, 640, 4096, 4096, 1, 20]);
        assert_eq!(words[2], [43776, 128, 128, 21 * 4096, 128, 128, 5 * 4096, 10 * 4096, 21, 4]);
        assert_eq!(
            (all.values, all.gram_values, all.part_values),
            (25 * 4096, 9 * 4096, 13 * 4096),
            "as large as the last matrix ends"
        );
    }

    /// Every tile is some block's, and no two blocks'.
    #[test]
    fn blocks_share_the_tiles() {
        let all = some();
        let times = |list: &[i32], tile: [i32; 4]| list.chunks(4).filter(|t| *t == tile).count();
        assert_eq!([&all.tiles, &all.squares, &all.pairs, &all.parts].map(Vec::len), [100, 36, 28, 52]);
        for i in 0..2 {
            for j in 0..10 {
                assert_eq!(times(&all.tiles, [1, i, j, 0]), 1);
            }
            for j in 0..2 {
                let upper = usize::from(i <= j);
                assert_eq!(times(&all.squares, [1, i, j, 0]), 1);
                assert_eq!(times(&all.pairs, [1, i, j, 0]), upper);
                assert_eq!(
                    [0, 1, 2, 3].map(|part| times(&all.parts, [1, i, j, part])),
                    [upper, upper, upper, 0]
                );
            }
        }
        // Kernels find a matrix's sums from the number of its first tile.
        for (matrix, words) in all.words.chunks(WORDS).enumerate() {
            let own = &all.tiles[4 * words[8] as usize..][..4 * words[9] as usize];
            assert!(own.chunks(4).all(|tile| tile[0] == matrix as i32));
        }
    }

    #[test]
    fn what_kernels_cannot_count_is_refused() {
        let huge = Filter { begin: 0, rows: 1 << 16, columns: 1 << 16 };
        assert!(Matrices::new(vec![huge]).is_err());
    }
}
