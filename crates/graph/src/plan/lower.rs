//! Which layers become one unit, and which values are written at all.

use wick_kernels::fused::Activation;

use super::{After, Buf, ConvInputs, HeadOp, NormId, Read, Size};
use crate::graph::{Graph, NormKind, Op};
use crate::{GraphError, Shape};

/// What for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Norms need their input's statistics, gradients what went in.
    Train,
    /// Norms but group norms are known beforehand: what leaves a unit may be normalised already.
    Evaluate,
}

/// Layers that leave one tensor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unit {
    pub layer: String,
    pub kind: UnitKind,
    pub y: Buf,
    pub after: After,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum UnitKind {
    Images,
    Conv {
        conv: usize,
        x: Read,
    },
    Pool {
        pool: usize,
        x: Read,
    },
    /// The sum of one or two.
    Join {
        terms: Vec<Read>,
    },
}

impl UnitKind {
    /// What it reads.
    pub fn reads(&self) -> &[Read] {
        match self {
            Self::Images => &[],
            Self::Conv { x, .. } | Self::Pool { x, .. } => std::slice::from_ref(x),
            Self::Join { terms } => terms,
        }
    }
}

/// A graph as units.
#[derive(Debug, Clone)]
pub(crate) struct Lowered {
    /// In order; unit `i` leaves tensor `i`.
    pub units: Vec<Unit>,
    pub sizes: Vec<Size>,
    /// The norms that read each tensor.
    pub normalised_by: Vec<Vec<NormId>>,
    pub features: Read,
    pub features_of: Size,
    pub head: Vec<HeadOp>,
}

/// Joins layers to units.
pub(crate) fn lower(graph: &Graph, mode: Mode, inputs: ConvInputs) -> Result<Lowered, GraphError> {
    let readers = readers(graph)?;
    let mut lowering = Lowering {
        graph,
        mode,
        inputs,
        readers,
        reads: Vec::new(),
        lowered: Lowered {
            units: Vec::new(),
            sizes: Vec::new(),
            normalised_by: Vec::new(),
            features: Read::Spread,
            features_of: Size { pixels: 0, channels: 0 },
            head: Vec::new(),
        },
    };
    for node in 0..graph.nodes.len() {
        let read = lowering.node(node);
        lowering.reads.push(read);
    }
    Ok(lowering.lowered)
}

/// The nodes that read each node, each as often as it does.
fn readers(graph: &Graph) -> Result<Vec<Vec<usize>>, GraphError> {
    let mut readers = vec![Vec::new(); graph.nodes.len()];
    for (i, node) in graph.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|&input| readers[input].push(i));
    }
    let last = graph.nodes.len() - 1;
    let unread = readers[..last].iter().position(Vec::is_empty);
    if let Some(node) = unread {
        return Err(GraphError::Unread { layer: graph.nodes[node].name.clone() });
    }
    let node = &graph.nodes[last];
    if matches!(node.shape, Shape::Map(_)) {
        return Err(GraphError::NoLogits { layer: node.name.clone(), got: node.shape });
    }
    // Features behind the first ones are a chain, or there would be two ways to the logits.
    let branch = |(i, node): (usize, &crate::graph::Node)| match node.shape {
        Shape::Features(_) => readers[i].len() > 1,
        Shape::Map(_) => false,
    };
    match graph.nodes.iter().enumerate().find(|(i, node)| branch((*i, node))) {
        Some((_, node)) => {
            let expected = "features that nothing else reads".into();
            Err(GraphError::Input { layer: "the head".into(), expected, got: node.shape })
        }
        None => Ok(readers),
    }
}

struct Lowering<'a> {
    graph: &'a Graph,
    mode: Mode,
    inputs: ConvInputs,
    readers: Vec<Vec<usize>>,
    /// How each node so far is read. Features have a value that nothing uses.
    reads: Vec<Read>,
    lowered: Lowered,
}

