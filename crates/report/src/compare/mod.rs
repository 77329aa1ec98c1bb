//! The page of several runs beside each other.

mod classes;
mod curves;
mod galleries;
mod keys;
mod table;

use std::collections::BTreeSet;

use askama::Template;
use wick_runs::RunDir;

use crate::ReportError;
use crate::frame::{Section, frame};
use crate::read::Run;

#[derive(Template)]
#[template(path = "compare/header.html")]
struct Header<'a> {
    names: &'a [Named],
}

/// Colours of lines.
const COLOURS: usize = 8;

/// Strokes of one colour, and with them the runs that are told apart.
const DASHES: usize = 4;
const STROKES: usize = COLOURS * DASHES;

/// A run as the page calls it.
struct Named {
    run: Run,
    /// Told apart from the others: its recipe and its seed, or its folder where those are another's too.
    name: String,
    /// How the style sheet knows it.
    class: String,
}

#[derive(Template)]
#[template(path = "compare/heading.html")]
struct Heading<'a> {
    named: &'a Named,
}

impl Named {
    /// Its name as the heading of a part of a section.
    fn heading(&self) -> Result<String, ReportError> {
        Ok(Heading { named: self }.render()?)
    }
}

/// What a run was judged by: the data set's hash, how many images, and what they are called.
fn judged_by(named: &Named) -> (Option<(&str, usize)>, &'static str) {
    let set = named.run.manifest.as_ref().and_then(|manifest| manifest.dataset.as_ref());
    (set.map(|set| (set.sha256.as_str(), set.test)), named.run.judge())
}

/// What the accuracy of all runs is called.
fn judge(runs: &[Named]) -> &'static str {
    let first = runs.first().map_or("test", |run| run.run.judge());
    if runs.iter().all(|run| run.run.judge() == first) { first } else { "test or hold-out" }
}

/// The page of two runs or more beside each other, the first being what the others are compared with.
///
/// # Errors
/// [`ReportError::TooFewRuns`], [`ReportError::SameRun`], and as [`page`](crate::page).
pub fn comparison(runs: &[RunDir]) -> Result<String, ReportError> {
    if runs.len() < 2 {
        return Err(ReportError::TooFewRuns(runs.len()));
    }
    let mut seen = BTreeSet::new();
    for run in runs {
        let place = run.path().canonicalize().unwrap_or_else(|_| run.path().to_owned());
        if !seen.insert(place) {
            return Err(ReportError::SameRun(run.path().to_owned()));
        }
    }
    let runs = named(runs.iter().map(Run::read).collect::<Result<_, _>>()?);
    let sections: Vec<Section> = [
        table::results,
        curves::section,
        classes::section,
        galleries::section,
        table::claims,
        keys::section,
        table::runs,
    ]
    .into_iter()
    .map(|section: fn(&[Named]) -> Result<Section, ReportError>| section(&runs))
    .collect::<Result<_, _>>()?;
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    let header = Header { names: &runs }.render()?;
    frame(&format!("{}: comparison", names.join(", ")), &header, &sections)
}

fn named(runs: Vec<Run>) -> Vec<Named> {
    let short = |run: &Run| match run.value("seed") {
        Some(seed) => format!("{}, seed {seed}", run.name()),
        None => run.name(),
    };
    let names: Vec<String> = runs.iter().map(short).collect();
    let is_shared = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    let name = |run: &Run, name: &String| {
        if is_shared(name) { format!("{name}, {}", run.folder()) } else { name.clone() }
    };
    let full: Vec<String> = runs.iter().zip(&names).map(|(run, short)| name(run, short)).collect();
    let named = runs.into_iter().zip(full).enumerate();
    named.map(|(i, (run, name))| Named { run, name, class: class(i) }).collect()
}

/// A colour each; where those come again, with another stroke.
fn class(i: usize) -> String {
    let (colour, again) = (i % COLOURS, i / COLOURS);
    if again == 0 { format!("s{colour}") } else { format!("s{colour} d{}", (colour + again) % DASHES) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The style sheet gives colour `s0` the stroke `d0`, `s5` the stroke `d1`, …
    #[test]
    fn no_two_runs_look_alike() {
        let look = |i: usize| match class(i).split_once(" d") {
            Some((colour, dash)) => (colour.to_owned(), dash.parse().unwrap()),
            None => (class(i), i % DASHES),
        };
        assert_eq!([0, 5, 8, 11].map(class), ["s0", "s5", "s0 d1", "s3 d0"]);
        let all: BTreeSet<(String, usize)> = (0..STROKES).map(look).collect();
        assert_eq!(all.len(), STROKES);
    }
}
