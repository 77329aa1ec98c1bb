//! Writes the page of one run, or of several beside each other: `cargo run -p wick-report --example page -- OUT.html RUN…`
#![allow(clippy::print_stdout)] // an example speaks to whoever typed it

use std::error::Error;
use std::path::PathBuf;

use wick_report::{comparison, page};
use wick_runs::{RunDir, write_atomic};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let out = paths.next().ok_or("expected the file to write, then run folders")?;
    let runs = paths.map(|path| RunDir::open(&path)).collect::<Result<Vec<_>, _>>()?;
    let html = match runs.as_slice() {
        [run] => page(run)?,
        runs => comparison(runs)?,
    };
    write_atomic(&out, html.as_bytes())?;
    println!("{}: {} bytes", out.display(), html.len());
    Ok(())
}
