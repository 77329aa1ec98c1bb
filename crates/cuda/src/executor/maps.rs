//! What explanations ask for: the map that a graph ends with, and the gradient of what it reads.

use std::rc::Rc;

use half::bf16;
use wick_graph::GraphError;
use wick_graph::plan::{Buf, ConvInputs, Plan, Read, Work};

use super::layout::Places;
use super::{Executor, Mode, expect};
use crate::{CudaError, Numbers};

impl Executor {
    /// The map `(N, H, W, C)` that the features of images `(N, H, W, C)` are the mean of, with running statistics in batch norms.
    ///
    /// # Errors
    /// A graph that does not end so; as [`logits`](Self::logits).
    pub fn last_map(&mut self, images: &[f32]) -> Result<Vec<f32>, CudaError> {
        let plan = Rc::clone(&self.evaluation);
        let Some(Work::Features { x: Read::Plain(buf) }) = plan.forward.last().map(|pass| &pass.work) else {
            return Err(GraphError::NoMap.into());
        };
        let count = self.load(images)?;
        self.run(Mode::Evaluate, count)?;
        let places = self.places(Mode::Evaluate, count);
        self.map((&plan, &places), *buf, count)
    }

    /// From the gradient `(N, classes)` of something with respect to the logits of images `(N, H, W, C)` to its gradient with respect to
    /// these images, with running statistics in batch norms and nothing dropped.
    ///
    /// # Errors
    /// As [`logits`](Self::logits); another number of gradients than of logits.
    pub fn input_gradient(&mut self, images: &[f32], dlogits: &[f32]) -> Result<Vec<f32>, CudaError> {
        let count = self.count(images)?;
        expect("the gradient of the logits", dlogits.len(), count * self.graph.classes())?;
        self.prepare(Mode::Differentiate, count)?;
        let (plan, places) = (self.differentiation()?, self.places(Mode::Differentiate, count));
        self.upload(places.images, images)?;
        self.upload(places.head_gradients[plan.head.len()], dlogits)?;
        self.run(Mode::Differentiate, count)?;
        plan.of_input.map_or_else(|| Ok(Vec::new()), |buf| self.map((&plan, &places), buf, count))
    }

    /// The plan of images' gradients.
    pub(super) fn differentiation(&mut self) -> Result<Rc<Plan>, CudaError> {
        if let Some(plan) = &self.input_gradient {
            return Ok(Rc::clone(plan));
        }
        let plan = Rc::new(Plan::input_gradient(&self.graph, ConvInputs::Written)?);
        Ok(Rc::clone(self.input_gradient.insert(plan)))
    }

    /// Where a stage that was prepared leaves everything.
    fn places(&self, mode: Mode, images: usize) -> Places {
        self.stages.get(&(mode, images)).map(|stage| stage.places.clone()).unwrap_or_default()
    }

    /// A tensor of a plan, of so many images.
    fn map(&self, (plan, places): (&Plan, &Places), buf: Buf, images: usize) -> Result<Vec<f32>, CudaError> {
        let (offset, count) = (plan.offsets[buf] * images, plan.sizes[buf].len() * images);
        match self.options.numbers {
            Numbers::F32 | Numbers::Tf32 => self.floats(places.tensors + offset * size_of::<f32>(), count),
            Numbers::Bf16 => {
                let mut bytes = vec![0; count * size_of::<bf16>()];
                self.arena.read(places.tensors + offset * size_of::<bf16>(), &mut bytes)?;
                let pairs = bytes.chunks_exact(2);
                Ok(pairs.map(|pair| bf16::from_le_bytes([pair[0], pair[1]]).to_f32()).collect())
            }
        }
    }
}
