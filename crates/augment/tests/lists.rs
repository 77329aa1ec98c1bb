//! Lists as text.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CIFAR, Recipe, parse};
use serde::Deserialize;
use wick_augment::{Augmentation, Border, Drawn, Fill, Key, Placement, Transform};

const EVERYTHING: &str = r#"
[[transforms]]
transform = "normalize"
mean = [0.4914, 0.4822, 0.4471]
std = [0.2469, 0.2433, 0.2615]
p = 1.0

[[transforms]]
transform = "horizontal_flip"
p = 0.5

[[transforms]]
transform = "alternating_flip"
p = 0.5

[[transforms]]
transform = "pad"
amount = 4
border = "reflect101"
p = 1.0

[[transforms]]
transform = "pad_if_needed"
height = 48
width = 64
p = 1.0

[transforms.border]
constant = [1, 2, 3]

[[transforms]]
transform = "random_crop"
height = 40
width = 36
p = 1.0

[[transforms]]
transform = "center_crop"
height = 32
width = 32
p = 1.0

[[transforms]]
transform = "rotate"
limit = 7.3
border = "reflect101"
p = 0.7

[[transforms]]
transform = "coarse_dropout"
holes = 2
height = 8
width = 9
fill = 0.1
placement = "overhanging"
p = 0.3
"#;

#[test]
fn text_and_list_are_the_same_thing() {
    let list = toml::from_str::<Recipe>(EVERYTHING).unwrap();
    assert_eq!(toml::to_string(&list).unwrap(), EVERYTHING.trim_start());
    // Through a generic value, as tools that merge settings do: no digits appear that were not written.
    let value = toml::Value::try_from(&list).unwrap();
    assert_eq!(value["transforms"][0]["mean"][0].as_float(), Some(0.4914));
    assert_eq!(value["transforms"][7]["limit"].as_float(), Some(7.3));
    assert_eq!(value["transforms"][8]["fill"].as_float(), Some(0.1));
    assert_eq!(Recipe::deserialize(value).unwrap(), list);
    let json = serde_json::to_string(&list).unwrap();
    assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), list);
}

#[test]
fn what_is_left_out_has_its_documented_default() {
    let list = parse(
        r#"{transform = "normalize", mean = [0, 0, 0], std = [1, 1, 1]}, {transform = "horizontal_flip"},
        {transform = "alternating_flip"}, {transform = "pad", amount = 4},
        {transform = "pad_if_needed", height = 1, width = 2}, {transform = "random_crop", height = 1, width = 2},
        {transform = "center_crop", height = 1, width = 2}, {transform = "rotate", limit = 5},
        {transform = "coarse_dropout", height = 16, width = 16}"#,
    );
    let border = Border::Reflect101;
    let (height, width, p) = (1, 2, 1.0);
    let expected = [
        Transform::Normalize { mean: [0.0; 3], std: [1.0; 3], p },
        Transform::HorizontalFlip { p: 0.5 },
        Transform::AlternatingFlip { p: 0.5 },
        Transform::Pad { amount: 4, border, p },
        Transform::PadIfNeeded { height, width, border, p },
        Transform::RandomCrop { height, width, p },
        Transform::CenterCrop { height, width, p },
        Transform::Rotate { limit: 5.0, border, p },
        Transform::CoarseDropout {
            holes: 1,
            height: 16,
            width: 16,
            fill: Fill::Normalized(0.0),
            placement: Placement::Inside,
            p,
        },
    ];
    assert_eq!(list, expected);
}

#[test]
fn fills_have_three_forms() {
    let dropout = |fill| format!("{{transform = \"coarse_dropout\", height = 1, width = 1, fill = {fill}}}");
    for (text, fill) in [
        ("1", Fill::Normalized(1.0)),
        ("-0.5", Fill::Normalized(-0.5)),
        ("[1, 2.5, 3]", Fill::PerChannel([1.0, 2.5, 3.0])),
        ("{bytes = [0, 128, 255]}", Fill::Bytes { bytes: [0, 128, 255] }),
    ] {
        let list = parse(&dropout(text));
        assert!(matches!(list[0], Transform::CoarseDropout { fill: got, .. } if got == fill), "{list:?}");
        let written = toml::to_string(&Recipe { transforms: list.clone() }).unwrap();
        assert_eq!(toml::from_str::<Recipe>(&written).unwrap().transforms, list);
    }
    for text in ["\"black\"", "[1, 2]", "{bytes = [0, 128, 256]}", "{bytes = [0, 0, 0], color = 1}"] {
        let error = toml::from_str::<Recipe>(&format!("transforms = [{}]", dropout(text))).unwrap_err();
        assert!(error.to_string().contains("a fill is a number, three numbers"), "{error}");
    }
}

#[test]
fn unknown_names_are_errors_that_name_the_known_ones() {
    for (text, unknown, known) in [
        (r#"{transform = "random_crop", heigth = 32, width = 32}"#, "`heigth`", "`height`"),
        (r#"{transform = "horizontal_flip", q = 0.5}"#, "`q`", "`p`"),
        (r#"{transform = "flip"}"#, "`flip`", "`horizontal_flip`"),
        (r#"{transform = "pad", amount = 4, border = "wrap"}"#, "`wrap`", "`reflect101`"),
        (
            r#"{transform = "coarse_dropout", height = 1, width = 1, placement = "out"}"#,
            "`out`",
            "`overhanging`",
        ),
        (r#"{p = 0.5}"#, "transform", "missing field"),
        (r#"{transform = "random_crop", height = 32}"#, "`width`", "missing field"),
    ] {
        let error = toml::from_str::<Recipe>(&format!("transforms = [{text}]")).unwrap_err().to_string();
        assert!(error.contains(unknown) && error.contains(known), "{text}: {error}");
    }
    assert!(toml::from_str::<Recipe>("transforms = [{transform = \"pad\", amount = -1}]").is_err());
}

#[test]
fn drawn_parameters_can_be_stored() {
    let augmentation =
        Augmentation::new(&toml::from_str::<Recipe>(EVERYTHING).unwrap().transforms, CIFAR).unwrap();
    for index in 0..20 {
        let drawn = augmentation.draw(Key { seed: 0, epoch: 0, index });
        let json = serde_json::to_string(&drawn).unwrap();
        assert_eq!(serde_json::from_str::<Drawn>(&json).unwrap(), drawn);
    }
}
