//! `cargo xtask bench scaling`: what a step costs as the batch, the number of threads and the network's width grow.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use wick_runs::write_atomic;

use super::load::Watch;
use super::measurement::{Measurement, measured};
use super::record::Record;
use super::spread::{Spread, short};
use super::{Keep, Work, table};
use crate::pipeline;

/// Cost against the batch, the number of threads, and ResNet-18's width.
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
    /// Channels of the first layer to measure with, at the network's own batch, of resnet18 [default: 16 32 64 128; none of other
    /// networks].
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    widths: Option<Vec<u32>>,
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
    Width,
}

impl Sweep {
    fn name(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Threads => "threads",
            Self::Width => "width",
        }
    }
}

/// The network whose width can be another, and the width that it has.
const OF_ANY_WIDTH: &str = "resnet18";
const OWN_WIDTH: u32 = 64;

/// One setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Point {
    sweep: Sweep,
    work: String,
    batch: usize,
    threads: usize,
    img_per_s: f64,
    eval_img_per_s: f64,
    /// Of training, as if computed directly.
    gflop_per_s: Option<f64>,
    peak_rss_mb: Option<f64>,
    /// Training rate over that of the network's own batch, of the fewest threads, or of the network's own width.
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
    let measure = |work: &Work, batch, threads| -> Result<Measurement> {
        let mut arguments = work.arguments(batch, threads);
        arguments.push("--json".into());
        let m = measured(pipeline, &arguments)?;
        let rate = table::number(m.img_per_s);
        eprintln!("{}, batch {}, threads {}: {rate} images/s", m.work, m.batch, m.threads);
        Ok(m)
    };
    let work = &args.work;
    let own = measure(work, None, None)?;
    let (batch, threads) = (own.batch, own.threads);
    let mut all = vec![own];
    for &other in args.batches.iter().filter(|n| **n != batch) {
        all.push(measure(work, Some(other), None)?);
    }
    let counts = args.threads.clone().unwrap_or_else(|| powers_of_two(threads));
    for count in counts.into_iter().filter(|n| *n != threads) {
        all.push(measure(work, None, Some(count))?);
    }
    for width in widths(args)?.into_iter().filter(|width| *width != OWN_WIDTH) {
        all.push(measure(
            &Work { work: format!("{OF_ANY_WIDTH}_w{width}"), ..work.clone() },
            Some(batch),
            None,
        )?);
    }
    Ok(all)
}

/// Those asked for, of a network that has them.
fn widths(args: &Args) -> Result<Vec<u32>> {
    match (&args.widths, args.work.work == OF_ANY_WIDTH) {
        (Some(widths), true) => Ok(widths.clone()),
        (None, true) => Ok(vec![16, 32, OWN_WIDTH, 128]),
        (None, false) => Ok(Vec::new()),
        (Some(_), false) => bail!(
            "--widths goes with --work {OF_ANY_WIDTH}, got --work {}: leave it out, or name that network",
            args.work.work
        ),
    }
}

/// 1, 2, 4, … below `all`.
fn powers_of_two(all: usize) -> Vec<usize> {
    std::iter::successors(Some(1_usize), |n| n.checked_mul(2)).take_while(|n| *n < all).collect()
}

/// Medians of each setting: the batches with all threads, the threads with the network's own batch, the widths with both.
fn points(all: &[Measurement], own: &Measurement) -> Vec<Point> {
    let mut settings: Vec<(&str, usize, usize)> =
        all.iter().map(|m| (m.work.as_str(), m.batch, m.threads)).collect();
    settings.sort_unstable();
    settings.dedup();
    let point = |sweep, (work, batch, threads): (&str, usize, usize)| {
        let same = |m: &&Measurement| (m.work.as_str(), m.batch, m.threads) == (work, batch, threads);
        let of = |figure: fn(&Measurement) -> Option<f64>| {
            Some(Spread::of(all.iter().filter(same).map(figure))?.median)
        };
        Some(Point {
            sweep,
            work: work.to_owned(),
            batch,
            threads,
            img_per_s: of(|m| Some(m.img_per_s))?,
            eval_img_per_s: of(|m| Some(m.eval_img_per_s))?,
            gflop_per_s: of(|m| m.more.get("gflop_per_s")?.as_f64()),
            peak_rss_mb: of(|m| m.peak_rss_mb),
            relative: 1.0,
        })
    };
    let of_own = |s: &&(&str, usize, usize)| s.0 == own.work;
    let batches = settings.iter().filter(of_own).filter(|s| s.2 == own.threads);
    let batches = batches.filter_map(|s| point(Sweep::Batch, *s)).collect();
    let threads = settings.iter().filter(of_own).filter(|s| s.1 == own.batch);
    let threads: Vec<_> = threads.filter_map(|s| point(Sweep::Threads, *s)).collect();
    let fewest = threads.first().map_or(own.threads, |p| p.threads);
    let mut widths: Vec<_> = settings.iter().filter(|s| (s.1, s.2) == (own.batch, own.threads)).collect();
    widths.sort_by_key(|s| width(s.0));
    let widths = if widths.len() > 1 { widths } else { Vec::new() };
    let widths = widths.into_iter().filter_map(|s| point(Sweep::Width, *s)).collect();
    let mut points = relative_to(batches, |p| p.batch == own.batch);
    points.extend(relative_to(threads, |p| p.threads == fewest));
    points.extend(relative_to(widths, |p| p.work == own.work));
    points
}

