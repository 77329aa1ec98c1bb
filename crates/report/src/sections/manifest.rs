//! How the run came about.

use std::collections::BTreeMap;

use askama::Template;
use wick_runs::{Manifest, STAGES, StageRecord, Status};

use super::missing;
use crate::ReportError;
use crate::format::{count, duration};
use crate::frame::Section;
use crate::read::Run;

/// What makes this page is no part of what is told in it, so that making it again makes the same page.
const THIS: &str = "report";

#[derive(Template)]
#[template(path = "sections/manifest.html")]
struct Told<'a> {
    facts: Vec<(&'static str, String)>,
    stages: Vec<Stage<'a>>,
}

struct Stage<'a> {
    name: &'a str,
    seconds: String,
    read: &'a BTreeMap<String, String>,
    values: &'a BTreeMap<String, String>,
    wrote: &'a BTreeMap<String, String>,
}

pub(crate) fn section(run: &Run) -> Result<Section, ReportError> {
    let (id, title) = ("manifest", "How it came about");
    let Some(manifest) = &run.manifest else {
        return Ok(Section {
            id,
            title,
            lead: String::new(),
            body: missing(&run.dir.manifest(), "prepare")?,
        });
    };
    let body = Told { facts: facts(manifest), stages: stages(manifest) }.render()?;
    Ok(Section { id, title, lead: String::new(), body })
}

fn facts(manifest: &Manifest) -> Vec<(&'static str, String)> {
    let machine = &manifest.machine;
    let mut facts = vec![("command", manifest.command.join(" "))];
    facts.extend(manifest.git_revision.clone().map(|revision| ("git revision", revision)));
    if let Some(data) = &manifest.dataset {
        let (train, test) = (count(data.train as u64), count(data.test as u64));
        facts.push(("data set", format!("{}, {train} training and {test} judging images", data.name)));
        facts.push(("its SHA-256", data.sha256.clone()));
    }
    let versions: Vec<String> = manifest.versions.iter().map(|(name, v)| format!("{name} {v}")).collect();
    facts.push(("versions", versions.join(", ")));
    facts.push(("device", manifest.device.clone()));
    let cores = machine.cores;
    facts.push((
        "machine",
        format!("{}, {cores} cores, {}, {}", machine.cpu, machine.instruction_set.name(), machine.os),
    ));
    facts.push(("threads", manifest.threads.to_string()));
    let status = match &manifest.status {
        Status::Failed { message } => Some(format!("failed: {message}")),
        Status::Interrupted => Some("interrupted".to_owned()),
        // While this page is made the run is at work.
        Status::Running | Status::Finished => None,
    };
    facts.extend(status.map(|status| ("status", status)));
    facts.push(("started", manifest.started.to_string()));
    facts
}

fn stages(manifest: &Manifest) -> Vec<Stage<'_>> {
    // In their order; others follow by name.
    let place = |name: &str| STAGES.iter().position(|known| *known == name).unwrap_or(STAGES.len());
    let stage = |(name, record): (&'_ String, &'_ StageRecord)| (place(name), name.clone(), record.seconds);
    let mut order: Vec<_> = manifest.stages.iter().filter(|(name, _)| *name != THIS).map(stage).collect();
    order.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let told = order.into_iter().filter_map(|(_, name, seconds)| {
        let (name, record) = manifest.stages.get_key_value(&name)?;
        let (read, values, wrote) = (&record.inputs, &record.values, &record.outputs);
        Some(Stage { name, seconds: duration(seconds), read, values, wrote })
    });
    told.collect()
}
