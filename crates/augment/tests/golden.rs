//! Against Albumentations 1.3.1 and OpenCV 4.11.
#![allow(clippy::unwrap_used)]

#[path = "../../../fixtures/golden/golden.rs"]
mod golden;

use std::collections::HashMap;

use wick_augment::{Augmentation, Border, Drawn, Hole, Size, Step, Transform};

/// `image_u8` of the values' generator: element `i` is the top byte of `splitmix64(seed·1_000_003 + i)`.
fn noise(seed: u64, size: Size) -> Vec<u8> {
    let base = seed.wrapping_mul(1_000_003);
    (0..size.values() as u64).map(|i| (golden::splitmix64(base.wrapping_add(i)) >> 56) as u8).collect()
}

/// `(7·row + 3·column + 85·channel) mod 256`.
fn smooth(size: Size) -> Vec<u8> {
    let pixel = |row, column| (0..3).map(move |channel| ((7 * row + 3 * column + 85 * channel) % 256) as u8);
    (0..size.height).flat_map(|row| (0..size.width).flat_map(move |column| pixel(row, column))).collect()
}

const CIFAR: Size = Size::new(32, 32);

fn values() -> HashMap<String, Vec<f64>> {
    serde_json::from_str(&golden::read("transforms.json")).unwrap()
}

fn bytes(values: &[f64]) -> Vec<u8> {
    values.iter().map(|v| *v as u8).collect()
}

fn one_step(transform: Transform, step: Step, image: &[u8], size: Size) -> Vec<u8> {
    let augmentation = Augmentation::new(&[transform], size).unwrap();
    augmentation.apply_to_bytes(&Drawn { steps: vec![step] }, image).unwrap()
}

fn rotated(image: &[u8], size: Size, degrees: f32, border: Border) -> Vec<u8> {
    one_step(Transform::Rotate { limit: 180.0, border, p: 1.0 }, Step::Rotated { degrees }, image, size)
}

// A.rotate(im, angle, cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101, None)
#[test]
fn rotation_is_opencvs_bit_for_bit() {
    let values = values();
    for (name, image) in [("smooth", smooth(CIFAR)), ("noise", noise(golden::SEED + 30, CIFAR))] {
        for angle in ["-5.0", "-2.5", "3.0", "5.0"] {
            let want = bytes(&values[&format!("rotate_{angle}_{name}")]);
            let got = rotated(&image, CIFAR, angle.parse().unwrap(), Border::Reflect101);
            assert_eq!(got, want, "{angle}° of {name}");
        }
    }
}

// The same with borderMode reflect101 or constant (10, 200, 90), on odd shapes up to single rows and columns, at angles up to ±180°.
// Each line holds the FNV-1a hash of the bytes that OpenCV makes of `noise(seed, size)`.
#[test]
fn rotation_of_any_shape_by_any_angle_is_opencvs() {
    let lines = include_str!("opencv_rotations.csv").lines().skip(1);
    let mut count = 0;
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let [seed, height, width, degrees, border, hash] = fields[..] else { panic!("{line}") };
        let size = Size::new(height.parse().unwrap(), width.parse().unwrap());
        let border = if border == "constant" { Border::Constant([10, 200, 90]) } else { Border::Reflect101 };
        let got = rotated(&noise(seed.parse().unwrap(), size), size, degrees.parse().unwrap(), border);
        let got_hash = got.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        assert_eq!(format!("{got_hash:016x}"), hash, "{line}");
        count += 1;
    }
    assert_eq!(count, 120);
}

// cv2.copyMakeBorder(im, 4, 4, 4, 4, cv2.BORDER_REFLECT_101)
#[test]
fn padding_is_opencvs() {
    let image = noise(golden::SEED + 30, CIFAR);
    let pad = Transform::Pad { amount: 4, border: Border::Reflect101, p: 1.0 };
    let want = bytes(&values()["pad4_reflect101_noise"]);
    assert_eq!(one_step(pad, Step::Applied, &image, CIFAR), want);
    let pad = Transform::PadIfNeeded { height: 40, width: 40, border: Border::Reflect101, p: 1.0 };
    assert_eq!(one_step(pad, Step::Applied, &image, CIFAR), want);
}

// A.hflip(im)
#[test]
fn flip_is_albumentations() {
    let image = noise(golden::SEED + 30, CIFAR);
    let got = one_step(Transform::HorizontalFlip { p: 0.5 }, Step::Applied, &image, CIFAR);
    assert_eq!(got, bytes(&values()["hflip_noise"]));
}

// A.normalize(im, mean=(0.4914, 0.4822, 0.4471), std=(0.2469, 0.2433, 0.2615))
#[test]
fn normalisation_is_albumentations() {
    let image = noise(golden::SEED + 30, CIFAR);
    let list = [Transform::normalize([0.4914, 0.4822, 0.4471], [0.2469, 0.2433, 0.2615])];
    let augmentation = Augmentation::new(&list, CIFAR).unwrap();
    let mut got = vec![0.0; CIFAR.values()];
    augmentation.apply(&Drawn { steps: vec![Step::Applied] }, &image, &mut got).unwrap();
    let want: Vec<f32> = values()["normalize_noise"].iter().map(|v| *v as f32).collect();
    // Ours is rounded once, Albumentations' f32 arithmetic thrice.
    golden::assert_close("normalize", &got, &want, 1e-6);
}

// A.cutout(im, [(5, 7, 21, 23)], 0): columns 5..21, rows 7..23
#[test]
fn a_hole_is_albumentations() {
    let image = noise(golden::SEED + 30, CIFAR);
    let dropout = Transform::CoarseDropout {
        holes: 1,
        height: 16,
        width: 16,
        fill: Default::default(),
        placement: Default::default(),
        p: 1.0,
    };
    let holes = vec![Hole { top: 7, left: 5, height: 16, width: 16 }];
    // Without `normalize`, a fill of 0 is a byte of 0.
    let got = one_step(dropout, Step::Erased { holes }, &image, CIFAR);
    assert_eq!(got, bytes(&values()["cutout_noise"]));
}
