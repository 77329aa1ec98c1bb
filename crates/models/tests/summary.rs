//! The summary against torchinfo 1.8 on kuangliu's networks and a batch of 32.
//!
//! ```python
//! s = torchinfo.summary(ResNet18(), (32, 3, 32, 32))
//! s.total_params, s.total_mult_adds, s.total_output_bytes, s.total_param_bytes, s.total_input
//! ```
#![allow(clippy::unwrap_used, clippy::panic)] // in helpers as in tests

use wick_models::Architecture;

#[test]
fn resnet18_has_torchinfos_totals() {
    let summary = Architecture::ResNet18.summary(10, 32).unwrap();
    assert_eq!(summary.parameters, 11_173_962);
    assert_eq!(summary.mult_adds, 17_773_834_560);
    assert_eq!(summary.forward_backward_bytes, 314_575_360);
    assert_eq!((summary.parameter_bytes, summary.input_bytes), (44_695_848, 393_216));
    let text = summary.to_string();
    for line in [
        "Total parameters:           11,173,962",
        "Total mult-adds (G):        17.77",
        "Input size (MB):            0.39",
        "Forward/backward size (MB): 314.58",
        "Parameters size (MB):       44.70",
        "Estimated total size (MB):  359.66",
    ] {
        assert!(text.lines().any(|l| l == line), "no line `{line}` in\n{text}");
    }
}

#[test]
fn resnet34_has_torchinfos_totals() {
    let summary = Architecture::ResNet34.summary(10, 32).unwrap();
    let totals = (summary.parameters, summary.mult_adds, summary.forward_backward_bytes);
    assert_eq!(totals, (21_282_122, 37_101_424_960, 524_290_560));
}

#[test]
fn rows_name_every_layer_with_its_shape_and_cost() {
    let summary = Architecture::ResNet18.summary(10, 2).unwrap();
    let row =
        |name: &str| summary.rows.iter().find(|r| r.name == name).unwrap_or_else(|| panic!("no {name}"));
    let cost = |name: &str| row(name).cost.map(|c| (c.parameters, c.mult_adds));
    assert_eq!((row("").kind, row("").output.clone(), row("").cost), ("ResNet", vec![2, 10], None));
    assert_eq!((row("conv1").kind, row("conv1").depth), ("Conv2d", 1));
    assert_eq!(row("conv1").output, [2, 32, 32, 64]);
    assert_eq!(cost("conv1"), Some((1_728, 2 * 1_728 * 1_024)));
    assert_eq!(row("layer2.0").kind, "BasicBlock");
    assert_eq!(row("layer2.0.shortcut.0").output, [2, 16, 16, 128]);
    assert_eq!(row("layer2.0.shortcut.0").depth, 4);
    assert_eq!(cost("layer2.0.shortcut.0"), Some((8_192, 2 * 8_192 * 256)));
    assert_eq!(cost("layer4.1.bn2"), Some((1_024, 2 * 1_024)));
    assert_eq!(cost("linear"), Some((5_130, 2 * 5_130)));
}
