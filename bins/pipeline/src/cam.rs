//! Class activation maps of CIFAR images.

use anyhow::{Result, ensure};
use candle_core::{DType, Device, Tensor};
use wick_augment::{Augmentation, CHANNELS};
use wick_cifar::{HEIGHT, IMAGE_BYTES, WIDTH};
use wick_gradcam::{MapStatus, Target, grad_cam, heatmaps};
use wick_models::{Mode, Network};
use wick_train::softmax;

/// The method, as folders and tables name it.
pub const METHOD: &str = "gradcam";
/// Images explained at a time.
const BATCH: usize = 50;

/// Maps of some images, row by row.
pub struct Cams {
    /// Before ReLU and scaling, `(N, h, w)`.
    pub raw: Tensor,
    /// Of the images' size, from 0 to 1.
    pub maps: Vec<Vec<f32>>,
    pub status: Vec<MapStatus>,
    pub predicted: Vec<usize>,
    /// Of the predicted class.
    pub probability: Vec<f32>,
    /// The class explained.
    pub explained: Vec<usize>,
}

impl Cams {
    /// Whether an image's map says nothing.
    pub fn is_flat(&self, row: usize) -> bool {
        self.status[row] != MapStatus::Normal
    }
}

/// Explains images, `(H, W, 3)` bytes one after another.
pub fn explain(
    network: &Network,
    augmentation: &Augmentation,
    images: &[u8],
    layer: &str,
    target: &Target,
) -> Result<Cams> {
    let model = network.model.as_ref();
    ensure!(
        model.layers().contains(&layer),
        "{} has no layer {layer}; it has {}",
        network.architecture,
        model.layers().join(", ")
    );
    let augmentation = augmentation.test();
    let mut cams = Cams {
        raw: Tensor::zeros((0, 0, 0), DType::F32, &Device::Cpu)?,
        maps: Vec::new(),
        status: Vec::new(),
        predicted: Vec::new(),
        probability: Vec::new(),
        explained: Vec::new(),
    };
    let mut raw = Vec::new();
    for part in images.chunks(BATCH * IMAGE_BYTES) {
        let n = part.len() / IMAGE_BYTES;
        let mut pixels = Vec::new();
        augmentation.batch(0, 0, &(0..n).collect::<Vec<_>>(), part, &mut pixels)?;
        let batch = Tensor::from_vec(pixels, (n, HEIGHT, WIDTH, CHANNELS), &Device::Cpu)?;
        let explanation = wick_gradcam::explain(
            &batch,
            |x| wick_ops::no_grad(|| model.forward_until(x, layer, Mode::Evaluate)),
            |a| model.forward_from(a, layer, Mode::Evaluate),
            target,
            grad_cam,
        )?;
        for map in heatmaps(&explanation.raw, HEIGHT, WIDTH)? {
            cams.maps.push(map.values);
            cams.status.push(map.status);
        }
        let logits: Vec<Vec<f32>> = explanation.logits.to_vec2()?;
        for (row, (logits, &predicted)) in logits.iter().zip(&explanation.predicted).enumerate() {
            cams.predicted.push(predicted as usize);
            cams.probability.push(softmax(logits)[predicted as usize]);
            let explained = explanation.classes.as_ref().map_or(predicted, |c| c[row]);
            cams.explained.push(explained as usize);
        }
        raw.push(explanation.raw);
    }
    if !raw.is_empty() {
        cams.raw = Tensor::cat(&raw, 0)?;
    }
    Ok(cams)
}
