//! Muon's steps on a GPU against its formulas in f64, from the GPU's own gradients. Without a GPU there is nothing to test here.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // in helpers as in tests; each error is told

use wick_augment::{Augmentation, Key, Size, Transform};
use wick_cuda::training::{
    Clip, Data, Elsewhere, Epoch, Filters, Group, Momentum, Muon, Rates, Rule, Settings, Step, Trainer,
    Values,
};
use wick_cuda::{Determinism, Device, Numbers, Options};
use wick_graph::{BatchNorm, Bias, Conv2d, Graph, Role};

mod gpu;
#[path = "../../graph/src/tests/inputs.rs"]
mod inputs;

use gpu::device;

const SIDE: usize = 8;
const BATCH: usize = 6;

/// Filters of sides below, at and above a tile's, wide and tall, one of them of a single block of parameters; one that is left alone.
fn network() -> Graph {
    let mut g = Graph::new([SIDE, SIDE, 3]);
    let mut x = g.input();
    for (name, out_channels, kernel) in [
        ("wide", 5, 3),
        ("tall", 70, 1),
        ("odd", 67, 3),
        ("whole", 64, 3),
        ("frozen", 9, 1),
        ("last", 130, 3),
    ] {
        let conv = Conv2d { out_channels, kernel, padding: kernel / 2, ..Conv2d::default() };
        x = g.conv2d(x, name, conv).unwrap();
        x = g.batch_norm(x, &format!("{name}.bn"), BatchNorm::default()).unwrap();
        x = g.relu(x).unwrap();
    }
    let x = g.global_avg_pool2d(x).unwrap();
    g.linear(x, "linear", 3, Bias::Learnt).unwrap();
    g
}

/// `x ← ax + b(xxᵀ)x + c(xxᵀ)²x`, of rows no longer than columns, as the formula has it.
fn newton_schulz(mut x: Vec<Vec<f64>>, steps: usize) -> Vec<Vec<f64>> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norm = x.iter().map(|row| dot(row, row)).sum::<f64>().sqrt() + 1e-7;
    x.iter_mut().flatten().for_each(|v| *v /= norm);
    for _ in 0..steps {
        let gram: Vec<Vec<f64>> = x.iter().map(|a| x.iter().map(|b| dot(a, b)).collect()).collect();
        let times = |i: usize, j: usize| -4.775 * gram[i][j] + 2.0315 * dot(&gram[i], &gram[j]);
        let all = 0..x.len();
        let row = |i: usize| {
            let mut row: Vec<f64> = x[i].iter().map(|v| 3.4445 * v).collect();
            for k in all.clone() {
                let factor = times(i, k);
                row.iter_mut().zip(&x[k]).for_each(|(to, v)| *to += factor * v);
            }
            row
        };
        x = all.clone().map(row).collect();
    }
    x
}

/// The step along a filter's direction, both as (KH·KW·C_in, C_out).
fn orthogonal(direction: &[f64], c_out: usize, steps: usize) -> Vec<f64> {
    let columns: Vec<Vec<f64>> =
        (0..c_out).map(|c| direction.iter().skip(c).step_by(c_out).copied().collect()).collect();
    let rows: Vec<Vec<f64>> = direction.chunks(c_out).map(<[f64]>::to_vec).collect();
    if c_out < rows.len() {
        let done = newton_schulz(columns, steps);
        (0..direction.len()).map(|i| done[i % c_out][i / c_out]).collect()
    } else {
        newton_schulz(rows, steps).concat()
    }
}

/// A step's options as numbers.
struct Told {
    muon: Muon,
    decay: f64,
    clip: f64,
    rates: Rates,
}

