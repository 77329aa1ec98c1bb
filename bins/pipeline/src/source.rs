//! What is judged or explained: a run's network or a weights file from anywhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use candle_core::Device;
use wick_augment::{Augmentation, Size, Transform};
use wick_cifar::{HEIGHT, WIDTH};
use wick_models::{Architecture, CompileOptions, Metadata, Network, Normalisation};
use wick_runs::RunDir;
use wick_train::{Data, DataSource, EvaluationOptions, Views};

use crate::cli::{Source, Weights};
use crate::context::{Run, needs};
use crate::terminal::note;

/// CIFAR-10's usual normalisation, for weights that do not say with which they were trained.
const USUAL: Normalisation = Normalisation { mean: [0.4914, 0.4822, 0.4471], std: [0.2469, 0.2433, 0.2615] };
/// How weights are judged that come without a recipe.
const EVALUATION: EvaluationOptions = EvaluationOptions { batch_size: 250, views: Views::None };

/// A run or a file, found but not yet loaded.
pub enum Opened {
    Run { run: Box<Run>, weights: PathBuf },
    File { path: PathBuf, architecture: Option<Architecture> },
}

/// A network, how its images are normalised and what its classes are called.
pub struct Explained {
    pub network: Network,
    pub augmentation: Augmentation,
    pub class_names: Vec<String>,
    /// Whether the weights themselves name them.
    pub knows_classes: bool,
}

/// The same with the data it is judged on.
pub struct Subject {
    pub network: Network,
    pub augmentation: Augmentation,
    pub class_names: Vec<String>,
    pub data: Arc<Data>,
    /// How it is judged, and computed for that: a run's network as the run judged it.
    pub evaluation: EvaluationOptions,
    pub options: CompileOptions,
}

/// Finds what the command line names.
pub fn open(source: &Source) -> Result<Opened> {
    match (&source.run, &source.checkpoint) {
        (Some(run), _) => {
            let run = Run::open(run)?;
            let weights = run.weights(source.weights.unwrap_or(Weights::Last));
            needs(&weights, "train")?;
            Ok(Opened::Run { run: Box::new(run), weights })
        }
        (None, Some(path)) => {
            refuse_optimizer(path)?;
            Ok(Opened::File { path: path.clone(), architecture: source.model })
        }
        (None, None) => anyhow::bail!("name a run with --run or a weights file with --checkpoint"),
    }
}

/// An optimiser's state lies beside the weights under a like name.
fn refuse_optimizer(path: &Path) -> Result<()> {
    let run = RunDir::names_below(Path::new(""));
    let (weights, state) = (run.last(), run.last_optim());
    let is_state = path.file_name().is_some() && path.file_name() == state.file_name();
    let weights = path.with_file_name(weights.file_name().unwrap_or_default());
    ensure!(
        !is_state,
        "{} holds an optimiser's state; the weights are in {}",
        path.display(),
        weights.display()
    );
    Ok(())
}

impl Opened {
    /// The file of the weights.
    pub fn weights(&self) -> &Path {
        match self {
            Self::Run { weights, .. } => weights,
            Self::File { path, .. } => path,
        }
    }

    /// Loads the network alone.
    pub fn explained(&self) -> Result<Explained> {
        match self {
            Self::Run { run, weights } => {
                let given = Some(run.recipe.model.architecture);
                let (network, metadata) = Network::load(weights, given, &Device::Cpu)?;
                let class_names = class_names(&metadata, network.classes);
                let knows_classes = metadata.classes.is_some();
                Ok(Explained {
                    network,
                    augmentation: run.recipe.augmentation()?,
                    class_names,
                    knows_classes,
                })
            }
            Self::File { path, architecture } => {
                let (network, metadata) = Network::load(path, *architecture, &Device::Cpu)?;
                let normalisation = metadata.normalisation.unwrap_or_else(|| {
                    note(&format!(
                        "{} does not say how its images were normalised; CIFAR-10's usual mean {:?} and deviation {:?} \
                         are used",
                        path.display(),
                        USUAL.mean,
                        USUAL.std
                    ));
                    USUAL
                });
                let list = [Transform::normalize(normalisation.mean, normalisation.std)];
                let augmentation = Augmentation::new(&list, Size::new(HEIGHT, WIDTH))?;
                let class_names = class_names(&metadata, network.classes);
                let knows_classes = metadata.classes.is_some();
                Ok(Explained { network, augmentation, class_names, knows_classes })
            }
        }
    }

    /// Loads the network and its data.
    pub fn subject(&self, data: Option<&Path>) -> Result<Subject> {
        let Explained { network, augmentation, mut class_names, knows_classes } = self.explained()?;
        let (data, evaluation, options) = match self {
            Self::Run { run, .. } => {
                (run.data(data)?, run.recipe.evaluate.options(), run.recipe.compile_options())
            }
            Self::File { .. } => {
                let path = data.context(
                    "a checkpoint is judged on data: name the folder of CIFAR's binary files with --data DIR (gradcam explains a photo \
                     without, named with --image)",
                )?;
                let dataset = wick_cifar::load(path)?;
                let source = DataSource::Path(path.to_owned());
                (Arc::new(Data::divide(dataset, source, 0, 0)?), EVALUATION, CompileOptions::default())
            }
        };
        ensure!(
            data.classes() == network.classes,
            "the network tells {} classes apart, but the data have {}; give the data it was trained on",
            network.classes,
            data.classes()
        );
        if let Self::File { .. } = self {
            ensure!(
                !knows_classes || class_names == data.dataset.class_names,
                "the network was trained on {}, but the data hold {}; give the data it was trained on",
                class_names.join(", "),
                data.dataset.class_names.join(", ")
            );
            class_names.clone_from(&data.dataset.class_names);
        }
        Ok(Subject { network, augmentation, class_names, data, evaluation, options })
    }
}

fn class_names(metadata: &Metadata, classes: usize) -> Vec<String> {
    let cifar = [wick_cifar::Variant::Cifar10, wick_cifar::Variant::Cifar100];
    metadata.classes.clone().unwrap_or_else(|| {
        let known = cifar.into_iter().find(|v| v.classes() == classes);
        known.map_or_else(|| (0..classes).map(|c| format!("class {c}")).collect(), |v| v.class_names())
    })
}
