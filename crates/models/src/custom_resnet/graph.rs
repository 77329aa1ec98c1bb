//! The network of [`CustomResNet`](super::CustomResNet), for compilation.

use wick_graph::{Bias, Conv2d, Graph, GraphError, Value};

use super::block::{POOL, Pool};
use super::head::{DROPOUT, HIDDEN, LOGIT_DIVISOR};
use super::{CustomResNetConfig, CustomResNetVariant, LAST_MAP, LAYERS, WIDTHS};
use crate::layers::NormOptions;

/// The graph of [`CustomResNet`](super::CustomResNet) for 32×32 images, marked at the end of each of its layers.
pub(crate) fn graph(config: &CustomResNetConfig) -> Result<Graph, GraphError> {
    let CustomResNetConfig { classes, norm, variant } = *config;
    let [a, b, c, d] = WIDTHS;
    let mut g = Graph::new([32, 32, 3]);
    let mut x = g.input();
    for name in LAYERS {
        x = match name {
            "prep" => block(&mut g, x, name, (a, Pool::None), norm)?,
            "layer1" => residual_layer(&mut g, x, name, (b, variant), norm)?,
            "layer2" => block(&mut g, x, name, (c, Pool::Half), norm)?,
            _ => residual_layer(&mut g, x, name, (d, variant), norm)?,
        };
        g.mark(x, name)?;
    }
    let x = g.max_pool2d(x, LAST_MAP, LAST_MAP)?;
    let x = g.flatten(x)?;
    match variant {
        CustomResNetVariant::Plain => g.linear(x, "fc", classes, Bias::Learnt)?,
        CustomResNetVariant::Scaled => {
            let x = g.linear(x, "fc", classes, Bias::Learnt)?;
            g.scale(x, (1.0 / LOGIT_DIVISOR) as f32)?
        }
        CustomResNetVariant::Published => {
            let x = g.linear(x, "fc1", HIDDEN, Bias::Learnt)?;
            let x = g.relu(x)?;
            let x = g.dropout(x, DROPOUT)?;
            let x = g.linear(x, "fc2", classes, Bias::Learnt)?;
            g.softmax(x)?
        }
    };
    Ok(g)
}

/// As [`ConvBlock`](super::block::ConvBlock).
fn block(
    g: &mut Graph,
    x: Value,
    name: &str,
    (c_out, pool): (usize, Pool),
    norm: NormOptions,
) -> Result<Value, GraphError> {
    let x = g.conv2d(x, &format!("{name}.0"), Conv2d { out_channels: c_out, ..Conv2d::default() })?;
    let x = match pool {
        Pool::None => x,
        Pool::Half => g.max_pool2d(x, POOL, POOL)?,
    };
    let x = norm.add_to(g, x, &format!("{name}.{}", pool.norm_name()))?;
    g.relu(x)
}

/// As [`ResidualLayer`](super::block::ResidualLayer).
fn residual_layer(
    g: &mut Graph,
    x: Value,
    name: &str,
    (c_out, variant): (usize, CustomResNetVariant),
    norm: NormOptions,
) -> Result<Value, GraphError> {
    let x = block(g, x, &format!("{name}.down"), (c_out, Pool::Half), norm)?;
    let y = block(g, x, &format!("{name}.res.0"), (c_out, Pool::None), norm)?;
    let y = block(g, y, &format!("{name}.res.1"), (c_out, Pool::None), norm)?;
    let sum = g.add(x, y)?;
    match variant {
        CustomResNetVariant::Plain | CustomResNetVariant::Scaled => Ok(sum),
        CustomResNetVariant::Published => g.add(x, sum),
    }
}
