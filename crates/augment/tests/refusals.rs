//! Everything that can be wrong with a list, or with what it is given.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CIFAR, parse};
use wick_augment::{AugmentError, Augmentation, Drawn, Hole, Key, MAX_SIDE, Size, Step};

fn refused(list: &str) -> String {
    Augmentation::new(&parse(list), CIFAR).unwrap_err().to_string()
}

#[test]
fn every_refusal_names_position_key_value_and_what_is_allowed() {
    let flip = r#"{transform = "horizontal_flip"}"#;
    for (wrong, expected) in [
        (
            r#"{transform = "horizontal_flip", p = 1.5}"#,
            "transforms[1] (horizontal_flip): p = 1.5 is not possible; it must be a probability, 0 to 1",
        ),
        (
            r#"{transform = "rotate", limit = 5, p = nan}"#,
            "transforms[1] (rotate): p = NaN is not possible; it must be a probability, 0 to 1",
        ),
        (
            r#"{transform = "normalize", mean = [0, inf, 0], std = [1, 1, 1]}"#,
            "transforms[1] (normalize): mean = [0.0, inf, 0.0] is not possible; it must be three finite numbers",
        ),
        (
            r#"{transform = "normalize", mean = [0, 0, 0], std = [1, 0, 1]}"#,
            "transforms[1] (normalize): std = [1.0, 0.0, 1.0] is not possible; it must be three finite numbers greater than 0",
        ),
        (
            r#"{transform = "normalize", mean = [0, 0, 0], std = [1, 1, 1e-42]}"#,
            "transforms[1] (normalize): std = [1.0, 1.0, 1e-42] is not possible; \
             it must be large enough for the normalised values to be finite",
        ),
        (
            r#"{transform = "rotate", limit = 181}"#,
            "transforms[1] (rotate): limit = 181 is not possible; it must be an angle in degrees, 0 to 180",
        ),
        (
            r#"{transform = "rotate", limit = -5}"#,
            "transforms[1] (rotate): limit = -5 is not possible; it must be an angle in degrees, 0 to 180",
        ),
        (
            r#"{transform = "random_crop", height = 32, width = 33}"#,
            "transforms[1] (random_crop): width = 33 is not possible; \
             it must be 1 to 32, as the image is 32×32 at this point of the list",
        ),
        (
            r#"{transform = "center_crop", height = 0, width = 32}"#,
            "transforms[1] (center_crop): height = 0 is not possible; \
             it must be 1 to 32, as the image is 32×32 at this point of the list",
        ),
        (
            r#"{transform = "pad", amount = 32}"#,
            "transforms[1] (pad): amount = 32 is not possible; it must be at most 31, \
             since reflect101 can only mirror what the 32×32 image has (or border: a constant)",
        ),
        (
            r#"{transform = "pad", amount = 9223372036854775807, border = {constant = [0, 0, 0]}}"#,
            "transforms[1] (pad): amount = 9223372036854775807 is not possible; it must be at most 4080, \
             so that no side exceeds 8192 pixels",
        ),
        (
            r#"{transform = "pad_if_needed", height = 32, width = 95}"#,
            "transforms[1] (pad_if_needed): width = 95 is not possible; it must be at most 94, \
             since reflect101 can only mirror what the 32×32 image has (or border: a constant)",
        ),
        (
            r#"{transform = "random_crop", height = 28, width = 28, p = 0.5}"#,
            "transforms[1] (random_crop): p = 0.5 is not possible; it must be 1 or 0, since it turns \
             32×32 images into 28×28 ones and all must have one size",
        ),
        (
            r#"{transform = "coarse_dropout", height = 33, width = 1}"#,
            "transforms[1] (coarse_dropout): height = 33 is not possible; \
             it must be 1 to 32, as a hole lies inside the final 32×32 image",
        ),
        (
            r#"{transform = "coarse_dropout", height = 1, width = 65, placement = "overhanging"}"#,
            "transforms[1] (coarse_dropout): width = 65 is not possible; \
             it must be 1 to 64, as a hole lies inside a 64×64 canvas around the final 32×32 image",
        ),
        (
            r#"{transform = "coarse_dropout", height = 0, width = 1}"#,
            "transforms[1] (coarse_dropout): height = 0 is not possible; \
             it must be 1 to 32, as a hole lies inside the final 32×32 image",
        ),
        (
            r#"{transform = "coarse_dropout", holes = 0, height = 1, width = 1}"#,
            "transforms[1] (coarse_dropout): holes = 0 is not possible; it must be 1 to 1024",
        ),
        (
            r#"{transform = "coarse_dropout", height = 1, width = 1, fill = nan}"#,
            "transforms[1] (coarse_dropout): fill = Normalized(NaN) is not possible; it must be finite",
        ),
    ] {
        assert_eq!(refused(&format!("{flip}, {wrong}")), expected);
    }
    let normalize = r#"{transform = "normalize", mean = [0, 0, 0], std = [1, 1, 1]}"#;
    assert!(
        refused(&format!("{normalize}, {flip}, {normalize}"))
            .starts_with("transforms[0] and transforms[2] are both")
    );
}

