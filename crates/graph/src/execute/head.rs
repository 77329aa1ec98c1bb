//! The layers behind the maps: features, logits, loss. All in f32.

use wick_kernels::{
    LinearShape, cross_entropy_backward, cross_entropy_forward, linear_backward, linear_forward,
};

use crate::GraphError;
use crate::graph::{Graph, LinearLayer, Role};
use crate::plan::HeadOp;

/// Values of the head, kept from step to step.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// The features, then what each layer leaves.
    values: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    /// For the gradient of a frozen weight, which nobody wants.
    unwanted: Vec<f32>,
}

/// What a head is run with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub graph: &'a Graph,
    pub ops: &'a [HeadOp],
    pub images: usize,
    pub parameters: &'a [&'a [f32]],
}

impl Head {
    /// Where `features` features of each image go.
    pub fn features(&mut self, ops: usize, images: usize, features: usize) -> &mut [f32] {
        self.values.resize(ops + 1, Vec::new());
        self.gradients.resize(ops + 1, Vec::new());
        self.values[0].resize(images * features, 0.0);
        &mut self.values[0]
    }

    pub fn logits(&self) -> &[f32] {
        self.values.last().map_or(&[], Vec::as_slice)
    }

    /// From features to logits.
    pub fn forward(&mut self, run: Run<'_>) -> Result<(), GraphError> {
        for (i, op) in run.ops.iter().enumerate() {
            let (before, behind) = self.values.split_at_mut(i + 1);
            let (x, y) = (&before[i], &mut behind[0]);
            match *op {
                HeadOp::Scale(factor) => {
                    y.clear();
                    y.extend(x.iter().map(|x| factor * x));
                }
                HeadOp::Linear(linear) => {
                    let layer = &run.graph.linears[linear];
                    y.resize(run.images * layer.outputs, 0.0);
                    let bias = layer.bias.map(|bias| run.parameters[bias]);
                    linear_forward(&shape(layer, run.images), x, run.parameters[layer.weight], bias, y)?;
                }
            }
        }
        Ok(())
    }

    /// The mean loss.
    pub fn loss(&self, classes: usize, labels: &[u32], label_smoothing: f32) -> Result<f32, GraphError> {
        Ok(cross_entropy_forward(self.logits(), classes, labels, label_smoothing)?)
    }

    /// From the loss to the gradient of the features.
    pub fn backward(
        &mut self,
        run: Run<'_>,
        (labels, label_smoothing): (&[u32], f32),
        gradients: &mut [Vec<f32>],
    ) -> Result<&[f32], GraphError> {
        let last = run.ops.len();
        let dlogits = &mut self.gradients[last];
        dlogits.resize(self.values[last].len(), 0.0);
        cross_entropy_backward(&self.values[last], run.graph.classes(), labels, label_smoothing, dlogits)?;
        for (i, op) in run.ops.iter().enumerate().rev() {
            let (before, behind) = self.gradients.split_at_mut(i + 1);
            let (dx, dy) = (&mut before[i], &behind[0]);
            match *op {
                HeadOp::Scale(factor) => {
                    dx.clear();
                    dx.extend(dy.iter().map(|dy| factor * dy));
                }
                HeadOp::Linear(linear) => {
                    let layer = &run.graph.linears[linear];
                    let x = &self.values[i];
                    dx.resize(x.len(), 0.0);
                    backward(run, layer, (x, dx, dy), gradients, &mut self.unwanted)?;
                }
            }
        }
        Ok(&self.gradients[0])
    }
}

fn backward(
    run: Run<'_>,
    layer: &LinearLayer,
    (x, dx, dy): (&[f32], &mut [f32], &[f32]),
    gradients: &mut [Vec<f32>],
    unwanted: &mut Vec<f32>,
) -> Result<(), GraphError> {
    let trained = |parameter: &usize| run.graph.parameters[*parameter].role == Role::Trainable;
    let weight = run.parameters[layer.weight];
    // Out of the list while it is written, so that weight and bias can be written together.
    let bias = layer.bias.filter(trained);
    let mut dbias = bias.map(|bias| std::mem::take(&mut gradients[bias]));
    let dweight = if trained(&layer.weight) {
        &mut gradients[layer.weight]
    } else {
        unwanted.resize(weight.len(), 0.0);
        unwanted
    };
    let done = linear_backward(&shape(layer, run.images), x, weight, dy, dx, dweight, dbias.as_deref_mut());
    if let (Some(bias), Some(dbias)) = (bias, dbias) {
        gradients[bias] = dbias;
    }
    Ok(done?)
}

fn shape(layer: &LinearLayer, batch: usize) -> LinearShape {
    LinearShape { batch, in_features: layer.inputs, out_features: layer.outputs }
}
