//! Data that looks like a training run's, from a counter.

/// A number in 0..1 for each `i`.
pub(crate) fn noise(i: u64) -> f64 {
    let x = i.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// A 32×32 picture of a bright disc on a gradient, HWC.
pub(crate) fn picture(seed: u64) -> Vec<u8> {
    let at = |k: u64| noise(1000 * seed + k);
    let (cx, cy, r) = (8.0 + 16.0 * at(0), 8.0 + 16.0 * at(1), 5.0 + 5.0 * at(2));
    let mut bytes = Vec::with_capacity(3072);
    for i in 0..1024u64 {
        let (x, y) = ((i % 32) as f64, (i / 32) as f64);
        let inside = (x - cx).hypot(y - cy) < r;
        for c in 0..3 {
            let ground = 60.0 + 120.0 * at(3 + c) + 2.0 * (y - 16.0);
            let disc = 40.0 + 215.0 * at(6 + c);
            let grain = 24.0 * (noise(seed * 77_777 + 3 * i + c) - 0.5);
            bytes.push((if inside { disc } else { ground } + grain).clamp(0.0, 255.0) as u8);
        }
    }
    bytes
}

/// The picture moved by (`dx`, `dy`) with black where nothing was, perhaps mirrored, with a grey hole of side `hole`.
pub(crate) fn moved(bytes: &[u8], (dx, dy): (i64, i64), mirrored: bool, hole: i64) -> Vec<u8> {
    let mut out = vec![0; 3072];
    for y in 0..32i64 {
        for x in 0..32i64 {
            let from = (if mirrored { 31 - x } else { x } + dx, y + dy);
            let to = (3 * (32 * y + x)) as usize;
            if (12 - dx..12 - dx + hole).contains(&x) && (8 + dy..8 + dy + hole).contains(&y) {
                out[to..to + 3].fill(120);
            } else if (0..32).contains(&from.0) && (0..32).contains(&from.1) {
                let from = (3 * (32 * from.1 + from.0)) as usize;
                out[to..to + 3].copy_from_slice(&bytes[from..from + 3]);
            }
        }
    }
    out
}

/// A 4×4 map with one hot spot.
pub(crate) fn map(seed: u64) -> Vec<f32> {
    let (cx, cy) = (3.0 * noise(seed * 31), 3.0 * noise(seed * 37 + 1));
    (0..16).map(|i| (-0.5 * ((i % 4) as f64 - cx).hypot((i / 4) as f64 - cy).powi(2)).exp() as f32).collect()
}

/// Filters that look for edges and colours, (filter, channel, row, column), the later the weaker.
pub(crate) fn filters(count: usize, side: usize) -> Vec<f32> {
    let middle = (side as f64 - 1.0) / 2.0;
    let weight = |i: usize| {
        let (o, c) = (i / (3 * side * side), (i / (side * side)) % 3);
        let (y, x) = (((i / side) % side) as f64 - middle, (i % side) as f64 - middle);
        let at = |k: u64| noise(97 * o as u64 + k) - 0.5;
        let wave = x * at(0) + y * at(1) + at(2) * (x * x + y * y - 1.0);
        (wave + at(3 + c as u64)) * 0.98f64.powi(o as i32)
    };
    (0..count * 3 * side * side).map(|i| weight(i) as f32).collect()
}

pub(crate) struct Run {
    pub(crate) train_loss: Vec<f64>,
    pub(crate) test_loss: Vec<f64>,
    pub(crate) train_accuracy: Vec<f64>,
    pub(crate) test_accuracy: Vec<f64>,
    pub(crate) lr: Vec<f64>,
    pub(crate) momentum: Vec<f64>,
}

pub(crate) fn run(epochs: usize) -> Run {
    let t = |e: usize| (e + 1) as f64;
    let of = |f: &dyn Fn(usize) -> f64| (0..epochs).map(f).collect::<Vec<_>>();
    let peak = (epochs as f64 / 4.0).max(1.0);
    let rise =
        |e: usize| if t(e) <= peak { t(e) / peak } else { 1.0 - (t(e) - peak) / (epochs as f64 - peak) };
    Run {
        train_loss: of(&|e| 0.19 + 1.6 * (-0.28 * t(e)).exp() + 0.01 * noise(e as u64)),
        test_loss: of(&|e| 0.25 + 1.2 * (-0.3 * t(e)).exp() + 0.09 * noise(99 + e as u64) / t(e).sqrt()),
        train_accuracy: of(&|e| 0.935 - 0.62 * (-0.27 * t(e)).exp() - 0.004 * noise(e as u64)),
        test_accuracy: of(&|e| 0.923 - 0.5 * (-0.3 * t(e)).exp() - 0.03 * noise(7 + e as u64) / t(e).sqrt()),
        lr: of(&|e| 5.0941380148163806e-3 * rise(e).max(1e-4)),
        momentum: of(&|e| 0.95 - 0.1 * rise(e)),
    }
}

/// A range test of `n` steps from 1e-5 to 0.1: rates, losses, smoothed losses.
pub(crate) fn range_test(n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let lr: Vec<f64> = (0..n).map(|i| 1e-5 * 1e4f64.powf(i as f64 / (n.max(2) - 1) as f64)).collect();
    let mut smoothed: Vec<f64> = Vec::new();
    let loss: Vec<f64> = lr
        .iter()
        .zip(0..)
        .map(|(l, i)| {
            let x = l.log10();
            2.35 - 1.0 / (1.0 + (-(x + 2.6) * 4.0).exp())
                + (6.0 * (x + 1.4).max(0.0)).powi(2)
                + 0.3 * (noise(i) - 0.5)
        })
        .collect();
    for &l in &loss {
        let before = smoothed.last().copied().unwrap_or(l);
        smoothed.push(0.15 * l + 0.85 * before);
    }
    (lr, loss, smoothed)
}

/// Counts of a classifier that is right nine times in ten and has favourite mistakes.
pub(crate) fn counts(classes: usize, each: u64) -> Vec<u64> {
    let mut counts = vec![0; classes * classes];
    for row in 0..classes {
        let mut left = each;
        for column in (0..classes).filter(|&c| c != row) {
            let likely =
                noise((row.min(column) * 1009 + row.max(column)) as u64).powi(6) * 10.0 / classes as f64;
            let n = ((each as f64) * 0.12 * likely
                + 0.6 * (10.0 / classes as f64).min(1.0) * noise((row * 31 + column * 17) as u64))
                as u64;
            counts[row * classes + column] = n.min(left);
            left -= n.min(left);
        }
        counts[row * classes + row] = left;
    }
    counts
}

/// Bins of a network that is surer than it is right, but where it is least sure: ends, images, mean confidence and accuracy.
pub(crate) fn bins(n: usize) -> Vec<(f64, f64, u64, f64, f64)> {
    let edge = |k: usize| k as f64 / n as f64;
    let bin = |k: usize| {
        let middle = (edge(k) + edge(k + 1)) / 2.0;
        let images = if k + 1 == n { 6890.0 } else { 380.0 * middle.powi(2) + 9.0 * noise(k as u64) };
        let lift = if 3 * k < n { 0.24 } else { 0.0 };
        let accuracy = (middle + lift - 0.11 * (1.0 - middle) - 0.08 * noise(41 + k as u64)).max(0.0);
        (
            edge(k),
            edge(k + 1),
            images as u64,
            middle + 0.3 / n as f64 * (noise(90 + k as u64) - 0.5),
            accuracy,
        )
    };
    (0..n).map(bin).collect()
}

/// The norms of a ResNet-18's 62 parameters and of their gradients at `n` steps.
pub(crate) fn parameter_norms(n: usize) -> Vec<(String, Vec<f64>, Vec<f64>)> {
    let norm = |bn: &str| [format!("{bn}.weight"), format!("{bn}.bias")];
    let mut names = vec!["conv1.weight".to_owned()];
    names.extend(norm("bn1"));
    for (layer, block) in (1..=4).flat_map(|layer| (0..2).map(move |block| (layer, block))) {
        let at = format!("layer{layer}.{block}");
        for i in 1..=2 {
            names.push(format!("{at}.conv{i}.weight"));
            names.extend(norm(&format!("{at}.bn{i}")));
        }
        if layer > 1 && block == 0 {
            names.push(format!("{at}.shortcut.0.weight"));
            names.extend(norm(&format!("{at}.shortcut.1")));
        }
    }
    names.extend(norm("linear"));
    let of = |(name, i): (String, u64)| {
        let wide = name.bytes().find(u8::is_ascii_digit).map_or(1.0, |d| f64::from(d - b'0'));
        let size = if name.contains("conv") { 6.0 * wide } else { 2.0 + 2.0 * noise(i) };
        let weight = (0..n).map(|t| size * (1.0 + 0.5 * (t as f64 / n as f64 - noise(31 * i)))).collect();
        let shrink = |t: usize| (-2.5 * t as f64 / n as f64).exp() * (0.7 + 0.6 * noise(1000 * i + t as u64));
        let gradient = (0..n).map(|t| 0.1 * size.sqrt() * shrink(t) / wide).collect();
        (name, weight, gradient)
    };
    names.into_iter().zip(1..).map(of).collect()
}
