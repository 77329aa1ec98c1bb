//! The images that each run gets wrong, beside what the other runs say of them.

use std::collections::BTreeMap;

use wick_runs::PredictionRow;

use super::table::{Cell, Row, Table};
use super::{Named, judged_by};
use crate::ReportError;
use crate::format::{class_name, count, percent1};
use crate::frame::Section;
use crate::sections::{Answer, Card, Gallery, Others, card, missing};

/// Images shown of a run at most.
const MOST: usize = 20;

/// What a run says of each image, by its index.
type Answers<'a> = BTreeMap<usize, &'a PredictionRow>;

pub(super) fn section(runs: &[Named]) -> Result<Section, ReportError> {
    let answers: Vec<Answers<'_>> = runs.iter().map(answers).collect();
    let mut body = counts(runs, &answers)?;
    for i in 0..runs.len() {
        body += &gallery(runs, &answers, i)?;
    }
    let lead = "What each run gets wrong; images that another run gets right come first.".to_owned();
    Ok(Section { id: "misclassified", title: "Misclassified", lead, body })
}

fn answers(run: &Named) -> Answers<'_> {
    let rows = run.run.predictions.iter().flat_map(|predictions| &predictions.rows);
    rows.map(|row| (row.index, row)).collect()
}

/// What `other` says of the image of `row`, where both runs were judged by the same.
fn answer<'a>(answers: &Answers<'a>, row: &PredictionRow) -> Option<&'a PredictionRow> {
    answers.get(&row.index).copied().filter(|other| other.truth == row.truth)
}

/// How many images each run gets wrong, and on how many it and the first disagree.
fn counts(runs: &[Named], answers: &[Answers<'_>]) -> Result<String, ReportError> {
    let [first, ..] = answers else { return Ok(String::new()) };
    let told = |n: Option<usize>| Cell::plain(n.map_or("–".to_owned(), |n| count(n as u64)));
    let wrong = |answers: &Answers<'_>| {
        (!answers.is_empty()).then(|| answers.values().filter(|row| !row.is_right()).count())
    };
    // Both have to be known, and of the same images.
    let beside_first = |i: usize, is_counted: fn(&PredictionRow, &PredictionRow) -> bool| {
        let is_comparable = i > 0 && judged_by(&runs[i]) == judged_by(&runs[0]);
        let comparable =
            answers.get(i).filter(|own| is_comparable && !own.is_empty() && !first.is_empty())?;
        let pairs = comparable.values().filter_map(|row| Some((row, answer(first, row)?)));
        Some(pairs.filter(|(own, first)| is_counted(own, first)).count())
    };
    let row = |name: String, cells: Vec<Cell>| Row { name, cells };
    let name = &runs[0].name;
    let of = |is_counted| (0..runs.len()).map(|i| told(beside_first(i, is_counted))).collect();
    let rows = vec![
        row("images that it gets wrong".to_owned(), answers.iter().map(|own| told(wrong(own))).collect()),
        row(format!("wrong, where {name} is right"), of(|own, first| !own.is_right() && first.is_right())),
        row(format!("right, where {name} is wrong"), of(|own, first| own.is_right() && !first.is_right())),
    ];
    Table { label: "Images that are judged wrongly", runs, corner: "", rows }.html()
}

/// The mistakes of the run at `place`, under its name.
fn gallery(runs: &[Named], answers: &[Answers<'_>], place: usize) -> Result<String, ReportError> {
    let named = &runs[place];
    let heading = named.heading()?;
    let run = &named.run;
    let (Some(galleries), Some(predictions)) = (&run.galleries, &run.predictions) else {
        let (file, stage) = match &run.predictions {
            None => (run.dir.predictions(), "evaluate"),
            Some(_) => (run.dir.gallery(), "misclassified"),
        };
        return Ok(heading + &missing(&file, stage)?);
    };
    let others = |row: &PredictionRow| -> Vec<(usize, &PredictionRow)> {
        let comparable = (0..runs.len()).filter(|&i| i != place && judged_by(&runs[i]) == judged_by(named));
        comparable.filter_map(|i| Some((i, answer(&answers[i], row)?))).collect()
    };
    let mistakes = galleries.misclassified.iter().filter_map(|(index, image)| {
        let row = answers[place].get(&index).copied().filter(|row| !row.is_right())?;
        Some((row, image, others(row)))
    });
    let mut mistakes: Vec<_> = mistakes.collect();
    mistakes.sort_by_key(|(_, _, others)| !others.iter().any(|(_, row)| row.is_right()));
    mistakes.truncate(MOST);
    let names = &predictions.class_names;
    let told = |(i, row): (usize, &PredictionRow)| Answer {
        run: runs[i].name.clone(),
        class: runs[i].class.clone(),
        said: class_name(names, row.predicted),
        confidence: percent1(row.confidence().into()),
        verdict: if row.is_right() { "right" } else { "wrong" },
    };
    // One method is enough beside what is said: the best known, or else the first.
    let known = run.maps.iter().position(|maps| maps.method == "Grad-CAM").unwrap_or(0);
    let maps = run.maps.get(known..=known).unwrap_or_default();
    let mut cards: Vec<Card> = Vec::new();
    for (row, image, others) in mistakes {
        let mut card = card(&format!("run{}", place + 1), row, names, image, maps)?;
        card.others = match &others[..] {
            [] => Others::Unknown,
            others if others.iter().any(|(_, row)| row.is_right()) => Others::Right,
            _ => Others::Wrong,
        };
        card.answers = others.into_iter().map(told).collect();
        cards.push(card);
    }
    Ok(heading + &Gallery::of(&named.name, &cards, maps)?.html()?)
}
