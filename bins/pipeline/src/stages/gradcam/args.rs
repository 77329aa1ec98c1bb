//! The command line of `gradcam`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args as ClapArgs, ValueEnum};
use wick_gradcam::Method;
use wick_viz::{Blend, Colormap, OverlayOptions};

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
    /// Test images to explain, by index; unless given, the misclassified ones, of a run all that its galleries show.
    #[arg(long, value_name = "I,J,…", value_delimiter = ',', value_parser = index)]
    pub indices: Option<Vec<usize>>,
    /// How: gradcam, gradcam++, hirescam, xgradcam, layercam, eigencam, eigengradcam, scorecam, ablationcam, guided-backprop or
    /// guided-gradcam; several are drawn side by side. Unless given, a run's recipe names them (evaluate.cam_methods), else it is
    /// gradcam, and with --evaluate all but scorecam and ablationcam, which take many times as long.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = super::methods::parse)]
    pub method: Option<Vec<Method>>,
    /// The layer whose activations are weighed, of a ResNet layer1, layer2, layer3 or layer4. `layer3,layer4` draws the maps of both
    /// side by side, `layer3+layer4` their average. Unless given, a run's recipe names it (evaluate.cam_layer); of a weights file it
    /// is the last.
    #[arg(long, value_name = "LAYER[+LAYER…],…", value_delimiter = ',')]
    pub layer: Option<Vec<String>>,
    /// Smooth the maps: `augment` averages those of mirrored, darker and brighter copies, `eigen` keeps the first principal
    /// component of the weighted activations; `augment,eigen` does both.
    #[arg(long, value_name = "HOW,…", value_delimiter = ',', value_enum)]
    pub smooth: Vec<Smooth>,
    /// The class to explain, by name or number, or a difference such as `cat-dog`: what speaks for a cat rather than a dog. Each
    /// image's predicted class unless given. To eigencam all classes are the same.
    #[arg(long, value_name = "CLASS|CLASS-CLASS")]
    pub target: Option<String>,
    /// Correctly predicted images of each class whose maps are averaged; 0 for none [default: 20; none with --indices, nor of
    /// scorecam and ablationcam].
    #[arg(long, value_name = "N", conflicts_with_all = ["image", "evaluate"])]
    pub per_class: Option<usize>,
    /// Measure how well the methods explain, over samples of the misclassified and of the correct images: deletion, insertion, ROAD,
    /// and change of confidence, beside random maps.
    #[arg(long)]
    pub evaluate: bool,
    /// Misclassified images, and as many correct ones, that --evaluate looks at.
    #[arg(long, value_name = "N", default_value_t = 50, requires = "evaluate", conflicts_with = "indices")]
    pub sample: usize,
    /// The colours of maps: viridis is read by everyone, also without red and green; jet is that of most publications (OpenCV's).
    #[arg(long, value_name = "NAME", value_enum, default_value_t, conflicts_with = "evaluate")]
    pub colormap: Colours,
    /// How a map and the photo meet in an overlay: even is seven parts of the map to three of the photo throughout, by-value leaves
    /// the photo where the map is low, keep-brightness colours the photo and leaves it as bright as it is.
    #[arg(long, value_name = "HOW", value_enum, default_value_t, conflicts_with = "evaluate")]
    pub blend: Blending,
    /// Where to write: a folder [default: explanation], or with --image a PNG file [default: cam.png]. Without --indices, --target
    /// and --out, what is explained of a run is kept in its run folder.
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
}

impl Args {
    /// Whether more is asked of a run than the maps of its galleries.
    pub fn is_apart(&self) -> bool {
        self.indices.is_some() || self.target.is_some() || self.out.is_some()
    }

    /// How maps are drawn.
    pub fn overlay(&self) -> OverlayOptions {
        let (colormap, blend) = (self.colormap.into(), self.blend.into());
        OverlayOptions { colormap, blend, ..OverlayOptions::default() }
    }

    /// Refuses what clap lets pass.
    pub fn check(&self) -> Result<()> {
        if let Some(method) = repeated(self.method.as_deref().unwrap_or_default()) {
            bail!("--method names {method} twice; name each method once");
        }
        if let Some(index) = repeated(self.indices.as_deref().unwrap_or_default()) {
            bail!("--indices names image {index} twice; name each image once");
        }
        if self.sample == 0 {
            bail!("--sample is 0; expected a number of images from 1 on");
        }
        let is_png = |out: &&PathBuf| out.extension().is_some_and(|e| e.eq_ignore_ascii_case("png"));
        if let (Some(_), Some(out)) = (&self.image, self.out.as_ref().filter(|out| !is_png(out))) {
            bail!("--out {}: the picture is a PNG; give it a name that ends in .png", out.display());
        }
        Ok(())
    }
}

fn index(text: &str) -> std::result::Result<usize, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is no image's number; expected numbers such as 3,4,5"))
}

/// The first that comes a second time.
fn repeated<T: PartialEq>(all: &[T]) -> Option<&T> {
    all.iter().enumerate().find(|(i, one)| all[..*i].contains(one)).map(|(_, one)| one)
}

/// What maps are drawn in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Colours {
    #[default]
    Viridis,
    Jet,
    Turbo,
}

impl From<Colours> for Colormap {
    fn from(colours: Colours) -> Self {
        match colours {
            Colours::Viridis => Self::Viridis,
            Colours::Jet => Self::Jet,
            Colours::Turbo => Self::Turbo,
        }
    }
}

/// How maps and photos meet in overlays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Blending {
    #[default]
    Even,
    ByValue,
    KeepBrightness,
}

impl From<Blending> for Blend {
    fn from(blending: Blending) -> Self {
        match blending {
            Blending::Even => Self::Even,
            Blending::ByValue => Self::ByValue,
            Blending::KeepBrightness => Self::KeepBrightness,
        }
    }
}

/// How maps are smoothed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Smooth {
    /// By averaging over altered copies of the image.
    Augment,
    /// By the first principal component.
    Eigen,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_map_can_be_named() {
        let named = Colours::value_variants().iter().map(|&colours| {
            let name = colours.to_possible_value().map(|value| value.get_name().to_owned());
            (name, Colormap::from(colours))
        });
        for (name, colormap) in named {
            assert_eq!(name.as_deref(), Some(colormap.name()));
        }
        assert_eq!(Colours::value_variants().len(), Colormap::ALL.len());
        assert_eq!(Colormap::from(Colours::default()), Colormap::default());
    }

    #[test]
    fn every_blend_can_be_named() {
        for &blending in Blending::value_variants() {
            let name = blending.to_possible_value().map(|value| value.get_name().to_owned());
            assert_eq!(name.as_deref(), Some(Blend::from(blending).name()));
        }
        assert_eq!(Blending::value_variants().len(), Blend::ALL.len());
        assert_eq!(Blend::from(Blending::default()), Blend::default());
    }
}
