//! A network as its author writes it: a line a layer.

mod cut;
mod layer;

use wick_kernels::fused::Activation;
use wick_kernels::{Conv2dShape, Pool2dShape};

use crate::GraphError;

pub use layer::{BatchNorm, Bias, Conv2d, GhostBatchNorm, GroupNorm, Parameter, Role, Shape};
pub use layer::{ConvLayer, LinearLayer, NormKind, NormLayer, PoolLayer};
pub(crate) use layer::{Node, Op};

/// What a layer leaves, for another to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value(usize);

/// A network of images `(H, W, C)`. Layers are added one after the other, each reading values of earlier ones; the last
/// one added makes the logits.
///
/// Parameters are called as PyTorch calls them: the layer's name, a dot, `weight`, `bias`, `running_mean` or `running_var`.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) convs: Vec<ConvLayer>,
    pub(crate) norms: Vec<NormLayer>,
    pub(crate) pools: Vec<PoolLayer>,
    pub(crate) linears: Vec<LinearLayer>,
    pub(crate) parameters: Vec<Parameter>,
    /// Layers that it can be cut behind, each with the node that is the end of it.
    marks: Vec<(String, usize)>,
}

impl Graph {
    /// A graph of nothing but its images `(H, W, C)`.
    pub fn new(image: [usize; 3]) -> Self {
        let node =
            Node { op: Op::Input, inputs: vec![], shape: Shape::Map(image), name: "the images".into() };
        Self {
            nodes: vec![node],
            convs: vec![],
            norms: vec![],
            pools: vec![],
            linears: vec![],
            parameters: vec![],
            marks: vec![],
        }
    }

    /// The images.
    pub fn input(&self) -> Value {
        Value(0)
    }

    /// The shape `(H, W, C)` of its images.
    pub fn image(&self) -> [usize; 3] {
        match self.nodes.first().map(|node| node.shape) {
            Some(Shape::Map(map)) => map,
            _ => [0; 3],
        }
    }

    /// The shape of a value, if it is one of this graph.
    pub fn shape(&self, value: Value) -> Option<Shape> {
        self.nodes.get(value.0).map(|node| node.shape)
    }

    /// Every parameter, running statistics included, in the order in which the layers were added.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Its convolutions, by number.
    pub fn convs(&self) -> &[ConvLayer] {
        &self.convs
    }

    /// Its norms, by number; a convolution's bias is one.
    pub fn norms(&self) -> &[NormLayer] {
        &self.norms
    }

    /// Its pools, by number.
    pub fn pools(&self) -> &[PoolLayer] {
        &self.pools
    }

    /// Its linear layers, by number.
    pub fn linears(&self) -> &[LinearLayer] {
        &self.linears
    }

    /// The number of logits: of what the last layer leaves.
    pub fn classes(&self) -> usize {
        match self.nodes.last().map(|node| node.shape) {
            Some(Shape::Features(classes)) => classes,
            _ => 0,
        }
    }

    /// Multiplications and additions of a forward pass of one image, convolutions and linear layers counted: one
    /// multiplication and one addition are two.
    pub fn flops(&self) -> f64 {
        let convs: f64 = self.convs.iter().map(ConvLayer::flops).sum();
        convs + self.linears.iter().map(|l| 2.0 * (l.inputs * l.outputs) as f64).sum::<f64>()
    }

    /// The shape `(H, W, C)` of the map that the features are the mean of; zeros where there are none.
    pub fn features_of(&self) -> [usize; 3] {
        let features = self.nodes.iter().find(|node| matches!(node.op, Op::Features));
        match features.and_then(|node| self.nodes.get(*node.inputs.first()?)).map(|node| node.shape) {
            Some(Shape::Map(map)) => map,
            _ => [0; 3],
        }
    }

