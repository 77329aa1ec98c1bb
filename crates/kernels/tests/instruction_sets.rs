//! Every instruction set that this machine has, against the definitions. One test, since the choice is the process's.

#![allow(clippy::unwrap_used)] // helpers of a test

use wick_kernels::*;

/// Numbers without a pattern, in [-1, 1).
fn numbers(seed: u32, n: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / (1u32 << 31) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Asserts `|got − want| ≤ 1e-5` of the largest value wanted: f32 rounding of sums in different orders stays below it.
fn close(what: &str, set: InstructionSet, got: &[f32], want: &[f32]) {
    let scale = want.iter().fold(1e-3f32, |m, v| m.max(v.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= 1e-5 * scale, "{what}[{i}] with {set:?}: got {g}, want {w}");
    }
}

fn convolutions(set: InstructionSet) {
    for (size, c_in, c_out, kernel, stride) in [
        (9, 16, 32, 3, 1),
        (8, 17, 5, 3, 1),
        (1, 3, 3, 3, 1),
        (6, 64, 48, 3, 1),
        (7, 5, 17, 3, 2),
        (6, 5, 3, 1, 2),
    ] {
        let s = Conv2dShape {
            batch: 3,
            height: size,
            width: size,
            in_channels: c_in,
            out_channels: c_out,
            kernel: [kernel; 2],
            stride,
            padding: kernel / 2,
        };
        let (x, w, dy) = (numbers(1, s.input_len()), numbers(2, s.weight_len()), numbers(3, s.output_len()));
        let (mut got, mut want) = (vec![f32::NAN; dy.len()], vec![0.0; dy.len()]);
        conv2d_forward(&s, &x, &w, &mut got).unwrap();
        reference::conv2d_forward(&s, &x, &w, &mut want).unwrap();
        close("convolution", set, &got, &want);
        let (mut got, mut want) = (vec![f32::NAN; x.len()], vec![0.0; x.len()]);
        conv2d_input_gradient(&s, &dy, &w, &mut got).unwrap();
        reference::conv2d_input_gradient(&s, &dy, &w, &mut want).unwrap();
        close("input gradient", set, &got, &want);
        let (mut got, mut want) = (vec![f32::NAN; w.len()], vec![0.0; w.len()]);
        conv2d_weight_gradient(&s, &x, &dy, &mut got).unwrap();
        reference::conv2d_weight_gradient(&s, &x, &dy, &mut want).unwrap();
        close("weight gradient", set, &got, &want);
    }
}

fn batch_norms(set: InstructionSet) {
    for channels in [1, 3, 17, 64] {
        let (rows, activation) = (301, Activation::Relu);
        let (x, dy) = (numbers(4, rows * channels), numbers(5, rows * channels));
        let (w, b) = (numbers(6, channels), numbers(7, channels));
        let (mut mean, mut variance) = (vec![0.0; channels], vec![0.0; channels]);
        batch_norm_statistics(&x, &mut mean, &mut variance).unwrap();
        let (want_mean, want_variance) = reference::batch_norm_statistics(&x, channels);
        let narrow = |v: &[f64]| v.iter().map(|v| *v as f32).collect::<Vec<_>>();
        close("mean", set, &mean, &narrow(&want_mean));
        close("variance", set, &variance, &narrow(&want_variance));
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
        let affine = NormAffine { weight: &w, bias: &b, activation };
        let mut y = vec![f32::NAN; x.len()];
        batch_norm_normalise(&x, statistics, affine, &mut y).unwrap();
        close("batch norm", set, &y, &reference::batch_norm_normalise(&x, statistics, affine));
        let (mut dx, mut dw, mut db) = (vec![f32::NAN; x.len()], vec![0.0; channels], vec![0.0; channels]);
        let pass = NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation };
        let out = NormGradients { dx: &mut dx, dweight: &mut dw, dbias: &mut db };
        batch_norm_backward(pass, out).unwrap();
        let want = reference::batch_norm_backward(pass);
        close("batch norm's dx", set, &dx, &want.0);
        close("batch norm's dweight", set, &dw, &want.1);
        close("batch norm's dbias", set, &db, &want.2);
        let out = NormGradients { dx: &mut dx, dweight: &mut dw, dbias: &mut db };
        batch_norm_backward_frozen(pass, out).unwrap();
        let want = reference::batch_norm_backward_frozen(pass);
        close("frozen batch norm's dx", set, &dx, &want.0);
        close("frozen batch norm's dweight", set, &dw, &want.1);
        close("frozen batch norm's dbias", set, &db, &want.2);
    }
}

