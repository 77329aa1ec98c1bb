//! Small networks, each of which needs something else of the compiler.

use wick_graph::{BatchNorm, Bias, Conv2d, GhostBatchNorm, Graph, GraphError, GroupNorm, Value};

type Built = Result<Graph, GraphError>;

fn conv(out_channels: usize) -> Conv2d {
    Conv2d { out_channels, ..Conv2d::default() }
}

fn bn(g: &mut Graph, x: Value, name: &str) -> Result<Value, GraphError> {
    g.batch_norm(x, name, BatchNorm::default())
}

fn head(mut g: Graph, x: Value) -> Built {
    let x = g.global_avg_pool2d(x)?;
    g.linear(x, "linear", 3, Bias::Learnt)?;
    Ok(g)
}

/// A ResNet's first layer and two blocks, the second with a projection.
fn resnet(norm: impl Fn(&mut Graph, Value, &str) -> Result<Value, GraphError>) -> Built {
    let mut g = Graph::new([7, 5, 3]);
    let x = g.conv2d(g.input(), "conv1", conv(4))?;
    let x = norm(&mut g, x, "bn1")?;
    let mut x = g.relu(x)?;
    for (block, channels, stride) in [("a", 4, 1), ("b", 4, 1), ("c", 6, 2)] {
        let name = |layer: &str| format!("{block}.{layer}");
        let y = g.conv2d(x, &name("conv1"), Conv2d { stride, ..conv(channels) })?;
        let y = norm(&mut g, y, &name("bn1"))?;
        let y = g.relu(y)?;
        let y = g.conv2d(y, &name("conv2"), conv(channels))?;
        let y = norm(&mut g, y, &name("bn2"))?;
        let shortcut = if stride == 1 {
            x
        } else {
            let options = Conv2d { stride, kernel: 1, padding: 0, ..conv(channels) };
            let z = g.conv2d(x, &name("shortcut.0"), options)?;
            norm(&mut g, z, &name("shortcut.1"))?
        };
        let sum = g.add(y, shortcut)?;
        x = g.relu(sum)?;
        g.mark(x, block)?;
    }
    head(g, x)
}

/// Convolution, pooling, norm, ReLU; a residual sum of two activated branches without an activation of its own.
fn custom() -> Built {
    let mut g = Graph::new([8, 8, 3]);
    let unit = |g: &mut Graph, x: Value, name: &str, channels, pool| {
        let x = g.conv2d(x, &format!("{name}.conv"), conv(channels))?;
        let x = if pool { g.max_pool2d(x, 2, 2)? } else { x };
        let x = bn(g, x, &format!("{name}.bn"))?;
        g.relu(x)
    };
    let x = g.input();
    let x = unit(&mut g, x, "prep", 4, false)?;
    g.mark(x, "prep")?;
    let x = unit(&mut g, x, "down", 6, true)?;
    let y = unit(&mut g, x, "res1", 6, false)?;
    let y = unit(&mut g, y, "res2", 6, false)?;
    let x = g.add(x, y)?;
    g.mark(x, "layer1")?;
    let x = unit(&mut g, x, "layer2", 5, true)?;
    g.mark(x, "layer2")?;
    let x = g.max_pool2d(x, 2, 2)?;
    let x = g.flatten(x)?;
    g.linear(x, "fc", 3, Bias::Learnt)?;
    Ok(g)
}

/// A frozen convolution with a trained bias, GELU, pooling, frozen norm weights, scaled logits.
fn speedrun() -> Built {
    let mut g = Graph::new([10, 10, 3]);
    let whiten = Conv2d { kernel: 2, padding: 0, bias: Bias::Learnt, ..conv(4) };
    let x = g.conv2d(g.input(), "whiten", whiten)?;
    g.mark(x, "whiten")?;
    let mut x = g.gelu(x)?;
    for group in ["g1", "g2"] {
        let y = g.conv2d(x, &format!("{group}.conv1"), conv(5))?;
        let y = g.max_pool2d(y, 2, 2)?;
        let y = bn(&mut g, y, &format!("{group}.bn1"))?;
        let y = g.gelu(y)?;
        let y = g.conv2d(y, &format!("{group}.conv2"), conv(5))?;
        let y = bn(&mut g, y, &format!("{group}.bn2"))?;
        x = g.gelu(y)?;
        g.mark(x, group)?;
        g.freeze(&format!("{group}.bn1.weight"))?;
    }
    g.freeze("whiten.weight")?;
    let x = g.max_pool2d(x, 2, 2)?;
    let x = g.flatten(x)?;
    let x = g.linear(x, "head", 3, Bias::None)?;
    g.scale(x, 1.0 / 9.0)?;
    Ok(g)
}

