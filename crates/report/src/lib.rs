//! One HTML page from a run folder: what was published and measured, curves, classes, pictures with what the network
//! looked at, the recipe and how the run came about.
//!
//! The page is one file without any network access: styles, script, charts and pictures are in it. It reads well without
//! scripts, on paper, in light and dark, on a phone. Whatever comes from outside (class names, paths, the recipe) is escaped,
//! and the page's own security policy lets only its own script run.
//!
//! ```no_run
//! use wick_report::{comparison, page};
//! use wick_runs::{RunDir, write_atomic};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let run = RunDir::open("runs/s11".as_ref())?;
//! write_atomic(&run.report(), page(&run)?.as_bytes())?;
//!
//! let other = RunDir::open("runs/mine".as_ref())?;
//! write_atomic("report.html".as_ref(), comparison(&[run, other])?.as_bytes())?;
//! # Ok(())
//! # }
//! ```

mod chart;
mod compare;
mod error;
mod format;
mod frame;
mod maps;
mod picture;
mod read;
mod recipe;
mod sections;

pub use compare::comparison;
pub use error::ReportError;
pub use sections::{inputs, page};
