//! The forward passes: one a unit.

use wick_kernels::fused::Activation;

use super::lower::{Lowered, Mode, Unit, UnitKind};
use super::{After, Finish, NormId, Pass, Work, Write};
use crate::graph::{Graph, NormKind};

/// The passes that leave every unit's tensor, then the features.
pub(super) fn passes(graph: &Graph, lowered: &Lowered, mode: Mode) -> Vec<Pass> {
    let mut passes = Vec::new();
    for unit in &lowered.units {
        let wanted = lowered.normalised_by[unit.y].iter().copied().filter(|&n| measured(graph, n, mode));
        push(&mut passes, unit, wanted.collect());
    }
    let layer = "features".to_owned();
    passes.push(Pass { layer, work: Work::Features { x: lowered.features }, write: None });
    passes
}

/// Whether a norm needs to know what it normalises.
fn measured(graph: &Graph, norm: NormId, mode: Mode) -> bool {
    match graph.norms[norm].kind {
        NormKind::Bias => false,
        NormKind::Batch { .. } => mode == Mode::Train,
        NormKind::Group(_) => true,
    }
}

fn push(passes: &mut Vec<Pass>, unit: &Unit, measured: Vec<NormId>) {
    let work = match &unit.kind {
        UnitKind::Images => Work::Images,
        UnitKind::Conv { conv, x } => Work::Conv { conv: *conv, x: *x },
        UnitKind::Pool { pool, x } => Work::Pool { pool: *pool, x: *x },
        UnitKind::Join { terms } => Work::Combine { terms: terms.clone() },
    };
    let mut pass = |work, adds, finish| {
        let write = Some(Write { to: unit.y, adds, finish });
        passes.push(Pass { layer: unit.layer.clone(), work, write });
    };
    let plain = unit.after == After { activation: Activation::None, ..After::default() };
    let statistics = Finish::Statistics(measured.clone());
    match (plain && unit.kind != UnitKind::Images, measured.is_empty()) {
        (true, false) => pass(work, false, statistics),
        (true, true) => pass(work, false, Finish::None),
        (false, has_none) => {
            let finish = if plain { Finish::None } else { Finish::Affine(unit.after) };
            pass(work, false, finish);
            if !has_none {
                // What is there goes through once more, to be measured.
                pass(Work::Combine { terms: vec![] }, true, statistics);
            }
        }
    }
}
