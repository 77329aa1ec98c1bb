//! What maps are maps of, in words: the class, the layer, the weights, and what of it is unlike the rest of the page.

use std::collections::BTreeSet;

use wick_runs::{CamIndexRow, CamSmoothing};

use super::row::{self, place};
use super::weights::Checkpoint;
use super::{Maps, Weights};
use crate::format::class_name;

/// Some methods whose maps were made alike.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// `Grad-CAM and LayerCAM`
    pub methods: String,
    pub parts: Vec<Part>,
}

/// One thing about them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub text: String,
    /// `apart` where a reader would not expect it, else empty.
    pub class: &'static str,
}

impl Part {
    fn usual(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "" }
    }

    fn apart(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "apart" }
    }
}

impl Origin {
    /// Whether there is nothing about them that a reader would not expect.
    pub(crate) fn is_usual(&self) -> bool {
        self.parts.iter().all(|part| part.class.is_empty())
    }
}

/// What the methods' maps are of, those that are alike together. `layer` is the recipe's.
pub(crate) fn origins(maps: &[&Maps], names: &[String], layer: Option<&str>) -> Vec<Origin> {
    let mut alike: Vec<(Vec<&str>, Vec<Part>)> = Vec::new();
    for method in maps.iter().filter(|method| !method.rows.is_empty()) {
        let parts = parts(method, names, layer);
        match alike.iter_mut().find(|(_, others)| *others == parts) {
            Some((methods, _)) => methods.push(&method.method),
            None => alike.push((vec![&method.method], parts)),
        }
    }
    let all = alike.len() == 1 && maps.len() > 3;
    let origin = |(methods, parts): (Vec<&str>, _)| Origin {
        methods: if all { format!("All {} methods", methods.len()) } else { listed(&methods) },
        parts,
    };
    alike.into_iter().map(origin).collect()
}

fn parts(method: &Maps, names: &[String], layer: Option<&str>) -> Vec<Part> {
    let rows: Vec<&CamIndexRow> = method.rows.values().collect();
    let mut parts = vec![target(&rows, names), at(&rows, layer)];
    parts.extend(smoothing(&rows));
    parts.push(weights(method.weights));
    parts
}

fn target(rows: &[&CamIndexRow], names: &[String]) -> Part {
    let name = |class: usize| class_name(names, class);
    if rows.iter().all(|row| row.target.is_none()) {
        return Part::usual("what stands out, whatever the class");
    }
    let is_other = |row: &&&CamIndexRow| row.target != Some(row.predicted) || row.against.is_some();
    let others = rows.iter().filter(is_other).count();
    let targets: BTreeSet<String> = rows.iter().map(|row| row::target(row, &name)).collect();
    match targets.first() {
        _ if others == 0 => Part::usual("what speaks for the predicted class"),
        Some(one) if targets.len() == 1 => Part::apart(format!("what speaks{one}")),
        _ => Part::apart(format!(
            "in {others} of {} maps what speaks for another class than the predicted",
            rows.len()
        )),
    }
}

fn at(rows: &[&CamIndexRow], asked: Option<&str>) -> Part {
    let layers: BTreeSet<&str> = rows.iter().map(|row| row.layer.as_str()).collect();
    let told = layers.iter().map(|layer| place(layer)).collect::<Vec<_>>().join(", ");
    let is_asked = |asked: &str| layers.iter().all(|layer| [asked, CamIndexRow::INPUT].contains(layer));
    match asked.filter(|asked| !is_asked(asked)) {
        Some(asked) => Part::apart(format!("at {told} (the recipe asks for {asked})")),
        None => Part::usual(format!("at {told}")),
    }
}

/// Nothing where there was none.
fn smoothing(rows: &[&CamIndexRow]) -> Option<Part> {
    let ways: BTreeSet<CamSmoothing> = rows.iter().map(|row| row.smoothing).collect();
    let words = |way: &CamSmoothing| match way {
        CamSmoothing::None => "not smoothed",
        CamSmoothing::Augment => "smoothed over altered copies of the image",
        CamSmoothing::Eigen => "smoothed by the first principal component",
        CamSmoothing::AugmentEigen => {
            "smoothed over altered copies of the image and by the first principal component"
        }
    };
    let is_smoothed = ways.iter().any(|way| *way != CamSmoothing::None);
    is_smoothed.then(|| Part::apart(ways.iter().map(words).collect::<Vec<_>>().join(", or ")))
}

/// Of which weights, and how they are apart from those that were evaluated.
pub(crate) fn weights(weights: Weights) -> Part {
    match weights {
        Weights::Evaluated(Checkpoint::Last) => Part::usual(format!("by {}", Checkpoint::Last.words())),
        Weights::Evaluated(best) => Part::apart(format!("by {}, as this page's predictions", best.words())),
        Weights::Other { of, evaluated } => Part::apart(format!(
            "by {}, where this page's predictions are by {}",
            of.words(),
            evaluated.words()
        )),
        Weights::AnotherTime(of) => Part::apart(format!(
            "by {} at another time than this page's predictions: the network was trained on in between",
            of.words()
        )),
        Weights::Unknown => Part::apart("by weights that neither the maps nor the manifest tell"),
    }
}

/// `a, b and c`
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}
