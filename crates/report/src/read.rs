//! What a run folder has for a page.

use wick_runs::{
    CamQualityRow, Claims, ConfusionTable, EpochRow, GalleryImages, LrFinderReport, LrFinderRow, Manifest,
    NormRow, PerClassRow, Predictions, RunDir, RunsError, StepRow, TimingRow, read_json, read_rows,
    read_text,
};

use crate::ReportError;
use crate::maps::{Maps, Origin, origins};
use crate::recipe::Recipe;

/// A run, with what it has; what no stage has written yet is absent.
pub(crate) struct Run {
    pub dir: RunDir,
    pub recipe: Option<Recipe>,
    pub manifest: Option<Manifest>,
    pub claims: Option<Claims>,
    pub epochs: Option<Vec<EpochRow>>,
    pub timing: Option<Vec<TimingRow>>,
    pub steps: Option<Vec<StepRow>>,
    pub norms: Option<Vec<NormRow>>,
    pub per_class: Option<Vec<PerClassRow>>,
    pub confusion: Option<ConfusionTable>,
    pub predictions: Option<Predictions>,
    pub lr_finder: Option<(Vec<LrFinderRow>, LrFinderReport)>,
    pub summary: Option<String>,
    pub galleries: Option<GalleryImages>,
    pub maps: Vec<Maps>,
    pub cam_quality: Option<Vec<CamQualityRow>>,
}

impl Run {
    pub(crate) fn read(dir: &RunDir) -> Result<Self, ReportError> {
        let recipe = dir.recipe_toml();
        let finder = (there(read_rows(&dir.lr_finder_csv()))?, there(read_json(&dir.lr_finder_json()))?);
        let manifest = there(Manifest::read(dir))?;
        Ok(Self {
            recipe: if recipe.exists() { Some(Recipe::read(&recipe)?) } else { None },
            claims: there(Claims::read(&dir.claims()))?,
            epochs: there(read_rows(&dir.epochs()))?.filter(|rows: &Vec<_>| !rows.is_empty()),
            timing: there(read_rows(&dir.timing()))?,
            steps: there(read_rows(&dir.steps()))?.filter(|rows: &Vec<_>| !rows.is_empty()),
            norms: there(read_rows(&dir.norms()))?.filter(|rows: &Vec<_>| !rows.is_empty()),
            per_class: there(read_rows(&dir.per_class()))?,
            confusion: there(ConfusionTable::read(&dir.confusion()))?,
            predictions: there(Predictions::read(&dir.predictions()))?,
            lr_finder: finder.0.zip(finder.1),
            summary: there(read_text(&dir.summary()))?,
            galleries: there(GalleryImages::read(&dir.gallery()))?,
            maps: Maps::all(dir, manifest.as_ref())?,
            manifest,
            cam_quality: there(read_rows(&dir.cam_quality()))?.filter(|rows: &Vec<_>| !rows.is_empty()),
            dir: dir.clone(),
        })
    }

    /// The recipe's name, or that of the folder.
    pub(crate) fn name(&self) -> String {
        let recipe = self.recipe.as_ref().and_then(|recipe| recipe.get("name"));
        recipe.unwrap_or_else(|| self.folder())
    }

    /// The folder's own name.
    pub(crate) fn folder(&self) -> String {
        let path = self.dir.path();
        path.file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
    }

    /// A value of the recipe.
    pub(crate) fn value(&self, key: &str) -> Option<String> {
        self.recipe.as_ref()?.get(key)
    }

    /// What its maps are maps of.
    pub(crate) fn origins(&self) -> Vec<Origin> {
        self.origins_of(&self.maps.iter().collect::<Vec<_>>())
    }

    /// What these of its maps are maps of.
    pub(crate) fn origins_of(&self, maps: &[&Maps]) -> Vec<Origin> {
        origins(maps, self.class_names(), self.value("evaluate.cam_layer").as_deref())
    }

    /// What its accuracy is called: runs with a hold-out are judged by that.
    pub(crate) fn judge(&self) -> &'static str {
        let held_out = self.recipe.as_ref().and_then(|recipe| recipe.above_zero("data.holdout"));
        if held_out.is_some() { "hold-out" } else { "test" }
    }

    /// Names of the classes, as far as any table has them.
    pub(crate) fn class_names(&self) -> &[String] {
        match (&self.confusion, &self.predictions) {
            (Some(table), _) => &table.class_names,
            (None, Some(predictions)) => &predictions.class_names,
            (None, None) => &[],
        }
    }
}

/// Nothing where the file is not there; an error where it is and cannot be read.
fn there<T>(read: Result<T, RunsError>) -> Result<Option<T>, RunsError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}
