//! From steps to what is begun on the device: kernels compiled, convolutions chosen, addresses filled in.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::rc::Rc;

use wick_graph::Graph;
use wick_graph::plan::Plan;
use wick_kernels::Conv2dShape;

use super::elementwise::{Made, Parameter, make};
use super::layout::Places;
use super::norm::{Norm, Sums};
use super::place::Place;
use super::script::{Purpose, Step, Summed, steps};
use super::stage::{Command, Mode, Stage};
use super::threads::THREADS;
use super::{Executor, NUMBERS, head};
use crate::cudnn::{Convolution, Direction, Effort, Operands, Signature};
use crate::device::{Argument, Kernel, Launch, Pointer};
use crate::{CudaError, Numbers};

/// A batch whose stage is made.
struct Batch<'a> {
    plan: &'a Plan,
    places: &'a Places,
    mode: Mode,
    images: usize,
}

impl Executor {
    /// Makes the stage of such a batch, if there is none yet.
    pub(crate) fn prepare(&mut self, mode: Mode, images: usize) -> Result<(), CudaError> {
        if self.stages.contains_key(&(mode, images)) {
            return Ok(());
        }
        let (plan, purpose) = match mode {
            Mode::Train { .. } => (Rc::clone(&self.training), Purpose::Train),
            Mode::Evaluate => (Rc::clone(&self.evaluation), Purpose::Evaluate),
            Mode::Differentiate => (self.differentiation()?, Purpose::Differentiate),
        };
        let places = Places::of(&self.graph, &plan, self.options.numbers, images);
        if places.total > self.arena.len() {
            // What the other stages hold are addresses in the memory that goes.
            self.stages.clear();
            self.device.wait()?;
            self.arena = self.device.zeros(0)?;
            self.arena = self.device.zeros(places.total)?;
        }
        let steps = steps(&self.graph, &plan, purpose);
        let element = if self.options.numbers == Numbers::Bf16 { "bf16" } else { "float" };
        let made: Vec<Option<Made>> = steps.iter().map(|step| self.make(step, element)).collect();
        self.compile(made.iter().flatten(), element)?;
        let batch = Batch { plan: &plan, places: &places, mode, images };
        let (mut commands, mut labels) = (Vec::new(), Vec::new());
        for (step, made) in steps.iter().zip(&made) {
            self.commands(&batch, step, made.as_ref(), &mut commands)?;
            labels.resize(commands.len(), label(&self.graph, step));
        }
        self.stages.insert((mode, images), Stage::new(places, commands).labelled(labels));
        Ok(())
    }

    /// What a stage that was prepared consists of, but for the pass that reads uploaded images.
    pub(crate) fn without_images(&self, mode: Mode, images: usize) -> (Places, Vec<Command>) {
        let Some(stage) = self.stages.get(&(mode, images)) else { return Default::default() };
        let uploaded = Argument::from(self.pointer(stage.places.images));
        let reads = |command: &&Command| match command {
            Command::Kernel(_, launch) => !launch.arguments.contains(&uploaded),
            Command::Convolution(..) => true,
        };
        (stage.places.clone(), stage.commands.iter().filter(reads).cloned().collect())
    }

    /// Where that pass writes to: the plan's first tensor.
    pub(crate) fn images_pointer(&self, places: &Places, images: usize) -> Pointer {
        let element = if self.options.numbers == Numbers::Bf16 { 2 } else { 4 };
        self.pointer(places.tensors + self.training.offsets[0] * images * element)
    }

    fn make(&self, step: &Step, element: &str) -> Option<Made> {
        match step {
            Step::Pass(pass) => Some(make(&self.graph, pass, element)),
            _ => None,
        }
    }

