//! Weights that are made ready once give the same bits as those that every pass makes ready.

use crate::shared::{Data, numbers, widened, with_every_instruction_set};
use half::bf16;
use wick_kernels::fused::{
    Algorithm, Extent, Sink, Source, conv2d, conv2d_packed, pack_conv2d, packed_conv2d_len,
};
use wick_kernels::{Conv2dShape, Element, ShapeError};

/// Size, channels in and out, kernel, stride, padding; the batch, and a larger one of the same weights.
const SHAPES: [([usize; 6], [usize; 2]); 9] = [
    ([8, 16, 32, 3, 1, 1], [1, 3]),
    ([9, 32, 17, 3, 1, 1], [1, 2]),
    // More weights than patches, and the other way around.
    ([4, 160, 150, 3, 1, 1], [1, 9]),
    ([4, 64, 64, 3, 1, 1], [2, 65]),
    ([8, 32, 17, 3, 2, 1], [2, 3]),
    ([4, 160, 150, 3, 2, 1], [1, 5]),
    ([6, 5, 3, 1, 2, 0], [0, 3]),
    ([15, 3, 33, 3, 1, 1], [1, 3]),
    ([6, 3, 24, 2, 1, 0], [2, 3]),
];

fn packed_weights_change_no_bit<E: Element>() {
    for ([size, in_channels, out_channels, kernel, stride, padding], batches) in SHAPES {
        let kernel = [kernel; 2];
        let of = |batch| Conv2dShape {
            batch,
            height: size,
            width: size,
            in_channels,
            out_channels,
            kernel,
            stride,
            padding,
        };
        let weight: Vec<f32> = numbers(21, of(1).weight_len());
        for algorithm in [Algorithm::Direct, Algorithm::Tiles2, Algorithm::Tiles4] {
            with_every_instruction_set(|set| {
                // Of any batch.
                let mut packed = vec![E::default(); packed_conv2d_len::<E>(&of(7), algorithm).unwrap()];
                pack_conv2d(&of(7), algorithm, &weight, &mut packed).unwrap();
                for shape in batches.map(of) {
                    let extent = Extent { images: shape.batch, pixels: size * size, channels: in_channels };
                    let data = Data::new(1, extent);
                    for (name, source) in data.sources() {
                        let [mut want, mut got] =
                            [(); 2].map(|()| vec![E::from_f32(f32::NAN); shape.output_len()]);
                        conv2d(&shape, algorithm, source, &weight, Sink::plain(&mut want)).unwrap();
                        conv2d_packed(&shape, algorithm, source, &packed, Sink::plain(&mut got)).unwrap();
                        let what = format!("{set:?} {:?} {algorithm:?} {shape:?} of {name}", E::PRECISION);
                        assert!(widened(&want).iter().all(|v| v.is_finite()), "{what}");
                        assert_eq!(widened(&got), widened(&want), "{what}");
                    }
                }
            });
        }
    }
}

#[test]
fn packed_weights_change_no_bit_in_f32() {
    packed_weights_change_no_bit::<f32>();
}

#[test]
fn packed_weights_change_no_bit_in_bf16() {
    packed_weights_change_no_bit::<bf16>();
}

#[test]
fn wrong_lengths_are_refused_by_name() {
    let shape = Conv2dShape {
        batch: 2,
        height: 3,
        width: 1,
        in_channels: 4,
        out_channels: 5,
        kernel: [1, 1],
        stride: 1,
        padding: 0,
    };
    let wrong = |op, name, expected, got| ShapeError::Length { op, name, expected, got };
    let pack = |shape: &Conv2dShape, weight, packed| {
        pack_conv2d(shape, Algorithm::Tiles4, &vec![0.0; weight], &mut vec![0_f32; packed])
    };
    // Whole registers: a chunk of 32 columns for each of four channels.
    assert_eq!(packed_conv2d_len::<f32>(&shape, Algorithm::Tiles4), Ok(128));
    assert_eq!(pack(&shape, 19, 128), Err(wrong("pack_conv2d", "weight", 20, 19)));
    assert_eq!(pack(&shape, 20, 127), Err(wrong("pack_conv2d", "packed", 128, 127)));
    assert!(matches!(pack(&Conv2dShape { stride: 0, ..shape }, 20, 128), Err(ShapeError::Zero { .. })));
    let run = |batch, x, packed, y| {
        let shape = Conv2dShape { batch, ..shape };
        let (x, packed, mut y) = (vec![0.0; x], vec![0.0; packed], vec![0_f32; y]);
        conv2d_packed(&shape, Algorithm::Tiles4, Source::Plain(&x), &packed, Sink::plain(&mut y))
    };
    assert_eq!(run(2, 23, 128, 30), Err(wrong("conv2d_packed", "x", 24, 23)));
    assert_eq!(run(2, 24, 129, 30), Err(wrong("conv2d_packed", "packed", 128, 129)));
    assert_eq!(run(2, 24, 128, 29), Err(wrong("conv2d_packed", "y", 30, 29)));
    assert_eq!(run(3, 36, 128, 45), Ok(()));
}