/// Rates over that of the one which `base` tells.
fn relative_to(points: Vec<Point>, base: impl Fn(&Point) -> bool) -> Vec<Point> {
    let base = points.iter().find(|p| base(p)).map(|p| p.img_per_s);
    let relative = |p: Point| Point { relative: base.map_or(1.0, |base| short(p.img_per_s / base)), ..p };
    points.into_iter().map(relative).collect()
}

/// Channels of a network's first layer, by its name.
fn width(work: &str) -> u32 {
    work.rsplit_once("_w").and_then(|(_, width)| width.parse().ok()).unwrap_or(OWN_WIDTH)
}

fn csv(points: &[Point]) -> String {
    let mut text =
        "sweep,work,batch,threads,img_per_s,eval_img_per_s,gflop_per_s,peak_rss_mb,relative\n".to_owned();
    let cell = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for p in points {
        let (gflop, memory) = (cell(p.gflop_per_s), cell(p.peak_rss_mb));
        let Point { sweep, work, batch, threads, img_per_s, eval_img_per_s, relative, .. } = p;
        let sweep = sweep.name();
        let _ = writeln!(
            text,
            "{sweep},{work},{batch},{threads},{img_per_s},{eval_img_per_s},{gflop},{memory},{relative}"
        );
    }
    text
}

fn text(scaling: &Scaling, own: &Measurement) -> String {
    let mut text = format!("{}, {}\n", scaling.work, scaling.precision);
    let least = scaling.points.iter().filter(|p| p.sweep == Sweep::Threads).map(|p| p.threads).min();
    let against = [
        (Sweep::Batch, format!("of batch {}", own.batch)),
        (Sweep::Threads, format!("of threads {}", least.unwrap_or(1))),
        (Sweep::Width, format!("of width {OWN_WIDTH}")),
    ];
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), table::number);
    for (sweep, relative) in against {
        let points: Vec<_> = scaling.points.iter().filter(|p| p.sweep == sweep).collect();
        if points.is_empty() {
            continue;
        }
        let varied = if sweep == Sweep::Width { "width" } else { "batch" };
        let header = [
            varied,
            "threads",
            "training, images/s",
            &relative,
            "ms a step",
            "GFLOP/s",
            "evaluation, images/s",
            "MiB",
        ];
        let mut rows = vec![header.map(String::from).to_vec()];
        rows.extend(points.into_iter().map(|p| {
            vec![
                if sweep == Sweep::Width { width(&p.work).to_string() } else { p.batch.to_string() },
                p.threads.to_string(),
                table::number(p.img_per_s),
                format!("{:.2}", p.relative),
                table::number(1e3 * p.batch as f64 / p.img_per_s),
                number(p.gflop_per_s),
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

    fn at(work: &str, batch: usize, threads: usize, img_per_s: f64) -> Measurement {
        let mut m = Measurement { work: work.into(), batch, threads, ..example(img_per_s, 300.0, 1000.0) };
        m.more.insert("gflop_per_s".into(), (3.0 * img_per_s).into());
        m
    }

    #[test]
    fn medians_relative_to_the_own_batch_to_one_thread_and_to_the_own_width() {
        let of = |batch, threads, rate| at("resnet18", batch, threads, rate);
        let own = of(128, 2, 100.0);
        let mut all = vec![
            own.clone(),
            of(32, 2, 80.0),
            of(128, 1, 50.0),
            of(128, 2, 110.0),
            of(32, 2, 88.0),
            of(128, 1, 55.0),
        ];
        let brief = |points: &[Point]| -> Vec<(Sweep, usize, usize, f64, f64)> {
            points.iter().map(|p| (p.sweep, p.batch, p.threads, p.img_per_s, p.relative)).collect()
        };
        let mut expected = vec![
            (Sweep::Batch, 32, 2, 84.0, 0.8),
            (Sweep::Batch, 128, 2, 105.0, 1.0),
            (Sweep::Threads, 128, 1, 52.5, 1.0),
            (Sweep::Threads, 128, 2, 105.0, 2.0),
        ];
        assert_eq!(brief(&points(&all, &own)), expected);
        all.extend([at("resnet18_w128", 128, 2, 42.0), at("resnet18_w32", 128, 2, 210.0)]);
        expected.extend([
            (Sweep::Width, 128, 2, 210.0, 2.0),
            (Sweep::Width, 128, 2, 105.0, 1.0),
            (Sweep::Width, 128, 2, 42.0, 0.4),
        ]);
        let points = points(&all, &own);
        assert_eq!(brief(&points), expected);
        let csv = csv(&points);
        assert_eq!(csv.lines().nth(1), Some("batch,resnet18,32,2,84,300,252,1000,0.8"));
        assert_eq!(csv.lines().last(), Some("width,resnet18_w128,128,2,42,300,126,1000,0.4"));
        let scaling = Scaling { work: "w".into(), precision: "f32".into(), engine: None, rounds: 2, points };
        let text = text(&scaling, &own);
        assert!(["of batch 128", "of threads 1", "of width 64"].iter().all(|of| text.contains(of)), "{text}");
        let line = |cells: [&str; 8]| text.lines().any(|l| l.split_whitespace().eq(cells));
        assert!(line(["32", "2", "84.0", "0.80", "381", "252", "300", "1000"]), "{text}");
        assert!(line(["32", "2", "210", "2.00", "610", "630", "300", "1000"]), "{text}");
    }

    #[test]
    fn threads_double_up_to_all() {
        assert_eq!(powers_of_two(2), [1]);
        assert_eq!(powers_of_two(6), [1, 2, 4]);
        assert_eq!(powers_of_two(1), Vec::<usize>::new());
    }
}
