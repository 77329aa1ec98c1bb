//! The layers behind the maps: features, logits, loss. All in f32.

use wick_kernels::{
    LinearShape, ShapeError, cross_entropy_backward, cross_entropy_forward, linear_backward, linear_forward,
};

use super::dropout::Dropout;
use super::{Mixed, StepOptions};
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
    /// By what dropouts draw; none in evaluation, where they let everything pass.
    pub dropout: Option<u64>,
}

impl Run<'_> {
    /// The dropout that is layer `i` of the head.
    fn dropout(self, i: usize, p: f32) -> Option<Dropout> {
        self.dropout.map(|seed| Dropout::new(seed, i, p))
    }
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
                HeadOp::Relu => {
                    y.clear();
                    y.extend(x.iter().map(|x| x.max(0.0)));
                }
                HeadOp::Dropout(p) => match run.dropout(i, p) {
                    Some(dropout) => dropout.apply(x, y),
                    None => y.clone_from(x),
                },
                HeadOp::Softmax => softmax(x, x.len() / run.images, y),
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
    pub fn loss(&self, classes: usize, labels: &[u32], loss: StepOptions<'_>) -> Result<f32, GraphError> {
        let of = |labels| cross_entropy_forward(self.logits(), classes, labels, loss.label_smoothing);
        Ok(match loss.mixed {
            None => of(labels)?,
            Some(Mixed { labels: others, weight }) => weight * of(labels)? + (1.0 - weight) * of(others)?,
        })
    }

    /// From the loss to the gradient of the features.
    pub fn backward(
        &mut self,
        run: Run<'_>,
        (labels, loss): (&[u32], StepOptions<'_>),
        gradients: &mut [Vec<f32>],
    ) -> Result<&[f32], GraphError> {
        let (last, classes) = (run.ops.len(), run.graph.classes());
        let logits = &self.values[last];
        let dlogits = &mut self.gradients[last];
        dlogits.resize(logits.len(), 0.0);
        cross_entropy_backward(logits, classes, labels, loss.label_smoothing, dlogits)?;
        if let Some(Mixed { labels, weight }) = loss.mixed {
            if !(0.0..=1.0).contains(&weight) {
                let (op, name) = ("training_step", "the weight of mixed labels");
                return Err(ShapeError::NotAFraction { op, name, got: weight }.into());
            }
            let mut others = vec![0.0; dlogits.len()];
            cross_entropy_backward(logits, classes, labels, loss.label_smoothing, &mut others)?;
            dlogits.iter_mut().zip(others).for_each(|(own, other)| {
                *own = weight * *own + (1.0 - weight) * other;
            });
        }
        self.back_to_features(run, Some(gradients))
    }

    /// From the gradient of the logits to that of the features, and of no parameter.
    pub fn features_gradient(&mut self, run: Run<'_>, dlogits: &[f32]) -> Result<&[f32], GraphError> {
        let last = &mut self.gradients[run.ops.len()];
        last.clear();
        last.extend_from_slice(dlogits);
        self.back_to_features(run, None)
    }

    /// From the logits' gradient, which is there, to the features', and to those of parameters that are wanted.
    fn back_to_features(
        &mut self,
        run: Run<'_>,
        mut gradients: Option<&mut [Vec<f32>]>,
    ) -> Result<&[f32], GraphError> {
        for (i, op) in run.ops.iter().enumerate().rev() {
            let (before, behind) = self.gradients.split_at_mut(i + 1);
            let (dx, dy) = (&mut before[i], &behind[0]);
            match *op {
                HeadOp::Scale(factor) => {
                    dx.clear();
                    dx.extend(dy.iter().map(|dy| factor * dy));
                }
                HeadOp::Relu => {
                    dx.clear();
                    dx.extend(self.values[i].iter().zip(dy).map(|(x, dy)| if *x > 0.0 { *dy } else { 0.0 }));
                }
                HeadOp::Dropout(p) => match run.dropout(i, p) {
                    Some(dropout) => dropout.apply(dy, dx),
                    None => dx.clone_from(dy),
                },
                HeadOp::Softmax => {
                    let y = &self.values[i + 1];
                    softmax_backward(y, dy, y.len() / run.images, dx);
                }
                HeadOp::Linear(linear) => {
                    let layer = &run.graph.linears[linear];
                    let x = &self.values[i];
                    dx.resize(x.len(), 0.0);
                    backward(run, layer, (x, dx, dy), gradients.as_deref_mut(), &mut self.unwanted)?;
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
    gradients: Option<&mut [Vec<f32>]>,
    unwanted: &mut Vec<f32>,
) -> Result<(), GraphError> {
    let weight = run.parameters[layer.weight];
    let Some(gradients) = gradients else {
        unwanted.resize(weight.len(), 0.0);
        return Ok(linear_backward(&shape(layer, run.images), x, weight, dy, dx, unwanted, None)?);
    };
    let trained = |parameter: &usize| run.graph.parameters[*parameter].role == Role::Trainable;
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

/// `y_k = e^(x_k) / Σ_j e^(x_j)` of each image's values, less their maximum, which changes nothing but the range.
fn softmax(x: &[f32], values: usize, y: &mut Vec<f32>) {
    y.clear();
    for row in x.chunks_exact(values) {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = row.iter().map(|x| (x - most).exp()).sum();
        y.extend(row.iter().map(|x| (x - most).exp() / sum));
    }
}

/// `dx_k = y_k · (dy_k − Σ_j y_j·dy_j)`
fn softmax_backward(y: &[f32], dy: &[f32], values: usize, dx: &mut Vec<f32>) {
    dx.clear();
    for (y, dy) in y.chunks_exact(values).zip(dy.chunks_exact(values)) {
        let mean: f32 = y.iter().zip(dy).map(|(y, dy)| y * dy).sum();
        dx.extend(y.iter().zip(dy).map(|(y, dy)| y * (dy - mean)));
    }
}

fn shape(layer: &LinearLayer, batch: usize) -> LinearShape {
    LinearShape { batch, in_features: layer.inputs, out_features: layer.outputs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bias;

    const LOGITS: [f32; 12] = [1.0, -0.5, 2.0, 0.25, 0.0, 3.0, -1.0, 0.5, -2.0, 0.75, 0.5, 1.5];

    /// The loss and the gradient of the logits above, which stand for the features of a head without layers.
    fn run(loss: StepOptions<'_>) -> Result<(f32, Vec<f32>), GraphError> {
        let mut graph = Graph::new([1, 1, 1]);
        let x = graph.input();
        let x = graph.global_avg_pool2d(x)?;
        graph.linear(x, "linear", 4, Bias::None)?;
        let mut head = Head::default();
        head.features(0, 3, 4).copy_from_slice(&LOGITS);
        let run = Run { graph: &graph, ops: &[], images: 3, parameters: &[], dropout: None };
        let labels = [2, 0, 3];
        let mean = head.loss(4, &labels, loss)?;
        Ok((mean, head.backward(run, (&labels, loss), &mut [])?.to_vec()))
    }

    /// ```python
    /// q = 0.7 * F.one_hot(torch.tensor([2, 0, 3]), 4) + 0.3 * F.one_hot(torch.tensor([0, 3, 3]), 4)
    /// loss = F.cross_entropy(logits, q.double(), label_smoothing=smoothing)  # logits in f64
    /// loss.backward()
    /// ```
    /// To 1e-6: sums in f32 of values near 1, each rounded once.
    #[test]
    fn mixed_labels_agree_with_pytorchs_soft_targets() {
        let plain = [
            -0.02447892147921091,
            0.016851031231565408,
            -0.028045743149519135,
            0.03567363339716467,
            -0.21890465013532823,
            0.28980776931375607,
            0.005308014449900333,
            -0.07621113362832814,
            0.005381501838590313,
            0.08418085224515007,
            0.0655601136481411,
            -0.15512246773188149,
        ];
        let smoothed = [
            -0.022812254415179943,
            0.008517697898232077,
            -0.013045743546883422,
            0.027340300063831344,
            -0.20390465053269255,
            0.28147443598042277,
            -0.0030253188834329994,
            -0.07454446656429717,
            -0.0029518314947430194,
            0.07584751891181675,
            0.05722678031480778,
            -0.1301224677318815,
        ];
        let mixed = Some(Mixed { labels: &[0, 3, 3], weight: 0.7 });
        for (label_smoothing, want, gradient) in
            [(0.0, 1.4669439317215804, plain), (0.1, 1.5286105981895652, smoothed)]
        {
            let (loss, got) = run(StepOptions { mixed, ..StepOptions::smoothed(label_smoothing) }).unwrap();
            assert!((f64::from(loss) - want).abs() < 1e-6, "{loss}, want {want}");
            for (got, want) in got.iter().zip(gradient) {
                assert!((f64::from(*got) - want).abs() < 1e-6, "{got}, want {want}");
            }
        }
    }

    #[test]
    fn all_of_the_weight_on_its_own_labels_is_no_mixture() {
        let mixed = Some(Mixed { labels: &[1, 1, 1], weight: 1.0 });
        assert_eq!(run(StepOptions { mixed, ..StepOptions::default() }), run(StepOptions::default()));
    }

    #[test]
    fn bad_mixtures_are_named() {
        let said = |labels: &[u32], weight| {
            run(StepOptions { mixed: Some(Mixed { labels, weight }), ..StepOptions::default() })
                .unwrap_err()
                .to_string()
        };
        assert!(said(&[0, 0, 0], 1.5).contains("the weight of mixed labels"));
        assert!(said(&[0, 0, 4], 0.5).contains("targets"));
    }
}
