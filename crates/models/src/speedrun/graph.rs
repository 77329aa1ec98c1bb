//! The network of [`SpeedrunNet`](super::SpeedrunNet), for compilation.

use wick_graph::{Bias, Conv2d, Graph, GraphError, Value};

use super::group::{NORMS, POOL};
use super::whitening::{FILTERS, SIDE};
use super::{GROUPS, LAST_MAP, LAYERS, LOGIT_DIVISOR, SpeedrunConfig};
use crate::layers::NormOptions;

/// The graph of [`SpeedrunNet`](super::SpeedrunNet) for 32×32 images, marked at the end of each of its layers.
pub(crate) fn graph(config: &SpeedrunConfig) -> Result<Graph, GraphError> {
    let mut g = Graph::new([32, 32, 3]);
    let whiten = Conv2d { out_channels: FILTERS, kernel: SIDE, stride: 1, padding: 0, bias: Bias::Learnt };
    let x = g.conv2d(g.input(), LAYERS[0], whiten)?;
    g.freeze(&format!("{}.weight", LAYERS[0]))?;
    g.mark(x, LAYERS[0])?;
    let mut x = g.gelu(x)?;
    for (name, c_out) in GROUPS.into_iter().zip(config.widths) {
        x = group(&mut g, x, name, c_out, NormOptions::Batch(config.batch_norm))?;
        g.mark(x, name)?;
    }
    let x = g.max_pool2d(x, LAST_MAP, LAST_MAP)?;
    let x = g.flatten(x)?;
    let x = g.linear(x, "head", config.classes, Bias::None)?;
    g.scale(x, (1.0 / LOGIT_DIVISOR) as f32)?;
    Ok(g)
}

/// As [`Group`](super::group::Group).
fn group(g: &mut Graph, x: Value, name: &str, c_out: usize, norm: NormOptions) -> Result<Value, GraphError> {
    let conv = Conv2d { out_channels: c_out, ..Conv2d::default() };
    let x = g.conv2d(x, &format!("{name}.0"), conv)?;
    let x = g.max_pool2d(x, POOL, POOL)?;
    let x = norm.add_to(g, x, &format!("{name}.{}", NORMS[0]))?;
    let x = g.gelu(x)?;
    let x = g.conv2d(x, &format!("{name}.4"), conv)?;
    let x = norm.add_to(g, x, &format!("{name}.{}", NORMS[1]))?;
    g.gelu(x)
}
