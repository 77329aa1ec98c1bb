//! `claims`: what was published beside what was measured.

use anyhow::Result;
use wick_cifar::Variant;
use wick_optim::Length;
use wick_runs::{
    Claim, Claims, EpochRow, Input, Kind, LrFinderReport, PerClassRow, Value, Verdict, read_json, read_rows,
};
use wick_train::{DataRecord, Precision, Published, Recipe};

use crate::cli::RunFolder;
use crate::context::{Run, StageEnd, Work, needs};
use crate::terminal::{Column, Table, Tone, count, result_room, tell};

/// How far a repetition may be off, as fractions: other random numbers move a run by some tenths of a point, and a
/// class of 1,000 images by more.
const LAST_TEST: f64 = 0.004;
const BEST_TRAIN: f64 = 0.006;
const PER_CLASS: f64 = 0.025;

pub fn run(args: &RunFolder) -> Result<StageEnd> {
    let run = args.open()?;
    let d = &run.dir;
    needs(&d.epochs(), "train")?;
    needs(&d.per_class(), "evaluate")?;
    needs(&d.lr_finder_json(), "find-lr")?;
    needs(&d.data(), "prepare")?;
    let inputs =
        [d.recipe_toml(), d.data(), d.epochs(), d.per_class(), d.lr_finder_json()].map(Input::path).to_vec();
    let end = run.stage("claims", inputs, args.when_current(), || {
        claims(&run)?.write(&d.claims())?;
        Ok(Work::Done(vec![d.claims()]))
    })?;
    let claims = Claims::read(&d.claims())?;
    let value = serde_json::to_value(&claims)?;
    tell(|| text(&claims), &[d.claims()], || value)?;
    Ok(end)
}

fn text(claims: &Claims) -> String {
    if claims.claims.is_empty() {
        return "the recipe names no published run to compare with".to_owned();
    }
    let [name, published, measured, within, verdict] = Claims::HEAD;
    let mut table = Table::new([
        Column::left(name),
        Column::right(published),
        Column::right(measured),
        Column::left(within),
        Column::left(verdict),
    ]);
    for claim in &claims.claims {
        let tone = match claim.verdict {
            Verdict::Matches => Some(Tone::Good),
            Verdict::Differs => Some(Tone::Warning),
            Verdict::NotComparable { .. } => None,
        };
        table.toned(claim.cells(), tone);
    }
    format!("{}{}", table.text(result_room()), claims.verdicts())
}

fn claims(run: &Run) -> Result<Claims> {
    let Some(published) = &run.recipe.published else {
        return Ok(Claims { claims: Vec::new() });
    };
    let record = DataRecord::read(&run.dir.data())?;
    let mut claims = summary(&run.recipe, published)?;
    let epochs: Vec<EpochRow> = read_rows(&run.dir.epochs())?;
    let shorter = difference(&run.recipe, &record, published, epochs.len());
    let report: LrFinderReport = read_json(&run.dir.lr_finder_json())?;
    let found = report.suggestions.get("steepest").map(|s| s.lr);
    claims.extend(learning_rates(&run.recipe, published, &epochs, found, shorter.as_deref())?);
    if let Some(suggestion) = published.lr_suggestion {
        claims.push(Claim::not_comparable(
            "learning rate that the range test suggests",
            Kind::Exact,
            suggestion,
            found.map(Value::from),
            "each run of the test lands elsewhere; the recipe pins the published value",
        ));
    }

    let last = epochs.last().map(|e| e.test_accuracy);
    let best_train = epochs.iter().map(|e| e.train_accuracy).reduce(f64::max);
    let classes: Vec<PerClassRow> = read_rows(&run.dir.per_class())?;
    let per_class = classes.iter().map(|c| c.accuracy).collect::<Vec<_>>();
    let accuracies: [(&str, f64, Option<Value>, Option<Value>); 3] = [
        ("test accuracy, last epoch", LAST_TEST, published.last().map(Value::from), last.map(Value::from)),
        (
            "train accuracy, best epoch",
            BEST_TRAIN,
            published.best_train_accuracy.map(Value::from),
            best_train.map(Value::from),
        ),
        (
            "test accuracy of each class",
            PER_CLASS,
            (!published.per_class.is_empty()).then(|| Value::from(published.per_class.clone())),
            Some(Value::from(per_class)),
        ),
    ];
    for (name, tolerance, published, measured) in accuracies {
        let Some(published) = published else { continue };
        let kind = Kind::Within { tolerance };
        let name = format!("{name}{}", computed(run.recipe.train.precision));
        let claim = match (&shorter, measured) {
            (None, Some(measured)) => Claim::judge(name, kind, published, measured),
            (Some(why), measured) => Claim::not_comparable(name, kind, published, measured, why.clone()),
            (None, None) => Claim::not_comparable(name, kind, published, None, "no epoch was run"),
        };
        let is_of_classes = !claim.published.is_single();
        let parts = classes.iter().filter(|_| is_of_classes).map(|class| class.name.clone());
        claims.push(claim.in_percent().of(parts));
    }
    Ok(Claims { claims })
}

