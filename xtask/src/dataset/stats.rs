//! `cargo xtask dataset stats`: images of each class; mean and deviation of each channel.

use std::path::PathBuf;

use wick_cifar::{CHANNELS, Dataset, Split};
use wick_runs::grouped;

/// Count the images of each class; mean and standard deviation of each channel
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder of the .bin files, its parent, or the .tar.gz
    #[arg(long, visible_alias = "dir", default_value = "data")]
    data: PathBuf,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let dataset = wick_cifar::load(&args.data)?;
    print!("{}", table(&dataset));
    Ok(())
}

/// Mean and standard deviation (of the population) of each channel, of pixels from 0 to 1.
///
/// From whole sums, so that the order of the images makes no difference.
fn channel_statistics(split: &Split) -> [(f64, f64); CHANNELS] {
    let (mut sums, mut squares) = ([0_u64; CHANNELS], [0_u64; CHANNELS]);
    for pixel in split.images().chunks_exact(CHANNELS) {
        for ((sum, square), value) in sums.iter_mut().zip(&mut squares).zip(pixel) {
            *sum += u64::from(*value);
            *square += u64::from(*value).pow(2);
        }
    }
    let pixels = (split.images().len() / CHANNELS) as f64;
    let mut statistics = [(0.0, 0.0); CHANNELS];
    for ((statistic, sum), square) in statistics.iter_mut().zip(sums).zip(squares) {
        let mean = sum as f64 / pixels;
        let variance = square as f64 / pixels - mean * mean;
        *statistic = (mean / 255.0, variance.max(0.0).sqrt() / 255.0);
    }
    statistics
}

fn table(dataset: &Dataset) -> String {
    let classes = dataset.class_names.len();
    let (train, test) = (dataset.train.class_counts(classes), dataset.test.class_counts(classes));
    let count = |n: usize| grouped(n as u64);
    let width = dataset.class_names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
    let mut text = format!("{:<width$} {:>8} {:>8}\n", "class", "train", "test");
    for ((name, train), test) in dataset.class_names.iter().zip(&train).zip(&test) {
        text += &format!("{name:<width$} {:>8} {:>8}\n", count(*train), count(*test));
    }
    let (all_train, all_test) = (count(train.iter().sum()), count(test.iter().sum()));
    text += &format!("{:<width$} {all_train:>8} {all_test:>8}\n\n", "all");
    text += &format!("{:<width$} {:>17} {:>17}\n", "channel", "train mean, std", "test mean, std");
    let (train, test) = (channel_statistics(&dataset.train), channel_statistics(&dataset.test));
    for ((name, train), test) in ["red", "green", "blue"].iter().zip(train).zip(test) {
        let pair = |(mean, std): (f64, f64)| format!("{mean:.5}, {std:.5}");
        text += &format!("{name:<width$} {:>17} {:>17}\n", pair(train), pair(test));
    }
    text + "(of pixels from 0 to 1; standard deviation of the population)\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use wick_cifar::{IMAGE_BYTES, Variant};

    fn dataset() -> Dataset {
        // Red is half 0, half 255; green always 51; blue 0 in one image and 255 in three.
        let mut images = Vec::new();
        for blue in [0, 255, 255, 255] {
            for i in 0..IMAGE_BYTES / 3 {
                images.extend([if i % 2 == 0 { 0 } else { 255 }, 51, blue]);
            }
        }
        let train = Split::new(images, vec![0, 3, 3, 9]).unwrap();
        let test = train.take(1);
        Dataset { variant: Variant::Cifar10, class_names: Variant::Cifar10.class_names(), train, test }
    }

    #[test]
    fn mean_and_deviation_of_the_population() {
        let [red, green, blue] = channel_statistics(&dataset().train);
        let close = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).abs() < 1e-12 && (a.1 - b.1).abs() < 1e-7;
        assert!(close(red, (0.5, 0.5)), "{red:?}");
        assert!(close(green, (0.2, 0.0)), "{green:?}");
        assert!(close(blue, (0.75, 0.75f64.sqrt() / 2.0)), "{blue:?}");
    }

    #[test]
    fn the_table_counts_every_class() {
        let text = table(&dataset());
        let row = |name: &str| {
            text.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().collect()
        };
        let rows: [Vec<&str>; 3] = [row("cat"), row("truck"), row("all")];
        assert_eq!(rows, [["cat", "2", "0"], ["truck", "1", "0"], ["all", "4", "1"]]);
        assert!(text.contains("0.20000, 0.00000"), "{text}");
    }
}
