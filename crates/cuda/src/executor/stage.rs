//! What is begun on the device for a batch of one size, in order.

use std::fmt;
use std::rc::Rc;
use std::time::Instant;

use cudarc::driver::CudaGraph;
use cudarc::driver::sys::{CUgraphInstantiate_flags, CUstreamCaptureMode};
use wick_graph::StepOptions;

use super::Executor;
use super::layout::Places;
use crate::CudaError;
use crate::cudnn::{Convolution, Operands};
use crate::device::{Device, Kernel, Launch, Pointer};
use crate::error::driver;

/// What a stage is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    /// Loss and gradients; the label smoothing by its bits.
    Train { smoothing: u32, targets: Targets },
    /// Logits with running statistics.
    Evaluate,
    /// The same, and back from a gradient of the logits to that of the images.
    Differentiate,
}

/// What an image's target is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Targets {
    /// Its label.
    Own,
    /// Its label and another one.
    Mixed,
}

impl Mode {
    /// A training step's.
    pub fn of(options: StepOptions<'_>) -> Self {
        let targets = if options.mixed.is_some() { Targets::Mixed } else { Targets::Own };
        Self::Train { smoothing: options.label_smoothing.to_bits(), targets }
    }
}

/// One thing that is begun.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    Kernel(Kernel, Launch),
    Convolution(Rc<Convolution>, Operands),
}

/// All of it.
pub(crate) struct Stage {
    pub places: Places,
    pub commands: Vec<Command>,
    /// What each command is part of.
    labels: Vec<String>,
    /// The commands as one, recorded when they have run once: kernels are loaded then, and cuDNN's engines ready.
    recorded: Recorded,
}

enum Recorded {
    Never,
    Once,
    /// It cannot be.
    Refused,
    Graph(CudaGraph),
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("commands", &self.commands.len()).finish_non_exhaustive()
    }
}

impl Stage {
    pub fn new(places: Places, commands: Vec<Command>) -> Self {
        Self { places, commands, labels: Vec::new(), recorded: Recorded::Never }
    }

    pub fn labelled(self, labels: Vec<String>) -> Self {
        Self { labels, ..self }
    }

    /// Seconds of each command by itself, with its label: run so often that its beginning hides behind the one before. What
    /// commands add to grows meanwhile; no value of it means anything afterwards.
    pub fn profile(&self, device: &Device, workspace: Pointer) -> Result<Vec<(String, f64)>, CudaError> {
        const TIMES: usize = 20;
        let mut times = Vec::new();
        for (command, label) in self.commands.iter().zip(&self.labels) {
            command.begin(device, workspace)?;
            device.wait()?;
            let began = Instant::now();
            for _ in 0..TIMES {
                command.begin(device, workspace)?;
            }
            device.wait()?;
            times.push((label.clone(), began.elapsed().as_secs_f64() / TIMES as f64));
        }
        Ok(times)
    }

    /// Forgets what was recorded: an address in it is no more.
    pub fn forget(&mut self) {
        self.recorded = Recorded::Never;
    }

    /// Begins everything.
    pub fn run(&mut self, device: &Device, workspace: Pointer) -> Result<(), CudaError> {
        match &self.recorded {
            Recorded::Graph(graph) => driver("begin a step", graph.launch()),
            Recorded::Never => {
                self.begin(device, workspace)?;
                self.recorded = Recorded::Once;
                Ok(())
            }
            Recorded::Refused => self.begin(device, workspace),
            Recorded::Once => {
                let stream = device.stream();
                let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
                driver("record a step", stream.begin_capture(mode))?;
                let begun = self.begin(device, workspace);
                let graph = driver("record a step", stream.end_capture(CUgraphInstantiate_flags(0)));
                // What cannot be recorded, by whatever fault, can still be begun part by part.
                match (begun, graph) {
                    (Ok(()), Ok(Some(graph))) => {
                        driver("begin a step", graph.launch())?;
                        self.recorded = Recorded::Graph(graph);
                        Ok(())
                    }
                    _ => {
                        self.recorded = Recorded::Refused;
                        self.begin(device, workspace)
                    }
                }
            }
        }
    }

    fn begin(&self, device: &Device, workspace: Pointer) -> Result<(), CudaError> {
        self.commands.iter().try_for_each(|command| command.begin(device, workspace))
    }
}

impl Command {
    fn begin(&self, device: &Device, workspace: Pointer) -> Result<(), CudaError> {
        match self {
            Self::Kernel(kernel, launch) => device.launch(kernel, launch),
            Self::Convolution(plan, operands) => plan.run(device, *operands, workspace),
        }
    }
}

impl Executor {
    /// Begins a stage that was prepared.
    pub(super) fn run(&mut self, mode: Mode, images: usize) -> Result<(), CudaError> {
        let workspace = self.workspace.pointer(0);
        match self.stages.get_mut(&(mode, images)) {
            Some(stage) => stage.run(&self.device, workspace),
            None => Ok(()),
        }
    }
}
