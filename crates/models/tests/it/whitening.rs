//! What whitening filters do, of what they cannot be made, and where the speedrun starts.

use candle_core::{DType, Device, Tensor};
use wick_models::{Architecture, Network, start_speedrun, whitening_filters};

use crate::golden;

/// Noise on a slope: neighbouring pixels and colours go together, and colours differ in brightness.
fn images(n: usize, side: usize) -> Tensor {
    let noise = golden::uniform(1, n * side * side * 3, 0.5);
    let value = |(i, noise): (usize, f32)| {
        let (colour, column, row) = (i % 3, i / 3 % side, i / 3 / side % side);
        noise + (0.3 * row as f32 + 0.5 * column as f32).sin() * (colour + 1) as f32
    };
    let values: Vec<f32> = noise.into_iter().enumerate().map(value).collect();
    Tensor::from_vec(values, (n, side, side, 3), &Device::Cpu).unwrap()
}

#[test]
fn answers_are_uncorrelated_with_a_variance_of_one() {
    let x = images(32, 9);
    // Without eps the variance is 1, as far as filters and sums over 2048 patches in f32 tell.
    let filters = whitening_filters(&x, 0.0).unwrap();
    assert_eq!(filters.dims(), [2, 2, 3, 24]);
    let y = wick_ops::conv2d(&x, &filters, Default::default()).unwrap().flatten(0, 2).unwrap();
    let covariance = (y.t().unwrap().matmul(&y).unwrap() / y.dim(0).unwrap() as f64).unwrap();
    for (i, row) in covariance.to_vec2::<f32>().unwrap().iter().enumerate() {
        for (j, got) in row.iter().enumerate() {
            // Filter i + 12 is the negative of filter i.
            let want = if i == j {
                1.0
            } else if i % 12 == j % 12 {
                -1.0
            } else {
                0.0
            };
            assert!((got - want).abs() < 1e-3, "{i}, {j}: {got} instead of {want}");
        }
    }
}

#[test]
fn eps_keeps_flat_images_finite() {
    let x = Tensor::zeros((2, 4, 4, 3), DType::F32, &Device::Cpu).unwrap();
    let filters: Vec<f32> = whitening_filters(&x, 0.25).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    // Every direction is an eigenvector of nothing: unit vectors over √0.25.
    assert!(filters.iter().all(|v| [0.0, 2.0, -2.0].contains(v)), "{filters:?}");
}

#[test]
fn what_has_no_patches_is_refused() {
    for shape in [(0, 4, 4, 3), (2, 1, 4, 3), (2, 4, 4, 1)] {
        let x = Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let error = whitening_filters(&x, 5e-4).unwrap_err().to_string();
        assert!(error.contains("whitening takes images (N, H, W, 3) of at least 2×2 pixels"), "{error}");
    }
}

/// `torch.nn.init.dirac_(weight[:weight.size(1)])`: those filters hand their own channel through; the rest are left as they were.
#[test]
fn a_speedrun_starts_with_whitening_and_identities() {
    let network = Network::new(Architecture::Speedrun, 10, 3, &Device::Cpu).unwrap();
    let weight = |name: &str| network.parameters.get(name).unwrap();
    let values = |name: &str| weight(name).flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let before = values("group1.0.weight");
    let x = images(4, 9);
    start_speedrun(&network.parameters, &x).unwrap();
    let want: Vec<f32> = whitening_filters(&x, 5e-4).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    assert_eq!(values("whiten.weight"), want);
    for (name, c_in, c_out) in
        [("group1.0", 24, 64), ("group1.4", 64, 64), ("group2.0", 64, 256), ("group3.4", 256, 256)]
    {
        let after = values(&format!("{name}.weight"));
        assert_eq!(after.len(), 9 * c_in * c_out);
        for (i, value) in after.iter().enumerate() {
            let (place, channel, filter) = (i / c_out / c_in, i / c_out % c_in, i % c_out);
            if filter < c_in {
                let want = f32::from(u8::from(place == 4 && filter == channel));
                assert_eq!(*value, want, "{name}: {place} {channel} {filter}");
            } else if name == "group1.0" {
                assert_eq!(*value, before[i], "{name}: {place} {channel} {filter}");
            }
        }
    }
    let other = Network::new(Architecture::CustomResNet, 10, 3, &Device::Cpu).unwrap();
    let said = start_speedrun(&other.parameters, &x).unwrap_err().to_string();
    assert!(said.contains("whiten.weight"), "{said}");
}
