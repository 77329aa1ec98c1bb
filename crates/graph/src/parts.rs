//! A batch in parts, which need less memory than the whole.

use std::ops::Range;

/// The fewest images that batch norm has statistics of, and that a part has.
pub const LEAST_PART: usize = 2;

/// `wanted` parts of a batch of `images` images, which differ by one image at most; fewer of a small batch, whose parts would have
/// less than [`LEAST_PART`] images.
pub fn parts(images: usize, wanted: usize) -> impl Iterator<Item = Range<usize>> {
    let count = wanted.min(images / LEAST_PART).max(1);
    (0..count).map(move |part| part * images / count..(part + 1) * images / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_even_and_never_single_images() {
        let ends =
            |images, wanted| parts(images, wanted).map(|part| (part.start, part.end)).collect::<Vec<_>>();
        assert_eq!(ends(8, 1), [(0, 8)]);
        assert_eq!(ends(8, 3), [(0, 2), (2, 5), (5, 8)]);
        assert_eq!(ends(5, 4), [(0, 2), (2, 5)]);
        assert_eq!(ends(3, 2), [(0, 3)]);
        assert_eq!(ends(1, 2), [(0, 1)]);
        for (images, wanted) in [(512, 7), (2, 1), (1000, 500), (17, 8)] {
            let parts: Vec<_> = parts(images, wanted).collect();
            let sizes = || parts.iter().map(Range::len);
            assert_eq!((parts.len(), sizes().sum::<usize>()), (wanted, images));
            assert!(sizes().max().unwrap() - sizes().min().unwrap() <= 1, "{parts:?}");
        }
    }
}