impl Lowering<'_> {
    fn node(&mut self, i: usize) -> Read {
        let node = &self.graph.nodes[i];
        let input = node.inputs.first().copied().unwrap_or(0);
        match node.op {
            Op::Input => self.unit(i, UnitKind::Images),
            Op::Conv(conv) => self.unit(i, UnitKind::Conv { conv, x: self.reads[input] }),
            Op::MaxPool(pool) => self.unit(i, UnitKind::Pool { pool, x: self.reads[input] }),
            Op::Norm(norm) => self.norm(i, input, norm),
            Op::Activation(_) if matches!(node.shape, Shape::Features(_)) => self.head(HeadOp::Relu),
            Op::Activation(activation) => self.activation(i, input, activation),
            Op::Add => self.add(i, input, node.inputs[1]),
            Op::Features => {
                self.lowered.features = self.reads[input];
                self.lowered.features_of = Size::of(self.graph.nodes[input].shape);
                Read::Spread
            }
            Op::Linear(linear) => self.head(HeadOp::Linear(linear)),
            Op::Scale(factor) => self.head(HeadOp::Scale(factor)),
            Op::Dropout(p) => self.head(HeadOp::Dropout(p)),
            Op::Softmax => self.head(HeadOp::Softmax),
        }
    }

    fn norm(&mut self, i: usize, input: usize, norm: NormId) -> Read {
        let x = self.written(input);
        let known = !matches!(self.graph.norms[norm].kind, NormKind::Group(_));
        if self.mode == Mode::Evaluate
            && known
            && let Some(after) = self.open(input).filter(|after| **after == After::default())
        {
            after.norm = Some(norm);
            return Read::Plain(x);
        }
        self.lowered.normalised_by[x].push(norm);
        self.or_written(i, Read::Normalised { x, norm: Some(norm), activation: Activation::None })
    }

    fn activation(&mut self, i: usize, input: usize, activation: Activation) -> Read {
        let (mode, view) = (self.mode, self.reads[input]);
        if let Read::Normalised { x, norm, activation: Activation::None } = view {
            return self.or_written(i, Read::Normalised { x, norm, activation });
        }
        let x = self.written(input);
        // Backward, a ReLU's derivative can be told from its output; another's only from a single tensor.
        let is_sum = matches!(&self.lowered.units[x].kind, UnitKind::Join { terms } if terms.len() == 2);
        let foldable = mode == Mode::Evaluate || is_sum && activation == Activation::Relu;
        if let Some(after) = self.open(input).filter(|_| foldable) {
            after.activation = activation;
            return Read::Plain(x);
        }
        self.or_written(i, Read::Normalised { x, norm: None, activation })
    }

    fn add(&mut self, i: usize, a: usize, b: usize) -> Read {
        let [ra, rb] = [self.reads[a], self.reads[b]];
        if self.mode == Mode::Evaluate {
            // The later of the two adds the earlier one to itself.
            for (later, y, earlier) in [(b, rb, ra), (a, ra, rb)] {
                let (Read::Plain(y), Read::Plain(residual)) = (y, earlier) else { continue };
                if residual < y
                    && let Some(after) = self.open(later).filter(|after| after.residual.is_none())
                {
                    after.residual = Some(residual);
                    return Read::Plain(y);
                }
            }
        }
        self.unit(i, UnitKind::Join { terms: vec![ra, rb] })
    }

    fn head(&mut self, op: HeadOp) -> Read {
        self.lowered.head.push(op);
        Read::Spread
    }

    /// A new unit that leaves the value of node `i`.
    fn unit(&mut self, i: usize, kind: UnitKind) -> Read {
        let node = &self.graph.nodes[i];
        let y = self.lowered.units.len();
        self.lowered.units.push(Unit { layer: node.name.clone(), kind, y, after: After::default() });
        self.lowered.sizes.push(Size::of(node.shape));
        self.lowered.normalised_by.push(Vec::new());
        Read::Plain(y)
    }

    /// What may still be done to the values of a node before they are written, if nothing but one layer reads them.
    fn open(&mut self, node: usize) -> Option<&mut After> {
        let Read::Plain(y) = self.reads[node] else { return None };
        let unit = &mut self.lowered.units[y];
        let alone = self.readers[node].len() == 1 && unit.kind != UnitKind::Images;
        (alone && unit.after.activation == Activation::None).then_some(&mut unit.after)
    }

    /// The tensor that holds the value of `node`.
    fn written(&mut self, node: usize) -> Buf {
        let view = self.reads[node];
        match view {
            Read::Plain(x) => x,
            _ => self.write(node, view),
        }
    }

    fn write(&mut self, node: usize, view: Read) -> Buf {
        self.unit(node, UnitKind::Join { terms: vec![view] });
        self.lowered.units.len() - 1
    }

    /// `view`, the value of node `i`, or the tensor where it is better computed once than whenever it is read.
    fn or_written(&mut self, i: usize, view: Read) -> Read {
        let ops: Vec<Op> = self.readers[i].iter().map(|&reader| self.graph.nodes[reader].op).collect();
        let Read::Normalised { activation, .. } = view else { return view };
        let read_once = match ops[..] {
            [Op::Activation(_)] => activation == Activation::None,
            // Overlapping tiles would compute it several times.
            [Op::Conv(_)] => self.inputs == ConvInputs::OnTheFly && activation != Activation::Gelu,
            [Op::Norm(_)] => false,
            [_] => true,
            _ => false,
        };
        if read_once { view } else { Read::Plain(self.write(i, view)) }
    }
}
