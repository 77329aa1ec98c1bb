//! A plan, its memory, and the steps through it.

use std::sync::Arc;
use std::time::Instant;

use wick_kernels::Element;
use wick_kernels::fused::Algorithm;

use super::arena::{Arena, Memory};
use super::head::{Head, Run};
use super::norm::{BatchStatistics, Norm};
use super::packed::{Meets, Packed};
use super::pass::{Context, Outputs, products, sums_a_channel};
use super::profile::{Profile, ProfileRow, describe};
use super::sums::Sums;
use super::{Batch, Options, Profiling, Step, StepOptions};
use crate::GraphError;
use crate::graph::{Graph, NormKind, Role, Shape};
use crate::plan::{ConvInputs, Finish, Pass, Plan, Read, Work};

#[derive(Debug)]
pub(crate) struct Engine<E> {
    graph: Arc<Graph>,
    training: Arc<Plan>,
    evaluation: Arc<Plan>,
    /// Once it was needed.
    input_gradient: Option<Arc<Plan>>,
    inputs: ConvInputs,
    algorithm: Algorithm,
    arena: Arena<E>,
    norms: Vec<Norm>,
    packed: Packed,
    head: Head,
    sums: Vec<f32>,
    indices: Vec<Vec<u8>>,
    spread: Vec<f32>,
    ones: Vec<f32>,
    zeros: Vec<f32>,
    statistics: Vec<BatchStatistics>,
    /// Of training and of evaluation.
    profiles: Option<[Profile; 2]>,
}

/// What a pass is part of.
struct Stage<'a> {
    plan: &'a Plan,
    images: usize,
    pixels: &'a [f32],
    parameters: &'a [&'a [f32]],
    purpose: Purpose,
}

/// What a stage is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Train,
    Evaluate,
    /// To evaluate, and to know the gradient of the images.
    Differentiate,
}

impl Purpose {
    /// The number of its profile.
    fn profile(self) -> usize {
        usize::from(self != Self::Train)
    }
}

impl<E: Element> Engine<E> {
    pub fn new(graph: &Graph, options: Options, inputs: ConvInputs) -> Result<Self, GraphError> {
        let training = Arc::new(Plan::training(graph, inputs)?);
        let channels = training.sizes.iter().map(|size| size.channels).max().unwrap_or(0);
        Ok(Self {
            graph: Arc::new(graph.clone()),
            evaluation: Arc::new(Plan::evaluation(graph, inputs)?),
            training,
            input_gradient: None,
            inputs,
            algorithm: options.algorithm,
            arena: Arena::new(),
            norms: vec![Norm::default(); graph.norms.len()],
            packed: Packed::new::<E>(graph, options.algorithm)?,
            head: Head::default(),
            sums: Vec::new(),
            indices: vec![Vec::new(); graph.pools.len()],
            spread: Vec::new(),
            ones: vec![1.0; channels],
            zeros: vec![0.0; channels],
            statistics: Vec::new(),
            profiles: (options.profiling == Profiling::On).then(Default::default),
        })
    }

    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    pub fn last_logits(&self) -> &[f32] {
        self.head.logits()
    }

    pub fn bytes(&self) -> usize {
        self.arena.bytes() + self.packed.seen_bytes()
    }

    pub fn training_bytes(&self, images: usize) -> usize {
        self.training.total * images * size_of::<E>()
    }

    pub fn take_profile(&mut self) -> Vec<ProfileRow> {
        self.profiles.iter_mut().flatten().flat_map(Profile::take).collect()
    }

