//! How often what is drawn, and that the key alone decides.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use wick_augment::{Augmentation, Border, Fill, Hole, Key, Placement, Size, Step, Transform};

const CIFAR: Size = Size::new(32, 32);

fn dropout(height: usize, width: usize, placement: Placement, p: f32) -> Transform {
    Transform::CoarseDropout { holes: 1, height, width, fill: Fill::default(), placement, p }
}

fn s11() -> Vec<Transform> {
    vec![
        Transform::normalize([0.4914, 0.4822, 0.4471], [0.2469, 0.2433, 0.2615]),
        Transform::HorizontalFlip { p: 0.5 },
        Transform::Pad { amount: 4, border: Border::Reflect101, p: 1.0 },
        Transform::RandomCrop { height: 32, width: 32, p: 1.0 },
        dropout(16, 16, Placement::Overhanging, 1.0),
    ]
}

/// The steps of one transform for many images.
fn steps(transform: Transform, size: Size, count: u64) -> Vec<Step> {
    let augmentation = Augmentation::new(&[transform], size).unwrap();
    let mut draws = (0..count).map(|index| augmentation.draw(Key { seed: 11, epoch: 2, index }));
    std::iter::from_fn(|| draws.next()?.steps.pop()).collect()
}

/// Asserts that each of `cells` outcomes came up about equally often: Pearson's χ² has mean `cells − 1` and
/// standard deviation `√(2·(cells − 1))`; five deviations are allowed.
fn assert_uniform<K: std::hash::Hash + Eq>(outcomes: impl Iterator<Item = K>, cells: usize) {
    let mut counts = HashMap::new();
    let mut total = 0.0;
    for outcome in outcomes {
        *counts.entry(outcome).or_insert(0.0) += 1.0;
        total += 1.0;
    }
    assert_eq!(counts.len(), cells, "outcomes that came up");
    let expected = total / cells as f64;
    let chi2: f64 = counts.values().map(|n: &f64| (n - expected).powi(2) / expected).sum();
    let freedom = cells as f64 - 1.0;
    assert!(
        (chi2 - freedom).abs() < 5.0 * (2.0 * freedom).sqrt(),
        "χ² {chi2} at {freedom} degrees of freedom"
    );
}

#[test]
fn crop_offsets_are_all_0_to_8_alike() {
    let crop = Transform::RandomCrop { height: 32, width: 32, p: 1.0 };
    let offsets = steps(crop, Size::new(40, 40), 81_000).into_iter().map(|step| match step {
        Step::Cropped { top, left } if top <= 8 && left <= 8 => (top, left),
        other => panic!("{other:?}"),
    });
    assert_uniform(offsets, 81);
}

#[test]
fn crop_offsets_go_by_each_side() {
    let crop = Transform::RandomCrop { height: 3, width: 5, p: 1.0 };
    let offsets = steps(crop, Size::new(7, 5), 20_000).into_iter().map(|step| match step {
        Step::Cropped { top, left: 0 } if top <= 4 => top,
        other => panic!("{other:?}"),
    });
    assert_uniform(offsets, 5);
}

#[test]
fn holes_inside_reach_every_offset_and_keep_their_size() {
    let holes =
        steps(dropout(29, 30, Placement::Inside, 1.0), CIFAR, 24_000).into_iter().map(|step| match step {
            Step::Erased { holes } => match holes[..] {
                [Hole { top, left, height: 29, width: 30 }] if top <= 3 && left <= 2 => (top, left),
                _ => panic!("{holes:?}"),
            },
            other => panic!("{other:?}"),
        });
    assert_uniform(holes, 12);
}

/// The hole at each offset on the canvas, by enumeration, as rows of the image: 16 rows on a canvas of 64, the image in rows 16..48.
#[test]
fn overhanging_holes_have_exactly_the_published_statistics() {
    let along_one_side: Vec<(usize, usize)> = (0..=48usize)
        .map(|offset| (offset.max(16), (offset + 16).min(48)))
        .map(|(from, to)| if from < to { (from - 16, to - from) } else { (0, 0) })
        .collect();
    let offsets =
        || along_one_side.iter().flat_map(|rows| along_one_side.iter().map(move |columns| (rows, columns)));
    let erased: usize = offsets().map(|(rows, columns)| rows.1 * columns.1).sum();
    let misses = offsets().filter(|(rows, columns)| rows.1 * columns.1 == 0).count();
    let total = 49 * 49;
    // (16/49)² of 1024 pixels and 1 − (47/49)², as rational numbers.
    assert_eq!(erased * 49 * 49, 16 * 16 * 1024 * total);
    assert_eq!(misses, total - 47 * 47);
    assert_eq!(format!("{:.1} %", 100.0 * erased as f64 / 1024.0 / total as f64), "10.7 %");
    assert_eq!(format!("{:.1} %", 100.0 * misses as f64 / total as f64), "8.0 %");

    // The draws are these 49² cases, each as often as the others. Cases that come to the same hole share a cell.
    let mut expected: HashMap<Option<Hole>, f64> = HashMap::new();
    for (rows, columns) in offsets() {
        let hole = Hole { top: rows.0, left: columns.0, height: rows.1, width: columns.1 };
        *expected.entry((hole.height * hole.width > 0).then_some(hole)).or_default() += 1.0;
    }
    let count = 240_100; // a hundred a case
    let mut counts: HashMap<Option<Hole>, f64> = HashMap::new();
    for step in steps(dropout(16, 16, Placement::Overhanging, 1.0), CIFAR, count) {
        let Step::Erased { holes } = step else { panic!("{step:?}") };
        assert!(holes.len() <= 1);
        *counts.entry(holes.first().copied()).or_default() += 1.0;
    }
    assert!(counts.keys().all(|hole| expected.contains_key(hole)), "a hole that is not possible was drawn");
    let scale = count as f64 / total as f64;
    let chi2: f64 = expected
        .iter()
        .map(|(hole, cases)| (counts.get(hole).unwrap_or(&0.0) - cases * scale).powi(2) / (cases * scale))
        .sum();
    let freedom = expected.len() as f64 - 1.0;
    assert!((chi2 - freedom).abs() < 5.0 * (2.0 * freedom).sqrt(), "χ² {chi2} at {freedom}");
}

