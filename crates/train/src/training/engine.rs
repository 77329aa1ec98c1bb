//! Steps, on whatever computes them.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use wick_metrics::argmax;
use wick_models::{Compiled, Network};
use wick_optim::{Point, Weights};

use super::{Accumulation, Cuda, Flow, Observer, TOGETHER, Training, norms};
use crate::data::{Batch, BatchPlan, training_batches};
use crate::recipe::Precision;
use crate::{Recipe, TrainError, Warning};

/// Steps from one look at the gradients' norm to the next, where the optimiser has no need of it. That reads each gradient once, which is
/// little beside fifty steps over whole batches.
const NORMS_EVERY: u64 = 50;

/// What computes steps.
#[derive(Debug)]
pub(super) enum Engine {
    Host(Box<Host>),
    Cuda(Box<Cuda>),
}

/// The CPU: gradients in its memory, for an optimiser there.
#[derive(Debug)]
pub(super) struct Host {
    compiled: Compiled,
    accumulation: Accumulation,
}

impl Host {
    pub fn new(recipe: &Recipe, network: &Network) -> Result<Self, TrainError> {
        if recipe.train.precision == Precision::Tf32 {
            return Err(TrainError::NotOnCpu);
        }
        let compiled = Compiled::new(network, recipe.compile_options())?;
        Ok(Self { compiled, accumulation: Accumulation::new(recipe, network) })
    }

    pub fn network(&mut self) -> &mut Compiled {
        &mut self.compiled
    }
}

/// What a step left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stepped<'a> {
    /// Mean cross-entropy over the batch.
    pub loss: f64,
    pub penalty: f64,
    pub gradient_norm: Option<f64>,
    pub labels: &'a [usize],
    pub predicted: &'a [usize],
}

impl Training<'_> {
    /// The rest of the epoch in progress.
    pub(super) fn epoch_on_cpu(
        &mut self,
        stop: &AtomicBool,
        observer: &mut Observer<'_>,
    ) -> Result<Flow, TrainError> {
        let plan =
            BatchPlan { skip: self.state.step_in_epoch, ..BatchPlan::of(self.recipe, self.state.epoch) };
        let mut batches = training_batches(self.data, &self.augmentation, plan);
        loop {
            // Waiting for a batch, should it ever come to that, is training time.
            let began = Instant::now();
            let Some(batch) = batches.next() else { return Ok(Flow::Continue) };
            let point = self.schedule.at(self.state.step as usize, &self.state.judged);
            let warnings = self.step(&batch?, point)?;
            self.state.partial.seconds += began.elapsed().as_secs_f64();
            if self.behind_steps(1, &warnings, stop, observer)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
    }

    fn step(&mut self, batch: &Batch, point: Point) -> Result<Vec<Warning>, TrainError> {
        self.average.show(Weights::Trained)?;
        let steps = self.recipe.steps_per_epoch(self.data.train_indices.len());
        let Engine::Host(host) = &mut self.engine else { return Ok(Vec::new()) };
        let step = host.accumulation.step(&mut host.compiled, batch)?;
        let loss = step.loss;
        if loss.is_finite() {
            let predicted = argmax(&step.logits, self.network.classes)?;
            self.optimizer.set_learning_rate(point.learning_rate)?;
            // A function of the step alone: a resumed run would not know what a cycle before it left.
            if let Some(momentum) = point.momentum.or(self.recipe.optim.momentum()) {
                self.optimizer.set_momentum(momentum)?;
            }
            let is_last = self.state.step_in_epoch + 1 == steps;
            let mut seen = None;
            if is_last || (self.state.step + 1).is_multiple_of(NORMS_EVERY) {
                let norms = norms::of_gradients(&self.network.parameters, step.gradients)?;
                seen = Some(norms::of_all(&norms));
                if is_last {
                    self.gradient_norms = norms;
                }
            }
            let report = self.optimizer.step(step.gradients)?;
            self.count(loss, point)?;
            self.average.after_step(self.state.step)?;
            let (penalty, gradient_norm) = (report.penalty, report.gradient_norm.or(seen));
            let labels = &batch.labels;
            return Ok(
                self.record(point, &Stepped { loss, penalty, gradient_norm, labels, predicted: &predicted })
            );
        }
        self.count(loss, point)?;
        Ok(Vec::new())
    }

    /// The rest of the epoch in progress, many steps at a time.
    pub(super) fn epoch_on_gpu(
        &mut self,
        frozen: &[&str],
        stop: &AtomicBool,
        observer: &mut Observer<'_>,
    ) -> Result<Flow, TrainError> {
        let steps = self.recipe.steps_per_epoch(self.data.train_indices.len());
        let size = self.recipe.train.batch_size;
        let began = Instant::now();
        let Engine::Cuda(cuda) = &mut self.engine else { return Ok(Flow::Continue) };
        let order = cuda.begin_epoch(self.data, self.recipe.seed, self.state.epoch, frozen)?;
        self.state.partial.seconds += began.elapsed().as_secs_f64();
        while self.state.step_in_epoch < steps {
            let began = Instant::now();
            let first = self.state.step_in_epoch * size;
            let (batch, count) = match (order.len() - first) / size {
                0 => (order.len() - first, 1), // what is left over
                full => (size, full.min(TOGETHER).min(steps - self.state.step_in_epoch)),
            };
            let at = |step: usize| self.schedule.at(self.state.step as usize + step, &self.state.judged);
            let points: Vec<Point> = (0..count).map(at).collect();
            let Engine::Cuda(cuda) = &mut self.engine else { return Ok(Flow::Continue) };
            let reports = cuda.steps((first, batch), self.state.step, &points)?;
            self.state.partial.seconds += began.elapsed().as_secs_f64();
            let mut warnings = Vec::new();
            for ((report, point), indices) in reports.iter().zip(&points).zip(order[first..].chunks(batch)) {
                let label = |index: &usize| usize::from(self.data.dataset.train.label(*index));
                let labels: Vec<usize> = indices.iter().map(label).collect();
                let predicted: Vec<usize> =
                    report.predicted.iter().map(|class| usize::from(*class)).collect();
                self.count(report.loss, *point)?;
                warnings.extend(self.record(
                    *point,
                    &Stepped {
                        loss: report.loss,
                        penalty: report.penalty,
                        gradient_norm: report.gradient_norm,
                        labels: &labels,
                        predicted: &predicted,
                    },
                ));
            }
            if self.behind_steps(count, &warnings, stop, observer)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Continue)
    }
}