fn summary(recipe: &Recipe, published: &Published) -> Result<Vec<Claim>> {
    let Some(told) = &published.summary else { return Ok(Vec::new()) };
    // The published network has CIFAR-10's classes, whatever this run learnt from.
    let ours = recipe.model.architecture.summary(Variant::Cifar10.classes(), told.batch_size)?;
    let printed = |v: f64| (v * 100.0).round() / 100.0;
    let parameters = told
        .parameters
        .map(|told| Claim::judge("parameters", Kind::Exact, told as i64, ours.parameters as i64));
    let rounded = [
        ("multiply-adds, 1e9", told.mult_adds_g, ours.mult_adds as f64 / 1e9),
        ("forward/backward, MB", told.forward_backward_mb, ours.forward_backward_bytes as f64 / 1e6),
        ("parameters, MB", told.parameters_mb, ours.parameter_bytes as f64 / 1e6),
        ("total, MB", told.total_mb, ours.total_bytes() as f64 / 1e6),
    ];
    let rounded = rounded
        .into_iter()
        .filter_map(|(name, told, ours)| Some(Claim::judge(name, Kind::Exact, told?, printed(ours))));
    Ok(parameters.into_iter().chain(rounded).collect())
}

/// The rates of the run itself where it is as long as the published one, else those of its schedule at that length.
fn learning_rates(
    recipe: &Recipe,
    published: &Published,
    rows: &[EpochRow],
    found: Option<f64>,
    shorter: Option<&str>,
) -> Result<Option<Claim>> {
    let (Some(epochs), Some(steps_per_epoch)) = (published.epochs, published.steps_per_epoch) else {
        return Ok(None);
    };
    if published.learning_rates.is_empty() {
        return Ok(None);
    }
    let used = || rows.iter().map(|e| e.lr).collect::<Vec<_>>();
    const USED: &str = "learning rate of each epoch's last step";
    let (name, measured) = if shorter.is_none() {
        (USED, used())
    } else if recipe.schedule.needs_metrics() {
        let (rates, reason) = (published.learning_rates.clone(), "they follow from how its epochs ended");
        return Ok(Some(Claim::not_comparable(USED, Kind::Exact, rates, Some(used().into()), reason)));
    } else {
        let schedule = recipe.schedule(Length { epochs, steps_per_epoch }, found)?;
        let last_step = |epoch: usize| epoch * steps_per_epoch - 1;
        let at_full_length =
            (1..=epochs).map(|e| schedule.at(last_step(e), &[]).learning_rate).collect::<Vec<_>>();
        ("learning rate of each epoch's last step, schedule at published length", at_full_length)
    };
    Ok(Some(Claim::judge(name, Kind::Exact, published.learning_rates.clone(), measured)))
}

/// How, where the published runs computed otherwise.
fn computed(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "",
        Precision::Tf32 => ", computed in tf32",
        Precision::Bf16 => ", computed in bf16",
    }
}

/// Why accuracies cannot be compared, if they cannot.
fn difference(recipe: &Recipe, data: &DataRecord, published: &Published, epochs: usize) -> Option<String> {
    let images = data.train_indices.len();
    let steps = recipe.steps_per_epoch(images);
    if data.name != "cifar10" {
        return Some(format!("learnt from {} data", data.name));
    }
    if !data.holdout_indices.is_empty() {
        return Some(format!("judged by {} held-out images", count(data.holdout_indices.len())));
    }
    if was_changed(recipe, images) {
        return Some("the recipe was changed".to_owned());
    }
    // Where the published run does not tell, or cannot be told in whole epochs, the recipe does.
    let built_in = crate::recipes::named(&recipe.name).ok().map(|recipe| recipe.train.epochs);
    let asked_epochs = published.epochs.or(built_in).unwrap_or(epochs);
    let asked_steps = published.steps_per_epoch.unwrap_or(steps);
    if (epochs, steps) != (asked_epochs, asked_steps) {
        return Some(format!("{epochs} epochs of {steps} steps instead of {asked_epochs} of {asked_steps}"));
    }
    if recipe.data.limit > 0 {
        return Some(format!("learnt from {} images only", count(images)));
    }
    None
}

