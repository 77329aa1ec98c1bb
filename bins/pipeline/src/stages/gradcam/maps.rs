//! Class activation maps of CIFAR images.

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use wick_augment::{Augmentation, CHANNELS};
use wick_cifar::{HEIGHT, IMAGE_BYTES, WIDTH};
use wick_gradcam::{
    CamError, CamOptions, Heatmap, Layer, MapStatus, Method, Reduction, Smoothing, explain_with,
};
use wick_models::Network;
use wick_train::{Compute, softmax};
use wick_viz::OverlayOptions;

use super::args::{Args, Smooth};
use super::engine::Engine;
use super::images::Images;
use super::place::Place;
use super::target::Asked;
use super::view::{View, Words};

/// Images explained at a time.
const BATCH: usize = 20;

/// What is explained of a network, and how.
pub struct Explainer<'a> {
    pub augmentation: Augmentation,
    pub class_names: &'a [String],
    pub places: Vec<Place>,
    pub asked: Asked,
    pub options: CamOptions,
    /// How maps are drawn.
    pub overlay: OverlayOptions,
    engine: Engine<'a>,
}

/// Maps of some images by one method at one place.
pub struct Cams {
    pub view: View,
    /// Of each layer, before ReLU and scaling, `(N, h, w)`.
    pub raw: Vec<Tensor>,
    /// Of the images' size, from 0 to 1.
    pub maps: Vec<Heatmap>,
    pub predicted: Vec<usize>,
    /// Of the predicted class.
    pub probability: Vec<f32>,
}

impl Cams {
    /// Whether an image's map says nothing.
    pub fn is_flat(&self, row: usize) -> bool {
        self.maps[row].status != MapStatus::Normal
    }

    /// How many maps say nothing.
    pub fn flat(&self) -> usize {
        (0..self.maps.len()).filter(|&row| self.is_flat(row)).count()
    }
}

impl<'a> Explainer<'a> {
    /// As the command line says; at `layer` unless it names others, or else at the network's last.
    pub fn new(
        args: &Args,
        (compute, network): (&Compute, &'a Network),
        augmentation: &Augmentation,
        class_names: &'a [String],
        layer: Option<&str>,
    ) -> Result<Self> {
        let known = network.model.layers();
        let places = match (&args.layer, layer.or(known.last().copied())) {
            (Some(layers), _) => Place::read_all(layers, network)?,
            (None, layer) => {
                vec![Place::read(layer.context("this network has no layer to explain")?, network)?]
            }
        };
        let has = |smooth| args.smooth.contains(&smooth);
        let options = CamOptions {
            smoothing: if has(Smooth::Augment) { Smoothing::Augmentations } else { Smoothing::None },
            reduction: if has(Smooth::Eigen) { Reduction::FirstEigenvector } else { Reduction::Sum },
            ..CamOptions::default()
        };
        let asked = Asked::read(args.target.as_deref(), class_names)?;
        let augmentation = augmentation.test();
        let overlay = args.overlay();
        Ok(Self {
            augmentation,
            class_names,
            places,
            asked,
            options,
            overlay,
            engine: Engine::new(compute, network),
        })
    }

    /// Each method at each place.
    pub fn views(&self, methods: &[Method]) -> Vec<View> {
        View::all(methods, &self.places)
    }

    /// What is said of each of these maps besides its method. Of a single image the predicted class is named.
    pub fn words(&self, all: &[Cams]) -> Vec<Words> {
        let words = |cams: &Cams| {
            let asked = match cams.predicted[..] {
                [predicted] => self.asked.of(predicted),
                _ => self.asked,
            };
            cams.view.words(asked, self.class_names, &self.options)
        };
        all.iter().map(words).collect()
    }

    /// Images, `(H, W, 3)` bytes one after another, as the network takes them.
    pub fn tensor(&self, images: &[u8]) -> Result<Tensor> {
        let n = images.len() / IMAGE_BYTES;
        let mut pixels = Vec::new();
        self.augmentation.batch(0, 0, &(0..n).collect::<Vec<_>>(), images, &mut pixels)?;
        Ok(Tensor::from_vec(pixels, (n, HEIGHT, WIDTH, CHANNELS), &Device::Cpu)?)
    }

    /// Explains images; `progress` is called with the number of images done. Where they were judged, what was said then is what is
    /// explained, unless a class is asked for.
    pub fn explain(&self, view: &View, images: &Images, progress: &mut dyn FnMut(usize)) -> Result<Cams> {
        let layers: Vec<Layer<'_>> = view.place.layers().iter().map(|name| self.engine.layer(name)).collect();
        let mut cams = Cams {
            view: view.clone(),
            raw: Vec::new(),
            maps: Vec::new(),
            predicted: Vec::new(),
            probability: Vec::new(),
        };
        let mut raw: Vec<Vec<Tensor>> = Vec::new();
        for part in images.bytes.chunks(BATCH * IMAGE_BYTES) {
            let (first, n) = (cams.maps.len(), part.len() / IMAGE_BYTES);
            let judged = images.judged.as_ref().map(|judged| &judged[first..first + n]);
            let target = self.asked.target(n, judged);
            let explained = explain_with(view.method, &self.tensor(part)?, &layers, &target, &self.options)
                .map_err(|error| of_image(error, &images.indices, first))
                .with_context(|| format!("explaining by {}", view.method))?;
            let logits: Vec<Vec<f32>> = explained.logits.to_vec2()?;
            for (i, (logits, predicted)) in logits.iter().zip(explained.predicted).enumerate() {
                let now = (predicted as usize, softmax(logits)[predicted as usize]);
                let (predicted, probability) = judged.map_or(now, |j| (j[i].predicted, j[i].probability));
                cams.predicted.push(predicted);
                cams.probability.push(probability);
            }
            cams.maps.extend(explained.heatmaps);
            raw.push(explained.raw);
            progress(cams.predicted.len());
        }
        let looked_at = raw.first().map_or(0, Vec::len);
        let layer = |i: usize| raw.iter().map(|layers| &layers[i]).collect::<Vec<_>>();
        cams.raw = (0..looked_at).map(|i| Tensor::cat(&layer(i), 0)).collect::<Result<_, _>>()?;
        Ok(cams)
    }
}

/// The error, of an image's index in the data rather than its place among those that are explained at a time, the first of which is
/// number `first` of `indices`.
fn of_image(error: CamError, indices: &[usize], first: usize) -> CamError {
    match error {
        CamError::NotFinite { what, layer, image, value } => {
            let image = indices.get(first + image).copied().unwrap_or(image);
            CamError::NotFinite { what, layer, image, value }
        }
        error => error,
    }
}
