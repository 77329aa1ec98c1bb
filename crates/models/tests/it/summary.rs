//! The summary against torchinfo 1.8 on kuangliu's networks and a batch of 32.
//!
//! ```python
//! s = torchinfo.summary(ResNet18(), (32, 3, 32, 32))
//! s.total_params, s.total_mult_adds, s.total_output_bytes, s.total_param_bytes, s.total_input
//! ```

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

#[test]
fn other_networks_have_torchinfos_counts() {
    // By torchinfo's rule: a convolution costs its parameters (bias included) at every output pixel, and every layer with
    // parameters keeps its output. Batch 1.
    let layers = |convs: &[(u64, u64, u64, u64, u64)], norms: &[(u64, u64)], (last, outputs): (u64, u64)| {
        // (filter values, outputs, side, bias, times), (channels, side), (parameters, classes)
        let conv = |&(filter, out, side, bias, times): &(u64, u64, u64, u64, u64)| {
            let parameters = filter * out + bias * out;
            [parameters * times, parameters * side * side * times, out * side * side * times]
        };
        let norm = |&(channels, side): &(u64, u64)| [2 * channels, 2 * channels, channels * side * side];
        let all = convs.iter().map(conv).chain(norms.iter().map(norm)).chain([[last, last, outputs]]);
        all.fold([0; 3], |sum, layer| [sum[0] + layer[0], sum[1] + layer[1], sum[2] + layer[2]])
    };
    let counted = |architecture: Architecture| {
        let s = architecture.summary(10, 1).unwrap();
        [s.parameters, s.mult_adds, s.forward_backward_bytes / 8]
    };
    let custom = layers(
        &[
            (27, 64, 32, 0, 1),
            (576, 128, 32, 0, 1),
            (1152, 128, 16, 0, 2),
            (1152, 256, 16, 0, 1),
            (2304, 512, 8, 0, 1),
            (4608, 512, 4, 0, 2),
        ],
        &[(64, 32), (128, 16), (128, 16), (128, 16), (256, 8), (512, 4), (512, 4), (512, 4)],
        (5130, 10),
    );
    assert_eq!(custom[0], 6_573_130);
    assert_eq!(counted(Architecture::CustomResNet), custom);
    // Instead of 512·10 + 10: 512·1024 + 1024 and 1024·10 + 10.
    let published = Architecture::CustomResNetPublished.summary(10, 1).unwrap();
    assert_eq!(published.parameters as usize, 6_573_130 - 5_130 + 525_312 + 10_250);
    let speedrun = layers(
        &[
            (12, 24, 31, 1, 1),
            (216, 64, 31, 0, 1),
            (576, 64, 15, 0, 1),
            (576, 256, 15, 0, 1),
            (2304, 256, 7, 0, 2),
            (2304, 256, 3, 0, 1),
        ],
        &[(64, 15), (64, 15), (256, 7), (256, 7), (256, 3), (256, 3)],
        (2560, 10),
    );
    assert_eq!(counted(Architecture::Speedrun), speedrun);
    // Ghost norms have the parameters of batch norms: running statistics, of each split, are none.
    assert_eq!(counted(Architecture::ResNet18Ghost { splits: 4 }), counted(Architecture::ResNet18));
    // The layer-normalised one has the same parameters, and its last map is four times as large.
    let (batch, layer) = (counted(Architecture::ResNet18), counted(Architecture::ResNet18Ln));
    assert_eq!(batch[0], layer[0]);
    let convs = 512 * 256 * 9 + 3 * 512 * 512 * 9 + 512 * 256;
    assert_eq!(layer[1] - batch[1], 48 * convs);
}