    /// A convolution of `x`; with a bias, if it has one.
    ///
    /// # Errors
    /// `x` is no map, the window does not fit into it, or the name is taken.
    pub fn conv2d(&mut self, x: Value, name: &str, options: Conv2d) -> Result<Value, GraphError> {
        let [height, width, in_channels] = self.map(x, name)?;
        let Conv2d { out_channels, kernel, stride, padding, bias } = options;
        let kernel = [kernel; 2];
        let shape =
            Conv2dShape { batch: 0, height, width, in_channels, out_channels, kernel, stride, padding };
        shape.checked().map_err(|source| GraphError::Layer { layer: name.into(), source })?;
        let weight = self.parameter(name, "weight", &[kernel[0], kernel[1], in_channels, out_channels])?;
        self.convs.push(ConvLayer { shape, weight });
        let map = Shape::Map([shape.out_height(), shape.out_width(), out_channels]);
        let y = self.node(Op::Conv(self.convs.len() - 1), &[x], map, name);
        if bias == Bias::None {
            return Ok(y);
        }
        let bias = self.parameter(name, "bias", &[out_channels])?;
        Ok(self.norm(y, name, NormKind::Bias, None, bias))
    }

    /// Normalises each channel over the batch and the map, then scales and shifts it (Ioffe & Szegedy 2015).
    ///
    /// # Errors
    /// `x` is no map, or the name is taken.
    pub fn batch_norm(&mut self, x: Value, name: &str, options: BatchNorm) -> Result<Value, GraphError> {
        self.ghost_batch_norm(x, name, GhostBatchNorm { splits: 1, batch_norm: options })
    }

    /// As [`batch_norm`](Self::batch_norm), of each of several parts of the batch by itself (Hoffer, Hubara & Soudry 2017).
    ///
    /// The running statistics are `(splits · C)`, part by part, as those of Page's `GhostBatchNorm` in PyTorch; evaluation
    /// normalises with their mean over the parts.
    ///
    /// # Errors
    /// `x` is no map, there are no splits, or the name is taken.
    pub fn ghost_batch_norm(
        &mut self,
        x: Value,
        name: &str,
        options: GhostBatchNorm,
    ) -> Result<Value, GraphError> {
        let [_, _, channels] = self.map(x, name)?;
        positive(name, options.batch_norm.eps)?;
        let Some(statistics) = options.splits.checked_mul(channels).filter(|_| options.splits > 0) else {
            let (expected, got) = ("at least 1".into(), options.splits.to_string());
            return Err(GraphError::Option { layer: name.into(), option: "splits", expected, got });
        };
        let weight = self.parameter(name, "weight", &[channels])?;
        let bias = self.parameter(name, "bias", &[channels])?;
        let mean = self.parameter(name, "running_mean", &[statistics])?;
        let variance = self.parameter(name, "running_var", &[statistics])?;
        self.parameters[mean].role = Role::RunningMean;
        self.parameters[variance].role = Role::RunningVariance;
        Ok(self.norm(x, name, NormKind::Batch { mean, variance, options }, Some(weight), bias))
    }

    /// Normalises groups of channels over the map, each image by itself, then scales and shifts each channel (Wu & He
    /// 2018).
    ///
    /// # Errors
    /// `x` is no map, its channels cannot be grouped so, or the name is taken.
    pub fn group_norm(&mut self, x: Value, name: &str, options: GroupNorm) -> Result<Value, GraphError> {
        let [_, _, channels] = self.map(x, name)?;
        positive(name, options.eps)?;
        if options.groups == 0 || channels % options.groups != 0 {
            let (expected, got) = (format!("a divisor of {channels} channels"), options.groups.to_string());
            return Err(GraphError::Option { layer: name.into(), option: "groups", expected, got });
        }
        let weight = self.parameter(name, "weight", &[channels])?;
        let bias = self.parameter(name, "bias", &[channels])?;
        Ok(self.norm(x, name, NormKind::Group(options), Some(weight), bias))
    }

    /// `max(x, 0)`, of a map or of features.
    ///
    /// # Errors
    /// `x` is of another graph.
    pub fn relu(&mut self, x: Value) -> Result<Value, GraphError> {
        let shape = self.shape(x).ok_or_else(|| GraphError::Foreign { layer: "relu".into() })?;
        Ok(self.unnamed(Op::Activation(Activation::Relu), &[x], shape))
    }

    /// `x·Φ(x)`, Φ the distribution function of the standard normal distribution (Hendrycks & Gimpel 2016).
    ///
    /// # Errors
    /// `x` is no map.
    pub fn gelu(&mut self, x: Value) -> Result<Value, GraphError> {
        let map = self.map(x, "gelu")?;
        Ok(self.unnamed(Op::Activation(Activation::Gelu), &[x], Shape::Map(map)))
    }

