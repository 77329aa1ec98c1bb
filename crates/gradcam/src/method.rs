use crate::CamError;
use std::fmt::{Display, Formatter};
use std::str::FromStr;

/// How a network is explained. Names are those of pytorch-grad-cam.
///
/// ```
/// use wick_gradcam::{Method, Needs};
///
/// let method: Method = "gradcam++".parse()?;
/// assert_eq!((method.name(), method.title()), ("gradcam++", "Grad-CAM++"));
/// assert_eq!(method.needs(), Needs::Gradients);
/// assert!("grad-kam".parse::<Method>().is_err());
/// # Ok::<(), wick_gradcam::CamError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// [`grad_cam`](crate::grad_cam)
    GradCam,
    /// [`grad_cam_plus_plus`](crate::grad_cam_plus_plus)
    GradCamPlusPlus,
    /// [`hires_cam`](crate::hires_cam)
    HiResCam,
    /// [`x_grad_cam`](crate::x_grad_cam)
    XGradCam,
    /// [`layer_cam`](crate::layer_cam)
    LayerCam,
    /// [`eigen_cam`](crate::eigen_cam)
    EigenCam,
    /// [`eigen_grad_cam`](crate::eigen_grad_cam)
    EigenGradCam,
    /// [`score_cam`](crate::score_cam)
    ScoreCam,
    /// [`ablation_cam`](crate::ablation_cam)
    AblationCam,
    /// [`guided_backprop`](crate::guided_backprop)
    GuidedBackprop,
    /// [`guided_grad_cam`](crate::guided_grad_cam)
    GuidedGradCam,
}

/// What a method computes its maps from, besides the activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing else.
    Activations,
    /// The gradient of the score with respect to the activations: one backward pass.
    Gradients,
    /// A forward pass for each channel of the layer.
    ForwardPasses,
    /// The model with guided rectifiers, see [`Layer::guided`](crate::Layer::guided): one backward pass down to the image.
    GuidedModel,
}

impl Method {
    /// All of them, in the order in which tables list them.
    pub const ALL: [Self; 11] = [
        Self::GradCam,
        Self::GradCamPlusPlus,
        Self::HiResCam,
        Self::XGradCam,
        Self::LayerCam,
        Self::EigenCam,
        Self::EigenGradCam,
        Self::ScoreCam,
        Self::AblationCam,
        Self::GuidedBackprop,
        Self::GuidedGradCam,
    ];

    /// Its name on command lines, in files and of folders.
    pub fn name(self) -> &'static str {
        match self {
            Self::GradCam => "gradcam",
            Self::GradCamPlusPlus => "gradcam++",
            Self::HiResCam => "hirescam",
            Self::XGradCam => "xgradcam",
            Self::LayerCam => "layercam",
            Self::EigenCam => "eigencam",
            Self::EigenGradCam => "eigengradcam",
            Self::ScoreCam => "scorecam",
            Self::AblationCam => "ablationcam",
            Self::GuidedBackprop => "guided-backprop",
            Self::GuidedGradCam => "guided-gradcam",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::GradCam => "Grad-CAM",
            Self::GradCamPlusPlus => "Grad-CAM++",
            Self::HiResCam => "HiResCAM",
            Self::XGradCam => "XGrad-CAM",
            Self::LayerCam => "LayerCAM",
            Self::EigenCam => "Eigen-CAM",
            Self::EigenGradCam => "EigenGrad-CAM",
            Self::ScoreCam => "Score-CAM",
            Self::AblationCam => "Ablation-CAM",
            Self::GuidedBackprop => "Guided backpropagation",
            Self::GuidedGradCam => "Guided Grad-CAM",
        }
    }

    /// What it computes its maps from, besides the activations.
    pub fn needs(self) -> Needs {
        match self {
            Self::GradCam
            | Self::GradCamPlusPlus
            | Self::HiResCam
            | Self::XGradCam
            | Self::LayerCam
            | Self::EigenGradCam => Needs::Gradients,
            Self::EigenCam => Needs::Activations,
            Self::ScoreCam | Self::AblationCam => Needs::ForwardPasses,
            Self::GuidedBackprop | Self::GuidedGradCam => Needs::GuidedModel,
        }
    }

    /// All names, for messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl Display for Method {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Method {
    type Err = CamError;

    /// Reads a [`name`](Method::name), whatever its case; `gradcamplusplus` and `gradcampp` are Grad-CAM++ too.
    fn from_str(name: &str) -> Result<Self, CamError> {
        let lower = name.to_lowercase();
        let known = |method: &Self| method.name() == lower;
        match lower.as_str() {
            "gradcamplusplus" | "gradcampp" => Ok(Self::GradCamPlusPlus),
            _ => Self::ALL
                .into_iter()
                .find(known)
                .ok_or_else(|| CamError::UnknownMethod { name: name.to_owned() }),
        }
    }
}