/// Whether a built-in recipe was changed in what it computes of `images`, besides its length, its seed and its roundings.
fn was_changed(recipe: &Recipe, images: usize) -> bool {
    crate::recipes::named(&recipe.name).is_ok_and(|mut same| {
        (same.seed, same.data) = (recipe.seed, recipe.data.clone());
        same.train.epochs = recipe.train.epochs;
        same.train.precision = recipe.train.precision;
        same.train.convolution = recipe.train.convolution;
        let length = same.length(images);
        same.over(length).identity() != recipe.identity()
    })
}

#[cfg(test)]
mod tests {
    use wick_train::Convolution;

    use super::*;

    #[test]
    fn roundings_length_and_seed_change_no_recipe() {
        let mut recipe = crate::recipes::named("s11").unwrap();
        assert!(!was_changed(&recipe, 50_000));
        recipe.train.precision = Precision::Bf16;
        recipe.train.convolution = Convolution::Direct;
        (recipe.seed, recipe.train.epochs) = (7, 3);
        assert!(!was_changed(&recipe, 50_000));
        recipe.train.batch_size += 1;
        assert!(was_changed(&recipe, 50_000));

        // Its schedule is as long as the run, and the run's recipe says in numbers how long that is.
        let mut shorter = crate::recipes::named("speedrun-muon").unwrap();
        shorter.train.epochs = 3;
        let length = shorter.length(20_000);
        let shorter = shorter.over(length);
        assert!(shorter.to_string().contains("total = 30"), "{shorter}");
        assert!(!was_changed(&shorter, 20_000));
        assert!(was_changed(&shorter, 50_000), "a line that ends before the run does");
    }

    #[test]
    fn what_is_not_published_is_no_claim() {
        let recipe = crate::recipes::named("s8-layernorm-published").unwrap();
        let nothing = Published::default();
        assert_eq!(summary(&recipe, &nothing).unwrap(), []);
        assert_eq!(learning_rates(&recipe, &nothing, &[], None, None).unwrap(), None);
        let claims = summary(&recipe, recipe.published.as_ref().unwrap()).unwrap();
        assert_eq!(claims, [Claim::judge("parameters", Kind::Exact, 11_173_962, 11_173_962)]);
    }

    #[test]
    fn the_recipe_tells_what_the_published_run_does_not() {
        let recipe = crate::recipes::named("speedrun").unwrap();
        let published = recipe.published.clone().unwrap();
        let record = |name: &str, images: u32| DataRecord {
            name: name.to_owned(),
            sha256: String::new(),
            path: None,
            class_names: Vec::new(),
            mean: [0.5; 3],
            std: [0.5; 3],
            train_indices: (0..images).collect(),
            holdout_indices: Vec::new(),
            test_images: 10_000,
        };
        let why = |recipe: &Recipe, data: DataRecord, epochs| difference(recipe, &data, &published, epochs);
        assert_eq!(why(&recipe, record("cifar10", 50_000), 10), None);
        let said = why(&recipe, record("cifar10", 50_000), 9).unwrap();
        assert_eq!(said, "9 epochs of 48 steps instead of 10 of 48");
        assert_eq!(why(&recipe, record("synthetic", 50_000), 10).unwrap(), "learnt from synthetic data");
        let mut other = recipe.clone();
        other.evaluate.views = wick_train::Views::None;
        assert_eq!(why(&other, record("cifar10", 50_000), 10).unwrap(), "the recipe was changed");
        // As many steps, of fewer images.
        let mut fewer = recipe.clone();
        fewer.data.limit = 49_200;
        assert_eq!(why(&fewer, record("cifar10", 49_200), 10).unwrap(), "learnt from 49,200 images only");
    }

    #[test]
    fn bf16_is_said() {
        assert_eq!(computed(Precision::F32), "");
        assert_eq!(computed(Precision::Bf16), ", computed in bf16");
    }
}
