//! A network layer by layer, in f64 and plain loops.

use wick_kernels::fused::Activation;

use crate::Role;
use crate::execute::Dropout;
use crate::graph::{Graph, NormKind, Op, Shape};

/// Whether batch norms use the batch's statistics.
#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    Train,
    Evaluate,
}

pub struct Outcome {
    pub loss: f64,
    pub logits: Vec<f64>,
    /// Of the loss, with respect to them.
    pub dlogits: Vec<f64>,
    pub gradients: Vec<Vec<f64>>,
    /// With respect to the images.
    pub of_images: Vec<f64>,
    /// Mean and unbiased variance of each batch norm.
    pub statistics: Vec<(Vec<f64>, Vec<f64>)>,
}

pub fn run(
    graph: &Graph,
    p: &[Vec<f64>],
    (images, labels): (&[f32], &[u32]),
    smoothing: f64,
    mode: Mode,
) -> Outcome {
    let n = labels.len();
    let mut values: Vec<Vec<f64>> = Vec::new();
    let mut statistics = Vec::new();
    for node in &graph.nodes {
        let x = |i: usize| -> &[f64] { &values[node.inputs[i]] };
        let y = match node.op {
            Op::Input => images.iter().map(|v| f64::from(*v)).collect(),
            Op::Conv(c) => {
                let mut y = vec![0.0; n * size(node.shape)];
                conv(graph, c, n, |iy, iw, ix| y[iy] += p[graph.convs[c].weight][iw] * x(0)[ix]);
                y
            }
            Op::Norm(m) => {
                let (y, measured) = Norm::of(graph, m, n, x(0), p, mode).forward(x(0), graph, m, p);
                statistics.extend(measured);
                y
            }
            Op::Activation(a) => x(0).iter().map(|v| activation(a, *v).0).collect(),
            Op::Add => x(0).iter().zip(x(1)).map(|(a, b)| a + b).collect(),
            Op::MaxPool(pool) => maxima(graph, pool, n, x(0)).into_iter().map(|at| x(0)[at]).collect(),
            Op::Features => {
                let c = size(node.shape);
                let pixels = x(0).len() / n / c;
                let mut y = vec![0.0; n * c];
                x(0).iter()
                    .enumerate()
                    .for_each(|(i, v)| y[i / (pixels * c) * c + i % c] += v / pixels as f64);
                y
            }
            Op::Linear(l) => {
                let l = &graph.linears[l];
                let row = |i: usize, o: usize| {
                    let x = &x(0)[i * l.inputs..][..l.inputs];
                    let w = &p[l.weight][o * l.inputs..][..l.inputs];
                    l.bias.map_or(0.0, |b| p[b][o]) + x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>()
                };
                (0..n * l.outputs).map(|i| row(i / l.outputs, i % l.outputs)).collect()
            }
            Op::Scale(f) => x(0).iter().map(|v| f64::from(f) * v).collect(),
            Op::Dropout(p) => {
                x(0).iter().zip(mask(graph, values.len(), x(0).len(), p, mode)).map(|(v, m)| v * m).collect()
            }
            Op::Softmax => x(0).chunks(size(node.shape)).flat_map(softmax).collect(),
        };
        values.push(y);
    }
    let logits = values.last().unwrap().clone();
    let (loss, dlogits) = cross_entropy(&logits, graph.classes(), labels, smoothing);
    let (gradients, of_images) = backward(graph, p, n, &values, dlogits.clone(), mode);
    Outcome { loss, logits, dlogits, gradients, of_images, statistics }
}

