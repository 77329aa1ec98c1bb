/// How a method is applied. [`CamOptions::default`] is a method as its paper has it, on channels-last images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CamOptions {
    /// Which dimensions of the images are their height and width.
    pub layout: ImageLayout,
    /// How the channels of the weighted activations become one map. Eigen-CAM and EigenGrad-CAM always take the first
    /// principal component; guided backpropagation has no weighted activations.
    pub reduction: Reduction,
    /// Whether maps of altered copies of the images are averaged.
    pub smoothing: Smoothing,
    /// How many channels Score-CAM and Ablation-CAM send through the network at a time. Their memory grows with it, not with
    /// the number of channels.
    pub batch_size: usize,
}

impl Default for CamOptions {
    fn default() -> Self {
        Self {
            layout: ImageLayout::ChannelsLast,
            reduction: Reduction::Sum,
            smoothing: Smoothing::None,
            batch_size: 128,
        }
    }
}

/// The order of an image batch's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageLayout {
    /// `(N, H, W, C)`
    ChannelsLast,
    /// `(N, C, H, W)`, PyTorch's order.
    ChannelsFirst,
}

/// How the channels of weighted activations become one map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// Their first principal component, which leaves out what channels do not share: pytorch-grad-cam's `eigen_smooth`.
    FirstEigenvector,
}

/// Whether maps of altered copies of the images are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Smoothing {
    /// The images as they are.
    None,
    /// Six copies of each: as it is and mirrored, times 0.9, 1 and 1.1. pytorch-grad-cam's `aug_smooth`.
    Augmentations,
}

/// What [`Smoothing::Augmentations`] multiplies images with.
pub(crate) const FACTORS: [f64; 3] = [0.9, 1.0, 1.1];

impl ImageLayout {
    /// The positions of height, width and channels among an image batch's dimensions.
    pub(crate) fn axes(self) -> [usize; 3] {
        match self {
            Self::ChannelsLast => [1, 2, 3],
            Self::ChannelsFirst => [2, 3, 1],
        }
    }
}
