//! A graph cut in two behind one of its layers.

use super::{ConvLayer, Graph, LinearLayer, Node, NormKind, NormLayer, Op, Parameter, Shape, Value};
use crate::GraphError;

impl Graph {
    /// Says that the map `x` is what the layer of that name leaves: the graph can be cut behind it.
    ///
    /// # Errors
    /// `x` is no map, or there is a layer of that name already.
    pub fn mark(&mut self, x: Value, layer: &str) -> Result<(), GraphError> {
        self.map(x, layer)?;
        if self.layers().any(|known| known == layer) {
            return Err(GraphError::RepeatedLayer { layer: layer.into() });
        }
        self.marks.push((layer.into(), x.0));
        Ok(())
    }

    /// The layers that were [marked](Self::mark), in the order in which they were.
    pub fn layers(&self) -> impl Iterator<Item = &str> {
        self.marks.iter().map(|(layer, _)| layer.as_str())
    }

    /// What comes before the end of a layer, and the means of its channels as features: an executor's `last_map` is then what the
    /// layer leaves.
    ///
    /// # Errors
    /// There is no such layer.
    pub fn until(&self, layer: &str) -> Result<Self, GraphError> {
        let end = self.end_of(layer)?;
        let mut kept = vec![false; self.nodes.len()];
        kept[end] = true;
        for node in (0..=end).rev() {
            if kept[node] {
                self.nodes[node].inputs.iter().for_each(|&input| kept[input] = true);
            }
        }
        let (mut graph, places) = self.part(&kept, None);
        graph.global_avg_pool2d(Value(places[end]))?;
        Ok(graph)
    }

    /// What comes behind the end of a layer: a graph whose images are the maps that the layer leaves.
    ///
    /// # Errors
    /// There is no such layer, or a layer behind it reads what is before it.
    pub fn behind(&self, layer: &str) -> Result<Self, GraphError> {
        let end = self.end_of(layer)?;
        let mut kept = vec![false; self.nodes.len()];
        for (i, node) in self.nodes.iter().enumerate().skip(end + 1) {
            let inside = |input: &&usize| kept[**input] || **input == end;
            let reads = node.inputs.iter().filter(inside).count();
            if reads > 0
                && let Some(&other) = node.inputs.iter().find(|input| !inside(input))
            {
                let name = |node: &Node| node.name.clone();
                let (reader, other) = (name(node), name(&self.nodes[other]));
                return Err(GraphError::Uncut { layer: layer.into(), reader, other });
            }
            kept[i] = reads > 0;
        }
        Ok(self.part(&kept, Some(end)).0)
    }

    fn end_of(&self, layer: &str) -> Result<usize, GraphError> {
        let found = self.marks.iter().find(|(known, _)| known == layer);
        found.map(|(_, node)| *node).ok_or_else(|| GraphError::UnknownLayer {
            layer: layer.into(),
            known: self.layers().collect::<Vec<_>>().join(", "),
        })
    }

    /// The nodes that are kept, with what belongs to them; the node `input`, if one is named, is the images of the new graph. Beside it
    /// the number of each node there.
    fn part(&self, kept: &[bool], input: Option<usize>) -> (Self, Vec<usize>) {
        let mut part = Part::of(self, kept);
        let mut places = vec![0; self.nodes.len()];
        if let Some(input) = input
            && let Shape::Map(map) = self.nodes[input].shape
        {
            part.graph = Self { parameters: part.graph.parameters, ..Self::new(map) };
        } else {
            part.graph.nodes.clear();
        }
        for (i, node) in self.nodes.iter().enumerate().filter(|(i, _)| kept[*i]) {
            let op = part.op(node.op);
            let inputs = node.inputs.iter().map(|&input| places[input]).collect();
            places[i] = part.graph.nodes.len();
            part.graph.nodes.push(Node { op, inputs, ..node.clone() });
        }
        for (layer, node) in self.marks.iter().filter(|(_, node)| kept[*node]) {
            part.graph.marks.push((layer.clone(), places[*node]));
        }
        (part.graph, places)
    }
}

/// A graph that is made of nodes of another one.
struct Part<'a> {
    of: &'a Graph,
    graph: Graph,
    /// The number of each parameter here.
    parameters: Vec<usize>,
}

impl<'a> Part<'a> {
    /// Its parameters, in their order.
    fn of(of: &'a Graph, kept: &[bool]) -> Self {
        let mut used = vec![false; of.parameters.len()];
        for (node, _) in of.nodes.iter().zip(kept).filter(|(_, kept)| **kept) {
            of.parameters_of(node.op).for_each(|parameter| used[parameter] = true);
        }
        let (mut parameters, mut kept): (_, Vec<Parameter>) = (Vec::new(), Vec::new());
        for (parameter, used) in of.parameters.iter().zip(used) {
            parameters.push(kept.len());
            kept.extend(used.then(|| parameter.clone()));
        }
        let graph = Graph { parameters: kept, ..Graph::new([1; 3]) };
        Self { of, graph, parameters }
    }

    /// The same layer, by its number here.
    fn op(&mut self, op: Op) -> Op {
        let new = |parameter: usize| self.parameters[parameter];
        let graph = &mut self.graph;
        match op {
            Op::Conv(conv) => {
                let conv = &self.of.convs[conv];
                graph.convs.push(ConvLayer { weight: new(conv.weight), ..conv.clone() });
                Op::Conv(graph.convs.len() - 1)
            }
            Op::Norm(norm) => {
                let norm = &self.of.norms[norm];
                let kind = match norm.kind {
                    NormKind::Batch { mean, variance, options } => {
                        NormKind::Batch { mean: new(mean), variance: new(variance), options }
                    }
                    kind => kind,
                };
                let (weight, bias) = (norm.weight.map(new), new(norm.bias));
                graph.norms.push(NormLayer { kind, weight, bias, ..norm.clone() });
                Op::Norm(graph.norms.len() - 1)
            }
            Op::MaxPool(pool) => {
                graph.pools.push(self.of.pools[pool]);
                Op::MaxPool(graph.pools.len() - 1)
            }
            Op::Linear(linear) => {
                let linear = &self.of.linears[linear];
                let (weight, bias) = (new(linear.weight), linear.bias.map(new));
                graph.linears.push(LinearLayer { weight, bias, ..linear.clone() });
                Op::Linear(graph.linears.len() - 1)
            }
            Op::Input
            | Op::Activation(_)
            | Op::Add
            | Op::Features
            | Op::Scale(_)
            | Op::Dropout(_)
            | Op::Softmax => op,
        }
    }
}

impl Graph {
    /// The numbers of a layer's parameters.
    fn parameters_of(&self, op: Op) -> impl Iterator<Item = usize> {
        let parameters = match op {
            Op::Conv(conv) => [Some(self.convs[conv].weight), None, None, None],
            Op::Norm(norm) => {
                let norm = &self.norms[norm];
                let [mean, variance] = match norm.kind {
                    NormKind::Batch { mean, variance, .. } => [Some(mean), Some(variance)],
                    NormKind::Bias | NormKind::Group(_) => [None; 2],
                };
                [norm.weight, Some(norm.bias), mean, variance]
            }
            Op::Linear(linear) => {
                let linear = &self.linears[linear];
                [Some(linear.weight), linear.bias, None, None]
            }
            Op::Input | Op::Activation(_) | Op::Add | Op::MaxPool(_) | Op::Features => [None; 4],
            Op::Scale(_) | Op::Dropout(_) | Op::Softmax => [None; 4],
        };
        parameters.into_iter().flatten()
    }
}
