//! The networks that are measured, and the data.

use anyhow::Result;
use candle_core::{Device, Tensor};
use wick_models::Architecture;

use super::counter::{splitmix64, uniform};
use super::engine::Batch;

pub const CLASSES: usize = 10;

/// Keys the network's start and the data.
pub const SEED: u64 = 0;

/// The batch at which a network is measured, the peer's too, unless another is asked for: that of its published recipe.
pub fn default_batch(work: Architecture) -> usize {
    match work {
        Architecture::CustomResNet
        | Architecture::CustomResNetScaled
        | Architecture::CustomResNetPublished => 512,
        Architecture::Speedrun => 1024,
        _ => 128,
    }
}

/// Random images and labels, of unit variance and from a seed.
pub fn random_batch(n: usize) -> Result<Batch> {
    // Uniform in ±√3: variance 1, as normalised images have.
    let images = uniform(SEED + 900, n * 32 * 32 * 3, 3.0_f32.sqrt());
    let labels = (0..n as u64).map(|i| (splitmix64(SEED + i) % CLASSES as u64) as u32).collect();
    Ok(Batch {
        images: Tensor::from_vec(images, (n, 32, 32, 3), &Device::Cpu)?,
        labels: Tensor::from_vec::<_, u32>(labels, n, &Device::Cpu)?,
    })
}

/// Floating-point operations of one image's forward pass, computed directly: two for each of the summary's
/// multiply-adds.
pub fn forward_flops(work: Architecture) -> Result<f64> {
    Ok(2.0 * work.summary(CLASSES, 1)?.mult_adds as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_seeded_and_of_unit_variance() {
        let batch = random_batch(16).unwrap();
        assert_eq!((batch.len(), batch.images.dims()), (16, &[16, 32, 32, 3][..]));
        let images: Vec<f32> = batch.images.flatten_all().unwrap().to_vec1().unwrap();
        let n = images.len() as f64;
        let mean = images.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let variance = images.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
        // 49,152 values: five deviations of the mean are 0.023, of the variance 0.02.
        assert!(mean.abs() < 0.023 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        let labels: Vec<u32> = batch.labels.to_vec1().unwrap();
        assert!(labels.iter().all(|&l| l < 10) && labels.iter().any(|&l| l != labels[0]));
        let again: Vec<f32> = random_batch(16).unwrap().images.flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(images, again);
    }

    #[test]
    fn a_training_step_of_resnet18_is_3_33_gflop() {
        let flops = 3.0 * forward_flops(Architecture::ResNet18).unwrap();
        assert!((flops / 1e9 - 3.33).abs() < 0.005, "{flops}");
        assert_eq!(default_batch(Architecture::ResNet18), 128);
    }
}