/// The values and the buffer after a step.
fn expected(
    told: &Told,
    shape: &[usize],
    group: Group,
    [p, g, b]: [&[f32]; 3],
    scale: f64,
) -> (Vec<f64>, Vec<f64>) {
    let f64s = |v: &[f32]| v.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>();
    let (p, g, b) = (f64s(p), f64s(g).iter().map(|g| scale * g).collect::<Vec<f64>>(), f64s(b));
    let (lr, decay) = (group.learning_rate * told.rates.learning_rate, group.weight_decay * told.decay);
    let along = |kind, m: f64, g: &[f64], b: &[f64]| -> Vec<f64> {
        let of = |(g, b): (&f64, &f64)| match kind {
            Momentum::None => *g,
            Momentum::Heavy => *b,
            Momentum::Nesterov => g + m * b,
        };
        g.iter().zip(b).map(of).collect()
    };
    let is_filter = shape.len() == 4;
    let elsewhere = &told.muon.elsewhere;
    let m = match (is_filter, told.muon.momentum) {
        (true, Momentum::None) => 0.0,
        (true, _) => told.rates.momentum,
        (false, _) => elsewhere.coefficient,
    };
    let g: Vec<f64> = if is_filter { g } else { g.iter().zip(&p).map(|(g, p)| g + decay * p).collect() };
    let buffer: Vec<f64> = b.iter().zip(&g).map(|(b, g)| m * b + g).collect();
    if !is_filter {
        let lr = elsewhere.learning_rate * lr;
        let along = along(elsewhere.momentum, m, &g, &buffer);
        return (p.iter().zip(along).map(|(p, u)| p - lr * u).collect(), buffer);
    }
    let step = orthogonal(&along(told.muon.momentum, m, &g, &buffer), shape[3], told.muon.steps);
    let kept = match told.muon.filters {
        Filters::Free => 1.0 - lr * decay,
        Filters::Rescaled => (shape[3] as f64).sqrt() / p.iter().map(|p| p * p).sum::<f64>().sqrt(),
    };
    (p.iter().zip(step).map(|(p, u)| kept * p - lr * u).collect(), buffer)
}

/// The norm of the difference over the norm of what was expected.
fn distance(got: &[f32], want: &[f64]) -> f64 {
    let difference: f64 = got.iter().zip(want).map(|(g, w)| (f64::from(*g) - w).powi(2)).sum();
    (difference / want.iter().map(|w| w * w).sum::<f64>().max(1e-30)).sqrt()
}