fn backward(
    graph: &Graph,
    p: &[Vec<f64>],
    n: usize,
    values: &[Vec<f64>],
    dlogits: Vec<f64>,
    mode: Mode,
) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut gradients: Vec<Vec<f64>> = graph.parameters.iter().map(|p| vec![0.0; p.len()]).collect();
    let mut d: Vec<Vec<f64>> = values.iter().map(|v| vec![0.0; v.len()]).collect();
    *d.last_mut().unwrap() = dlogits;
    for (i, node) in graph.nodes.iter().enumerate().rev() {
        let Some(&input) = node.inputs.first() else { continue };
        let dy = std::mem::take(&mut d[i]);
        let x = &values[input];
        match node.op {
            Op::Input => {}
            Op::Conv(c) => {
                let w = graph.convs[c].weight;
                conv(graph, c, n, |iy, iw, ix| {
                    gradients[w][iw] += dy[iy] * x[ix];
                    d[input][ix] += dy[iy] * p[w][iw];
                });
            }
            Op::Norm(m) => {
                let dx = Norm::of(graph, m, n, x, p, mode).backward(x, &dy, graph, m, p, &mut gradients);
                d[input].iter_mut().zip(dx).for_each(|(d, dx)| *d += dx);
            }
            Op::Activation(a) => {
                for ((d, x), dy) in d[input].iter_mut().zip(x).zip(dy) {
                    *d += dy * activation(a, *x).1;
                }
            }
            Op::Add => {
                for &input in &node.inputs {
                    d[input].iter_mut().zip(&dy).for_each(|(d, dy)| *d += dy);
                }
            }
            Op::MaxPool(pool) => {
                maxima(graph, pool, n, x).into_iter().zip(dy).for_each(|(at, dy)| d[input][at] += dy);
            }
            Op::Features => {
                let c = size(node.shape);
                let pixels = x.len() / n / c;
                let of = |i: usize| dy[i / (pixels * c) * c + i % c] / pixels as f64;
                d[input].iter_mut().enumerate().for_each(|(i, d)| *d += of(i));
            }
            Op::Linear(l) => {
                let l = &graph.linears[l];
                for (i, dy) in dy.iter().enumerate() {
                    let (row, o) = (i / l.outputs, i % l.outputs);
                    l.bias.into_iter().for_each(|b| gradients[b][o] += dy);
                    for k in 0..l.inputs {
                        gradients[l.weight][o * l.inputs + k] += dy * x[row * l.inputs + k];
                        d[input][row * l.inputs + k] += dy * p[l.weight][o * l.inputs + k];
                    }
                }
            }
            Op::Scale(f) => d[input].iter_mut().zip(dy).for_each(|(d, dy)| *d += f64::from(f) * dy),
            Op::Dropout(p) => {
                let mask = mask(graph, i, dy.len(), p, mode);
                d[input].iter_mut().zip(dy.iter().zip(mask)).for_each(|(d, (dy, m))| *d += dy * m);
            }
            Op::Softmax => {
                // By the whole Jacobian: y_k·(δ_jk − y_j).
                let classes = size(node.shape);
                for (at, d) in d[input].iter_mut().enumerate() {
                    let (row, k) = (at / classes * classes, at % classes);
                    let y = &values[i][row..][..classes];
                    let of = |j: usize| y[k] * (f64::from(u8::from(j == k)) - y[j]) * dy[row + j];
                    *d += (0..classes).map(of).sum::<f64>();
                }
            }
        }
    }
    for (gradient, parameter) in gradients.iter_mut().zip(&graph.parameters) {
        if parameter.role != Role::Trainable {
            gradient.clear();
        }
    }
    (gradients, d.swap_remove(0))
}

/// What a dropout, node `node`, multiplies each value by in a step of seed 0.
fn mask(graph: &Graph, node: usize, values: usize, p: f32, mode: Mode) -> Vec<f64> {
    let features = graph.nodes.iter().position(|node| matches!(node.op, Op::Features)).unwrap();
    let mut mask = vec![1.0; values];
    if mode == Mode::Train {
        Dropout::new(0, node - features - 1, p).apply(&vec![1.0; values], &mut mask);
    }
    mask.into_iter().map(f64::from).collect()
}

fn softmax(x: &[f64]) -> Vec<f64> {
    let sum: f64 = x.iter().map(|x| x.exp()).sum();
    x.iter().map(|x| x.exp() / sum).collect()
}

fn size(shape: Shape) -> usize {
    match shape {
        Shape::Map(map) => map.iter().product(),
        Shape::Features(n) => n,
    }
}

