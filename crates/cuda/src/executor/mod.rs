//! Running a plan on a device.

mod build;
mod elementwise;
mod head;
mod layout;
mod maps;
mod norm;
mod parameters;
mod pass;
mod place;
mod script;
mod stage;
mod threads;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::rc::Rc;

use wick_graph::plan::{ConvInputs, HeadOp, Plan};
use wick_graph::{Batch, Graph, GraphError, StepOptions};

use crate::cudnn::{Choice, Convolution, Signature};
use crate::device::{Device, Kernel, Pointer};
use crate::{Buffer, CudaError, Determinism, Numbers};
pub(crate) use layout::Places;
pub(crate) use parameters::Parameters;
pub(crate) use stage::{Command, Mode, Stage, Targets};

/// How a graph is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Options {
    /// In which numbers.
    pub numbers: Numbers,
    /// Whether two runs must give the same bits.
    pub determinism: Determinism,
}

/// A graph on a device: its parameters, and the memory that its steps use. That grows to the largest batch seen.
#[derive(Debug)]
pub struct Executor {
    // Dropped first: they hold addresses of what follows.
    stages: HashMap<(Mode, usize), Stage>,
    /// Plans of cuDNN, and what was tried for each.
    convolutions: HashMap<Signature, (Rc<Convolution>, Choice)>,
    graph: Graph,
    options: Options,
    training: Rc<Plan>,
    evaluation: Rc<Plan>,
    /// Once it was needed.
    input_gradient: Option<Rc<Plan>>,
    pub(crate) parameters: Parameters,
    kernels: Kernels,
    arena: Buffer<u8>,
    workspace: Buffer<u8>,
    device: Device,
}

/// Whether features are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropout {
    Never,
    InTraining,
}

/// Compiled kernels: those that every graph needs, by name, and those of passes, by text.
#[derive(Debug)]
struct Kernels {
    named: crate::device::Program,
    of_passes: HashMap<String, Kernel>,
}

/// What all kernels begin with.
pub(crate) const NUMBERS: &str = include_str!("../kernels/numbers.cu");
const NORM: &str = include_str!("../kernels/norm.cu");
const HEAD: &str = include_str!("../kernels/head.cu");

impl Executor {
    /// Compiles `graph`, whose parameters are zeros until they are set.
    ///
    /// # Errors
    /// A layer that nothing reads, or no logits at the end; the device's.
    pub fn new(device: &Device, graph: &Graph, options: Options) -> Result<Self, CudaError> {
        let named = device.compile(&[NUMBERS, NORM, HEAD].concat())?;
        Ok(Self {
            training: Rc::new(Plan::training(graph, ConvInputs::Written)?),
            evaluation: Rc::new(Plan::evaluation(graph, ConvInputs::Written)?),
            input_gradient: None,
            parameters: Parameters::new(device, graph, options.numbers)?,
            kernels: Kernels { named, of_passes: HashMap::new() },
            convolutions: HashMap::new(),
            arena: device.zeros(0)?,
            workspace: device.zeros(0)?,
            stages: HashMap::new(),
            device: device.clone(),
            graph: graph.clone(),
            options,
        })
    }

    /// The graph it computes.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Bytes on the device: maps, parameters, gradients, cuDNN's room.
    pub fn bytes(&self) -> usize {
        self.arena.len() + self.workspace.len() + self.parameters.bytes()
    }

    /// Takes over parameters, as [`Graph::parameters`] lists them, running statistics included.
    ///
    /// # Errors
    /// Slices of other lengths; the driver's.
    pub fn set_parameters(&mut self, parameters: &[&[f32]]) -> Result<(), CudaError> {
        self.parameters.set(&self.graph, parameters)?;
        self.parameters.round(&self.device, &self.kernels.named)
    }

    /// Copies parameters back, into vectors of whatever length.
    ///
    /// # Errors
    /// Another number of vectors; the driver's.
    pub fn parameters(&self, parameters: &mut [Vec<f32>]) -> Result<(), CudaError> {
        self.parameters.get(&self.graph, self.parameters.values(), parameters)
    }