#[test]
fn a_hole_is_measured_against_the_final_image() {
    // 20 pixels fit the 32×32 image, where the list names the hole, but not the 16×16 one that it is made in.
    let error = refused(
        r#"{transform = "coarse_dropout", height = 20, width = 20}, {transform = "center_crop", height = 16, width = 16}"#,
    );
    assert!(error.contains("transforms[0]") && error.contains("1 to 16"), "{error}");
}

#[test]
fn sizes_of_images_are_checked() {
    for size in [Size::new(0, 32), Size::new(32, 0), Size::new(32, MAX_SIDE + 1)] {
        assert_eq!(Augmentation::new(&[], size).unwrap_err(), AugmentError::InputSize { size });
    }
    let pad = Augmentation::new(&parse(r#"{transform = "pad", amount = 4}"#), CIFAR).unwrap();
    assert_eq!(pad.output(), Size::new(40, 40));
    assert!(pad.clone().with_output(Size::new(40, 40)).is_ok());
    let error = pad.with_output(CIFAR).unwrap_err();
    assert_eq!(error, AugmentError::OutputSize { input: CIFAR, expected: CIFAR, got: Size::new(40, 40) });
    assert!(
        error
            .to_string()
            .starts_with("the transforms turn 32×32 images into 40×40 ones, but 32×32 is needed")
    );
}

#[test]
fn slices_of_other_lengths_are_refused() {
    let augmentation = Augmentation::new(&[], CIFAR).unwrap();
    let drawn = Drawn::default();
    let (image, mut out) = (vec![0; 3072], vec![0.0; 3072]);
    assert!(augmentation.apply(&drawn, &image, &mut out).is_ok());
    let error = augmentation.apply(&drawn, &image[1..], &mut out).unwrap_err();
    assert_eq!(error.to_string(), "the image, (H, W, 3) bytes: expected 3072 values, got 3071");
    assert!(matches!(
        augmentation.apply(&drawn, &image, &mut out[1..]),
        Err(AugmentError::Length { got: 3071, .. })
    ));
    assert!(augmentation.apply_to_bytes(&drawn, &image[1..]).is_err());
    let mut batch = Vec::new();
    assert!(augmentation.batch(0, 0, &[], &[], &mut batch).is_ok());
    assert_eq!(
        augmentation.batch(0, 0, &[0, 1], &image, &mut batch).unwrap_err(),
        AugmentError::Index { index: 1, count: 1 }
    );
    assert!(matches!(
        augmentation.batch(0, 0, &[], &image[1..], &mut batch),
        Err(AugmentError::Length { .. })
    ));
    assert!(matches!(augmentation.batch_into(0, 0, &[0], &image, &mut []), Err(AugmentError::Length { .. })));
}

#[test]
fn drawn_parameters_of_another_list_are_refused() {
    let list = parse(
        r#"{transform = "pad", amount = 4}, {transform = "random_crop", height = 32, width = 32},
        {transform = "rotate", limit = 5}, {transform = "coarse_dropout", height = 8, width = 8},
        {transform = "horizontal_flip"}"#,
    );
    let augmentation = Augmentation::new(&list, CIFAR).unwrap();
    let image = vec![0; 3072];
    let good = augmentation.draw(Key { seed: 0, epoch: 0, index: 0 });
    assert!(augmentation.apply_to_bytes(&good, &image).is_ok());
    let hole = Hole { top: 25, left: 0, height: 8, width: 8 };
    for (position, step) in [
        (0, Step::Skipped),
        (1, Step::Skipped),
        (1, Step::Applied),
        (1, Step::Cropped { top: 9, left: 0 }),
        (1, Step::Cropped { top: 0, left: usize::MAX }),
        (2, Step::Rotated { degrees: f32::NAN }),
        (2, Step::Applied),
        (3, Step::Erased { holes: vec![hole] }),
        (3, Step::Erased { holes: vec![Hole { top: 0, ..hole }; 2] }),
        (3, Step::Rotated { degrees: 1.0 }),
        (4, Step::Cropped { top: 0, left: 0 }),
    ] {
        let mut bad = good.clone();
        bad.steps[position] = step.clone();
        match augmentation.apply_to_bytes(&bad, &image) {
            Err(AugmentError::Drawn { position: at, got, .. }) => {
                assert_eq!((at, got), (position, format!("{step:?}")));
            }
            other => panic!("{step:?}: {other:?}"),
        }
    }
    assert!(matches!(
        augmentation.apply_to_bytes(&Drawn::default(), &image),
        Err(AugmentError::Drawn { .. })
    ));
}