/// Calls `f` with the indices of output, weight and input of every product of a convolution.
fn conv(graph: &Graph, conv: usize, n: usize, mut f: impl FnMut(usize, usize, usize)) {
    let s = &graph.convs[conv].shape;
    let (oh, ow, ci, co) = (s.out_height(), s.out_width(), s.in_channels, s.out_channels);
    for pixel in 0..n * oh * ow {
        let (image, oy, ox) = (pixel / (oh * ow), pixel / ow % oh, pixel % ow);
        for ky in 0..s.kernel[0] {
            for kx in 0..s.kernel[1] {
                let (y, x) = (oy * s.stride + ky, ox * s.stride + kx);
                if y < s.padding || x < s.padding || y >= s.height + s.padding || x >= s.width + s.padding {
                    continue;
                }
                let from = ((image * s.height + y - s.padding) * s.width + x - s.padding) * ci;
                for i in 0..ci {
                    for o in 0..co {
                        f(pixel * co + o, ((ky * s.kernel[1] + kx) * ci + i) * co + o, from + i);
                    }
                }
            }
        }
    }
}

/// Where each window's first maximum is.
fn maxima(graph: &Graph, pool: usize, n: usize, x: &[f64]) -> Vec<usize> {
    let s = &graph.pools[pool];
    let (oh, ow, c) = (s.out_height(), s.out_width(), s.channels);
    let of = |i: usize| {
        let (image, oy, ox, channel) = (i / (oh * ow * c), i / (ow * c) % oh, i / c % ow, i % c);
        let place = |at: usize| {
            let (y, x) = (oy * s.stride + at / s.kernel, ox * s.stride + at % s.kernel);
            ((image * s.height + y) * s.width + x) * c + channel
        };
        (0..s.kernel * s.kernel)
            .map(place)
            .fold(None, |best: Option<usize>, at| match best {
                Some(best) if x[best] >= x[at] => Some(best),
                _ => Some(at),
            })
            .unwrap()
    };
    (0..n * oh * ow * c).map(of).collect()
}