/// Three steps: begun one by one, recorded, played back. From the same gradients, sums of f32 are off by some 1e-6, as an emulation of
/// the kernels on a CPU measured; 2e-5 leaves room for small singular values, whose roundings five steps multiply by up to 500.
fn follow(device: &Device, numbers: Numbers, parts: usize, told: &Told) {
    let graph = network();
    let images = inputs::images(&graph, 3 * BATCH);
    let images: Vec<u8> = images.iter().map(|v| ((v + 1.0) * 127.0) as u8).collect();
    let labels: Vec<u8> = (0..3 * BATCH).map(|i| (i % 3) as u8).collect();
    let list = [Transform::normalize([0.5; 3], [0.25; 3])];
    let augmentation = Augmentation::new(&list, Size::new(SIDE, SIDE)).unwrap().packed().unwrap();
    let data =
        Data { images: &images, labels: &labels, augmentation: &augmentation, label_smoothing: 0.0, parts };
    let groups =
        [(1.0, 1.0), (4.0, 0.5)].map(|(learning_rate, weight_decay)| Group { learning_rate, weight_decay });
    let of = |(at, p): (usize, &wick_graph::Parameter)| {
        (!p.name.starts_with("frozen")).then_some(usize::from(at % 4 == 0))
    };
    let settings = Settings {
        rule: Rule::Muon(told.muon),
        weight_decay: told.decay,
        l1: 0.0,
        clip: if told.clip > 0.0 { Clip::Norm(told.clip) } else { Clip::None },
        groups: groups.to_vec(),
        group_of: graph.parameters().iter().enumerate().map(of).collect(),
    };
    let group_of = settings.group_of.clone();
    let options = Options { numbers, determinism: Determinism::Required };
    let mut trainer = Trainer::new(device, &graph, options, settings, data).unwrap();
    let mut values = inputs::parameters(&graph);
    let borrowed: Vec<&[f32]> = values.iter().map(Vec::as_slice).collect();
    trainer.executor().set_parameters(&borrowed).unwrap();
    let mut buffers: Values = graph.parameters().iter().map(|p| vec![1e-3; p.len()]).collect();
    trainer.set_state(7, &[buffers.iter().map(Vec::as_slice).collect()]).unwrap();

    let order: Vec<i32> = (0..3 * BATCH as i32).collect();
    let (mut words, mut packer) = (Vec::new(), augmentation.packer());
    (0..order.len() as u64).for_each(|index| packer.pack_key(Key { seed: 0, epoch: 1, index }, &mut words));
    trainer.begin_epoch(Epoch { order: &order, words: &words, batches: &[] }).unwrap();
    for step in 0..3 {
        let report =
            &trainer.steps(step * BATCH, BATCH, &[Step { rates: told.rates, mix: None }]).unwrap()[0];
        let scale = report.gradient_norm.map_or(1.0, |norm| (told.clip / (norm + 1e-6)).min(1.0));
        let (mut gradients, mut got) = (vec![Vec::new(); values.len()], vec![Vec::new(); values.len()]);
        trainer.executor().gradients(&mut gradients).unwrap();
        trainer.executor().parameters(&mut got).unwrap();
        let got_buffers = trainer.state().unwrap().1.remove(0);
        for (at, p) in graph.parameters().iter().enumerate().filter(|(_, p)| p.role == Role::Trainable) {
            let Some(group) = group_of[at] else {
                assert!(got[at] == values[at] && got_buffers[at] == buffers[at], "{} is left alone", p.name);
                continue;
            };
            let now = [&values[at][..], &gradients[at], &buffers[at]];
            let (want, buffer) = expected(told, &p.shape, groups[group], now, scale);
            let kept = p.shape.len() == 4 || told.muon.elsewhere.momentum != Momentum::None;
            let errors =
                [distance(&got[at], &want), if kept { distance(&got_buffers[at], &buffer) } else { 0.0 }];
            println!("{numbers:?}, step {step}, {}: {:.1e}, {:.1e}", p.name, errors[0], errors[1]);
            assert!(errors[0] < 2e-5 && errors[1] < 2e-6, "{numbers:?}, step {step}, {}: {errors:?}", p.name);
        }
        (values, buffers) = (got, got_buffers);
    }
}

#[test]
fn filters_and_the_rest_follow_the_formulas() {
    let Some(device) = device() else { return };
    let elsewhere = Elsewhere { learning_rate: 2.0, momentum: Momentum::Nesterov, coefficient: 0.85 };
    let free = Muon { momentum: Momentum::Nesterov, steps: 5, filters: Filters::Free, elsewhere };
    let plain = Elsewhere { momentum: Momentum::None, coefficient: 0.0, ..elsewhere };
    let rescaled = Muon {
        momentum: Momentum::Heavy,
        steps: 3,
        filters: Filters::Rescaled,
        elsewhere: Elsewhere { momentum: Momentum::Heavy, ..elsewhere },
    };
    let bare = Muon { momentum: Momentum::None, steps: 2, elsewhere: plain, ..free };
    let rates = |momentum| Rates { learning_rate: 0.02, momentum };
    for told in [
        Told { muon: free, decay: 0.1, clip: 0.0, rates: rates(0.9) },
        Told { muon: rescaled, decay: 0.1, clip: 0.05, rates: rates(0.6) },
        Told { muon: bare, decay: 0.0, clip: 0.0, rates: rates(0.0) },
    ] {
        follow(&device, Numbers::F32, 1, &told);
        follow(&device, Numbers::F32, 2, &told);
        follow(&device, Numbers::Bf16, 1, &told);
    }
}