    pub fn training_step(
        &mut self,
        parameters: &[&[f32]],
        batch: Batch<'_>,
        options: StepOptions<'_>,
        gradients: &mut [Vec<f32>],
    ) -> Result<Step<'_>, GraphError> {
        let (graph, plan) = (Arc::clone(&self.graph), Arc::clone(&self.training));
        let images = self.check(parameters, batch.images)?;
        expect("labels", batch.labels.len(), images)?;
        expect("mixed labels", options.mixed.map_or(images, |mixed| mixed.labels.len()), images)?;
        expect("the list of gradients", gradients.len(), parameters.len())?;
        for (gradient, parameter) in gradients.iter_mut().zip(&graph.parameters) {
            if parameter.role == Role::Trainable {
                gradient.resize(parameter.len(), 0.0);
            }
        }
        self.statistics.clear();
        // Batch norms will be measured; what else there is is known.
        let stage = Stage { plan: &plan, images, pixels: batch.images, parameters, purpose: Purpose::Train };
        self.begin(&stage)?;
        self.run_all(&stage, &plan.forward, gradients)?;
        let began = Instant::now();
        let dropout = Some(options.dropout_seed);
        let run = Run { graph: &graph, ops: &plan.head, images, parameters, dropout };
        self.head.forward(run)?;
        let mean = self.head.loss(graph.classes(), batch.labels, options)?;
        let dfeatures = self.head.backward(run, (batch.labels, options), gradients)?;
        spread(dfeatures, plan.features.pixels, &mut self.spread);
        self.note(&stage, "head", "linear, cross_entropy", began);
        self.run_all(&stage, &plan.backward, gradients)?;
        Ok(Step { loss: mean, logits: self.head.logits(), statistics: &self.statistics })
    }

    pub fn logits(&mut self, parameters: &[&[f32]], images: &[f32]) -> Result<&[f32], GraphError> {
        let (graph, plan) = (Arc::clone(&self.graph), Arc::clone(&self.evaluation));
        let pixels = images;
        let images = self.check(parameters, images)?;
        let stage = Stage { plan: &plan, images, pixels, parameters, purpose: Purpose::Evaluate };
        self.begin(&stage)?;
        self.run_all(&stage, &plan.forward, &mut [])?;
        let began = Instant::now();
        self.head.forward(Run { graph: &graph, ops: &plan.head, images, parameters, dropout: None })?;
        self.note(&stage, "head", "linear", began);
        Ok(self.head.logits())
    }

    /// The map that the features are the mean of, `(N, H, W, C)`, of images that are evaluated for it.
    pub fn last_map(&mut self, parameters: &[&[f32]], images: &[f32]) -> Result<Vec<f32>, GraphError> {
        let buf = match self.evaluation.forward.last().map(|pass| &pass.work) {
            Some(Work::Features { x: Read::Plain(buf) }) => *buf,
            _ => return Err(GraphError::NoMap),
        };
        self.logits(parameters, images)?;
        let images = self.check(parameters, images)?;
        let map = self.arena.tensor(&self.evaluation, buf, images);
        Ok(map.iter().map(|v| v.to_f32()).collect())
    }

    /// The gradient `(N, H, W, C)` with respect to images that are evaluated, from that with respect to their logits.
    pub fn input_gradient(
        &mut self,
        parameters: &[&[f32]],
        images: &[f32],
        dlogits: &[f32],
    ) -> Result<Vec<f32>, GraphError> {
        let graph = Arc::clone(&self.graph);
        let plan = match &self.input_gradient {
            Some(plan) => Arc::clone(plan),
            None => {
                let plan = Plan::input_gradient(&graph, self.inputs)?;
                Arc::clone(self.input_gradient.insert(Arc::new(plan)))
            }
        };
        let pixels = images;
        let images = self.check(parameters, images)?;
        expect("the gradient of the logits", dlogits.len(), images * graph.classes())?;
        let stage = Stage { plan: &plan, images, pixels, parameters, purpose: Purpose::Differentiate };
        self.begin(&stage)?;
        self.run_all(&stage, &plan.forward, &mut [])?;
        let run = Run { graph: &graph, ops: &plan.head, images, parameters, dropout: None };
        self.head.forward(run)?;
        spread(self.head.features_gradient(run, dlogits)?, plan.features.pixels, &mut self.spread);
        self.run_all(&stage, &plan.backward, &mut [])?;
        let of_input = plan.of_input.map(|buf| self.arena.tensor(&plan, buf, images)).unwrap_or_default();
        Ok(of_input.iter().map(|v| v.to_f32()).collect())
    }

    /// The number of images, if everything has the length it must have.
    fn check(&self, parameters: &[&[f32]], images: &[f32]) -> Result<usize, GraphError> {
        let wanted = &self.graph.parameters;
        expect("the list of parameters", parameters.len(), wanted.len())?;
        for (parameter, wanted) in parameters.iter().zip(wanted) {
            expect(&wanted.name, parameter.len(), wanted.len())?;
        }
        let image = match self.graph.nodes[0].shape {
            Shape::Map(map) => map.iter().product::<usize>(),
            Shape::Features(n) => n,
        };
        let count = images.len() / image.max(1);
        if count == 0 {
            return Err(GraphError::Empty);
        }
        expect("images", images.len(), count * image)?;
        Ok(count)
    }

    fn begin(&mut self, stage: &Stage<'_>) -> Result<(), GraphError> {
        if let Some(profiles) = &mut self.profiles {
            profiles[stage.purpose.profile()].begin();
        }
        let began = Instant::now();
        self.make_room(stage)?;
        if stage.purpose != Purpose::Train {
            self.note(stage, "weights", "compare, pack", began);
        }
        let features = stage.plan.features.channels;
        self.head.features(stage.plan.head.len(), stage.images, features);
        for (norm, layer) in self.norms.iter_mut().zip(&self.graph.norms) {
            if stage.purpose != Purpose::Train || matches!(layer.kind, NormKind::Bias) {
                norm.know(layer, stage.parameters);
            }
            if stage.purpose == Purpose::Differentiate {
                norm.know_gradient();
            }
        }
        Ok(())
    }

    /// Makes room for a stage, and weights ready that are evaluated again.
    fn make_room(&mut self, stage: &Stage<'_>) -> Result<(), GraphError> {
        let Stage { plan, images, parameters, purpose, .. } = *stage;
        if purpose == Purpose::Train {
            self.packed.forget();
            self.arena.reserve(plan, images, 0);
            return Ok(());
        }
        let meets = self.packed.meet(&self.graph, parameters);
        let kept = if meets == Meets::Others { 0 } else { self.packed.len() };
        let memory = self.arena.reserve(plan, images, kept);
        if meets == Meets::Again || (meets, memory) == (Meets::Ready, Memory::New) {
            self.packed.pack(&self.graph, self.algorithm, parameters, self.arena.kept(kept))?;
        }
        Ok(())
    }

    fn run_all(
        &mut self,
        stage: &Stage<'_>,
        passes: &[Pass],
        gradients: &mut [Vec<f32>],
    ) -> Result<(), GraphError> {
        passes.iter().try_for_each(|pass| self.run(stage, pass, gradients))
    }

    fn run(&mut self, stage: &Stage<'_>, pass: &Pass, gradients: &mut [Vec<f32>]) -> Result<(), GraphError> {
        let began = Instant::now();
        let Stage { plan, images, pixels, parameters, purpose } = *stage;
        let context = Context {
            graph: &self.graph,
            plan,
            algorithm: self.algorithm,
            images,
            pixels,
            parameters,
            norms: &self.norms,
            packed: &self.packed,
            ones: &self.ones,
            zeros: &self.zeros,
            spread: &self.spread,
        };
        let outputs = Outputs {
            sums: &mut self.sums,
            indices: &mut self.indices,
            features: self.head.features(plan.head.len(), images, plan.features.channels),
            gradients,
            keeps_indices: purpose != Purpose::Evaluate,
        };
        let kept = self.packed.kept();
        context.run(pass, self.arena.tensors(plan, pass, images, kept), outputs)?;
        self.reduce(stage, pass, gradients);
        if self.profiles.is_some() {
            let (op, flops) = describe(&self.graph, pass, images);
            if let Some(profiles) = &mut self.profiles {
                profiles[purpose.profile()].add(&pass.layer, op, flops, began);
            }
        }
        Ok(())
    }

    /// Makes of a pass's sums what the next ones need.
    fn reduce(&mut self, stage: &Stage<'_>, pass: &Pass, gradients: &mut [Vec<f32>]) {
        let Some(write) = &pass.write else { return };
        let stride = sums_a_channel(&self.graph, write);
        let channels = stage.plan.sizes[write.to].channels;
        let sums = Sums { values: &self.sums, stride, images: stage.images, channels };
        let graph = &self.graph;
        match &write.finish {
            Finish::None | Finish::Affine(_) => {}
            Finish::Statistics(norms) => {
                for &norm in norms {
                    let layer = &graph.norms[norm];
                    self.statistics.extend(self.norms[norm].measure(layer, sums, stage.parameters));
                }
            }
            Finish::Gradient(point) => {
                for &(norm, _) in &point.norms {
                    let slot = products(graph, point).position(|(n, _)| n == norm).map_or(0, |at| at + 1);
                    let layer = &graph.norms[norm];
                    self.norms[norm].differentiate(graph, layer, (sums, slot), stage.parameters, gradients);
                }
            }
        }
    }

    fn note(&mut self, stage: &Stage<'_>, layer: &str, op: &'static str, began: Instant) {
        if let Some(profiles) = &mut self.profiles {
            profiles[stage.purpose.profile()].add(layer, op, 0.0, began);
        }
    }
}

/// The gradient of each pixel whose mean is a feature, from that of the features.
fn spread(features: &[f32], pixels: usize, to: &mut Vec<f32>) {
    let share = 1.0 / pixels as f32;
    to.clear();
    to.extend(features.iter().map(|d| d * share));
}

fn expect(what: &str, got: usize, expected: usize) -> Result<(), GraphError> {
    if got == expected {
        return Ok(());
    }
    Err(GraphError::Length { what: what.to_owned(), expected, got })
}