/// Value and derivative.
fn activation(activation: Activation, x: f64) -> (f64, f64) {
    match activation {
        Activation::None => (x, 1.0),
        Activation::Relu => (x.max(0.0), f64::from(x > 0.0)),
        Activation::Gelu => {
            // Simpson's rule over the density: far below the tolerances.
            let density = |t: f64| (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt();
            let steps = 400;
            let h = x / f64::from(steps);
            let weight = |i: i32| {
                if i == 0 || i == steps {
                    1.0
                } else if i % 2 == 1 {
                    4.0
                } else {
                    2.0
                }
            };
            let area: f64 = (0..=steps).map(|i| weight(i) * density(h * f64::from(i))).sum::<f64>() * h / 3.0;
            (x * (0.5 + area), 0.5 + area + x * density(x))
        }
    }
}

/// Which mean and variance each value is normalised with.
struct Norm {
    /// The set that value `i` belongs to.
    set: Box<dyn Fn(usize) -> usize>,
    /// Mean, `1/√(variance + eps)`, and how many values a set has.
    sets: Vec<(f64, f64, f64)>,
    through_statistics: bool,
    measured: Option<(Vec<f64>, Vec<f64>)>,
}

impl Norm {
    fn of(graph: &Graph, norm: usize, n: usize, x: &[f64], p: &[Vec<f64>], mode: Mode) -> Self {
        let layer = &graph.norms[norm];
        let (c, image) = (layer.channels, x.len() / n);
        let by_channel = Box::new(move |i: usize| i % c);
        let known = |sets| Self { set: by_channel, sets, through_statistics: false, measured: None };
        match layer.kind {
            NormKind::Bias => known(vec![(0.0, 1.0, 1.0); c]),
            NormKind::Batch { mean, variance, options } if mode == Mode::Evaluate => {
                let average = |running: &[f64], channel: usize| {
                    let all = (0..options.splits).map(|split| running[split * c + channel]);
                    all.sum::<f64>() / options.splits as f64
                };
                let inverse = |c: usize| 1.0 / (average(&p[variance], c) + options.batch_norm.eps).sqrt();
                known((0..c).map(|c| (average(&p[mean], c), inverse(c), 1.0)).collect())
            }
            NormKind::Batch { options, .. } => {
                let splits = options.splits;
                let set = move |i: usize| i / image % splits * c + i % c;
                let moments = moments(x, splits * c, &set);
                let learnt: Vec<_> = moments.iter().filter(|m| m.2 >= 2.0).collect();
                let unbiased = learnt.iter().map(|m| m.1 * m.2 / (m.2 - 1.0)).collect();
                let measured = Some((learnt.iter().map(|m| m.0).collect(), unbiased));
                let inverse = |variance: f64| 1.0 / (variance + options.batch_norm.eps).sqrt();
                let sets = moments.iter().map(|m| (m.0, inverse(m.1), m.2)).collect();
                Self { set: Box::new(set), sets, through_statistics: true, measured }
            }
            NormKind::Group(options) => {
                let (groups, size) = (options.groups, c / options.groups);
                let set = move |i: usize| i / image * groups + i % c / size;
                let moments = moments(x, n * groups, &set);
                let sets = moments.iter().map(|m| (m.0, 1.0 / (m.1 + options.eps).sqrt(), m.2)).collect();
                Self { set: Box::new(set), sets, through_statistics: true, measured: None }
            }
        }
    }

    fn normalised(&self, i: usize, x: f64) -> f64 {
        let (mean, inverse, _) = self.sets[(self.set)(i)];
        (x - mean) * inverse
    }

    #[allow(clippy::type_complexity)]
    fn forward(
        self,
        x: &[f64],
        graph: &Graph,
        norm: usize,
        p: &[Vec<f64>],
    ) -> (Vec<f64>, Option<(Vec<f64>, Vec<f64>)>) {
        let layer = &graph.norms[norm];
        let of = |(i, x): (usize, &f64)| {
            let c = i % layer.channels;
            layer.weight.map_or(1.0, |w| p[w][c]) * self.normalised(i, *x) + p[layer.bias][c]
        };
        (x.iter().enumerate().map(of).collect(), self.measured)
    }

    fn backward(
        self,
        x: &[f64],
        dy: &[f64],
        graph: &Graph,
        norm: usize,
        p: &[Vec<f64>],
        gradients: &mut [Vec<f64>],
    ) -> Vec<f64> {
        let layer = &graph.norms[norm];
        let weighted = |i: usize| dy[i] * layer.weight.map_or(1.0, |w| p[w][i % layer.channels]);
        let mut sums = vec![(0.0, 0.0); self.sets.len()];
        for i in 0..x.len() {
            let (c, hat) = (i % layer.channels, self.normalised(i, x[i]));
            gradients[layer.bias][c] += dy[i];
            layer.weight.into_iter().for_each(|w| gradients[w][c] += dy[i] * hat);
            let sum = &mut sums[(self.set)(i)];
            *sum = (sum.0 + weighted(i), sum.1 + weighted(i) * hat);
        }
        let of = |i: usize| {
            let set = (self.set)(i);
            let (_, inverse, count) = self.sets[set];
            if !self.through_statistics {
                return inverse * weighted(i);
            }
            inverse * (weighted(i) - sums[set].0 / count - self.normalised(i, x[i]) * sums[set].1 / count)
        };
        (0..x.len()).map(of).collect()
    }
}

/// Mean, biased variance and count of each set.
fn moments(x: &[f64], sets: usize, set: &dyn Fn(usize) -> usize) -> Vec<(f64, f64, f64)> {
    let mut moments = vec![(0.0, 0.0, 0.0); sets];
    x.iter().enumerate().for_each(|(i, x)| {
        moments[set(i)].0 += x;
        moments[set(i)].2 += 1.0;
    });
    moments.iter_mut().for_each(|m| m.0 /= m.2);
    for (i, x) in x.iter().enumerate() {
        let m = &mut moments[set(i)];
        m.1 += (x - m.0).powi(2) / m.2;
    }
    moments
}

fn cross_entropy(logits: &[f64], classes: usize, labels: &[u32], smoothing: f64) -> (f64, Vec<f64>) {
    let n = labels.len() as f64;
    let (mut loss, mut gradient) = (0.0, Vec::new());
    for (row, &label) in logits.chunks(classes).zip(labels) {
        let sum: f64 = row.iter().map(|z| z.exp()).sum();
        for (k, z) in row.iter().enumerate() {
            let hit = if k == label as usize { 1.0 - smoothing } else { 0.0 };
            let wanted = hit + smoothing / classes as f64;
            loss += wanted * (sum.ln() - z) / n;
            gradient.push((z.exp() / sum - wanted) / n);
        }
    }
    (loss, gradient)
}
