//! An event file while it is written.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;

use crate::hparams::{HParams, SessionStatus};
use crate::proto::{
    Content, Dimension, Event, Metadata, PluginData, STRING, SessionLog, SessionState, Shape, Summary,
    Tensor, Value, What,
};
use crate::values::{Histogram, Image};
use crate::{TensorBoardError, name, record};

/// What time events are given.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Clock {
    /// The time at which they are written.
    #[default]
    System,
    /// Always this, in seconds since 1970: the same events are then the same bytes.
    Fixed(f64),
}

/// How an event file is written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// What time events are given.
    pub clock: Clock,
    /// The machine's name in the file's name; what the system says unless it is given.
    pub host: Option<String>,
    /// What the file's name ends in.
    pub suffix: String,
}

/// Writes events to a new file of a folder. What is written is on its way to the disk after [`flush`](Self::flush), and when the writer
/// is dropped.
///
/// A file in the making cannot be put in place whole, as it is to be looked at while it grows. TensorBoard reads as
/// far as whole records go.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: BufWriter<File>,
    clock: Clock,
}

impl EventWriter {
    /// Begins a file in `folder`, which is made if it is not there. Files that are there stay, and come before it.
    ///
    /// # Errors
    /// [`TensorBoardError::Io`] where it cannot be written.
    pub fn create(folder: &Path, options: Options) -> Result<Self, TensorBoardError> {
        let is_first = name::event_files(folder)?.is_empty();
        let mut writer = Self::open(folder, options)?;
        // TensorBoard's plugins take a folder's first start for its beginning, and only further ones for resumptions.
        if is_first {
            writer.start(0)?;
        }
        Ok(writer)
    }

    fn open(folder: &Path, options: Options) -> Result<Self, TensorBoardError> {
        fs::create_dir_all(folder).map_err(TensorBoardError::io("create the folder", folder))?;
        let seconds = options.clock.now();
        let host = options.host.or_else(|| Some(hostname::get().ok()?.to_string_lossy().into_owned()));
        let host = host.unwrap_or_else(|| "localhost".to_owned());
        let name = name::next(&name::event_files(folder)?, seconds as u64, &host, &options.suffix);
        let path = folder.join(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.map_err(TensorBoardError::io("create the event file", &path))?;
        let mut writer = Self { path, file: BufWriter::new(file), clock: options.clock };
        writer.event(0, What::FileVersion("brain.Event:2".to_owned()))?;
        Ok(writer)
    }

    /// Begins a file that goes on where an interrupted run takes up again: at `step`. TensorBoard forgets what the folder's other
    /// files say of that step and of later ones.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn resume(folder: &Path, step: u64, options: Options) -> Result<Self, TensorBoardError> {
        let mut writer = Self::open(folder, options)?;
        writer.start(step)?;
        Ok(writer)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A number. Tags with the same beginning, up to a `/`, are shown together.
    ///
    /// # Errors
    /// An empty tag, or a file that cannot be written; so for all kinds of values.
    pub fn scalar(&mut self, tag: &str, step: u64, value: f64) -> Result<(), TensorBoardError> {
        self.value(tag, step, Content::Scalar(value as f32), None)
    }

    /// A picture.
    ///
    /// # Errors
    /// As [`scalar`](Self::scalar).
    pub fn image(&mut self, tag: &str, step: u64, image: &Image) -> Result<(), TensorBoardError> {
        self.value(tag, step, Content::Image(image.clone().into_proto()), None)
    }

    /// Many numbers, counted.
    ///
    /// # Errors
    /// As [`scalar`](Self::scalar).
    pub fn histogram(&mut self, tag: &str, step: u64, histogram: &Histogram) -> Result<(), TensorBoardError> {
        self.value(tag, step, Content::Histogram(histogram.clone().into_proto()), None)
    }

    /// Text in Markdown.
    ///
    /// # Errors
    /// As [`scalar`](Self::scalar).
    pub fn text(&mut self, tag: &str, step: u64, text: &str) -> Result<(), TensorBoardError> {
        let shape = Some(Shape { dim: vec![Dimension { size: 1 }] });
        let tensor = Tensor { dtype: STRING, shape, string_val: vec![text.as_bytes().to_vec()] };
        let plugin_data = Some(PluginData { plugin_name: "text".to_owned(), content: Vec::new() });
        self.value(tag, step, Content::Tensor(tensor), Some(Metadata { plugin_data }))
    }

    /// The settings of a run that begins.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn hparams(&mut self, hparams: &HParams) -> Result<(), TensorBoardError> {
        let start = hparams.start(self.clock.now());
        self.event(0, What::Summary(Summary { value: vec![hparams.experiment()] }))?;
        self.event(0, What::Summary(Summary { value: vec![start] }))
    }

    /// How a run with settings ended.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn end(&mut self, status: SessionStatus) -> Result<(), TensorBoardError> {
        let end = status.end(self.clock.now());
        self.event(0, What::Summary(Summary { value: vec![end] }))
    }

    /// Hands what was written to the system, so that whoever reads the file sees it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn flush(&mut self) -> Result<(), TensorBoardError> {
        self.file.flush().map_err(TensorBoardError::io("write", &self.path))
    }

    fn start(&mut self, step: u64) -> Result<(), TensorBoardError> {
        self.event(step, What::SessionLog(SessionLog { status: SessionState::Start.into() }))
    }

    fn value(
        &mut self,
        tag: &str,
        step: u64,
        content: Content,
        metadata: Option<Metadata>,
    ) -> Result<(), TensorBoardError> {
        if tag.is_empty() {
            return Err(TensorBoardError::Tag);
        }
        let value = Value { tag: tag.to_owned(), content: Some(content), metadata };
        self.event(step, What::Summary(Summary { value: vec![value] }))
    }

    fn event(&mut self, step: u64, what: What) -> Result<(), TensorBoardError> {
        let wall_time = self.clock.now();
        let step = i64::try_from(step).map_err(|_| TensorBoardError::Step { step })?;
        let event = Event { wall_time, step, what: Some(what) };
        record::write(&mut self.file, &event.encode_to_vec())
            .map_err(TensorBoardError::io("write", &self.path))
    }
}

impl Clock {
    fn now(self) -> f64 {
        match self {
            Self::System => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64()),
            Self::Fixed(seconds) => seconds,
        }
    }
}
