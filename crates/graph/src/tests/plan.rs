//! Which passes a network becomes.

use super::networks;
use crate::plan::{ConvInputs, Finish, Pass, Plan, Read, Work};

/// `conv2d b.conv1: normalised 4 -> 7 (statistics)`.
fn text(pass: &Pass) -> String {
    let read = |read: &Read| match read {
        Read::Plain(x) => format!("{x}"),
        Read::Normalised { x, activation, .. } => format!("{activation:?}({x})").replace("None", "norm"),
        Read::Gradient { g, y, .. } => format!("gradient({g}, {y})"),
        Read::Spread => "spread".into(),
    };
    let (op, reads) = match &pass.work {
        Work::Images => ("images", vec![]),
        Work::Conv { x, .. } => ("conv", vec![read(x)]),
        Work::ConvInputGradient { dy, .. } => ("input gradient", vec![read(dy)]),
        Work::ConvWeightGradient { x, dy, .. } => ("weight gradient", vec![read(x), read(dy)]),
        Work::Pool { x, .. } => ("pool", vec![read(x)]),
        Work::PoolGradient { dy, .. } => ("pool gradient", vec![read(dy)]),
        Work::Combine { terms } => ("combine", terms.iter().map(read).collect()),
        Work::Features { x } => ("features", vec![read(x)]),
    };
    let write = pass.write.as_ref().map_or(String::new(), |write| {
        let finish = match &write.finish {
            Finish::None => String::new(),
            Finish::Statistics(_) => " statistics".into(),
            Finish::Affine(after) => {
                let parts = [
                    after.norm.map(|_| "norm".to_owned()),
                    after.residual.map(|r| format!("plus {r}")),
                    Some(format!("{:?}", after.activation)).filter(|a| a != "None"),
                ];
                format!(" {}", parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
            }
            Finish::Gradient(point) => {
                format!(" gate with {:?}", point.norms.iter().map(|n| n.1).collect::<Vec<_>>())
            }
        };
        format!(" {} {}{finish}", if write.adds { "+>" } else { "->" }, write.to)
    });
    format!("{op} {}{write}", reads.join(", ")).replace("  ", " ")
}

fn lines(passes: &[Pass]) -> Vec<String> {
    passes.iter().map(text).collect()
}

fn training(graph: &crate::Graph) -> Plan {
    Plan::training(graph, ConvInputs::OnTheFly).unwrap()
}

fn evaluation(graph: &crate::Graph) -> Plan {
    Plan::evaluation(graph, ConvInputs::OnTheFly).unwrap()
}

fn graph(name: &str) -> crate::Graph {
    networks::all().into_iter().find(|(n, _)| *n == name).unwrap().1
}

#[test]
fn residual_blocks_are_their_convolutions_and_one_sum() {
    let plan = training(&graph("resnet"));
    let forward = [
        "images -> 0",
        "conv 0 -> 1 statistics",
        "combine Relu(1) -> 2",
        "conv 2 -> 3 statistics",
        "conv Relu(3) -> 4 statistics",
        "combine norm(4), 2 -> 5 Relu",
        "conv 5 -> 6 statistics",
        "conv Relu(6) -> 7 statistics",
        "combine norm(7), 5 -> 8 Relu",
        "conv 8 -> 9 statistics",
        "conv Relu(9) -> 10 statistics",
        "conv 8 -> 11 statistics",
        "combine norm(10), norm(11) -> 12 Relu",
        "features 12",
    ];
    assert_eq!(lines(&plan.forward), forward);
    let backward = [
        // The gradient of the sum, with what both of its norms need.
        "combine spread -> 13 gate with [10, 11]",
        // The cheaper of two readers first; the other one adds, and finishes.
        "weight gradient 8, gradient(13, 11)",
        "input gradient gradient(13, 11) -> 14",
        "weight gradient Relu(9), gradient(13, 10)",
        "input gradient gradient(13, 10) -> 15 gate with [9]",
        "weight gradient 8, gradient(15, 9)",
        "input gradient gradient(15, 9) +> 14 gate with [7]",
        // The residual's gradient is that of the sum, in the same memory, to which the block adds its own.
        "weight gradient Relu(6), gradient(14, 7)",
        "input gradient gradient(14, 7) -> 16 gate with [6]",
        "weight gradient 5, gradient(16, 6)",
        "input gradient gradient(16, 6) +> 14 gate with [4]",
        "weight gradient Relu(3), gradient(14, 4)",
        "input gradient gradient(14, 4) -> 17 gate with [3]",
        "weight gradient 2, gradient(17, 3)",
        "input gradient gradient(17, 3) +> 14 gate with [1]",
        "weight gradient 0, gradient(14, 1)",
    ];
    assert_eq!(lines(&plan.backward), backward);
}

/// Where convolutions cannot normalise, each activation is a pass and a tensor of its own; the sums and gates stay where they
/// were, at the tensor before it.
#[test]
fn inputs_of_convolutions_may_be_written() {
    let plan = Plan::training(&graph("resnet"), ConvInputs::Written).unwrap();
    let forward = lines(&plan.forward);
    assert_eq!(forward[3..6], ["conv 2 -> 3 statistics", "combine Relu(3) -> 4", "conv 4 -> 5 statistics"]);
    for pass in plan.forward.iter().chain(&plan.backward) {
        match &pass.work {
            Work::Conv { x, .. } | Work::ConvWeightGradient { x, .. } => {
                assert!(matches!(x, Read::Plain(_)), "{}", text(pass));
            }
            _ => {}
        }
    }
    assert!(lines(&plan.backward).contains(&"input gradient gradient(17, 5) -> 20 gate with [3]".to_owned()));
}

#[test]
fn evaluation_normalises_what_convolutions_leave() {
    let passes = [
        "images -> 0",
        "conv 0 -> 1 norm Relu",
        "conv 1 -> 2 norm Relu",
        "conv 2 -> 3 norm plus 1 Relu",
        "conv 3 -> 4 norm Relu",
        "conv 4 -> 5 norm plus 3 Relu",
        "conv 5 -> 6 norm Relu",
        "conv 6 -> 7 norm",
        "conv 5 -> 8 norm plus 7 Relu",
        "features 8",
    ];
    assert_eq!(lines(&evaluation(&graph("resnet")).forward), passes);
    // Without running statistics it is what training does.
    let graph = graph("resnet with layer norm");
    let (training, evaluation) = (training(&graph), evaluation(&graph));
    assert_eq!(training.forward, evaluation.forward);
}

#[test]
fn pools_measure_and_gelu_is_written_before_a_convolution() {
    let plan = training(&graph("speedrun"));
    let forward = [
        "images -> 0",
        "conv 0 -> 1",
        "combine Gelu(1) -> 2",
        "conv 2 -> 3",
        "pool 3 -> 4 statistics",
        "combine Gelu(4) -> 5",
        "conv 5 -> 6 statistics",
        "combine Gelu(6) -> 7",
    ];
    assert_eq!(lines(&plan.forward)[..forward.len()], forward);
    // The frozen convolution has a bias to train, and no more.
    assert_eq!(lines(&plan.backward).last().unwrap(), "input gradient 18 -> 19 gate with [1]");
}

#[test]
fn branches_that_are_activated_each_have_a_gradient() {
    let plan = training(&graph("custom"));
    assert!(lines(&plan.forward).contains(&"combine 4, Relu(6) -> 7".to_owned()));
    let backward = lines(&plan.backward);
    let at = backward.iter().position(|line| line == "combine 13 -> 14 gate with [6]").unwrap();
    assert_eq!(backward[at + 4], "input gradient gradient(15, 5) +> 13 gate with [3]");
}

/// No tensor's memory is written while another one's, that is there, is still to be read.
#[test]
fn tensors_that_live_at_the_same_time_do_not_overlap() {
    for (name, graph) in networks::all() {
        type Make = fn(&crate::Graph, ConvInputs) -> Result<Plan, crate::GraphError>;
        let written = |plan: Make| plan(&graph, ConvInputs::Written).unwrap();
        let plans =
            [training(&graph), evaluation(&graph), written(Plan::training), written(Plan::evaluation)];
        for plan in plans {
            let passes: Vec<&Pass> = plan.forward.iter().chain(&plan.backward).collect();
            let place = |buf: usize| plan.offsets[buf]..plan.offsets[buf] + plan.sizes[buf].len();
            // Which tensor's value each place holds.
            let mut holds: Vec<Option<usize>> = vec![None; plan.total];
            for pass in passes {
                for buf in pass.reads() {
                    assert!(holds[place(buf)].iter().all(|h| *h == Some(buf)), "{name}: {}", text(pass));
                }
                if let Some(write) = &pass.write {
                    let there = holds[place(write.to)].iter().all(|h| *h == Some(write.to));
                    assert!(there || !write.adds, "{name}: {}", text(pass));
                    assert!(!pass.reads().contains(&write.to), "{name}: {}", text(pass));
                    holds[place(write.to)].fill(Some(write.to));
                }
            }
        }
    }
}
