//! The network of [`ResNet`](super::ResNet), for compilation.

use wick_graph::{Bias, Conv2d, Graph, GraphError, Value};

use super::{LAYERS, ResNetConfig};
use crate::layers::NormOptions;

/// The graph of [`ResNet`](super::ResNet) for 32×32 images, marked at the end of each of its layers.
pub(crate) fn graph(config: &ResNetConfig) -> Result<Graph, GraphError> {
    let (norm, widths) = (config.norm, config.widths());
    let mut g = Graph::new([32, 32, 3]);
    let x = g.input();
    let x = g.conv2d(x, "conv1", Conv2d { out_channels: widths[0], ..Conv2d::default() })?;
    let x = norm.add_to(&mut g, x, "bn1")?;
    let mut x = g.relu(x)?;
    let mut c_in = widths[0];
    for (i, stride) in [1, 2, 2, config.layer4_stride].into_iter().enumerate() {
        for k in 0..config.blocks[i] {
            let stride = if k == 0 { stride } else { 1 };
            x = block(&mut g, x, &format!("{}.{k}", LAYERS[i]), [c_in, widths[i], stride], norm)?;
            c_in = widths[i];
        }
        g.mark(x, LAYERS[i])?;
    }
    let x = g.global_avg_pool2d(x)?;
    g.linear(x, "linear", config.classes, Bias::Learnt)?;
    Ok(g)
}

/// As [`BasicBlock`](super::BasicBlock).
fn block(
    g: &mut Graph,
    x: Value,
    name: &str,
    [c_in, c_out, stride]: [usize; 3],
    norm: NormOptions,
) -> Result<Value, GraphError> {
    let conv = |stride| Conv2d { out_channels: c_out, stride, ..Conv2d::default() };
    let name = |layer: &str| format!("{name}.{layer}");
    let y = g.conv2d(x, &name("conv1"), conv(stride))?;
    let y = norm.add_to(g, y, &name("bn1"))?;
    let y = g.relu(y)?;
    let y = g.conv2d(y, &name("conv2"), conv(1))?;
    let y = norm.add_to(g, y, &name("bn2"))?;
    let shortcut = if stride != 1 || c_in != c_out {
        let z = g.conv2d(x, &name("shortcut.0"), Conv2d { kernel: 1, padding: 0, ..conv(stride) })?;
        norm.add_to(g, z, &name("shortcut.1"))?
    } else {
        x
    };
    let y = g.add(y, shortcut)?;
    g.relu(y)
}