fn ghost_batch_norms(set: InstructionSet) {
    for channels in [1, 3, 17, 64] {
        let (s, activation) =
            (GhostBatchNormShape { batch: 5, positions: 301, channels, splits: 2 }, Activation::Relu);
        let (x, dy) = (numbers(14, s.len()), numbers(15, s.len()));
        let (w, b) = (numbers(16, channels), numbers(17, channels));
        let (mut mean, mut variance) = (vec![0.0; s.statistics_len()], vec![0.0; s.statistics_len()]);
        ghost_batch_norm_statistics(&s, &x, &mut mean, &mut variance).unwrap();
        let (want_mean, want_variance) = reference::ghost_batch_norm_statistics(&s, &x);
        let narrow = |v: &[f64]| v.iter().map(|v| *v as f32).collect::<Vec<_>>();
        close("ghost batch norm's mean", set, &mean, &narrow(&want_mean));
        close("ghost batch norm's variance", set, &variance, &narrow(&want_variance));
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
        let affine = NormAffine { weight: &w, bias: &b, activation };
        let mut y = vec![f32::NAN; x.len()];
        ghost_batch_norm_normalise(&s, &x, statistics, affine, &mut y).unwrap();
        close(
            "ghost batch norm",
            set,
            &y,
            &reference::ghost_batch_norm_normalise(&s, &x, statistics, affine),
        );
        let (mut dx, mut dw, mut db) = (vec![f32::NAN; x.len()], vec![0.0; channels], vec![0.0; channels]);
        let pass = NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation };
        let out = NormGradients { dx: &mut dx, dweight: &mut dw, dbias: &mut db };
        ghost_batch_norm_backward(&s, pass, out).unwrap();
        let want = reference::ghost_batch_norm_backward(&s, pass);
        close("ghost batch norm's dx", set, &dx, &want.0);
        close("ghost batch norm's dweight", set, &dw, &want.1);
        close("ghost batch norm's dbias", set, &db, &want.2);
    }
}

fn group_norms(set: InstructionSet) {
    for (channels, groups) in [(1, 1), (3, 3), (64, 1), (34, 2)] {
        let (s, activation) =
            (GroupNormShape { batch: 3, positions: 301, channels, groups }, Activation::Relu);
        let (x, dy) = (numbers(10, s.len()), numbers(11, s.len()));
        let (w, b) = (numbers(12, channels), numbers(13, channels));
        let (mut mean, mut variance) = (vec![0.0; s.statistics_len()], vec![0.0; s.statistics_len()]);
        let mut y = vec![f32::NAN; x.len()];
        let affine = NormAffine { weight: &w, bias: &b, activation };
        group_norm_forward(&s, &x, affine, 1e-5, &mut y, &mut mean, &mut variance).unwrap();
        let (want_mean, want_variance) = reference::group_norm_statistics(&s, &x);
        let narrow = |v: &[f64]| v.iter().map(|v| *v as f32).collect::<Vec<_>>();
        close("group norm's mean", set, &mean, &narrow(&want_mean));
        close("group norm's variance", set, &variance, &narrow(&want_variance));
        let statistics = NormStatistics { mean: &mean, variance: &variance, eps: 1e-5 };
        close("group norm", set, &y, &reference::group_norm_normalise(&s, &x, statistics, affine));
        let (mut dx, mut dw, mut db) = (vec![f32::NAN; x.len()], vec![0.0; channels], vec![0.0; channels]);
        let pass = NormPass { x: &x, y: &y, dy: &dy, statistics, weight: &w, activation };
        let out = NormGradients { dx: &mut dx, dweight: &mut dw, dbias: &mut db };
        group_norm_backward(&s, pass, out).unwrap();
        let want = reference::group_norm_backward(&s, pass);
        close("group norm's dx", set, &dx, &want.0);
        close("group norm's dweight", set, &dw, &want.1);
        close("group norm's dbias", set, &db, &want.2);
    }
}