    /// Compiles the kernels that are new, all at once.
    fn compile<'a>(&mut self, made: impl Iterator<Item = &'a Made>, element: &str) -> Result<(), CudaError> {
        let mut seen = HashSet::new();
        let fresh = made.map(|made| &made.text).filter(|text| !self.kernels.of_passes.contains_key(*text));
        let fresh: Vec<&String> = fresh.filter(|text| seen.insert(*text)).collect();
        if fresh.is_empty() {
            return Ok(());
        }
        let program = self.device.compile(&program(&fresh, element))?;
        for (i, text) in fresh.into_iter().enumerate() {
            self.kernels.of_passes.insert(text.clone(), program.kernel(&name(i))?);
        }
        Ok(())
    }

    fn commands(
        &mut self,
        batch: &Batch<'_>,
        step: &Step,
        made: Option<&Made>,
        commands: &mut Vec<Command>,
    ) -> Result<(), CudaError> {
        let begin = |(kernel, launch): (Kernel, Launch)| Command::Kernel(kernel, launch);
        match step {
            Step::Pass(_) => commands.extend(made.and_then(|made| self.pass(batch, made)).map(begin)),
            Step::Know(norm) => commands.extend(self.norm(batch, *norm).know()?.map(begin)),
            Step::Measure { norm, sums } => {
                let sums = self.sums(batch, *sums);
                commands.extend(self.norm(batch, *norm).measure(sums)?.map(begin));
            }
            Step::Differentiate { norm, slot, sums } => {
                let sums = self.sums(batch, *sums);
                commands.extend(self.norm(batch, *norm).differentiate(sums, *slot)?.into_iter().map(begin));
            }
            Step::Features { parts } => commands.push(begin(self.features(batch, *parts)?)),
            Step::Head => commands.extend(self.head(batch)?.into_iter().map(begin)),
            Step::Convolution { conv, direction, x, y } => {
                self.convolution(batch, *conv, *direction, [*x, *y], commands)?;
            }
        }
        Ok(())
    }

    fn pass(&self, batch: &Batch<'_>, made: &Made) -> Option<(Kernel, Launch)> {
        let kernel = self.kernels.of_passes.get(&made.text)?.clone();
        let mut launch = Launch::new([batch.images, made.shape.parts, made.shape.tiles], [THREADS, 1]);
        for parameter in &made.parameters {
            launch = launch.with(self.address(batch, *parameter));
        }
        Some((kernel, launch))
    }

    fn features(&self, batch: &Batch<'_>, parts: usize) -> Result<(Kernel, Launch), CudaError> {
        let size = batch.plan.features;
        let count = batch.images * size.channels;
        let launch = Launch::over(count)
            .with(self.pointer(batch.places.sums))
            .with(parts)
            .with(size.channels)
            .with(count)
            .with(1.0 / size.pixels as f32)
            .with(self.pointer(batch.places.head[0]));
        Ok((self.kernels.named.kernel("features")?, launch))
    }

    fn head(&self, batch: &Batch<'_>) -> Result<Vec<(Kernel, Launch)>, CudaError> {
        let head = head::Head {
            graph: &self.graph,
            ops: &batch.plan.head,
            places: batch.places,
            parameters: &self.parameters,
            base: self.pointer(0),
            images: batch.images,
            program: &self.kernels.named,
        };
        head.commands(batch.mode)
    }

    fn norm<'a>(&'a self, batch: &Batch<'_>, norm: usize) -> Norm<'a> {
        Norm {
            graph: &self.graph,
            layer: &self.graph.norms()[norm],
            parameters: &self.parameters,
            places: batch.places.norms[norm],
            base: self.pointer(0),
            images: batch.images,
            mode: batch.mode,
            program: &self.kernels.named,
        }
    }

    fn sums(&self, batch: &Batch<'_>, Summed { slots, parts }: Summed) -> Sums {
        Sums { at: self.pointer(batch.places.sums), slots, parts }
    }

    fn convolution(
        &mut self,
        batch: &Batch<'_>,
        conv: usize,
        direction: Direction,
        places: [Place; 2],
        commands: &mut Vec<Command>,
    ) -> Result<(), CudaError> {
        let layer = &self.graph.convs()[conv];
        let weight = layer.weight;
        let [x, y] = places.map(|place| self.place(batch, place));
        let shape = Conv2dShape { batch: batch.images, ..layer.shape };
        let (numbers, determinism) = (self.options.numbers, self.options.determinism);
        let signature = Signature { shape, direction, numbers, determinism };
        let w = match direction {
            // A gradient is f32, as the parameters are, but cuDNN 9.14 has one engine alone that writes it so from bf16, ten and
            // more times as slow as those that round it.
            Direction::Weight => self.parameters.weight_gradient(weight),
            Direction::Forward | Direction::Input => self.parameters.factor(weight),
        };
        let operands = Operands { x, w, y };
        commands.push(Command::Convolution(self.chosen(&signature, operands)?, operands));
        Ok(())
    }

    /// The plan of a convolution; the fastest, if it was not needed before.
    fn chosen(&mut self, signature: &Signature, operands: Operands) -> Result<Rc<Convolution>, CudaError> {
        let (workspace, device, stages) = (&mut self.workspace, &self.device, &mut self.stages);
        let mut room = |bytes: usize| {
            if bytes > workspace.len() {
                // What was recorded holds the address of the memory that goes.
                stages.values_mut().for_each(Stage::forget);
                device.wait()?;
                *workspace = device.zeros(0)?;
                let larger = device.zeros(bytes);
                if larger.is_err() {
                    // Nor is there room any more for what stages before needed; they are made anew.
                    stages.clear();
                }
                *workspace = larger?;
            }
            Ok(workspace.pointer(0))
        };
        if let Some((plan, _)) = self.convolutions.get(signature) {
            room(plan.workspace())?;
            return Ok(Rc::clone(plan));
        }
        let alike = |other: &&Signature| {
            Signature { shape: Conv2dShape { batch: signature.shape.batch, ..other.shape }, ..**other }
                == *signature
        };
        let effort = match self.convolutions.keys().find(alike) {
            Some(_) => Effort::Little,
            None => Effort::Full,
        };
        let (plan, choice) = Convolution::fastest(device, (signature, effort), operands, &mut room)?;
        room(plan.workspace())?;
        let plan = Rc::new(plan);
        self.convolutions.insert(*signature, (Rc::clone(&plan), choice));
        Ok(plan)
    }

    fn address(&self, batch: &Batch<'_>, parameter: Parameter) -> Pointer {
        let places = batch.places;
        match parameter {
            Parameter::Tensor(place) | Parameter::Written(place) => self.place(batch, place),
            Parameter::Images => self.pointer(places.images),
            Parameter::Scale(norm) => self.pointer(places.norms[norm].scale),
            Parameter::Shift(norm) => self.pointer(places.norms[norm].shift),
            Parameter::Factor(norm, k) => self.pointer(places.norms[norm].factors[k]),
            Parameter::Features => self.pointer(places.head_gradients[0]),
            Parameter::Indices(pool) | Parameter::KeptIndices(pool) => self.pointer(places.indices[pool]),
            Parameter::Sums => self.pointer(places.sums),
        }
    }

    fn place(&self, batch: &Batch<'_>, place: Place) -> Pointer {
        let element = if self.options.numbers == Numbers::Bf16 { 2 } else { 4 };
        self.pointer(match place {
            Place::Tensor(buf) => batch.places.tensors + batch.plan.offsets[buf] * batch.images * element,
            Place::X => batch.places.x,
            Place::Dy => batch.places.dy,
            Place::Dx => batch.places.dx,
        })
    }
}

