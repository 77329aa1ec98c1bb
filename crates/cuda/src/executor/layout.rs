//! Where everything that a step leaves lies in the arena.

use wick_graph::Graph;
use wick_graph::plan::{Plan, Work};

use super::norm;
use super::threads::Threads;
use crate::Numbers;

/// Offsets in bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    /// The plan's tensors.
    pub tensors: usize,
    pub x: usize,
    pub dy: usize,
    pub dx: usize,
    pub sums: usize,
    /// Of each pool.
    pub indices: Vec<usize>,
    /// Of each norm.
    pub(super) norms: Vec<norm::Places>,
    pub images: usize,
    pub labels: usize,
    /// Features, then what each layer of the head leaves.
    pub head: Vec<usize>,
    pub head_gradients: Vec<usize>,
    pub logits: usize,
    pub losses: usize,
    pub loss: usize,
    pub predicted: usize,
    /// Labels that share the target, the share of the own ones, what dropouts are drawn by: where a step has such.
    pub others: usize,
    pub weight: usize,
    pub seed: usize,
    /// Bytes of all.
    pub total: usize,
}

impl Places {
    /// For a batch of `images` images.
    pub fn of(graph: &Graph, plan: &Plan, numbers: Numbers, images: usize) -> Self {
        let element = match numbers {
            Numbers::F32 | Numbers::Tf32 => 4,
            Numbers::Bf16 => 2,
        };
        let mut total = 0usize;
        let mut take = |bytes: usize| {
            let at = total;
            total += bytes.next_multiple_of(256);
            at
        };
        let passes = || plan.forward.iter().chain(&plan.backward);
        let convs = || {
            passes().filter(|pass| {
                matches!(
                    pass.work,
                    Work::Conv { .. } | Work::ConvInputGradient { .. } | Work::ConvWeightGradient { .. }
                )
            })
        };
        let largest = |input: bool| {
            let len = |c: &wick_graph::plan::ConvLayer| {
                if input { c.shape.input_len() } else { c.shape.output_len() }
            };
            let one = |c: &wick_graph::plan::ConvLayer| {
                let mut c = c.clone();
                c.shape.batch = images;
                len(&c)
            };
            if convs().next().is_some() {
                graph.convs().iter().map(one).max().unwrap_or(0) * element
            } else {
                0
            }
        };
        let sums = |pass: &wick_graph::plan::Pass| {
            let size = pass.write.as_ref().map_or(plan.features, |write| plan.sizes[write.to]);
            // Three are the most: `Σg` and two `Σg·y`.
            3 * size.channels * Threads::of(size.pixels, size.channels).parts * images * 4
        };
        let classes = graph.classes();
        let mut widths = vec![plan.features.channels];
        for op in &plan.head {
            let last = widths[widths.len() - 1];
            widths.push(match op {
                wick_graph::plan::HeadOp::Linear(linear) => graph.linears()[*linear].outputs,
                _ => last,
            });
        }
        let image = graph.image().iter().product::<usize>();
        let mut places = Self {
            tensors: take(plan.total * images * element),
            x: take(largest(true)),
            dy: take(largest(false)),
            dx: take(largest(true)),
            sums: take(passes().map(sums).max().unwrap_or(0)),
            indices: graph
                .pools()
                .iter()
                .map(|pool| take(pool.out_height() * pool.out_width() * pool.channels * images))
                .collect(),
            norms: graph.norms().iter().map(|layer| norm::Places::of(layer, images, &mut take)).collect(),
            images: take(image * images * 4),
            labels: take(images * 4),
            head: widths.iter().map(|width| take(width * images * 4)).collect(),
            head_gradients: widths.iter().map(|width| take(width * images * 4)).collect(),
            losses: take(images * 4),
            loss: take(4),
            predicted: take(images),
            others: take(images * 4),
            weight: take(4),
            seed: take(8),
            ..Self::default()
        };
        debug_assert_eq!(widths.last(), Some(&classes));
        places.logits = places.head[places.head.len() - 1];
        places.total = total;
        places
    }
}
