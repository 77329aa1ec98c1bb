//! A network whose head has more than a linear layer.

use wick_graph::{BatchNorm, Bias, Conv2d, Graph, GraphError};

/// A residual sum with the shortcut twice, and a head of two layers with ReLU, dropout and a softmax before the loss.
pub fn deep_head() -> Result<Graph, GraphError> {
    let conv = Conv2d { out_channels: 4, ..Conv2d::default() };
    let norm = BatchNorm::default();
    let mut g = Graph::new([6, 6, 3]);
    let x = g.conv2d(g.input(), "conv1", conv)?;
    let x = g.batch_norm(x, "bn1", norm)?;
    let x = g.relu(x)?;
    let y = g.conv2d(x, "conv2", conv)?;
    let y = g.batch_norm(y, "bn2", norm)?;
    let y = g.relu(y)?;
    let y = g.add(x, y)?;
    let x = g.add(x, y)?;
    let x = g.max_pool2d(x, 6, 6)?;
    let x = g.flatten(x)?;
    let x = g.linear(x, "fc1", 16, Bias::Learnt)?;
    let x = g.relu(x)?;
    let x = g.dropout(x, 0.3)?;
    let x = g.linear(x, "fc2", 3, Bias::Learnt)?;
    g.softmax(x)?;
    Ok(g)
}
