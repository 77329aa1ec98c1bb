//! What needs no device: the steps of networks, and that their kernels compile.

use std::collections::{BTreeSet, HashSet};

use wick_graph::Graph;
use wick_graph::plan::{ConvInputs, NormKind, Plan, Read, Work};

use super::build::{passes, program};
use super::elementwise::make;
use super::pass::{Ending, Source};
use super::place::Place;
use super::script::{Purpose, Step, steps};
use super::threads::Threads;
use super::{HEAD, NORM, NUMBERS};
use crate::cudnn::Direction;
use crate::device::{check_compiler, compile};
use crate::training::{Elsewhere, Filters, Momentum, Muon, Rule};

#[path = "../../tests/graphs/mod.rs"]
mod graphs;

use graphs::all;

/// What a graph is computed by, and for what.
fn plans(graph: &Graph) -> [(Plan, Purpose); 3] {
    let inputs = ConvInputs::Written;
    [
        (Plan::training(graph, inputs).unwrap(), Purpose::Train),
        (Plan::evaluation(graph, inputs).unwrap(), Purpose::Evaluate),
        (Plan::input_gradient(graph, inputs).unwrap(), Purpose::Differentiate),
    ]
}

/// Whole graphs, and what is before and behind each of their layers.
fn parts() -> Vec<(String, Graph)> {
    let mut parts = Vec::new();
    for (name, graph) in all() {
        for layer in graph.layers() {
            parts.push((format!("{name} until {layer}"), graph.until(layer).unwrap()));
            parts.push((format!("{name} behind {layer}"), graph.behind(layer).unwrap()));
        }
        parts.push((name.to_owned(), graph));
    }
    parts
}

#[test]
fn every_kernel_compiles() {
    if check_compiler().is_err() {
        return;
    }
    compile(&[NUMBERS, NORM, HEAD].concat(), "sm_80").unwrap();
    let elsewhere = Elsewhere { learning_rate: 1.0, momentum: Momentum::None, coefficient: 0.0 };
    let muon = Muon { momentum: Momentum::Nesterov, steps: 5, filters: Filters::Free, elsewhere };
    for rule in [Rule::Sgd { momentum: Momentum::None, dampening: 0.0 }, Rule::Muon(muon)] {
        for architecture in ["sm_80", "sm_90"] {
            compile(&crate::training::program(&rule), architecture).unwrap();
        }
    }
    for element in ["float", "bf16"] {
        let mut texts = BTreeSet::new();
        for (_, graph) in parts() {
            for (plan, purpose) in plans(&graph) {
                let steps = steps(&graph, &plan, purpose);
                texts.extend(passes(&steps).map(|pass| make(&graph, pass, element).text));
            }
        }
        let text = program(&texts.iter().collect::<Vec<_>>(), element);
        compile(&text, "sm_90").unwrap_or_else(|e| panic!("{element}: {e}\n{text}"));
    }
}

/// Every pixel and channel is some thread's, and no two threads'.
#[test]
fn threads_cover_a_map() {
    for pixels in [1, 9, 16, 49, 961, 1024] {
        for channels in [1, 3, 5, 17, 24, 64, 512, 2048, 3000] {
            let t = Threads::of(pixels, channels);
            let mut times = vec![0; pixels * channels];
            t.each(pixels, channels, |pixel, channel| times[pixel * channels + channel] += 1);
            assert!(times.iter().all(|n| *n == 1), "{pixels} pixels, {channels} channels: {t:?}");
        }
    }
}

/// `conv Forward 2 -> 3`.
fn text(step: &Step) -> String {
    match step {
        Step::Know(norm) => format!("know {norm}"),
        Step::Pass(pass) => format!("{} -> {:?}", pass.label(), pass.to),
        Step::Convolution { direction, x, y, .. } => format!("conv {direction:?} {x:?} {y:?}"),
        Step::Features { .. } => "features".into(),
        Step::Head => "head".into(),
        Step::Measure { norm, .. } => format!("measure {norm}"),
        Step::Differentiate { norm, slot, .. } => format!("differentiate {norm} by {slot}"),
    }
}

