//! What can go wrong with a network or its weights.

use std::fmt;
use std::path::PathBuf;

/// Why a network could not be built, or weights not be read, written or fitted to it.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A name that is no architecture's.
    #[error("there is no architecture named `{name}`; the known ones are {known}")]
    UnknownArchitecture {
        /// The name given.
        name: String,
        /// The known names, separated by commas.
        known: String,
    },
    /// A name that is none of the network's layers.
    #[error("this network has no layer `{layer}`; its layers are {known}")]
    UnknownLayer {
        /// The name given.
        layer: String,
        /// The network's layers, separated by commas.
        known: String,
    },
    /// The file could not be opened, read, written or renamed.
    #[error("cannot {action} the checkpoint {path}: {source}", path = path.display())]
    Io {
        /// What was tried: `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file begins like no format that can be read.
    #[error(
        "{path} is no checkpoint: expected safetensors or a PyTorch .pth file, but it {found}",
        path = path.display()
    )]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
        /// What it is instead, as the end of a sentence.
        found: String,
    },
    /// The file ends before its contents do.
    #[error(
        "the checkpoint {path} is cut short: expected {expected} bytes of {part}, found {got}; copy or write it again",
        path = path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The part that is incomplete.
        part: String,
        /// Bytes that part should have.
        expected: u64,
        /// Bytes there are.
        got: u64,
    },
    /// The file begins like a checkpoint but does not follow its format.
    #[error("the checkpoint {path} is damaged or of an unknown make: {reason}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, in the words of its reader.
        reason: String,
    },
    /// A `.pth` file that holds something other than named tensors.
    #[error(
        "{path} holds no state_dict: expected named tensors, at the top or under `net`, `state_dict`, \
         `model_state_dict` or `model`, found {found}; save it with torch.save(model.state_dict(), ...)",
        path = path.display()
    )]
    NoStateDict {
        /// The file.
        path: PathBuf,
        /// What it holds instead.
        found: String,
    },
    /// A tensor of a type that is not f32, f64, f16 or bf16.
    #[error(
        "{path}: tensor `{tensor}` has the type {got}; expected f32, f64, f16 or bf16",
        path = path.display()
    )]
    UnsupportedType {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// Its type, as the file names it.
        got: String,
    },
    /// The tensors are those of another network.
    #[error("{0}")]
    Mismatch(Box<Mismatch>),
    /// No known architecture has exactly these tensors.
    #[error("no known architecture has the tensors of this file. The closest: {0}")]
    Unrecognised(Box<Mismatch>),
    /// The metadata names another number of classes than the network has outputs.
    #[error(
        "{path} names {got} classes, but its last layer has {expected} outputs",
        path = path.display()
    )]
    ClassNames {
        /// The file.
        path: PathBuf,
        /// Outputs of the last layer.
        expected: usize,
        /// Class names found.
        got: usize,
    },
    /// Images of another shape than the network reads.
    #[error("this network reads images (N, H, W, C) = (N, {}, {}, {}), but was given {got:?}", expected[0], expected[1], expected[2])]
    Images {
        /// Height, width and channels.
        expected: [usize; 3],
        /// The shape given.
        got: Vec<usize>,
    },
    /// The network could not be compiled, or not run.
    #[error(transparent)]
    Graph(#[from] wick_graph::GraphError),
    /// Candle's own error, or an op's.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl From<ModelError> for candle_core::Error {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Candle(error) => error,
            other => candle_core::Error::wrap(other),
        }
    }
}

/// How the tensors of a file differ from those of a network. Shapes are as on disk, filters `(O, I, KH, KW)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The file.
    pub path: PathBuf,
    /// The network, in words: `resnet18 with 10 classes`.
    pub network: String,
    /// The first difference in the network's order; a differing shape comes before an absent tensor.
    pub first: Difference,
    /// Every tensor that the network has and the file lacks, in the network's order.
    pub missing: Vec<String>,
    /// Every tensor that the file has and the network does not, by name.
    pub unexpected: Vec<String>,
    /// How many tensors have another shape.
    pub reshaped: usize,
    /// The network that has just the file's tensors, in words, if there is one.
    pub recognised: Option<String>,
}

impl Mismatch {
    /// How many tensors differ in any way.
    pub fn differences(&self) -> usize {
        self.missing.len() + self.unexpected.len() + self.reshaped
    }
}

/// One difference between a file and a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Both have the tensor, in different shapes.
    Shape {
        /// The tensor's name.
        tensor: String,
        /// The network's shape.
        expected: Vec<usize>,
        /// The file's shape.
        got: Vec<usize>,
    },
    /// Only the network has it.
    Missing {
        /// The tensor's name.
        tensor: String,
        /// The network's shape.
        expected: Vec<usize>,
    },
    /// Only the file has it.
    Unexpected {
        /// The tensor's name.
        tensor: String,
        /// The file's shape.
        got: Vec<usize>,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not fit {}: ", self.path.display(), self.network)?;
        match &self.first {
            Difference::Shape { tensor, expected, got } => {
                write!(
                    f,
                    "tensor `{tensor}` should have the shape {expected:?}, but has {got:?} in the file"
                )?;
            }
            Difference::Missing { tensor, expected } => {
                write!(f, "tensor `{tensor}` should have the shape {expected:?}, but is not in the file")?;
            }
            Difference::Unexpected { tensor, got } => {
                write!(f, "the file's tensor `{tensor}` of shape {got:?} should not be there")?;
            }
        }
        write_list(f, "missing", &self.missing)?;
        write_list(f, "unexpected", &self.unexpected)?;
        match &self.recognised {
            Some(other) => {
                write!(f, "; the file's tensors are those of {other}: load it as that, or take another")
            }
            None => Ok(()),
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, what: &str, names: &[String]) -> fmt::Result {
    const SHOWN: usize = 3;
    if names.is_empty() {
        return Ok(());
    }
    write!(f, "; {} {what}: {}", names.len(), names[..names.len().min(SHOWN)].join(", "))?;
    if names.len() > SHOWN { write!(f, ", ...") } else { Ok(()) }
}
