use super::*;
use crate::convolution::{Conv2dShape, reference};
use crate::testing::{assert_same_on_any_threads, uniform};

fn shape(batch: usize, [height, width]: [usize; 2], [in_channels, out_channels]: [usize; 2]) -> Conv2dShape {
    Conv2dShape { batch, height, width, in_channels, out_channels, kernel: [3, 3], stride: 1, padding: 1 }
}

/// Sizes with whole and cut tiles, groups of channels whole and cut, fewer and more rows of tiles than a block.
fn shapes() -> Vec<Conv2dShape> {
    vec![
        shape(1, [1, 1], [16, 16]),
        shape(3, [4, 4], [32, 48]),
        shape(2, [5, 7], [16, 80]),
        shape(2, [9, 3], [48, 128]),
        shape(5, [8, 12], [64, 64]),
        shape(1, [2, 14], [144, 16]),
    ]
}

fn orders() -> [Order; 3] {
    [Order::Tiles { rows: 1 }, Order::Tiles { rows: 3 }, Order::Weights]
}

fn shares() -> [Share; 5] {
    [
        Share::Tiles { splits: 1, rows: 2 },
        Share::Tiles { splits: 3, rows: 1 },
        Share::Channels { group: 64, rows: 100 },
        Share::Channels { group: 32, rows: 1 },
        Share::Channels { group: 48, rows: 2 },
    ]
}

/// Errors against the largest value: rounding in the transforms, whose coefficients reach 8, leaves some 1e-6 of it.
fn close(what: &str, got: &[f32], want: &[f32]) {
    let scale = want.iter().fold(0f32, |m, v| m.max(v.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= 2e-5 * scale, "{what}[{i}]: got {g}, want {w}, scale {scale}");
    }
}

#[test]
fn every_order_gives_the_convolution_and_its_input_gradient() {
    for s in shapes() {
        let tiles = Tiles::of(&s).unwrap();
        let (x, w) = (uniform(1, s.input_len(), 1.0), uniform(2, s.weight_len(), 1.0));
        let dy = uniform(3, s.output_len(), 1.0);
        let (mut want, mut want_dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
        reference::conv2d_forward(&s, &x, &w, &mut want).unwrap();
        reference::conv2d_input_gradient(&s, &dy, &w, &mut want_dx).unwrap();
        for order in orders() {
            let mut y = vec![f32::NAN; dy.len()];
            convolve(&tiles, order, &x, (&w, Turn::None), [s.in_channels, s.out_channels], &mut y);
            close(&format!("{order:?} of {s:?}"), &y, &want);
            let mut dx = vec![f32::NAN; x.len()];
            convolve(&tiles, order, &dy, (&w, Turn::Half), [s.out_channels, s.in_channels], &mut dx);
            close(&format!("turned {order:?} of {s:?}"), &dx, &want_dx);
        }
    }
}

#[test]
fn every_share_gives_the_weight_gradient() {
    for s in shapes() {
        let tiles = Tiles::of(&s).unwrap();
        let (x, dy) = (uniform(4, s.input_len(), 1.0), uniform(5, s.output_len(), 1.0));
        let mut want = vec![0.0; s.weight_len()];
        reference::conv2d_weight_gradient(&s, &x, &dy, &mut want).unwrap();
        for share in shares() {
            let mut dw = vec![f32::NAN; want.len()];
            weight_gradient(&tiles, share, &x, &dy, [s.in_channels, s.out_channels], &mut dw);
            close(&format!("{share:?} of {s:?}"), &dw, &want);
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let s = shape(5, [8, 12], [64, 80]);
    let (tiles, channels) = (Tiles::of(&s).unwrap(), [s.in_channels, s.out_channels]);
    let (x, w) = (uniform(6, s.input_len(), 1.0), uniform(7, s.weight_len(), 1.0));
    let dy = uniform(8, s.output_len(), 1.0);
    for order in orders() {
        assert_same_on_any_threads(&format!("{order:?}"), || {
            let mut y = vec![f32::NAN; dy.len()];
            convolve(&tiles, order, &x, (&w, Turn::None), channels, &mut y);
            y
        });
    }
    for share in shares() {
        assert_same_on_any_threads(&format!("{share:?}"), || {
            let mut dw = vec![f32::NAN; w.len()];
            weight_gradient(&tiles, share, &x, &dy, channels, &mut dw);
            dw
        });
    }
}

#[test]
fn the_error_of_a_large_layer_is_some_rounding() {
    // 256 channels: relative to the deviation of the result, as the README states it.
    let s = shape(2, [8, 8], [256, 32]);
    let tiles = Tiles::of(&s).unwrap();
    let (x, w) = (uniform(9, s.input_len(), 1.0), uniform(10, s.weight_len(), 1.0));
    let mut y = vec![0.0; s.output_len()];
    convolve(&tiles, Order::Tiles { rows: 2 }, &x, (&w, Turn::None), [256, 32], &mut y);
    let (mut error, mut power) = (0f64, 0f64);
    for (i, got) in y.iter().enumerate() {
        let (pixel, k) = (i / 32, i % 32);
        let (n, py, px) = (pixel / 64, pixel / 8 % 8, pixel % 8);
        let mut want = 0f64;
        for tap in 0..9 {
            let (Some(iy), Some(ix)) = ((py + tap / 3).checked_sub(1), (px + tap % 3).checked_sub(1)) else {
                continue;
            };
            if iy < 8 && ix < 8 {
                for c in 0..256 {
                    let x = x[((n * 8 + iy) * 8 + ix) * 256 + c];
                    want += f64::from(x) * f64::from(w[(tap * 256 + c) * 32 + k]);
                }
            }
        }
        error += (f64::from(*got) - want).powi(2);
        power += want * want;
    }
    let relative = (error / power).sqrt();
    assert!(relative < 5e-6, "{relative:e}");
}

#[test]
fn only_what_fits_is_tiled() {
    let good = shape(2, [5, 9], [32, 64]);
    let tiles = Tiles::of(&good).unwrap();
    assert_eq!((tiles.count(), tiles.rows, tiles.across), (2 * 2 * 3, 4, 3));
    assert_eq!(tiles.saving(), 9.0 * 45.0 / (36.0 * 6.0));
    for s in [
        Conv2dShape { stride: 2, ..good },
        Conv2dShape { padding: 0, ..good },
        Conv2dShape { kernel: [3, 2], ..good },
        Conv2dShape { in_channels: 17, ..good },
        Conv2dShape { out_channels: 8, ..good },
    ] {
        assert_eq!(Tiles::of(&s), None, "{s:?}");
    }
}
