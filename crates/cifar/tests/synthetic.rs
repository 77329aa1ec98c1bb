//! The stand-in: repeatable, balanced, and no task for a linear classifier.

use std::collections::HashSet;

use wick_cifar::{IMAGE_BYTES, SHAPE_NAMES, Split, Variant, synthetic, synthetic_dataset};

#[test]
fn a_shorter_split_is_the_beginning_of_a_longer_one() {
    let long = synthetic(11, 137);
    for n in [0, 1, 9, 10, 64, 137] {
        assert_eq!(synthetic(11, n), long.take(n), "n = {n}");
    }
    assert_ne!(synthetic(12, 10), long.take(10));
    assert_eq!(synthetic_dataset(11, 40, 5).train, long.take(40));
    assert_eq!(synthetic_dataset(11, 3, 20).test.take(5), synthetic_dataset(11, 99, 5).test);
}

#[test]
fn classes_are_balanced_and_named() {
    let dataset = synthetic_dataset(5, 250, 40);
    assert_eq!(dataset.variant, Variant::Cifar10);
    assert_eq!(dataset.class_names, SHAPE_NAMES);
    assert_eq!(dataset.train.class_counts(10), [25; 10]);
    assert_eq!(dataset.test.class_counts(10), [4; 10]);
    let orders: HashSet<&[u8]> = dataset.train.labels().chunks(10).collect();
    assert!(orders.len() > 20, "the order of the classes should differ from ten to ten");
}

#[test]
fn no_image_is_drawn_twice() {
    let dataset = synthetic_dataset(0, 2000, 1000);
    let all = dataset.train.images().chunks(IMAGE_BYTES).chain(dataset.test.images().chunks(IMAGE_BYTES));
    assert_eq!(all.collect::<HashSet<_>>().len(), 3000);
}

/// Softmax regression on standardised pixels, by full-batch gradient descent with momentum: at its best stop it is
/// above chance (brightness tells a little) and below 60 %.
#[test]
fn a_linear_classifier_stays_below_sixty_percent() {
    const CLASSES: usize = 10;
    let dataset = synthetic_dataset(0, 4000, 1000);
    let (train, test) = (pixels(&dataset.train), pixels(&dataset.test));
    let mut weights = vec![0.0_f32; CLASSES * IMAGE_BYTES];
    let mut velocity = weights.clone();
    let mut best = 0.0_f64;
    for step in 0..60 {
        let mut gradient = vec![0.0_f32; weights.len()];
        for (image, &label) in train.chunks_exact(IMAGE_BYTES).zip(dataset.train.labels()) {
            let mut error = softmax(scores(&weights, image));
            error[usize::from(label)] -= 1.0;
            for (row, e) in gradient.chunks_exact_mut(IMAGE_BYTES).zip(error) {
                row.iter_mut().zip(image).for_each(|(g, x)| *g += e * x);
            }
        }
        for ((w, v), g) in weights.iter_mut().zip(&mut velocity).zip(&gradient) {
            *v = 0.9 * *v - 1e-3 * g / 4000.0;
            *w += *v;
        }
        if step % 5 == 4 {
            let right = test.chunks_exact(IMAGE_BYTES).zip(dataset.test.labels());
            let right =
                right.filter(|(image, label)| largest(scores(&weights, image)) == usize::from(**label));
            best = best.max(right.count() as f64 / 1000.0);
        }
    }
    assert!(best > 0.12 && best < 0.6, "{best}");
}

fn pixels(split: &Split) -> Vec<f32> {
    split.images().iter().map(|&byte| (f32::from(byte) / 255.0 - 0.5) / 0.27).collect()
}

fn scores(weights: &[f32], image: &[f32]) -> [f32; 10] {
    std::array::from_fn(|class| {
        // Sixteen sums at once, which the compiler turns into vector instructions.
        let row = &weights[class * IMAGE_BYTES..][..IMAGE_BYTES];
        let mut sums = [0.0_f32; 16];
        for (w, x) in row.as_chunks::<16>().0.iter().zip(image.as_chunks::<16>().0) {
            for k in 0..16 {
                sums[k] += w[k] * x[k];
            }
        }
        sums.iter().sum()
    })
}

fn softmax(scores: [f32; 10]) -> [f32; 10] {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers = scores.map(|score| (score - top).exp());
    let sum: f32 = powers.iter().sum();
    powers.map(|power| power / sum)
}

fn largest(scores: [f32; 10]) -> usize {
    (1..10).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
}
