//! The command line of `gradcam`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use wick_gradcam::Method;

use crate::cli::Source;

/// Test images explained of a weights file, unless they are named.
pub const SHOWN: usize = 20;

/// `gradcam`
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    pub source: Source,
    /// A photo to explain, of any size.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "indices", "evaluate"])]
    pub image: Option<PathBuf>,
    /// Test images to explain, by index; unless given, the misclassified ones, and of a run those that were right by the least.
    #[arg(long, value_name = "I,J,…", value_delimiter = ',')]
    pub indices: Option<Vec<usize>>,
    /// How: gradcam, gradcam++, hirescam, xgradcam, layercam, eigencam, eigengradcam, scorecam, ablationcam, guided-backprop or
    /// guided-gradcam; several are drawn side by side. Unless given, a run's recipe names them (evaluate.cam_methods), else it is
    /// gradcam, and with --evaluate all but scorecam and ablationcam, which take many times as long.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = super::methods::parse)]
    pub method: Option<Vec<Method>>,
    /// The layer whose activations are weighed, of a ResNet layer1, layer2, layer3 or layer4; the maps of several are averaged.
    /// Unless given, a run's recipe names it (evaluate.cam_layer); of a weights file it is the last.
    #[arg(long, value_name = "LAYER,…", value_delimiter = ',')]
    pub layer: Option<Vec<String>>,
    /// Smooth the maps: `augment` averages those of mirrored, darker and brighter copies, `eigen` keeps the first principal
    /// component of the weighted activations; `augment,eigen` does both.
    #[arg(long, value_name = "HOW,…", value_delimiter = ',', value_enum)]
    pub smooth: Vec<Smooth>,
    /// The class to explain, by name or number, or a difference such as `cat-dog`: what speaks for a cat rather than a dog. Each
    /// image's predicted class unless given.
    #[arg(long, value_name = "CLASS|CLASS-CLASS")]
    pub target: Option<String>,
    /// Correctly predicted images of each class whose maps are averaged; 0 for none [default: 20, none of scorecam and
    /// ablationcam].
    #[arg(long, value_name = "N", conflicts_with_all = ["image", "evaluate"])]
    pub per_class: Option<usize>,
    /// Measure how well the methods explain, over the misclassified images and a sample of correct ones: deletion, insertion, ROAD,
    /// and change of confidence, beside random maps.
    #[arg(long)]
    pub evaluate: bool,
    /// Correct images that --evaluate looks at.
    #[arg(long, value_name = "N", default_value_t = 50, requires = "evaluate")]
    pub sample: usize,
    /// Where to write what was explained of a checkpoint: a folder [default: explanation], or with --image a PNG file
    /// [default: cam.png].
    #[arg(long, value_name = "PATH", requires = "checkpoint")]
    pub out: Option<PathBuf>,
}

/// How maps are smoothed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Smooth {
    /// By averaging over altered copies of the image.
    Augment,
    /// By the first principal component.
    Eigen,
}