#[test]
fn angles_are_uniform_within_the_limit() {
    let rotate = Transform::Rotate { limit: 5.0, border: Border::Reflect101, p: 1.0 };
    let tenths = steps(rotate, CIFAR, 100_000).into_iter().map(|step| match step {
        Step::Rotated { degrees } if (-5.0..5.0).contains(&degrees) => (degrees + 5.0) as u32,
        other => panic!("{other:?}"),
    });
    assert_uniform(tenths, 10);
}

#[test]
fn chances_are_p() {
    for p in [0.0, 0.1, 0.5, 0.7, 1.0f32] {
        for transform in [
            Transform::HorizontalFlip { p },
            Transform::AlternatingFlip { p },
            Transform::Rotate { limit: 5.0, border: Border::Reflect101, p },
            dropout(8, 8, Placement::Inside, p),
        ] {
            let applied =
                steps(transform, CIFAR, 40_000).iter().filter(|step| **step != Step::Skipped).count();
            let (p, n) = (f64::from(p), 40_000.0);
            // Five standard deviations of a binomial; none at p = 0 and 1.
            assert!(
                (applied as f64 - p * n).abs() <= 5.0 * (n * p * (1.0 - p)).sqrt(),
                "{applied} of {n} at {p}"
            );
        }
    }
}

#[test]
fn several_holes_are_drawn_apart() {
    let two = Transform::CoarseDropout {
        holes: 2,
        height: 8,
        width: 8,
        fill: Fill::default(),
        placement: Placement::Inside,
        p: 1.0,
    };
    let pairs = steps(two, Size::new(9, 9), 32_000).into_iter().map(|step| match step {
        Step::Erased { holes } if holes.len() == 2 => {
            [holes[0].top, holes[0].left, holes[1].top, holes[1].left]
        }
        other => panic!("{other:?}"),
    });
    assert_uniform(pairs, 16);
}

#[test]
fn alternating_flip_shows_the_other_side_in_the_next_epoch() {
    let augmentation = Augmentation::new(&[Transform::AlternatingFlip { p: 0.5 }], CIFAR).unwrap();
    let draw = |seed, epoch, index| augmentation.draw(Key { seed, epoch, index });
    for index in 0..200 {
        assert_ne!(draw(1, 0, index), draw(1, 1, index));
        assert_eq!(draw(1, 0, index), draw(1, 2, index));
        assert_eq!(draw(1, 1, index), draw(1, 7, index));
    }
    assert!((0..200).any(|index| draw(1, 0, index) != draw(2, 0, index)));
}

#[test]
fn the_key_alone_decides() {
    let augmentation = Augmentation::new(&s11(), CIFAR).unwrap();
    let images: Vec<u8> = (0..64 * 3072u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let batch = |augmentation: &Augmentation, seed, epoch, indices: &[usize]| {
        let mut out = Vec::new();
        augmentation.batch(seed, epoch, indices, &images, &mut out).unwrap();
        out
    };
    let order: Vec<usize> = (0..64).collect();
    let first = batch(&augmentation, 1, 0, &order);
    assert_eq!(first, batch(&augmentation.clone(), 1, 0, &order));
    assert_ne!(first, batch(&augmentation, 1, 1, &order), "another epoch");
    assert_ne!(first, batch(&augmentation, 2, 0, &order), "another seed");

    // In other batches, on other threads, in another order.
    let parts: Vec<Vec<f32>> = std::thread::scope(|scope| {
        let run = |part: &[usize]| {
            let (augmentation, batch, part) = (&augmentation, &batch, part.to_vec());
            scope.spawn(move || batch(augmentation, 1, 0, &part))
        };
        let threads: Vec<_> = order.rchunks(10).map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let joined: Vec<f32> = parts.into_iter().rev().flatten().collect();
    assert_eq!(first, joined);
}

#[test]
fn a_transform_does_not_shift_the_random_numbers_of_the_next() {
    let one = Augmentation::new(&s11(), CIFAR).unwrap();
    let mut list = s11();
    list[1] = Transform::CoarseDropout {
        holes: 5,
        height: 3,
        width: 3,
        fill: Fill::default(),
        placement: Placement::Inside,
        p: 1.0,
    };
    let other = Augmentation::new(&list, CIFAR).unwrap();
    for index in 0..50 {
        let key = Key { seed: 4, epoch: 5, index };
        assert_eq!(one.draw(key).steps[2..], other.draw(key).steps[2..]);
    }
}

/// The numbers themselves: if these change, no recorded run can be repeated.
#[test]
fn draws_are_pinned() {
    let augmentation = Augmentation::new(&s11(), CIFAR).unwrap();
    let words = [0, 1, 5, 10]
        .map(|index| augmentation.describe(&augmentation.draw(Key { seed: 1, epoch: 0, index })));
    // Computed from the documentation of `random`, by another program.
    let expected = [
        "cropped from row 6, column 6, erased rows 3–18, columns 5–20",
        "cropped from row 8, column 5, erased rows 19–31, column 31",
        "cropped from row 2, column 0, erased rows 0–12, columns 8–23",
        "mirrored, cropped from row 8, column 6, erased rows 13–28, columns 0–2",
    ];
    assert_eq!(words, expected);
}