    /// Copies the gradients of the last step, as [`Graph::parameters`] lists them; those of what is not trained mean nothing.
    ///
    /// # Errors
    /// Another number of vectors; the driver's.
    pub fn gradients(&self, gradients: &mut [Vec<f32>]) -> Result<(), CudaError> {
        self.parameters.widen(&self.device, &self.kernels.named, &self.graph)?;
        self.parameters.get(&self.graph, self.parameters.gradients(), gradients)
    }

    /// Loss and gradients of a batch, with the batch's own statistics in batch norms; teaches the running ones.
    ///
    /// # Errors
    /// Slices of other lengths, no images, a label that is no class, a share outside `[0, 1]`; the device's.
    pub fn training_step(&mut self, batch: Batch<'_>, options: StepOptions<'_>) -> Result<f32, CudaError> {
        let images = self.count(batch.images)?;
        self.expect_labels("labels", batch.labels, images)?;
        let mode = Mode::of(options);
        self.prepare(mode, images)?;
        let places = self.stages[&(mode, images)].places.clone();
        self.upload(places.images, batch.images)?;
        self.upload(places.labels, batch.labels)?;
        self.upload(places.seed, &[options.dropout_seed])?;
        if let Some(mixed) = options.mixed {
            self.expect_labels("mixed labels", mixed.labels, images)?;
            if !(0.0..=1.0).contains(&mixed.weight) {
                let message = format!("a weight of {}, not 0 to 1", mixed.weight);
                return Err(CudaError::Driver { doing: "mix labels", message });
            }
            self.upload(places.others, mixed.labels)?;
            self.upload(places.weight, &[mixed.weight])?;
        }
        self.run(mode, images)?;
        Ok(self.floats(places.loss, 1)?[0])
    }

    fn expect_labels(&self, what: &str, labels: &[u32], images: usize) -> Result<(), CudaError> {
        expect(what, labels.len(), images)?;
        let classes = self.graph.classes();
        match labels.iter().find(|label| **label as usize >= classes) {
            Some(label) => {
                let message = format!("label {label} of {classes} classes");
                Err(CudaError::Driver { doing: "compute the loss", message })
            }
            None => Ok(()),
        }
    }

    /// The logits `(N, classes)` of the last training step, if it was of `images` images, and with these options.
    ///
    /// # Errors
    /// The driver's.
    pub fn training_logits(
        &self,
        images: usize,
        options: StepOptions<'_>,
    ) -> Result<Option<Vec<f32>>, CudaError> {
        let mode = Mode::of(options);
        let stage = self.stages.get(&(mode, images));
        stage.map(|stage| self.floats(stage.places.logits, images * self.graph.classes())).transpose()
    }

    /// Logits `(N, classes)` of images `(N, H, W, C)`, with running statistics in batch norms.
    ///
    /// # Errors
    /// Slices of other lengths, no images; the device's.
    pub fn logits(&mut self, images: &[f32]) -> Result<Vec<f32>, CudaError> {
        let count = self.load(images)?;
        self.loaded_logits(count)
    }

    /// Uploads images `(N, H, W, C)`; returns how many they are.
    ///
    /// # Errors
    /// Slices of other lengths, no images; the device's.
    pub fn load(&mut self, images: &[f32]) -> Result<usize, CudaError> {
        let count = self.count(images)?;
        self.prepare(Mode::Evaluate, count)?;
        let at = self.stages[&(Mode::Evaluate, count)].places.images;
        self.upload(at, images)?;
        Ok(count)
    }

    /// Logits of the images that were uploaded last, of which there are `count`, if nothing was computed of others since.
    ///
    /// # Errors
    /// The device's.
    pub fn loaded_logits(&mut self, count: usize) -> Result<Vec<f32>, CudaError> {
        self.prepare(Mode::Evaluate, count)?;
        self.run(Mode::Evaluate, count)?;
        let stage = &self.stages[&(Mode::Evaluate, count)];
        self.floats(stage.places.logits, count * self.graph.classes())
    }

