//! `report`: all that a run left, as one page; or several runs beside each other.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use wick_runs::{Input, Manifest, RunDir, write_atomic};

use crate::cli::ReportArgs;
use crate::context::{Run, StageEnd, Work};
use crate::terminal::wrote;

pub fn run(args: &ReportArgs) -> Result<StageEnd> {
    match args.run.as_slice() {
        [one] => of_one(args, &Run::open(one)?),
        several => of_several(args, several),
    }
}

fn of_one(args: &ReportArgs, run: &Run) -> Result<StageEnd> {
    let d = &run.dir;
    if let Some(out) = &args.out {
        let page = wick_report::page(d)?;
        return write(out, &page);
    }
    // While a stage is at work the manifest says so; the page tells how the run stood before.
    let status = Manifest::read(d)?.status;
    let inputs = wick_report::inputs(d)?.into_iter().map(Input::path).collect();
    let end = run.stage("report", inputs, args.skip_current.into(), || {
        Manifest::update(d, |manifest| manifest.set_status(status.clone()))?;
        write(&d.report(), &wick_report::page(d)?)?;
        Ok(Work::Done(vec![d.report()]))
    })?;
    if end == StageEnd::Done {
        // Nothing was changed by having been told.
        Manifest::update(d, |manifest| manifest.set_status(status))?;
    }
    Ok(end)
}

fn of_several(args: &ReportArgs, paths: &[PathBuf]) -> Result<StageEnd> {
    let runs = paths.iter().map(|path| RunDir::open(path)).collect::<Result<Vec<_>, _>>()?;
    // As a run calls its own, in the folder where the command was given.
    let out = args.out.clone().unwrap_or_else(|| RunDir::names_below(Path::new(".")).report());
    let place = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    ensure!(
        runs.iter().all(|run| place(&run.report()) != place(&out)),
        "{} is the report of one of these runs; give the comparison another place, with --out FILE",
        out.display()
    );
    write(&out, &wick_report::comparison(&runs)?)
}

fn write(out: &Path, page: &str) -> Result<StageEnd> {
    write_atomic(out, page.as_bytes())?;
    wrote("", &[out.to_owned()])?;
    Ok(StageEnd::Done)
}
