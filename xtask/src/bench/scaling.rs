//! `cargo xtask bench scaling`: what a step costs as the batch and the number of threads grow.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;
use wick_runs::write_atomic;

use super::load::Watch;
use super::measurement::{Measurement, measured};
use super::record::Record;
use super::spread::{Spread, short};
use super::{Keep, Work, table};
use crate::pipeline;

/// Cost against the batch, and against the number of threads.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    work: Work,
    /// Batches to measure; the network's own is always among them.
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', default_values_t = [16, 32, 64, 128, 256, 512])]
    batches: Vec<usize>,
    /// Threads to measure with, at the network's own batch [default: 1, 2, 4, … and all cores].
    #[arg(long, value_name = "N,N,…", value_delimiter = ',')]
    threads: Option<Vec<usize>>,
    /// How often everything is measured; medians are told.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Tell the result as CSV instead of a table.
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    keep: Keep,
}

/// Which is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Sweep {
    Batch,
    Threads,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Point {
    sweep: Sweep,
    batch: usize,
    threads: usize,
    img_per_s: f64,
    eval_img_per_s: f64,
    peak_rss_mb: Option<f64>,
    /// Training rate over that of the network's own batch, or of the fewest threads.
    relative: f64,
}

#[derive(Debug, Serialize)]
struct Scaling {
    work: String,
    precision: String,
    engine: Option<String>,
    rounds: u32,
    points: Vec<Point>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut watch = Watch::before();
    let pipeline = pipeline::build()?;
    watch.begin();
    let all: Vec<Measurement> = (0..args.rounds)
        .map(|_| once(args, &pipeline))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect();
    let load = watch.end();
    let own = all.first().context("nothing was measured")?.clone();
    let scaling = Scaling {
        work: own.work.clone(),
        precision: own.precision.clone(),
        engine: own.text("engine").map(str::to_owned),
        rounds: args.rounds,
        points: points(&all, &own),
    };
    let csv = csv(&scaling.points);
    print!("{}", if args.csv { csv.clone() } else { text(&scaling, &own) });
    let name = [Some(own.work.as_str()), Some(&own.precision), args.work.engine.as_deref(), Some("scaling")];
    let name = name.into_iter().flatten().collect::<Vec<_>>().join("-");
    let record = Record::new(load, &scaling);
    if let Some(file) = record.file(&args.keep, &name, "csv") {
        write_atomic(&file, csv.as_bytes())?;
    }
    record.keep(&args.keep, &name)?;
    Ok(ExitCode::SUCCESS)
}

/// Every setting once: first the network's own batch on all cores.
fn once(args: &Args, pipeline: &Path) -> Result<Vec<Measurement>> {
    let measure = |batch, threads| -> Result<Measurement> {
        let mut arguments = args.work.arguments(batch, threads);
        arguments.push("--json".into());
        let m = measured(pipeline, &arguments)?;
        eprintln!("batch {}, threads {}: {} images/s", m.batch, m.threads, table::number(m.img_per_s));
        Ok(m)
    };
    let own = measure(None, None)?;
    let (batch, threads) = (own.batch, own.threads);
    let mut all = vec![own];
    for &other in args.batches.iter().filter(|n| **n != batch) {
        all.push(measure(Some(other), None)?);
    }
    let counts = args.threads.clone().unwrap_or_else(|| powers_of_two(threads));
    for count in counts.into_iter().filter(|n| *n != threads) {
        all.push(measure(None, Some(count))?);
    }
    Ok(all)
}

/// 1, 2, 4, … below `all`.
fn powers_of_two(all: usize) -> Vec<usize> {
    std::iter::successors(Some(1_usize), |n| n.checked_mul(2)).take_while(|n| *n < all).collect()
}

/// Medians of each setting: the batches with all threads, then the threads with the network's own batch.
fn points(all: &[Measurement], own: &Measurement) -> Vec<Point> {
    let mut settings: Vec<(usize, usize)> = all.iter().map(|m| (m.batch, m.threads)).collect();
    settings.sort_unstable();
    settings.dedup();
    let point = |sweep, (batch, threads)| {
        let of = |figure: fn(&Measurement) -> Option<f64>| {
            let same = all.iter().filter(|m| (m.batch, m.threads) == (batch, threads));
            Some(Spread::of(same.map(figure))?.median)
        };
        let (img_per_s, eval_img_per_s) = (of(|m| Some(m.img_per_s))?, of(|m| Some(m.eval_img_per_s))?);
        let peak_rss_mb = of(|m| m.peak_rss_mb);
        Some(Point { sweep, batch, threads, img_per_s, eval_img_per_s, peak_rss_mb, relative: 1.0 })
    };
    let relative_to = |points: Vec<Point>, base: Option<f64>| {
        let relative = move |p: Point| {
            let relative = base.map_or(1.0, |base| short(p.img_per_s / base));
            Point { relative, ..p }
        };
        points.into_iter().map(relative).collect::<Vec<_>>()
    };
    let batches = settings.iter().filter(|s| s.1 == own.threads).filter_map(|s| point(Sweep::Batch, *s));
    let batches: Vec<_> = batches.collect();
    let base = batches.iter().find(|p| p.batch == own.batch).map(|p| p.img_per_s);
    let mut points = relative_to(batches, base);
    let threads = settings.iter().filter(|s| s.0 == own.batch).filter_map(|s| point(Sweep::Threads, *s));
    let threads: Vec<_> = threads.collect();
    let base = threads.first().map(|p| p.img_per_s);
    points.extend(relative_to(threads, base));
    points
}

