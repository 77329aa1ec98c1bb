//! Which images the galleries show, and their pictures.

use anyhow::{Result, anyhow};
use wick_cifar::{HEIGHT, IMAGE_BYTES, Split, WIDTH};
use wick_runs::{PictureSet, PredictionRow, Predictions};
use wick_viz::{CloseCall, Mistake, Photo};

use crate::cli::GalleryOrder;

/// The first `count` misclassified images, in this order.
pub fn mistakes(predictions: &Predictions, count: usize, order: GalleryOrder) -> Vec<&PredictionRow> {
    let mut wrong: Vec<&PredictionRow> = predictions.wrong().collect();
    if order == GalleryOrder::Confidence {
        wrong.sort_by(|a, b| b.confidence().total_cmp(&a.confidence()));
    }
    wrong.truncate(count);
    wrong
}

/// An image that was judged rightly, the class that came next and by how much less probable it was.
pub struct Close<'a> {
    pub row: &'a PredictionRow,
    pub second: usize,
    pub margin: f32,
}

/// The `count` images that were judged rightly by the least, the closest first.
pub fn close_calls(predictions: &Predictions, count: usize) -> Vec<Close<'_>> {
    let right = predictions.rows.iter().filter(|row| row.is_right());
    let mut calls: Vec<Close<'_>> = right.filter_map(close).collect();
    calls.sort_by(|a, b| a.margin.total_cmp(&b.margin));
    calls.truncate(count);
    calls
}

fn close(row: &PredictionRow) -> Option<Close<'_>> {
    let others = row.probabilities.iter().enumerate().filter(|(class, _)| *class != row.predicted);
    let (second, probability) = others.max_by(|a, b| a.1.total_cmp(b.1))?;
    Some(Close { row, second, margin: row.confidence() - probability })
}

/// What the gallery of mistakes shows of `row`.
pub fn mistake<'a>(row: &PredictionRow, split: &'a Split, names: &'a [String]) -> Result<Mistake<'a>> {
    Ok(Mistake {
        image: Photo::new(split.image(row.index), HEIGHT, WIDTH)?,
        index: Some(row.index),
        truth: &names[row.truth],
        predicted: &names[row.predicted],
        probability: f64::from(row.confidence()),
    })
}

/// What the gallery of unsure images shows of a close call.
pub fn close_call<'a>(call: &Close<'_>, split: &'a Split, names: &'a [String]) -> Result<CloseCall<'a>> {
    let row = call.row;
    Ok(CloseCall {
        image: Photo::new(split.image(row.index), HEIGHT, WIDTH)?,
        index: Some(row.index),
        first: &names[row.predicted],
        second: &names[call.second],
        probabilities: [row.confidence(), row.probabilities[call.second]].map(f64::from),
    })
}

/// The pictures of these images.
pub fn pictures(split: &Split, indices: impl Iterator<Item = usize>) -> Result<PictureSet> {
    let mut set = PictureSet::default();
    for index in indices {
        set.push(index, image(split, index)?);
    }
    Ok(set)
}

/// Of each class the mean of its images, rounded; of a class without images none.
pub fn class_means(split: &Split, indices: &[usize], classes: usize) -> PictureSet {
    let mut sums = vec![(0u64, [0u64; IMAGE_BYTES]); classes];
    for &index in indices {
        let (images, sum) = &mut sums[usize::from(split.label(index))];
        *images += 1;
        sum.iter_mut().zip(split.image(index)).for_each(|(sum, byte)| *sum += u64::from(*byte));
    }
    let mut set = PictureSet::default();
    for (class, (images, sum)) in sums.iter().enumerate().filter(|(_, (images, _))| *images > 0) {
        set.push(class, &sum.map(|sum| ((sum + images / 2) / images) as u8));
    }
    set
}

fn image(split: &Split, index: usize) -> Result<&[u8; IMAGE_BYTES]> {
    let bytes = split.image(index);
    bytes.try_into().map_err(|_| anyhow!("image {index} has {} bytes, not {IMAGE_BYTES}", bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions() -> Predictions {
        let row = |index, truth, probabilities: [f32; 3]| {
            let places = probabilities.iter().enumerate();
            let predicted = places.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class);
            PredictionRow { index, truth, predicted, probabilities: probabilities.to_vec() }
        };
        let rows = vec![
            row(2, 0, [0.2, 0.5, 0.3]),   // wrong
            row(3, 0, [0.5, 0.1, 0.4]),   // right by 0.1
            row(5, 1, [0.9, 0.05, 0.05]), // wrong, surer
            row(7, 2, [0.0, 0.25, 0.75]), // right by 0.5
            row(8, 1, [0.48, 0.5, 0.02]), // right by 0.02
            row(9, 0, [0.2, 0.2, 0.6]),   // wrong
        ];
        Predictions { class_names: ["a", "b", "c"].map(str::to_owned).to_vec(), rows }
    }

    #[test]
    fn mistakes_in_either_order() {
        let predictions = predictions();
        let of = |count, order| {
            mistakes(&predictions, count, order).iter().map(|row| row.index).collect::<Vec<_>>()
        };
        assert_eq!(of(9, GalleryOrder::Index), [2, 5, 9]);
        assert_eq!(of(2, GalleryOrder::Index), [2, 5]);
        assert_eq!(of(2, GalleryOrder::Confidence), [5, 9]);
    }

    #[test]
    fn close_calls_are_right_and_the_closest_first() {
        let predictions = predictions();
        let calls = close_calls(&predictions, 2);
        let of: Vec<_> = calls.iter().map(|c| (c.row.index, c.second)).collect();
        assert_eq!(of, [(8, 0), (3, 2)]);
        assert!((calls[0].margin - 0.02).abs() < 1e-6);
    }

    #[test]
    fn means_of_classes() {
        let dataset = wick_cifar::synthetic_dataset(0, 30, 10);
        let split = &dataset.test;
        let all: Vec<usize> = (0..10).collect();
        let classes = dataset.class_names.len();
        let means = class_means(split, &all, classes);
        let present: Vec<usize> =
            (0..classes).filter(|c| all.iter().any(|&i| usize::from(split.label(i)) == *c)).collect();
        assert_eq!(means.index, present, "classes without images are left out");
        let one = class_means(split, &all[..1], classes);
        assert_eq!(one.images, split.image(0), "the mean of one image is that image");
        for (class, mean) in means.iter() {
            let own = || all.iter().filter(|&&i| usize::from(split.label(i)) == class);
            let sum: f64 = own().map(|&i| f64::from(split.image(i)[77])).sum();
            assert_eq!(mean[77], (sum / own().count() as f64).round() as u8);
        }
    }
}