    /// `a + b`.
    ///
    /// # Errors
    /// They are no maps, or of different shapes.
    pub fn add(&mut self, a: Value, b: Value) -> Result<Value, GraphError> {
        let (first, second) = (Shape::Map(self.map(a, "add")?), Shape::Map(self.map(b, "add")?));
        if first != second {
            let expected = format!("two maps of one shape, the first {first}");
            return Err(GraphError::Input { layer: "add".into(), expected, got: second });
        }
        Ok(self.unnamed(Op::Add, &[a, b], first))
    }

    /// The maximum of each window of `kernel × kernel` pixels, `stride` apart; pixels that fill no window are left out.
    ///
    /// # Errors
    /// `x` is no map, or the window does not fit into it.
    pub fn max_pool2d(&mut self, x: Value, kernel: usize, stride: usize) -> Result<Value, GraphError> {
        const LAYER: &str = "max_pool2d";
        let [height, width, channels] = self.map(x, LAYER)?;
        let shape = Pool2dShape { batch: 0, height, width, channels, kernel, stride };
        shape.checked().map_err(|source| GraphError::Layer { layer: LAYER.into(), source })?;
        if kernel > 16 {
            let (expected, got) = ("at most 16".into(), kernel.to_string());
            return Err(GraphError::Option { layer: LAYER.into(), option: "kernel", expected, got });
        }
        self.pools.push(shape);
        let map = Shape::Map([shape.out_height(), shape.out_width(), channels]);
        Ok(self.unnamed(Op::MaxPool(self.pools.len() - 1), &[x], map))
    }

    /// The mean of each channel over the map: features.
    ///
    /// # Errors
    /// `x` is no map.
    pub fn global_avg_pool2d(&mut self, x: Value) -> Result<Value, GraphError> {
        let [_, _, channels] = self.map(x, "global_avg_pool2d")?;
        Ok(self.unnamed(Op::Features, &[x], Shape::Features(channels)))
    }

    /// The channels of a 1×1 map as features. (Larger maps, channels last, would leave them in another order than
    /// PyTorch's.)
    ///
    /// # Errors
    /// `x` is no 1×1 map.
    pub fn flatten(&mut self, x: Value) -> Result<Value, GraphError> {
        match self.map(x, "flatten")? {
            [1, 1, channels] => Ok(self.unnamed(Op::Features, &[x], Shape::Features(channels))),
            map => {
                let expected = "a map of one pixel (pool it first)".into();
                Err(GraphError::Input { layer: "flatten".into(), expected, got: Shape::Map(map) })
            }
        }
    }

    /// `y = x·Wᵀ + b` of features.
    ///
    /// # Errors
    /// `x` is a map, there are no outputs, or the name is taken.
    pub fn linear(&mut self, x: Value, name: &str, outputs: usize, bias: Bias) -> Result<Value, GraphError> {
        let inputs = self.features(x, name)?;
        if outputs == 0 {
            let (expected, got) = ("at least 1".into(), "0".into());
            return Err(GraphError::Option { layer: name.into(), option: "outputs", expected, got });
        }
        let weight = self.parameter(name, "weight", &[outputs, inputs])?;
        let bias = match bias {
            Bias::None => None,
            Bias::Learnt => Some(self.parameter(name, "bias", &[outputs])?),
        };
        self.linears.push(LinearLayer { inputs, outputs, weight, bias });
        Ok(self.node(Op::Linear(self.linears.len() - 1), &[x], Shape::Features(outputs), name))
    }

    /// `factor · x` of features.
    ///
    /// # Errors
    /// `x` is a map.
    pub fn scale(&mut self, x: Value, factor: f32) -> Result<Value, GraphError> {
        let features = self.features(x, "scale")?;
        Ok(self.unnamed(Op::Scale(factor), &[x], Shape::Features(features)))
    }

