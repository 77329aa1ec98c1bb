//! The fused path against one image a step, each step written as its definition says.
#![allow(clippy::unwrap_used)]

mod common;

use common::possible_list;
use proptest::prelude::*;
use wick_augment::random::splitmix64;
use wick_augment::{Augmentation, Border, Drawn, Fill, Key, Size, Step, Transform};

/// An image as a list of rows of pixels.
#[derive(Clone)]
struct Image<T> {
    rows: Vec<Vec<[T; 3]>>,
}

impl<T: Copy> Image<T> {
    fn from_slice(values: &[T], size: Size) -> Self {
        let rows =
            values.chunks(size.width * 3).map(|row| row.chunks(3).map(|p| [p[0], p[1], p[2]]).collect());
        Self { rows: rows.collect() }
    }

    fn values(&self) -> Vec<T> {
        self.rows.iter().flatten().flatten().copied().collect()
    }

    fn size(&self) -> (i64, i64) {
        (self.rows.len() as i64, self.rows[0].len() as i64)
    }

    fn window(&self, top: usize, left: usize, height: usize, width: usize) -> Self {
        Self {
            rows: self.rows[top..top + height].iter().map(|row| row[left..left + width].to_vec()).collect(),
        }
    }

    fn mirrored(&self) -> Self {
        Self { rows: self.rows.iter().map(|row| row.iter().rev().copied().collect()).collect() }
    }
}

impl Image<u8> {
    /// The pixel at a place that may lie outside: OpenCV's `borderInterpolate`.
    fn at(&self, mut y: i64, mut x: i64, border: Border) -> [u8; 3] {
        let (height, width) = self.size();
        if let Border::Constant(color) = border
            && !((0..height).contains(&y) && (0..width).contains(&x))
        {
            return color;
        }
        let fold = |at: &mut i64, side: i64| {
            while side > 1 && !(0..side).contains(at) {
                *at = if *at < 0 { -*at } else { 2 * (side - 1) - *at };
            }
            *at = (*at).min(side - 1).max(0);
        };
        fold(&mut y, height);
        fold(&mut x, width);
        self.rows[y as usize][x as usize]
    }

    fn padded(&self, [top, bottom, left, right]: [i64; 4], border: Border) -> Self {
        let (height, width) = self.size();
        let row = |y| (-left..width + right).map(|x| self.at(y, x, border)).collect();
        Self { rows: (-top..height + bottom).map(row).collect() }
    }

    /// `cv::warpAffine` with its tables: 5-bit coordinates, weights of 15 bits.
    fn rotated(&self, degrees: f32, border: Border) -> Self {
        let (height, width) = self.size();
        let angle = f64::from(degrees) * (std::f64::consts::PI / 180.0);
        let (cx, cy) = (width as f64 / 2.0 - 0.5, height as f64 / 2.0 - 0.5);
        let (alpha, beta) = (angle.cos(), angle.sin());
        let mut m =
            [alpha, beta, (1.0 - alpha) * cx - beta * cy, -beta, alpha, beta * cx + (1.0 - alpha) * cy];
        let d = 1.0 / (m[0] * m[4] - m[1] * m[3]);
        (m[0], m[4]) = (m[4] * d, m[0] * d);
        m[1] *= -d;
        m[3] *= -d;
        (m[2], m[5]) = (-m[0] * m[2] - m[1] * m[5], -m[3] * m[2] - m[4] * m[5]);
        let round = |x: f64| (x * 1024.0).round_ties_even() as i64;
        let pixel = |y: i64, x: i64| {
            let sx = (round(m[1] * y as f64 + m[2]) + 16 + round(m[0] * x as f64)) >> 5;
            let sy = (round(m[4] * y as f64 + m[5]) + 16 + round(m[3] * x as f64)) >> 5;
            let (fx, fy) = ((sx & 31) as f64 / 32.0, (sy & 31) as f64 / 32.0);
            let corners = [
                (0, 0, (1.0 - fy) * (1.0 - fx)),
                (0, 1, (1.0 - fy) * fx),
                (1, 0, fy * (1.0 - fx)),
                (1, 1, fy * fx),
            ];
            std::array::from_fn(|k| {
                let sum: i64 = corners
                    .iter()
                    .map(|(dy, dx, weight)| {
                        i64::from(self.at((sy >> 5) + dy, (sx >> 5) + dx, border)[k])
                            * (weight * 32768.0) as i64
                    })
                    .sum();
                ((sum + (1 << 14)) >> 15) as u8
            })
        };
        Self { rows: (0..height).map(|y| (0..width).map(|x| pixel(y, x)).collect()).collect() }
    }
}

