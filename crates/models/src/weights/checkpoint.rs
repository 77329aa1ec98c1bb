//! A file of weights in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};

use super::{Metadata, compare, layout, pth, safe};
use crate::architecture::Architecture;
use crate::error::{Mismatch, ModelError};
use crate::network::Network;
use crate::parameters::{ParameterSpec, Parameters};

/// The tensors and metadata of a checkpoint of any origin.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
    /// What the file says of itself; empty for a file from elsewhere.
    pub metadata: Metadata,
}

impl Checkpoint {
    /// Reads safetensors or a PyTorch file; its first bytes tell which, whatever its name.
    ///
    /// # Errors
    /// A file that cannot be read, is none of these, is cut short or damaged, or holds something else than named
    /// floating-point tensors.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let io_error = |source| ModelError::Io { action: "read", path: path.to_owned(), source };
        let mut file = File::open(path).map_err(io_error)?;
        let mut head = Vec::new();
        file.by_ref().take(16).read_to_end(&mut head).map_err(io_error)?;
        let mut rest = || {
            let mut bytes = Vec::new();
            file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(io_error)?;
            Ok::<_, ModelError>(bytes)
        };
        let (tensors, metadata) = if pth::recognises(&head) {
            (pth::read(path, &rest()?)?, Metadata::default())
        } else if safe::recognises(&head) {
            safe::read(path, &rest()?)?
        } else {
            return Err(ModelError::NotACheckpoint { path: path.to_owned(), found: describe(&head) });
        };
        let tensors = tensors.into_iter().map(|(name, t)| (without_prefixes(&name).to_owned(), t)).collect();
        Ok(Self { path: path.to_owned(), tensors, metadata })
    }

    /// The file it came from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tensors by name, in f32 and the layouts of the disk.
    pub fn tensors(&self) -> &BTreeMap<String, Tensor> {
        &self.tensors
    }

    /// The architecture and number of classes: the metadata's, or else those of the network that has just these
    /// tensors.
    ///
    /// # Errors
    /// [`ModelError::Unrecognised`] if no known network has them.
    pub fn architecture(&self) -> Result<(Architecture, usize), ModelError> {
        match self.metadata.architecture {
            Some(architecture) => Ok((architecture, self.classes())),
            None => self.recognise(),
        }
    }

    /// The network that has just these tensors.
    fn recognise(&self) -> Result<(Architecture, usize), ModelError> {
        let classes = self.classes();
        let mut misfits = Vec::new();
        for architecture in Architecture::ALL.into_iter().chain(self.ghost()).chain(self.width()) {
            let (network, specs) =
                (describe_network(architecture, classes), architecture.parameters(classes)?);
            match compare::mismatch(&self.path, network, &specs, &self.tensors) {
                None => return Ok((architecture, classes)),
                Some(mismatch) => misfits.push(mismatch),
            }
        }
        let closest = misfits.into_iter().min_by_key(Mismatch::differences);
        Err(closest.map_or_else(
            || ModelError::Malformed { path: self.path.clone(), reason: "it holds no tensors".to_owned() },
            |closest| ModelError::Unrecognised(Box::new(closest)),
        ))
    }

    /// The network of this checkpoint, of the architecture `given` or else of [`architecture`](Self::architecture).
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] if the tensors are another network's, which names the first that differs;
    /// [`ModelError::ClassNames`] if the metadata names more or fewer classes than there are outputs.
    pub fn network(&self, given: Option<Architecture>, device: &Device) -> Result<Network, ModelError> {
        let (architecture, classes) = match given {
            Some(architecture) => (architecture, self.classes()),
            None => self.architecture()?,
        };
        if let Some(names) = &self.metadata.classes
            && names.len() != classes
        {
            return Err(ModelError::ClassNames {
                path: self.path.clone(),
                expected: classes,
                got: names.len(),
            });
        }
        let network = Network::new(architecture, classes, 0, device)?;
        self.fit(&network.parameters, describe_network(architecture, classes))?;
        Ok(network)
    }

    /// Sets every variable of `parameters` to the tensor of its name; on an error, none.
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] if the tensors are another network's.
    pub fn load_into(&self, parameters: &Parameters) -> Result<(), ModelError> {
        self.fit(parameters, "the network".to_owned())
    }

    fn fit(&self, parameters: &Parameters, network: String) -> Result<(), ModelError> {
        let parameters = parameters.all();
        let specs: Vec<ParameterSpec> = parameters
            .iter()
            .map(|p| ParameterSpec { name: p.name.clone(), shape: p.var.dims().to_vec(), role: p.role })
            .collect();
        if let Some(mut mismatch) = compare::mismatch(&self.path, network, &specs, &self.tensors) {
            mismatch.recognised = self.recognise().ok().map(|(a, classes)| describe_network(a, classes));
            return Err(ModelError::Mismatch(Box::new(mismatch)));
        }
        for parameter in &parameters {
            if let Some(tensor) = self.tensors.get(&parameter.name) {
                let var = &parameter.var;
                var.set(&layout::to_memory(tensor)?.to_device(var.device())?.to_dtype(var.dtype())?)?;
            }
        }
        Ok(())
    }

    /// A ResNet with as many splits as the first norm's running statistics tell.
    fn ghost(&self) -> Option<Architecture> {
        let values = |name: &str| Some(self.tensors.get(name)?.elem_count()).filter(|n| *n > 0);
        let (statistics, channels) = (values("bn1.running_mean")?, values("bn1.weight")?);
        let splits = statistics / channels;
        (splits > 1 && statistics.is_multiple_of(channels)).then_some(Architecture::ResNet18Ghost { splits })
    }

    /// A ResNet with as many channels as its first convolution has filters.
    fn width(&self) -> Option<Architecture> {
        match self.tensors.get("conv1.weight")?.dims() {
            &[width, 3, 3, 3] if width > 0 => Some(Architecture::ResNet18Width { width }),
            _ => None,
        }
    }

    /// The outputs of the last layer, as far as one can tell; ten otherwise.
    fn classes(&self) -> usize {
        let outputs =
            |architecture: Architecture| match self.tensors.get(architecture.last_weight()).map(Tensor::dims)
            {
                Some(&[classes, _]) if classes > 0 => Some(classes),
                _ => None,
            };
        Architecture::ALL.into_iter().find_map(outputs).unwrap_or(10)
    }
}

fn describe_network(architecture: Architecture, classes: usize) -> String {
    format!("{architecture} with {classes} classes")
}

fn without_prefixes(mut name: &str) -> &str {
    while let Some(rest) = name.strip_prefix("module.").or_else(|| name.strip_prefix("_orig_mod.")) {
        name = rest;
    }
    name
}

fn describe(head: &[u8]) -> String {
    if head.is_empty() {
        return "is empty".to_owned();
    }
    let bytes: Vec<String> = head.iter().take(8).map(|b| format!("{b:02x}")).collect();
    format!("begins with the bytes {}", bytes.join(" "))
}
