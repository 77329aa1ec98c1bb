//! `gradcam`: where the network looks, of a run, of a weights file on data, or of one photo, and how well that explains it.

mod args;
mod classes;
mod data;
mod images;
mod maps;
mod methods;
mod photo;
mod pictures;
mod quality;
mod table;
mod target;
mod tell;
mod write;

use anyhow::{Result, ensure};

use crate::context::StageEnd;
use crate::source::{Opened, open};

pub use args::Args;
pub use methods::of_recipe;

pub fn run(args: &Args) -> Result<StageEnd> {
    let source = open(&args.source)?;
    if let Some(photo) = &args.image {
        photo::run(args, &source.explained()?, photo)?;
        return Ok(StageEnd::Done);
    }
    ensure!(
        args.out.is_none() || args.source.run.is_none(),
        "--out goes with --checkpoint or --image; what is explained of a run's data is kept in its run folder"
    );
    match &source {
        Opened::Run { run, weights } => data::of_run(args, &source, run, weights),
        Opened::File { .. } => {
            data::of_file(args, &source)?;
            Ok(StageEnd::Done)
        }
    }
}