/// Geometry, then normalisation, then fills, a whole image at each step.
fn step_by_step(list: &[Transform], drawn: &Drawn, image: &[u8], size: Size) -> Vec<f32> {
    let mut image = Image::from_slice(image, size);
    let (mut mean, mut std) = ([0.0f32; 3], [1.0f32; 3]);
    for (transform, step) in list.iter().zip(&drawn.steps) {
        let (height, width) = image.size();
        if *step == Step::Skipped {
            continue;
        }
        image = match (transform, step) {
            (Transform::HorizontalFlip { .. } | Transform::AlternatingFlip { .. }, _) => image.mirrored(),
            (Transform::Pad { amount, border, .. }, _) => image.padded([*amount as i64; 4], *border),
            (Transform::PadIfNeeded { height: least_height, width: least_width, border, .. }, _) => {
                let (rows, columns) =
                    ((*least_height as i64 - height).max(0), (*least_width as i64 - width).max(0));
                let (top, left) = (rows / 2, columns / 2);
                image.padded([top, rows - top, left, columns - left], *border)
            }
            (Transform::RandomCrop { height, width, .. }, Step::Cropped { top, left }) => {
                image.window(*top, *left, *height, *width)
            }
            (Transform::CenterCrop { height: h, width: w, .. }, _) => {
                image.window((height as usize - h) / 2, (width as usize - w) / 2, *h, *w)
            }
            (Transform::Rotate { border, .. }, Step::Rotated { degrees }) => image.rotated(*degrees, *border),
            (Transform::Normalize { mean: m, std: s, .. }, _) => {
                (mean, std) = (*m, *s);
                image
            }
            _ => image,
        };
    }
    let normalize = |k: usize, byte: u8| (f32::from(byte) / 255.0 - mean[k]) / std[k];
    let rows = image.rows.iter().map(|row| {
        row.iter().map(|p| std::array::from_fn(|k| normalize(k, p[k]))).collect::<Vec<[f32; 3]>>()
    });
    let mut out = Image { rows: rows.collect() };
    for (transform, step) in list.iter().zip(&drawn.steps) {
        if let (Transform::CoarseDropout { fill, .. }, Step::Erased { holes }) = (transform, step) {
            for hole in holes {
                for row in &mut out.rows[hole.top..hole.top + hole.height] {
                    for pixel in &mut row[hole.left..hole.left + hole.width] {
                        *pixel = match fill {
                            Fill::Normalized(value) => [*value; 3],
                            Fill::PerChannel(values) => *values,
                            Fill::Bytes { bytes } => std::array::from_fn(|k| normalize(k, bytes[k])),
                        };
                    }
                }
            }
        }
    }
    out.values()
}

proptest! {
    #[test]
    fn fused_is_step_by_step(
        wishes in prop::collection::vec((0u8..8, any::<u8>(), any::<u8>(), any::<bool>()), 0..7),
        height in 1usize..12,
        width in 1usize..12,
        seed in any::<u64>(),
    ) {
        let size = Size::new(height, width);
        let list = possible_list(&wishes, size);
        let augmentation = Augmentation::new(&list, size).unwrap();
        let count = 4;
        let images: Vec<u8> = (0..(count * size.values()) as u64).map(|i| (splitmix64(seed ^ i) >> 56) as u8).collect();
        let mut batch = Vec::new();
        let indices: Vec<usize> = (0..count).rev().collect();
        augmentation.batch(seed, 3, &indices, &images, &mut batch).unwrap();
        prop_assert_eq!(batch.len(), count * augmentation.output().values());

        for (&index, got) in indices.iter().zip(batch.chunks(augmentation.output().values())) {
            let drawn = augmentation.draw(Key { seed, epoch: 3, index: index as u64 });
            let image = &images[index * size.values()..(index + 1) * size.values()];
            // A batch is its images one by one, bit for bit.
            let mut alone = vec![f32::NAN; got.len()];
            augmentation.apply(&drawn, image, &mut alone).unwrap();
            prop_assert_eq!(got, alone);
            // f32 division here, one rounding of the f64 value there: a few units in the last place of values up to 3.
            let want = step_by_step(&list, &drawn, image, size);
            prop_assert_eq!(want.len(), got.len());
            for (i, (g, w)) in got.iter().zip(&want).enumerate() {
                prop_assert!((g - w).abs() < 2e-6, "value {}: {} instead of {}; {:?}", i, g, w, drawn);
            }
        }
    }

    #[test]
    fn evaluation_leaves_nothing_to_chance(
        wishes in prop::collection::vec((0u8..8, any::<u8>(), any::<u8>(), any::<bool>()), 0..7),
        height in 1usize..12,
        width in 1usize..12,
    ) {
        let augmentation = Augmentation::new(&possible_list(&wishes, Size::new(height, width)), Size::new(height, width)).unwrap();
        let test = augmentation.test();
        prop_assert_eq!(test.output(), augmentation.output());
        let drawn = test.draw(Key { seed: 1, epoch: 2, index: 3 });
        prop_assert!(drawn.steps.iter().all(|step| *step == Step::Applied));
        // It is a list like any other.
        prop_assert_eq!(Augmentation::new(test.transforms(), test.input()).unwrap().output(), test.output());
    }
}
