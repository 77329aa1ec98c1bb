//! What the page is about: recipe, network, data, device, seed.

use askama::Template;
use wick_runs::Status;

use crate::ReportError;
use crate::format::count;
use crate::read::Run;

#[derive(Template)]
#[template(path = "header.html")]
struct Header {
    name: String,
    description: String,
    facts: Vec<(&'static str, String)>,
    /// What to know of a run that did not end well.
    warning: Option<String>,
}

/// The page's title in the browser.
pub(crate) fn title(run: &Run) -> String {
    match run.value("seed") {
        Some(seed) => format!("{}, seed {seed}: report", run.name()),
        None => format!("{}: report", run.name()),
    }
}

/// The head of the page.
pub(crate) fn header(run: &Run) -> Result<String, ReportError> {
    let header = Header {
        name: run.name(),
        description: run.value("description").unwrap_or_default(),
        facts: facts(run),
        warning: warning(run),
    };
    Ok(header.render()?)
}

/// What a run was made with, as far as it is known.
pub(crate) fn facts(run: &Run) -> Vec<(&'static str, String)> {
    let manifest = run.manifest.as_ref();
    let mut facts = Vec::new();
    let mut push = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    push("network", run.value("model.architecture"));
    push("data", data(run));
    push("device", manifest.map(|m| format!("{} ({})", m.device, m.machine.cpu)));
    push("precision", run.value("train.precision"));
    push("seed", run.value("seed"));
    push("epochs", epochs(run));
    push("started", manifest.map(|m| m.started.strftime("%Y-%m-%d %H:%M UTC").to_string()));
    push("run", Some(run.folder()));
    facts
}

fn data(run: &Run) -> Option<String> {
    let Some(data) = run.manifest.as_ref().and_then(|m| m.dataset.as_ref()) else {
        return run.value("data.dataset");
    };
    let judge = run.judge();
    let (train, test) = (count(data.train as u64), count(data.test as u64));
    Some(format!("{}: {train} training, {test} {judge} images", data.name))
}

/// Those it went through, of those it was to.
fn epochs(run: &Run) -> Option<String> {
    let done = run.epochs.as_ref().map(Vec::len);
    match (done, run.value("train.epochs")) {
        (Some(done), Some(all)) if done.to_string() == all => Some(all),
        (Some(done), Some(all)) => Some(format!("{done} of {all}")),
        (Some(done), None) => Some(done.to_string()),
        (None, all) => all,
    }
}

/// Whether all the recipe's epochs are done.
fn is_trained(run: &Run) -> bool {
    let wanted = run.value("train.epochs").and_then(|epochs| epochs.parse().ok());
    let done = run.epochs.as_ref().and_then(|rows| rows.last()).map(|row| row.epoch);
    wanted.zip(done).is_some_and(|(wanted, done): (u64, u64)| done >= wanted)
}

fn warning(run: &Run) -> Option<String> {
    match &run.manifest.as_ref()?.status {
        Status::Failed { message } => Some(format!("A stage of this run failed: {message}")),
        Status::Interrupted if is_trained(run) => Some("A stage of this run was interrupted.".to_owned()),
        Status::Interrupted => Some("This run was interrupted and can be resumed.".to_owned()),
        Status::Running | Status::Finished => None,
    }
}
