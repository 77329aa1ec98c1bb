//! Test-time augmentation: an image judged by several views of it.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::TrainError;

/// Of which views of an image the logits are averaged. More of them are more accurate, and take as many times as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Views {
    /// The image as it is.
    #[default]
    None,
    /// The image and its mirror image, alike.
    Mirror,
    /// Both of these, and both shifted by a pixel towards either end of a diagonal, what they uncover being filled by reflection: the
    /// mean of the first two counts half, that of the other four half (`infer_mirror_translate` of cifar10-airbench, Jordan 2024).
    Six,
}

/// One view of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    /// The pixel at row and column 0 is that of this row and column; -1 is the reflection of 1.
    from: isize,
    side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    AsItIs,
    Mirrored,
}

const fn view(from: isize, side: Side) -> View {
    View { from, side }
}

impl Views {
    /// Each view with its weight; weights are powers of two, so that weighing rounds nothing.
    pub(super) fn weighed(self) -> &'static [(View, f32)] {
        use Side::{AsItIs, Mirrored};
        match self {
            Views::None => const { &[(view(0, AsItIs), 1.0)] },
            Views::Mirror => const { &[(view(0, AsItIs), 0.5), (view(0, Mirrored), 0.5)] },
            Views::Six => {
                const {
                    &[
                        (view(0, AsItIs), 0.25),
                        (view(0, Mirrored), 0.25),
                        (view(-1, AsItIs), 0.125),
                        (view(-1, Mirrored), 0.125),
                        (view(1, AsItIs), 0.125),
                        (view(1, Mirrored), 0.125),
                    ]
                }
            }
        }
    }
}

impl View {
    /// This view of images `(N, H, W, C)`, of at least 2×2 pixels where it is shifted.
    pub(super) fn of(self, images: &Tensor) -> Result<Tensor, TrainError> {
        if self == view(0, Side::AsItIs) {
            return Ok(images.clone());
        }
        let (n, h, w, c) = images.dims4()?;
        let pixels = images.flatten_all()?.to_vec1::<f32>()?;
        let mut out = Vec::with_capacity(pixels.len());
        for image in pixels.chunks_exact(h * w * c) {
            for row in (0..h).map(|row| reflected(row, self.from, h)) {
                for column in 0..w {
                    // The shifted image is mirrored, not the mirrored one shifted.
                    let column = match self.side {
                        Side::AsItIs => column,
                        Side::Mirrored => w - 1 - column,
                    };
                    let at = (row * w + reflected(column, self.from, w)) * c;
                    out.extend_from_slice(&image[at..at + c]);
                }
            }
        }
        Ok(Tensor::from_vec(out, (n, h, w, c), &Device::Cpu)?)
    }
}

/// Where a line of `length` pixels that starts at `from` has its pixel `i`, beyond either end by reflection about the last pixel:
/// `torch.nn.functional.pad(…, mode = "reflect")`.
fn reflected(i: usize, from: isize, length: usize) -> usize {
    let last = length.saturating_sub(1);
    let at = (i as isize + from).unsigned_abs();
    if at > last { (2 * last).saturating_sub(at) } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```python
    /// x = torch.arange(12.).reshape(1, 1, 3, 4)
    /// p = F.pad(x, (1,) * 4, "reflect")
    /// for v in (x, p[..., 0:3, 0:4], p[..., 2:5, 2:6]): print(v, v.flip(-1))
    /// ```
    #[test]
    fn views_are_airbenchs() {
        let x = Tensor::arange(0f32, 12.0, &Device::Cpu).unwrap().reshape((1, 3, 4, 1)).unwrap();
        let want: [[u8; 12]; 6] = [
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
            [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8],
            [5, 4, 5, 6, 1, 0, 1, 2, 5, 4, 5, 6],
            [6, 5, 4, 5, 2, 1, 0, 1, 6, 5, 4, 5],
            [5, 6, 7, 6, 9, 10, 11, 10, 5, 6, 7, 6],
            [6, 7, 6, 5, 10, 11, 10, 9, 6, 7, 6, 5],
        ];
        for ((view, _), want) in Views::Six.weighed().iter().zip(want) {
            let got = view.of(&x).unwrap();
            assert_eq!(got.dims(), x.dims());
            let got: Vec<f32> = got.flatten_all().unwrap().to_vec1().unwrap();
            assert_eq!(got, want.map(f32::from), "{view:?}");
        }
    }

    #[test]
    fn channels_and_images_stay_apart() {
        let x = Tensor::arange(0f32, 24.0, &Device::Cpu).unwrap().reshape((2, 2, 2, 3)).unwrap();
        let mirrored = Views::Mirror.weighed()[1].0.of(&x).unwrap();
        let want: Vec<f32> = [3u8, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8].map(f32::from).into_iter().collect();
        let got: Vec<f32> = mirrored.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(got[..12], want);
        assert_eq!(got[12..], want.iter().map(|v| v + 12.0).collect::<Vec<_>>());
    }

    #[test]
    fn weights_are_a_mean() {
        for (views, n) in [(Views::None, 1), (Views::Mirror, 2), (Views::Six, 6)] {
            assert_eq!(views.weighed().len(), n);
            assert_eq!(views.weighed().iter().map(|(_, weight)| weight).sum::<f32>(), 1.0);
        }
    }
}
