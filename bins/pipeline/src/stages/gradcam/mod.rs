//! `gradcam`: where the network looks, of a run, of a weights file on data, or of one photo, and how well that explains it.

mod args;
mod classes;
mod data;
mod engine;
mod images;
mod maps;
mod methods;
mod photo;
mod pictures;
mod place;
mod quality;
mod table;
mod target;
mod tell;
mod view;
mod write;

use anyhow::Result;

use crate::compute::Asked;
use crate::context::StageEnd;
use crate::source::{Opened, open};

pub use args::Args;
pub use methods::of_recipe;

pub fn run(args: &Args, asked: Asked) -> Result<StageEnd> {
    args.check()?;
    let source = open(&args.source)?;
    if let Some(photo) = &args.image {
        photo::run(args, &source, photo, asked)?;
        return Ok(StageEnd::Done);
    }
    match &source {
        // A run keeps the maps of its galleries; what else is asked of it is kept apart.
        Opened::Run { run, weights } if args.is_apart() => data::apart((args, asked), &source, run, weights)?,
        Opened::Run { run, weights } => return data::of_run((args, asked), &source, run, weights),
        Opened::File { .. } => data::of_file((args, asked), &source)?,
    }
    Ok(StageEnd::Done)
}
