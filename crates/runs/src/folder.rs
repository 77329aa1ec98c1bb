//! The folder of one run, and where each of its files lies.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::RunsError;
use crate::files::{CamDir, Figure};
use crate::latest::{self, LATEST};

const RECIPE: &str = "recipe.toml";
const MANIFEST: &str = "manifest.json";

/// The folder of one run. Its methods give the path of each file in it, whether or not it exists yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Makes the folder of a new run, `<runs>/<recipe>/<yyyymmdd-hhmmss>-seed<seed>/` (time in UTC), with
    /// `checkpoints/` and `figures/` in it, and points `<runs>/<recipe>/latest` at it. Where a run of
    /// the same second and seed exists, the name ends in `-2`, `-3`, ….
    ///
    /// # Errors
    /// [`RunsError::Name`] where `recipe` cannot name a folder, [`RunsError::Io`] where nothing can be written.
    pub fn create(runs: &Path, recipe: &str, seed: u64, time: Timestamp) -> Result<Self, RunsError> {
        let run = Self::create_unlisted(runs, recipe, seed, time)?;
        run.make_latest()?;
        Ok(run)
    }

    /// As [`RunDir::create`], but `latest` stays where it is until [`RunDir::make_latest`]: for a run that has yet to
    /// write what makes it one.
    ///
    /// # Errors
    /// As [`RunDir::create`].
    pub fn create_unlisted(runs: &Path, recipe: &str, seed: u64, time: Timestamp) -> Result<Self, RunsError> {
        check_name("recipe", recipe)?;
        let folder = runs.join(recipe);
        fs::create_dir_all(&folder).map_err(RunsError::io("create the folder", &folder))?;
        let stem = format!("{}-seed{seed}", time.strftime("%Y%m%d-%H%M%S"));
        let mut name = stem.clone();
        for attempt in 2_u64.. {
            let path = folder.join(&name);
            match fs::create_dir(&path) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    name = format!("{stem}-{attempt}");
                }
                Err(error) => return Err(RunsError::io("create the folder", &path)(error)),
            }
        }
        Self::at(&folder.join(&name))
    }

    /// Points `latest`, beside this folder, at it.
    ///
    /// # Errors
    /// [`RunsError::Io`] where that cannot be written.
    pub fn make_latest(&self) -> Result<(), RunsError> {
        match (self.path.parent(), self.path.file_name()) {
            (Some(folder), Some(name)) => latest::point(folder, &name.to_string_lossy()),
            _ => Ok(()),
        }
    }

    /// The names of a run's files below this path, where nothing is made until something is written.
    pub fn names_below(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The run folder at exactly this path, made if it does not exist; `latest` is left alone.
    ///
    /// # Errors
    /// [`RunsError::Io`] where it cannot be made.
    pub fn at(path: &Path) -> Result<Self, RunsError> {
        let run = Self { path: path.to_owned() };
        for folder in [run.checkpoints(), run.figures()] {
            fs::create_dir_all(&folder).map_err(RunsError::io("create the folder", &folder))?;
        }
        Ok(run)
    }

    /// Opens a run: its own folder, a recipe's folder (whose `latest` is followed), or that `latest`.
    ///
    /// # Errors
    /// [`RunsError::NotARun`] where the path leads to none, [`RunsError::Io`] where it cannot be read.
    pub fn open(path: &Path) -> Result<Self, RunsError> {
        let mut run = path.to_owned();
        let names_latest = path.file_name().is_some_and(|name| name == LATEST);
        if names_latest && path.symlink_metadata().is_ok() {
            run = latest::follow(path)?;
        } else if !is_run(path) && path.join(LATEST).symlink_metadata().is_ok() {
            run = latest::follow(&path.join(LATEST))?;
        }
        // What `latest` points at was made as a run, however little of it was written before it stopped.
        if is_run(&run) || (run != path && run.is_dir()) {
            return Ok(Self { path: run });
        }
        Err(RunsError::NotARun {
            path: path.to_owned(),
            expected: format!(
                "a folder with a {RECIPE} or a {MANIFEST} in it, or a recipe's folder with a `{LATEST}`"
            ),
            found: describe(path, &run),
        })
    }

    /// Opens every run that a path stands for: of a recipe's folder all in it, oldest first; else as [`RunDir::open`].
    ///
    /// # Errors
    /// As [`RunDir::open`].
    pub fn open_all(path: &Path) -> Result<Vec<Self>, RunsError> {
        let names_latest = path.file_name().is_some_and(|name| name == LATEST);
        if is_run(path) || names_latest || !path.is_dir() {
            return Ok(vec![Self::open(path)?]);
        }
        let mut runs = Vec::new();
        for entry in fs::read_dir(path).map_err(RunsError::io("read", path))? {
            let entry = entry.map_err(RunsError::io("read", path))?;
            if entry.file_name() != LATEST && is_run(&entry.path()) {
                runs.push(Self { path: entry.path() });
            }
        }
        runs.sort_by(|a, b| a.path.cmp(&b.path)); // names begin with the time
        if runs.is_empty() { Ok(vec![Self::open(path)?]) } else { Ok(runs) }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The recipe, fully resolved: replays the run.
    pub fn recipe_toml(&self) -> PathBuf {
        self.path.join(RECIPE)
    }

    /// A [`Manifest`](crate::Manifest): how the run came about, and what each stage read and wrote.
    pub fn manifest(&self) -> PathBuf {
        self.path.join(MANIFEST)
    }

    /// The model, layer by layer, as text.
    pub fn summary(&self) -> PathBuf {
        self.path.join("summary.txt")
    }

    /// Per-channel statistics and split indices: what later stages need of the data.
    pub fn data(&self) -> PathBuf {
        self.path.join("data.safetensors")
    }

    /// [`LrFinderRow`](crate::LrFinderRow)s.
    pub fn lr_finder_csv(&self) -> PathBuf {
        self.path.join("lr_finder.csv")
    }

    /// A [`LrFinderReport`](crate::LrFinderReport).
    pub fn lr_finder_json(&self) -> PathBuf {
        self.path.join("lr_finder.json")
    }

    /// [`EpochRow`](crate::EpochRow)s.
    pub fn epochs(&self) -> PathBuf {
        self.path.join("epochs.csv")
    }

    /// [`TimingRow`](crate::TimingRow)s.
    pub fn timing(&self) -> PathBuf {
        self.path.join("timing.csv")
    }

    /// [`StepRow`](crate::StepRow)s.
    pub fn steps(&self) -> PathBuf {
        self.path.join("steps.csv")
    }

    /// [`NormRow`](crate::NormRow)s.
    pub fn norms(&self) -> PathBuf {
        self.path.join("norms.csv")
    }

    /// The folder of the checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The weights of the epoch with the best test accuracy.
    pub fn best(&self) -> PathBuf {
        self.checkpoints().join("best.safetensors")
    }

    /// The newest weights.
    pub fn last(&self) -> PathBuf {
        self.checkpoints().join("last.safetensors")
    }

    /// The optimiser's state that goes with [`last`](Self::last).
    pub fn last_optim(&self) -> PathBuf {
        self.checkpoints().join("last.optim.safetensors")
    }

    /// Where in the run [`last`](Self::last) was written: epoch, step, sample cursor, random keys.
    pub fn last_state(&self) -> PathBuf {
        self.checkpoints().join("last.state.json")
    }

    /// [`Predictions`](crate::Predictions) on the test split.
    pub fn predictions(&self) -> PathBuf {
        self.path.join("predictions.csv")
    }

    /// [`PerClassRow`](crate::PerClassRow)s.
    pub fn per_class(&self) -> PathBuf {
        self.path.join("per_class.csv")
    }

    /// A [`ConfusionTable`](crate::ConfusionTable).
    pub fn confusion(&self) -> PathBuf {
        self.path.join("confusion.csv")
    }

    /// [`GalleryImages`](crate::GalleryImages): the pictures of the galleries.
    pub fn gallery(&self) -> PathBuf {
        self.path.join("gallery.safetensors")
    }

    /// The folder of a class activation method, for example `gradcam`.
    ///
    /// # Errors
    /// [`RunsError::Name`] where `method` cannot name a folder.
    pub fn cam(&self, method: &str) -> Result<CamDir, RunsError> {
        check_name("method", method)?;
        Ok(CamDir::new(self.path.join("cam").join(method)))
    }

    /// The same images explained by several methods or at several layers, side by side.
    pub fn cam_methods(&self) -> PathBuf {
        self.path.join("cam").join("methods.png")
    }

    /// [`CamQualityRow`](crate::CamQualityRow)s: how well methods explain.
    pub fn cam_quality(&self) -> PathBuf {
        self.path.join("cam").join("quality.csv")
    }

    /// The class activation methods that have a folder, by name.
    ///
    /// # Errors
    /// [`RunsError::Io`] where the folder cannot be read; none where there is no such folder.
    pub fn cams(&self) -> Result<Vec<String>, RunsError> {
        let folder = self.path.join("cam");
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(RunsError::io("read", &folder))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(RunsError::io("read", &folder))?;
            if entry.path().is_dir() {
                names.extend(entry.file_name().into_string());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The folder of the pictures.
    pub fn figures(&self) -> PathBuf {
        self.path.join("figures")
    }

    /// A picture.
    pub fn figure(&self, figure: Figure) -> PathBuf {
        self.figures().join(figure.file_name())
    }

    /// A chart as SVG, beside its PNG; only [`Figure::CHARTS`] have one.
    pub fn figure_svg(&self, figure: Figure) -> PathBuf {
        self.figure(figure).with_extension("svg")
    }

    /// The folder of TensorBoard's event files.
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join("tb")
    }

    /// One self-contained page with all of the above.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// [`Claims`](crate::Claims): what was published, what was measured.
    pub fn claims(&self) -> PathBuf {
        self.path.join("claims.json")
    }
}

fn is_run(path: &Path) -> bool {
    path.join(RECIPE).is_file() || path.join(MANIFEST).is_file()
}

fn describe(path: &Path, run: &Path) -> String {
    if run != path {
        return format!("`{LATEST}` pointing at {}, where there is no run", run.display());
    }
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => "nothing there".to_owned(),
        Err(error) => error.to_string(),
        Ok(metadata) if metadata.is_dir() => "a folder without them".to_owned(),
        Ok(_) => "a file".to_owned(),
    }
}

fn check_name(what: &'static str, name: &str) -> Result<(), RunsError> {
    let allowed = |c: char| c.is_alphanumeric() || "-_+.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(allowed) {
        return Err(RunsError::Name { what, name: name.to_owned() });
    }
    Ok(())
}
