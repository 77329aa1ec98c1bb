//! Graphs cut in two.

use super::{Case, distance, executor, reference};
use crate::{BatchNorm, Bias, Conv2d, Graph, GraphError, Shape};
use wick_kernels::Precision;

fn message<T>(result: Result<T, GraphError>) -> String {
    result.err().unwrap().to_string()
}

/// The parameters of a part of a graph, by name.
fn of_part<'a>(case: &'a Case, part: &Graph) -> Vec<&'a [f32]> {
    let all = || case.graph.parameters().iter().zip(&case.parameters);
    let of = |p: &crate::Parameter| all().find(|(q, _)| *q == p).unwrap().1.as_slice();
    part.parameters().iter().map(of).collect()
}

/// To 1e-5: both are f32, and differ from the whole only where one writes what the other passes on.
#[test]
fn two_halves_are_the_whole() {
    for case in Case::all() {
        let want = case.expected(reference::Mode::Evaluate).logits;
        for layer in case.graph.layers() {
            let (until, behind) = (case.graph.until(layer).unwrap(), case.graph.behind(layer).unwrap());
            let map = executor(&until, Precision::F32)
                .last_map(&of_part(&case, &until), &case.images)
                .unwrap_or_else(|e| panic!("{}, {layer}: {e}", case.name));
            let mut rest = executor(&behind, Precision::F32);
            let logits = rest.logits(&of_part(&case, &behind), &map).unwrap();
            let error = distance(logits, &want, 0.0);
            assert!(error < 1e-5, "{}, {layer}: {error:e}", case.name);
        }
    }
}

#[test]
fn each_half_has_its_layers_and_parameters() {
    let case = Case::all().remove(0);
    assert_eq!(case.graph.layers().collect::<Vec<_>>(), ["a", "b", "c"]);
    let (until, behind) = (case.graph.until("b").unwrap(), case.graph.behind("b").unwrap());
    assert_eq!(until.layers().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(behind.layers().collect::<Vec<_>>(), ["c"]);
    assert_eq!(until.features_of(), [7, 5, 4]);
    assert_eq!(behind.shape(behind.input()), Some(Shape::Map([7, 5, 4])));
    assert_eq!((until.classes(), behind.classes()), (4, 3));
    // In order, and each in one of them.
    assert_eq!([until.parameters(), behind.parameters()].concat(), case.graph.parameters());
    assert!(behind.parameters()[0].name.starts_with("c."));
    let flops = |graph: &Graph| graph.convs().iter().map(|conv| conv.flops()).sum::<f64>();
    assert_eq!(flops(&until) + flops(&behind), flops(&case.graph));
    // A half can be cut again.
    assert_eq!(until.until("a").unwrap().parameters(), case.graph.until("a").unwrap().parameters());
    assert_eq!(until.behind("a").unwrap().features_of(), [7, 5, 4]);
}

#[test]
fn what_cannot_be_cut_is_named() {
    let conv = Conv2d { out_channels: 3, ..Conv2d::default() };
    let mut g = Graph::new([4, 4, 3]);
    let x = g.conv2d(g.input(), "first", conv).unwrap();
    g.mark(x, "trunk").unwrap();
    assert!(message(g.mark(x, "trunk")).contains("two layers named `trunk`"));
    let y = g.conv2d(x, "second", conv).unwrap();
    g.mark(y, "branch").unwrap();
    let y = g.batch_norm(y, "bn", BatchNorm::default()).unwrap();
    let sum = g.add(y, x).unwrap();
    let x = g.global_avg_pool2d(sum).unwrap();
    assert!(message(g.mark(x, "features")).contains("features reads a map"));
    g.linear(x, "linear", 2, Bias::None).unwrap();
    assert!(g.behind("trunk").is_ok() && g.until("branch").is_ok());
    let said = message(g.behind("branch"));
    assert!(said.contains("behind branch: bn") && said.contains("also reads first"), "{said}");
    let said = message(g.until("layer9"));
    assert!(said.contains("`layer9`") && said.contains("trunk, branch"), "{said}");
    assert!(message(g.behind("layer9")).contains("trunk, branch"));
}
