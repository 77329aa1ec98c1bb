//! What can be built and run, and what is said of what cannot.

use crate::{
    Batch, BatchNorm, BatchStatistics, Bias, Conv2d, Executor, GhostBatchNorm, Graph, GraphError, GroupNorm,
    Options, Role, Shape, StepOptions,
};

fn message<T>(result: Result<T, GraphError>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn shapes_and_parameters_are_those_of_the_layers() {
    let mut g = Graph::new([9, 8, 3]);
    let options = Conv2d { out_channels: 6, stride: 2, bias: Bias::Learnt, ..Conv2d::default() };
    let x = g.conv2d(g.input(), "conv", options).unwrap();
    assert_eq!(g.shape(x), Some(Shape::Map([5, 4, 6])));
    let x = g.batch_norm(x, "bn", BatchNorm::default()).unwrap();
    let x = g.group_norm(x, "gn", GroupNorm { groups: 2, eps: 1e-5 }).unwrap();
    let x = g.max_pool2d(x, 3, 1).unwrap();
    assert_eq!(g.shape(x), Some(Shape::Map([3, 2, 6])));
    let x = g.global_avg_pool2d(x).unwrap();
    let x = g.linear(x, "fc", 4, Bias::None).unwrap();
    assert_eq!((g.shape(x), g.classes()), (Some(Shape::Features(4)), 4));
    g.freeze("conv.weight").unwrap();
    let listed: Vec<_> = g.parameters().iter().map(|p| (p.name.as_str(), p.shape.clone(), p.role)).collect();
    let expected = [
        ("conv.weight", vec![3, 3, 3, 6], Role::Frozen),
        ("conv.bias", vec![6], Role::Trainable),
        ("bn.weight", vec![6], Role::Trainable),
        ("bn.bias", vec![6], Role::Trainable),
        ("bn.running_mean", vec![6], Role::RunningMean),
        ("bn.running_var", vec![6], Role::RunningVariance),
        ("gn.weight", vec![6], Role::Trainable),
        ("gn.bias", vec![6], Role::Trainable),
        ("fc.weight", vec![4, 6], Role::Trainable),
    ];
    assert_eq!(listed, expected);
    assert_eq!(g.flops(), 2.0 * (5 * 4 * 9 * 3 * 6 + 6 * 4) as f64);
}

#[test]
fn what_does_not_fit_is_refused_where_it_is_written() {
    let mut g = Graph::new([4, 4, 3]);
    let x = g.input();
    let conv = |out_channels| Conv2d { out_channels, ..Conv2d::default() };
    let a = g.conv2d(x, "a", conv(2)).unwrap();
    let b = g.conv2d(x, "b", conv(4)).unwrap();
    let text = message(g.add(a, b));
    assert!(text.contains("(4, 4, 2)") && text.contains("(4, 4, 4)"), "{text}");
    let text = message(g.conv2d(x, "a", conv(2)));
    assert!(text.contains("a.weight"), "{text}");
    let text = message(g.conv2d(x, "huge", Conv2d { kernel: 9, ..conv(2) }));
    assert!(text.contains("huge") && text.contains("[9, 9]"), "{text}");
    let text = message(g.linear(a, "fc", 2, Bias::None));
    assert!(text.contains("fc") && text.contains("features"), "{text}");
    let text = message(g.flatten(a));
    assert!(text.contains("one pixel"), "{text}");
    let text = message(g.group_norm(b, "gn", GroupNorm { groups: 3, ..GroupNorm::default() }));
    assert!(text.contains("groups") && text.contains('3'), "{text}");
    let text = message(g.batch_norm(b, "bn", BatchNorm { eps: 0.0, update: 0.1 }));
    assert!(text.contains("eps"), "{text}");
    let ghost = |splits| GhostBatchNorm { splits, ..GhostBatchNorm::default() };
    let text = message(g.ghost_batch_norm(b, "bn", ghost(0)));
    assert!(text.contains("`splits` is 0, expected at least 1"), "{text}");
    assert!(message(g.ghost_batch_norm(b, "bn", ghost(usize::MAX))).contains("splits"));
    assert!(message(g.freeze("c.weight")).contains("c.weight"));
    assert!(message(g.max_pool2d(a, 17, 1)).contains("max_pool2d"));
    let text = message(Executor::new(&g, Options::default()));
    assert!(text.contains("nothing reads") && text.contains('a'), "{text}");
    let other = Graph::new([1, 1, 1]);
    let mut small = other.clone();
    assert!(message(small.relu(b)).contains("not of this graph"));
    assert!(message(Executor::new(&other, Options::default())).contains("logits"));
}

#[test]
fn what_does_not_fit_a_graph_is_refused_when_it_runs() {
    let mut g = Graph::new([2, 2, 1]);
    let x = g.global_avg_pool2d(g.input()).unwrap();
    g.linear(x, "fc", 2, Bias::None).unwrap();
    let mut executor = Executor::new(&g, Options::default()).unwrap();
    let weight: &[f32] = &[1.0, 2.0];
    let mut gradients = vec![Vec::new()];
    let mut step = |parameters: &[&[f32]], images: &[f32], labels: &[u32]| {
        let batch = Batch { images, labels };
        executor
            .training_step(parameters, batch, StepOptions::default(), &mut gradients)
            .map(|step| step.loss)
    };
    assert!(message(step(&[], &[0.0; 4], &[0])).contains("parameters"));
    assert!(message(step(&[&[1.0]], &[0.0; 4], &[0])).contains("fc.weight"));
    assert!(message(step(&[weight], &[0.0; 5], &[0])).contains("images"));
    assert!(message(step(&[weight], &[0.0; 4], &[0, 1])).contains("labels"));
    assert!(message(step(&[weight], &[0.0; 4], &[2])).contains("targets"));
    assert_eq!(step(&[weight], &[], &[]), Err(GraphError::Empty));
    // The mean of the image is 1: logits 1 and 2.
    let loss = step(&[weight], &[0.0, 1.0, 2.0, 1.0], &[0]).unwrap();
    assert!((loss - (1.0 + 1f32.exp()).ln()).abs() < 1e-6, "{loss}");
}

#[test]
fn running_statistics_follow_the_formula() {
    let mut running = [1.0, -2.0];
    BatchStatistics::blend(0.25, &mut running, &[3.0, 2.0]);
    assert_eq!(running, [1.5, -1.0]);
    // What a batch tells nothing of stays.
    BatchStatistics::blend(0.5, &mut running, &[0.5]);
    assert_eq!(running, [1.0, -1.0]);
}

/// Three images of one pixel, two splits of four: what one has is its own mean, and none learns what it cannot tell.
#[test]
fn splits_with_a_value_or_none_learn_nothing_and_give_no_nan() {
    let mut g = Graph::new([1, 1, 2]);
    let options = GhostBatchNorm { splits: 2, ..GhostBatchNorm::default() };
    let x = g.ghost_batch_norm(g.input(), "two", options).unwrap();
    let x = g.ghost_batch_norm(x, "four", GhostBatchNorm { splits: 4, ..options }).unwrap();
    let x = g.flatten(x).unwrap();
    g.linear(x, "fc", 2, Bias::None).unwrap();
    let shapes: Vec<_> = g.parameters().iter().map(|p| (p.name.as_str(), p.shape[0])).collect();
    assert_eq!(shapes[2..4], [("two.running_mean", 4), ("two.running_var", 4)]);
    let values: Vec<Vec<f32>> = g.parameters().iter().map(|p| vec![0.5; p.len()]).collect();
    let parameters: Vec<&[f32]> = values.iter().map(Vec::as_slice).collect();
    let mut gradients = vec![Vec::new(); parameters.len()];
    let mut executor = Executor::new(&g, Options::default()).unwrap();
    let images = &[1.0, 2.0, 30.0, 40.0, 3.0, 6.0];
    let step = executor.training_step(
        &parameters,
        Batch { images, labels: &[0, 1, 0] },
        StepOptions::default(),
        &mut gradients,
    );
    let step = step.unwrap();
    // Split 0 has images 0 and 2, split 1 a single one.
    assert_eq!((&step.statistics[0].mean, &step.statistics[0].variance), (&vec![2.0, 4.0], &vec![2.0, 8.0]));
    assert!(step.statistics[1].mean.is_empty() && step.statistics[1].variance.is_empty());
    // Normalised to 0, biases of 0.5 are left: a logit of 0.5 for either class.
    assert!(step.logits.iter().all(|z| (z - 0.5).abs() < 1e-4), "{:?}", step.logits);
    assert!(gradients.concat().iter().all(|g| g.is_finite()), "{gradients:?}");
}