    /// Drops each of the features with probability `p` in training, and multiplies the others by `1/(1 − p)` (Srivastava et al. 2014).
    ///
    /// # Errors
    /// `x` is a map, `p` is not at least 0 and below 1.
    pub fn dropout(&mut self, x: Value, p: f32) -> Result<Value, GraphError> {
        let features = self.features(x, "dropout")?;
        if !(0.0..1.0).contains(&p) {
            let (expected, got) = ("at least 0 and below 1".into(), p.to_string());
            return Err(GraphError::Option { layer: "dropout".into(), option: "p", expected, got });
        }
        Ok(self.unnamed(Op::Dropout(p), &[x], Shape::Features(features)))
    }

    /// Features as probabilities: `e^x / Σ e^x`. Cross-entropy takes logits, and so has a softmax of its own: behind this one, it
    /// cannot fall below `ln(1 + (K − 1)/e)` of `K` classes.
    ///
    /// # Errors
    /// `x` is a map.
    pub fn softmax(&mut self, x: Value) -> Result<Value, GraphError> {
        let features = self.features(x, "softmax")?;
        Ok(self.unnamed(Op::Softmax, &[x], Shape::Features(features)))
    }

    /// Takes the parameter `name` out of training: it keeps its value and has no gradient.
    ///
    /// # Errors
    /// There is none of that name that could be trained.
    pub fn freeze(&mut self, name: &str) -> Result<(), GraphError> {
        let found = self.parameters.iter_mut().find(|p| p.name == name);
        match found {
            Some(p) if matches!(p.role, Role::Trainable | Role::Frozen) => p.role = Role::Frozen,
            _ => return Err(GraphError::UnknownParameter { name: name.into() }),
        }
        Ok(())
    }

    fn map(&self, x: Value, layer: &str) -> Result<[usize; 3], GraphError> {
        match self.shape(x) {
            Some(Shape::Map(map)) => Ok(map),
            Some(got) => Err(GraphError::Input { layer: layer.into(), expected: "a map".into(), got }),
            None => Err(GraphError::Foreign { layer: layer.into() }),
        }
    }

    fn features(&self, x: Value, layer: &str) -> Result<usize, GraphError> {
        match self.shape(x) {
            Some(Shape::Features(n)) => Ok(n),
            Some(got) => {
                let expected = "features (after `flatten` or `global_avg_pool2d`)".into();
                Err(GraphError::Input { layer: layer.into(), expected, got })
            }
            None => Err(GraphError::Foreign { layer: layer.into() }),
        }
    }

    fn parameter(&mut self, layer: &str, kind: &str, shape: &[usize]) -> Result<usize, GraphError> {
        let name = format!("{layer}.{kind}");
        if self.parameters.iter().any(|p| p.name == name) {
            return Err(GraphError::Repeated { name });
        }
        self.parameters.push(Parameter { name, shape: shape.to_vec(), role: Role::Trainable });
        Ok(self.parameters.len() - 1)
    }

    fn norm(&mut self, x: Value, name: &str, kind: NormKind, weight: Option<usize>, bias: usize) -> Value {
        let shape = self.nodes[x.0].shape;
        if let Shape::Map([height, width, channels]) = shape {
            self.norms.push(NormLayer { kind, channels, pixels: height * width, weight, bias });
        }
        self.node(Op::Norm(self.norms.len() - 1), &[x], shape, name)
    }

    fn unnamed(&mut self, op: Op, inputs: &[Value], shape: Shape) -> Value {
        let name = self.nodes[inputs[0].0].name.clone();
        self.node(op, inputs, shape, &name)
    }

    fn node(&mut self, op: Op, inputs: &[Value], shape: Shape, name: &str) -> Value {
        let inputs = inputs.iter().map(|value| value.0).collect();
        self.nodes.push(Node { op, inputs, shape, name: name.into() });
        Value(self.nodes.len() - 1)
    }
}

impl ConvLayer {
    /// Of one image, a multiplication and an addition counted as two.
    pub(crate) fn flops(&self) -> f64 {
        let s = &self.shape;
        2.0 * s.weight_len() as f64 * (s.out_height() * s.out_width()) as f64
    }
}

fn positive(layer: &str, eps: f64) -> Result<(), GraphError> {
    if eps > 0.0 && eps.is_finite() {
        return Ok(());
    }
    let expected = "a number above 0".into();
    Err(GraphError::Option { layer: layer.into(), option: "eps", expected, got: eps.to_string() })
}