fn csv(points: &[Point]) -> String {
    let mut text = "sweep,batch,threads,img_per_s,eval_img_per_s,peak_rss_mb,relative\n".to_owned();
    for p in points {
        let sweep = if p.sweep == Sweep::Batch { "batch" } else { "threads" };
        let memory = p.peak_rss_mb.map(|mb| mb.to_string()).unwrap_or_default();
        let Point { batch, threads, img_per_s, eval_img_per_s, relative, .. } = p;
        let _ = writeln!(text, "{sweep},{batch},{threads},{img_per_s},{eval_img_per_s},{memory},{relative}");
    }
    text
}

fn text(scaling: &Scaling, own: &Measurement) -> String {
    let mut text = format!("{}, {}\n", scaling.work, scaling.precision);
    let least = scaling.points.iter().filter(|p| p.sweep == Sweep::Threads).map(|p| p.threads).min();
    let against = [
        (Sweep::Batch, format!("of batch {}", own.batch)),
        (Sweep::Threads, format!("of threads {}", least.unwrap_or(1))),
    ];
    for (sweep, relative) in against {
        let header =
            ["batch", "threads", "training, images/s", &relative, "ms a step", "evaluation, images/s", "MiB"];
        let mut rows = vec![header.map(String::from).to_vec()];
        rows.extend(scaling.points.iter().filter(|p| p.sweep == sweep).map(|p| {
            vec![
                p.batch.to_string(),
                p.threads.to_string(),
                table::number(p.img_per_s),
                format!("{:.2}", p.relative),
                table::number(1e3 * p.batch as f64 / p.img_per_s),
                table::number(p.eval_img_per_s),
                p.peak_rss_mb.map_or_else(|| "–".to_owned(), |mb| mb.to_string()),
            ]
        }));
        let _ = write!(text, "\n{}", table::aligned(&rows));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::measurement::tests::example;
    use super::*;

    fn at(batch: usize, threads: usize, img_per_s: f64) -> Measurement {
        Measurement { batch, threads, ..example(img_per_s, 300.0, 1000.0) }
    }

    #[test]
    fn medians_relative_to_the_own_batch_and_to_one_thread() {
        let own = at(128, 2, 100.0);
        let all = [
            own.clone(),
            at(32, 2, 80.0),
            at(128, 1, 50.0),
            at(128, 2, 110.0),
            at(32, 2, 88.0),
            at(128, 1, 55.0),
        ];
        let points = points(&all, &own);
        let brief: Vec<_> =
            points.iter().map(|p| (p.sweep, p.batch, p.threads, p.img_per_s, p.relative)).collect();
        let expected = [
            (Sweep::Batch, 32, 2, 84.0, 0.8),
            (Sweep::Batch, 128, 2, 105.0, 1.0),
            (Sweep::Threads, 128, 1, 52.5, 1.0),
            (Sweep::Threads, 128, 2, 105.0, 2.0),
        ];
        assert_eq!(brief, expected);
        let csv = csv(&points);
        assert_eq!(csv.lines().nth(1), Some("batch,32,2,84,300,1000,0.8"));
        let scaling = Scaling { work: "w".into(), precision: "f32".into(), engine: None, rounds: 2, points };
        let text = text(&scaling, &own);
        assert!(text.contains("of batch 128") && text.contains("of threads 1"), "{text}");
        assert!(
            text.lines().any(|l| l.split_whitespace().eq(["32", "2", "84.0", "0.80", "381", "300", "1000"])),
            "{text}"
        );
    }

    #[test]
    fn threads_double_up_to_all() {
        assert_eq!(powers_of_two(2), [1]);
        assert_eq!(powers_of_two(6), [1, 2, 4]);
        assert_eq!(powers_of_two(1), Vec::<usize>::new());
    }
}