fn gelu_and_bias(set: InstructionSet) {
    let x: Vec<f32> = numbers(14, 17 * 301).iter().map(|v| 6.0 * v).collect();
    let (dy, bias) = (numbers(15, x.len()), numbers(16, 17));
    let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
    gelu_forward(&x, &mut y).unwrap();
    close("GELU", set, &y, &reference::gelu_forward(&x));
    gelu_backward(&x, &dy, &mut dx).unwrap();
    close("GELU's gradient", set, &dx, &reference::gelu_backward(&x, &dy));
    bias_forward(&x, &bias, &mut y).unwrap();
    assert_eq!(y, reference::bias_forward(&x, &bias), "{set:?}");
    let mut dbias = vec![f32::NAN; 17];
    bias_backward(&dy, &mut dbias).unwrap();
    close("dbias", set, &dbias, &reference::bias_backward(&dy, 17));
}

fn rectifiers(set: InstructionSet) {
    for n in [1, 17, 1330] {
        let (a, b) = (numbers(8, n), numbers(9, n));
        let mut y = vec![f32::NAN; n];
        relu_forward(&a, &mut y).unwrap();
        assert_eq!(y, reference::relu_forward(&a), "{set:?}");
        let mut dx = vec![f32::NAN; n];
        relu_backward(&y, &b, &mut dx).unwrap();
        assert_eq!(dx, reference::relu_backward(&y, &b), "{set:?}");
        add_relu_forward(&a, &b, &mut y).unwrap();
        assert_eq!(y, reference::add_relu_forward(&a, &b), "{set:?}");
    }
}

fn pools(set: InstructionSet) {
    // Batch, height, width, channels, kernel, stride.
    for [batch, height, width, channels, kernel, stride] in [
        [2, 7, 5, 19, 3, 2],
        [1, 1, 1, 1, 1, 1],
        [3, 6, 8, 3, 2, 2],
        [1, 5, 4, 17, 2, 3],
        [2, 4, 4, 64, 4, 4],
    ] {
        let s = Pool2dShape { batch, height, width, channels, kernel, stride };
        let (x, dy) = (numbers(17, s.input_len()), numbers(18, s.output_len()));
        let (mut y, mut indices) = (vec![f32::NAN; dy.len()], vec![0; dy.len()]);
        max_pool2d_forward(&s, &x, &mut y, &mut indices).unwrap();
        let want = reference::max_pool2d_forward(&s, &x);
        assert_eq!((&y, &indices), (&want.0, &want.1), "{set:?}");
        let mut dx = vec![f32::NAN; x.len()];
        max_pool2d_backward(&s, &dy, &indices, &mut dx).unwrap();
        close("max pool's gradient", set, &dx, &reference::max_pool2d_backward(&s, &dy, &indices));
        avg_pool2d_forward(&s, &x, &mut y).unwrap();
        close("average pool", set, &y, &reference::avg_pool2d_forward(&s, &x));
        avg_pool2d_backward(&s, &dy, &mut dx).unwrap();
        close("average pool's gradient", set, &dx, &reference::avg_pool2d_backward(&s, &dy));
    }
    // The global average is that of one window.
    for [batch, side, channels] in [[1, 1, 1], [3, 5, 17], [2, 4, 64]] {
        let s = Pool2dShape { batch, height: side, width: side, channels, kernel: side, stride: side };
        let (x, dy) = (numbers(19, s.input_len()), numbers(20, s.output_len()));
        let (mut mean, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
        global_avg_pool2d_forward(batch, side * side, channels, &x, &mut mean).unwrap();
        close("global average pool", set, &mean, &reference::avg_pool2d_forward(&s, &x));
        global_avg_pool2d_backward(batch, side * side, channels, &dy, &mut dx).unwrap();
        close("global average pool's gradient", set, &dx, &reference::avg_pool2d_backward(&s, &dy));
    }
}

#[test]
fn every_available_instruction_set_agrees_with_the_definitions() {
    assert!(InstructionSet::available().contains(&InstructionSet::current()));
    for set in InstructionSet::available() {
        assert!(set.select());
        assert_eq!(InstructionSet::current(), set);
        convolutions(set);
        batch_norms(set);
        ghost_batch_norms(set);
        group_norms(set);
        gelu_and_bias(set);
        rectifiers(set);
        pools(set);
    }
}
