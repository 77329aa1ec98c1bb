//! What comes out of a list.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CIFAR, parse};
use wick_augment::{Augmentation, Drawn, Key, Step, Transform};

#[test]
fn evaluation_keeps_the_middle() {
    let list = parse(
        r#"{transform = "normalize", mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5], p = 0.5},
        {transform = "horizontal_flip"}, {transform = "pad", amount = 4},
        {transform = "random_crop", height = 32, width = 32}, {transform = "rotate", limit = 5},
        {transform = "coarse_dropout", height = 16, width = 16, placement = "overhanging"}"#,
    );
    let test = Augmentation::new(&list, CIFAR).unwrap().test();
    let names: Vec<&str> = test.transforms().iter().map(Transform::name).collect();
    assert_eq!(names, ["normalize", "pad", "center_crop"]);
    let image: Vec<u8> = (0..3072).map(|i| (i * 7) as u8).collect();
    let mut out = Vec::new();
    test.batch(1, 2, &[0], &image, &mut out).unwrap();
    let want: Vec<f32> = image.iter().map(|byte| ((f64::from(*byte) / 255.0 - 0.5) / 0.5) as f32).collect();
    assert_eq!(out, want);
}

#[test]
fn without_normalize_values_are_fractions_and_fills_are_too() {
    let list = parse(r#"{transform = "coarse_dropout", height = 32, width = 32, fill = 0.5}"#);
    let augmentation = Augmentation::new(&list, CIFAR).unwrap();
    let image: Vec<u8> = (0..3072).map(|i| i as u8).collect();
    let mut out = vec![0.0; 3072];
    augmentation.apply(&Drawn { steps: vec![Step::Skipped] }, &image, &mut out).unwrap();
    assert_eq!((out[0], out[255], out[51]), (0.0, 1.0, 0.2));
    let drawn = augmentation.draw(Key { seed: 0, epoch: 0, index: 0 });
    augmentation.apply(&drawn, &image, &mut out).unwrap();
    assert!(out.iter().all(|value| *value == 0.5));
    assert_eq!(augmentation.apply_to_bytes(&drawn, &image).unwrap(), vec![128; 3072]); // 127.5, half away from zero
}

#[test]
fn the_sheet_shows_what_the_network_gets() {
    let list = parse(
        r#"{transform = "normalize", mean = [0.4914, 0.4822, 0.4471], std = [0.2469, 0.2433, 0.2615]},
        {transform = "horizontal_flip"}, {transform = "rotate", limit = 15}, {transform = "pad", amount = 4},
        {transform = "random_crop", height = 31, width = 29},
        {transform = "coarse_dropout", height = 9, width = 8, placement = "overhanging"},
        {transform = "coarse_dropout", height = 4, width = 4, fill = {bytes = [255, 0, 127]}}"#,
    );
    let augmentation = Augmentation::new(&list, CIFAR).unwrap();
    let image: Vec<u8> = (0..3072u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (mean, std) = ([0.4914, 0.4822, 0.4471], [0.2469, 0.2433, 0.2615]);
    for index in 0..50 {
        let drawn = augmentation.draw(Key { seed: 0, epoch: 0, index });
        let mut values = vec![0.0; augmentation.output().values()];
        augmentation.apply(&drawn, &image, &mut values).unwrap();
        let shown = augmentation.apply_to_bytes(&drawn, &image).unwrap();
        for (i, (value, byte)) in values.iter().zip(shown).enumerate() {
            let back = (f64::from(*value) * std[i % 3] + mean[i % 3]) * 255.0;
            assert!((back - f64::from(byte)).abs() <= 0.501, "{i}: {back} shown as {byte}");
        }
    }
}

#[test]
fn what_changes_no_size_may_be_left_to_chance() {
    let list = parse(
        r#"{transform = "random_crop", height = 32, width = 32, p = 0.5},
        {transform = "pad_if_needed", height = 32, width = 8, p = 0.5},
        {transform = "pad", amount = 40, p = 0}"#,
    );
    let augmentation = Augmentation::new(&list, CIFAR).unwrap();
    assert_eq!(augmentation.output(), CIFAR);
    let image: Vec<u8> = (0..3072).map(|i| i as u8).collect();
    for index in 0..20 {
        let drawn = augmentation.draw(Key { seed: 0, epoch: 0, index });
        assert_eq!(augmentation.apply_to_bytes(&drawn, &image).unwrap(), image);
    }
}

#[test]
fn an_augmentation_is_shared_between_threads() {
    fn assert_shared<T: Send + Sync + Clone + 'static>() {}
    assert_shared::<Augmentation>();
    assert_shared::<Drawn>();
}