/// Norm and activation before each convolution, one value read by a norm, a convolution and a sum; overlapping pooling
/// of an activation.
fn pre_activation() -> Built {
    let mut g = Graph::new([9, 7, 2]);
    let x = g.conv2d(g.input(), "stem", Conv2d { bias: Bias::Learnt, ..conv(4) })?;
    g.mark(x, "stem")?;
    let y = bn(&mut g, x, "bn1")?;
    let y = g.relu(y)?;
    let y = g.conv2d(y, "conv1", conv(4))?;
    let z = g.conv2d(x, "side", Conv2d { kernel: 1, padding: 0, bias: Bias::Learnt, ..conv(4) })?;
    let x = g.add(x, y)?;
    let x = g.add(x, z)?;
    g.mark(x, "sum")?;
    let y = g.group_norm(x, "gn", GroupNorm { groups: 2, eps: 1e-3 })?;
    let y = g.gelu(y)?;
    let y = g.conv2d(y, "conv2", Conv2d { bias: Bias::Learnt, ..conv(4) })?;
    let y = g.relu(y)?;
    let x = g.add(x, y)?;
    let x = g.relu(x)?;
    g.mark(x, "relu")?;
    let x = g.max_pool2d(x, 3, 2)?;
    let x = bn(&mut g, x, "bn2")?;
    head(g, x)
}

/// What is unusual: a norm of the images, activations of sums, a value added to itself, norms of norms and of
/// activations, a bias before a norm, activations without a norm.
fn odd() -> Built {
    let mut g = Graph::new([5, 6, 3]);
    let x = g.input();
    let x = bn(&mut g, x, "images")?;
    let x = g.conv2d(x, "conv1", Conv2d { bias: Bias::Learnt, ..conv(4) })?;
    let x = bn(&mut g, x, "bn1")?;
    let x = bn(&mut g, x, "bn2")?;
    let y = g.relu(x)?;
    let y = bn(&mut g, y, "bn3")?;
    let x = g.add(y, x)?;
    let x = g.gelu(x)?;
    g.mark(x, "gelu")?;
    let x = g.add(x, x)?;
    let y = g.conv2d(x, "conv2", conv(4))?;
    let y = g.relu(y)?;
    let z = g.conv2d(x, "conv3", Conv2d { kernel: 5, padding: 2, ..conv(4) })?;
    let z = g.group_norm(z, "gn", GroupNorm { groups: 4, ..GroupNorm::default() })?;
    let z = g.relu(z)?;
    let x = g.add(y, z)?;
    let x = g.relu(x)?;
    g.mark(x, "sum")?;
    let x = bn(&mut g, x, "bn4")?;
    let x = g.max_pool2d(x, 2, 1)?;
    let x = g.relu(x)?;
    g.freeze("bn4.bias")?;
    head(g, x)
}

pub fn all() -> Vec<(&'static str, Graph)> {
    let batch = resnet(bn).unwrap();
    let layer = resnet(|g, x, name| g.group_norm(x, name, GroupNorm::default())).unwrap();
    let ghost = |splits| {
        let options = GhostBatchNorm { splits, ..GhostBatchNorm::default() };
        resnet(move |g, x, name| g.ghost_batch_norm(x, name, options)).unwrap()
    };
    vec![
        ("resnet", batch),
        ("resnet with layer norm", layer),
        // Of five images: three and two; an image each, and none for the last split.
        ("resnet with ghost batch norm", ghost(2)),
        ("resnet with more splits than images", ghost(6)),
        ("custom", custom().unwrap()),
        ("speedrun", speedrun().unwrap()),
        ("pre-activation", pre_activation().unwrap()),
        ("odd", odd().unwrap()),
    ]
}