#[test]
fn a_residual_block_is_convolutions_with_a_pass_between() {
    let (_, graph) = all().into_iter().find(|(name, _)| *name == "resnet").unwrap();
    let plan = Plan::training(&graph, ConvInputs::Written).unwrap();
    let steps = steps(&graph, &plan, Purpose::Train);
    let lines: Vec<String> = steps.iter().map(text).collect();
    let forward = [
        "pass 35x3 images -> Some(Tensor(0))",
        "conv Forward Tensor(0) Tensor(1)",
        // Only measured: nothing is written.
        "pass 35x4 plain, statistics -> None",
        "measure 0",
        "pass 35x4 normalised -> Some(Tensor(2))",
        "conv Forward Tensor(2) Tensor(3)",
    ];
    assert_eq!(lines[..forward.len()], forward);
    let head = lines.iter().position(|line| line == "head").unwrap();
    let backward = [
        // The gradient of the last sum, and what its two norms need of it.
        "pass 12x6 spread, gate -> Some(Tensor(16))",
        "differentiate 6 by 1",
        "differentiate 7 by 2",
        // Written out once, for both gradients of the convolution.
        "pass 12x6 gradient -> Some(Dy)",
        "conv Weight Tensor(10) Dy",
        "conv Input Tensor(17) Dy",
    ];
    assert_eq!(lines[head + 1..][..backward.len()], backward, "{lines:#?}");
    // What is added to another gradient is computed beside it first.
    assert!(lines.contains(&"conv Input Dx Dy".to_owned()));
}

/// What a layer leaves is in memory as it is, once what is before it is done.
#[test]
fn maps_of_layers_are_left() {
    for (name, graph) in all() {
        for layer in graph.layers() {
            let plan = Plan::evaluation(&graph.until(layer).unwrap(), ConvInputs::Written).unwrap();
            let last = plan.forward.last().map(|pass| &pass.work);
            assert!(matches!(last, Some(Work::Features { x: Read::Plain(_) })), "{name}, {layer}: {last:?}");
        }
    }
}

/// Factors of every norm that a gradient goes through are known: from running statistics, or from sums of gradients.
#[test]
fn gradients_of_images_need_no_statistics_of_the_batch() {
    for (name, graph) in parts() {
        let plan = Plan::input_gradient(&graph, ConvInputs::Written).unwrap();
        let mut known = HashSet::new();
        for step in steps(&graph, &plan, Purpose::Differentiate) {
            let is_group = |norm: usize| matches!(graph.norms()[norm].kind, NormKind::Group(_));
            match step {
                Step::Know(norm) => {
                    known.insert(norm);
                }
                Step::Measure { norm, .. } | Step::Differentiate { norm, .. } => {
                    assert!(is_group(norm), "{name}: {norm}");
                    known.insert(norm);
                }
                Step::Convolution { direction, .. } => {
                    assert!(direction != Direction::Weight, "{name}");
                }
                Step::Pass(pass) => {
                    let needs = |source: &Source| match source {
                        Source::Gradient { norm, .. } => Some(*norm),
                        _ => None,
                    };
                    let all = pass.sources.iter().filter_map(needs).all(|norm| known.contains(&norm));
                    assert!(all, "{name}: {}", pass.label());
                }
                Step::Features { .. } | Step::Head => {}
            }
        }
    }
}

fn reads(source: &Source, places: &mut Vec<Place>) {
    match source {
        Source::Plain(place) | Source::Normalised { x: place, .. } => places.push(*place),
        Source::Gradient { g, y, .. } => places.extend([*g, *y]),
        Source::Pool { x, .. } => reads(x, places),
        Source::PoolGradient { dy, .. } => reads(dy, places),
        Source::Spread | Source::Images => {}
    }
}

/// No step reads what no step before it has written, and what is asked for at the end is there.
#[test]
fn what_is_read_was_written() {
    for (name, graph) in parts() {
        for (plan, purpose) in plans(&graph) {
            let mut there: HashSet<Place> = HashSet::new();
            for step in steps(&graph, &plan, purpose) {
                let (mut wanted, written) = (
                    Vec::new(),
                    match &step {
                        Step::Pass(pass) => pass.to,
                        Step::Convolution { direction: Direction::Forward, y, .. } => Some(*y),
                        Step::Convolution { direction: Direction::Input, x, .. } => Some(*x),
                        _ => None,
                    },
                );
                match &step {
                    Step::Pass(pass) => {
                        pass.sources.iter().for_each(|source| reads(source, &mut wanted));
                        match &pass.ending {
                            Ending::Affine { residual, .. } => wanted.extend(*residual),
                            Ending::Gradient { with, .. } => wanted.extend(with),
                            Ending::Nothing | Ending::Statistics | Ending::Sum => {}
                        }
                    }
                    Step::Convolution { direction: Direction::Forward, x, .. } => wanted.push(*x),
                    Step::Convolution { direction: Direction::Input, y, .. } => wanted.push(*y),
                    Step::Convolution { direction: Direction::Weight, x, y, .. } => wanted.extend([*x, *y]),
                    _ => {}
                }
                assert!(wanted.iter().all(|place| there.contains(place)), "{name}: {}", text(&step));
                there.extend(written);
            }
            assert_eq!(plan.of_input.is_some(), purpose == Purpose::Differentiate);
            assert!(plan.of_input.is_none_or(|buf| there.contains(&Place::Tensor(buf))), "{name}");
        }
    }
}