/// The program of kernels of passes, number `i` of which is called [`name`]`(i)`.
pub(super) fn program(texts: &[&String], element: &str) -> String {
    let mut program = if element == "bf16" { "#define NARROW\n".to_owned() } else { String::new() };
    program.push_str(NUMBERS);
    for (i, text) in texts.iter().enumerate() {
        let _ = writeln!(program, "{}", text.replace("KERNEL(", &format!("{}(", name(i))));
    }
    program
}

/// What a step is, for people.
fn label(graph: &Graph, step: &Step) -> String {
    match step {
        Step::Pass(pass) => pass.label(),
        Step::Convolution { conv, direction, .. } => {
            let s = &graph.convs()[*conv].shape;
            let (from, to) = (s.in_channels, s.out_channels);
            format!("conv {direction:?} {}x{} {from} -> {to} {}/{}", s.height, s.width, s.kernel[0], s.stride)
        }
        Step::Know(_) | Step::Measure { .. } | Step::Differentiate { .. } => "norm".to_owned(),
        Step::Features { .. } => "features".to_owned(),
        Step::Head => "head".to_owned(),
    }
}

fn name(i: usize) -> String {
    format!("pass_{i}")
}

/// The passes among the steps, for those who look at their kernels.
#[cfg(test)]
pub(super) fn passes(steps: &[Step]) -> impl Iterator<Item = &super::pass::Elementwise> {
    steps.iter().filter_map(|step| match step {
        Step::Pass(pass) => Some(pass),
        _ => None,
    })
}