    /// Seconds of each part of a training step of `images` images, with a label. Gradients mean nothing afterwards, and running
    /// statistics have learnt from whatever was there.
    ///
    /// # Errors
    /// The device's.
    pub fn profile(&mut self, images: usize) -> Result<Vec<(String, f64)>, CudaError> {
        let mode = Mode::of(StepOptions::default());
        self.prepare(mode, images)?;
        let workspace = self.workspace_pointer();
        let stage = self.stages.get(&(mode, images));
        stage.map_or_else(|| Ok(Vec::new()), |stage| stage.profile(&self.device, workspace))
    }

    /// What was chosen for each convolution, in words.
    pub fn convolutions(&self) -> Vec<String> {
        let line = |(signature, (_, choice)): (&Signature, &(Rc<Convolution>, Choice))| {
            let s = &signature.shape;
            let size = format!("{}x{}x{}x{}", s.batch, s.height, s.width, s.in_channels);
            let (kernel, stride, out) = (s.kernel[0], s.stride, s.out_channels);
            let flops = 2.0 * (s.weight_len() * s.batch * s.out_height() * s.out_width()) as f64;
            format!(
                "{:?} {size} {kernel}x{kernel}/{stride} -> {out}: {:.1} us, {:.0} TFLOP/s, best of {}",
                signature.direction,
                choice.seconds * 1e6,
                flops / choice.seconds / 1e12,
                choice.tried,
            )
        };
        let mut lines: Vec<String> = self.convolutions.iter().map(line).collect();
        lines.sort();
        lines
    }

    /// The number of images, if they are whole.
    fn count(&self, images: &[f32]) -> Result<usize, CudaError> {
        let image = self.graph.image().iter().product::<usize>().max(1);
        let count = images.len() / image;
        if count == 0 {
            return Err(GraphError::Empty.into());
        }
        expect("images", images.len(), count * image)?;
        Ok(count)
    }

    fn upload<T: crate::Pod>(&mut self, at: usize, values: &[T]) -> Result<(), CudaError> {
        // SAFETY: a `Pod` is plain bytes, `size_of_val` of them.
        let bytes = unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values)) };
        self.arena.write(at, bytes)
    }

    fn floats(&self, at: usize, count: usize) -> Result<Vec<f32>, CudaError> {
        let mut bytes = vec![0; count * size_of::<f32>()];
        self.arena.read(at, &mut bytes)?;
        Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    pub(crate) fn pointer(&self, at: usize) -> Pointer {
        self.arena.pointer(at)
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Whether training drops features.
    pub(crate) fn dropout(&self) -> Dropout {
        match self.training.head.iter().any(|op| matches!(op, HeadOp::Dropout(_))) {
            true => Dropout::InTraining,
            false => Dropout::Never,
        }
    }

    pub(crate) fn numbers(&self) -> Numbers {
        self.options.numbers
    }

    /// Where memory lies that stages hold addresses of.
    pub(crate) fn memory(&self) -> [Pointer; 2] {
        [self.pointer(0), self.workspace_pointer()]
    }

    pub(crate) fn workspace_pointer(&self) -> Pointer {
        self.workspace.pointer(0)
    }

    /// Values that are laid out as the parameters are, one vector each.
    pub(crate) fn values_of(&self, flat: &Buffer<f32>) -> Result<Vec<Vec<f32>>, CudaError> {
        let mut values = vec![Vec::new(); self.graph.parameters().len()];
        self.parameters.get(&self.graph, flat, &mut values)?;
        Ok(values)
    }

    pub(crate) fn write_values(&self, flat: &mut Buffer<f32>, values: &[&[f32]]) -> Result<(), CudaError> {
        flat.write(0, &self.parameters.flat(&self.graph, values)?)
    }
}

pub(crate) fn expect(what: &str, got: usize, expected: usize) -> Result<(), CudaError> {
    if got == expected {
        return Ok(());
    }
    Err(GraphError::Length { what: what.to_owned(), expected, got }.into())
}
