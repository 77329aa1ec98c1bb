//! The epoch loop.

mod accumulate;
mod begin;
mod cuda;
mod draws;
mod engine;
mod event;
mod norms;
mod rows;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use wick_augment::Augmentation;
use wick_metrics::MetricsError;
use wick_models::{Metadata, Network};
use wick_optim::{Average, Judged, Optimizer, Point, Schedule, ScheduleConfig, Weights};
use wick_runs::{EpochRow, RunDir, StepRow, TimingRow};

use crate::checkpoint::{self, Best, Partial, State};
use crate::compute::Compute;
use crate::data::Data;
use crate::evaluate::{Evaluation, evaluate};
use crate::watch::{Seen, SeenEpoch, Watch};
use crate::{Recipe, TrainError, Warning};

pub(crate) use accumulate::Accumulation;
pub(crate) use cuda::{Cuda, TOGETHER};
use engine::{Engine, Stepped};
pub use event::{Event, Observer, Progress};

/// Whether a run begins or goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// From the seed's initial weights; refused where the run has trained before.
    Fresh,
    /// From the last checkpoint, or from the beginning where there is none.
    Resume,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All epochs are done.
    Finished {
        /// The best epoch by test accuracy.
        best: Option<Best>,
    },
    /// It was asked to stop; a checkpoint is on disk.
    Interrupted {
        /// Epoch in progress, from 1.
        epoch: u64,
        /// Batches of it that are done.
        step_in_epoch: usize,
    },
}

/// Trains as `recipe` says on the CPU, leaving `epochs.csv`, `timing.csv`, `steps.csv`, `norms.csv` and checkpoints in `run`.
///
/// Everything that is computed is a function of recipe, data and seed: neither the number of threads nor interruptions
/// change a bit of it. When `stop` is set, the step in progress is finished, a checkpoint written and the run left.
///
/// # Errors
/// A loss that is no number, files that cannot be read or written, a checkpoint that does not belong to the recipe.
pub fn train(
    recipe: &Recipe,
    data: &Arc<Data>,
    run: &RunDir,
    start: Start,
    stop: &AtomicBool,
    observer: &mut Observer<'_>,
) -> Result<Outcome, TrainError> {
    train_on(&Compute::Cpu, recipe, data, run, start, stop, observer)
}

/// The same on the CPU or a GPU. On a GPU, two runs have the same bits where its determinism is required; up to 64 steps
/// are finished when `stop` is set, and epochs leave no checkpoint of their own where the last one is younger than
/// `train.checkpoint_minutes`.
///
/// # Errors
/// Those of [`train`]; the device's, and what it does not compute.
pub fn train_on(
    compute: &Compute,
    recipe: &Recipe,
    data: &Arc<Data>,
    run: &RunDir,
    start: Start,
    stop: &AtomicBool,
    observer: &mut Observer<'_>,
) -> Result<Outcome, TrainError> {
    let mut training = Training::begin(recipe, data, run, (compute, start), observer)?;
    while training.state.epoch <= recipe.train.epochs as u64 {
        if training.epoch(stop, observer)? == Flow::Stop {
            training.save(observer)?;
            let State { epoch, step_in_epoch, .. } = training.state;
            return Ok(Outcome::Interrupted { epoch, step_in_epoch });
        }
    }
    Ok(Outcome::Finished { best: training.state.best })
}

/// What the average's tensors are called in a checkpoint, beside the optimiser's.
const AVERAGE: &str = "average/";

#[derive(PartialEq)]
enum Flow {
    Continue,
    Stop,
}

struct Training<'a> {
    recipe: &'a Recipe,
    data: &'a Arc<Data>,
    run: &'a RunDir,
    augmentation: Augmentation,
    metadata: Metadata,
    network: Network,
    engine: Engine,
    optimizer: Box<dyn Optimizer>,
    average: Average,
    schedule: Schedule,
    state: State,
    watch: Watch,
    /// Rows that belong to steps after the checkpoint on disk.
    unsaved: Vec<StepRow>,
    /// Of each trained parameter, of the epoch's last step; none where gradients stay on a GPU.
    gradient_norms: Vec<Option<f64>>,
    saved_at: Instant,
}

impl Training<'_> {
    /// Trains the rest of the epoch in progress, evaluates, and writes its rows and a checkpoint.
    fn epoch(&mut self, stop: &AtomicBool, observer: &mut Observer<'_>) -> Result<Flow, TrainError> {
        let frozen = self.recipe.frozen(self.state.epoch);
        self.optimizer.freeze(&frozen);
        let flow = match self.engine {
            Engine::Host(_) => self.epoch_on_cpu(stop, observer)?,
            Engine::Cuda(_) => self.epoch_on_gpu(&frozen, stop, observer)?,
        };
        if flow == Flow::Stop {
            return Ok(flow);
        }
        let point = self.schedule.at(self.state.step.saturating_sub(1) as usize, &self.state.judged);
        self.finish_epoch(point, observer)?;
        let more = self.state.epoch <= self.recipe.train.epochs as u64;
        Ok(if more && stop.load(Ordering::Relaxed) { Flow::Stop } else { Flow::Continue })
    }

    /// What is done behind so many steps: tells of them, stops where that is asked for, saves where it is time.
    fn behind_steps(
        &mut self,
        count: usize,
        warnings: &[Warning],
        stop: &AtomicBool,
        observer: &mut Observer<'_>,
    ) -> Result<Flow, TrainError> {
        let steps = self.recipe.steps_per_epoch(self.data.train_indices.len());
        let rows = &self.unsaved[self.unsaved.len().saturating_sub(count)..];
        observer(Event::Rows(rows));
        let lr = rows.last().map_or(0.0, |row| row.lr);
        observer(Event::Step(&self.progress(steps, lr)));
        warnings.iter().for_each(|warning| observer(Event::Warning(warning)));
        let is_last = self.state.step_in_epoch == steps;
        if stop.load(Ordering::Relaxed) && !is_last {
            return Ok(Flow::Stop);
        }
        if self.is_time_to_save() && !is_last {
            self.save(observer)?;
        }
        Ok(Flow::Continue)
    }

    fn is_time_to_save(&self) -> bool {
        self.saved_at.elapsed() >= Duration::from_secs_f64(self.recipe.train.checkpoint_minutes * 60.0)
    }

    /// Counts a step, whose loss must be a number.
    fn count(&mut self, loss: f64, point: Point) -> Result<(), TrainError> {
        self.state.step += 1;
        self.state.step_in_epoch += 1;
        if loss.is_finite() {
            return Ok(());
        }
        let State { step, epoch, .. } = self.state;
        Err(TrainError::Diverged { step, epoch, lr: point.learning_rate, loss: loss as f32 })
    }

    /// Notes what a step that was counted left.
    fn record(&mut self, point: Point, stepped: &Stepped<'_>) -> Vec<Warning> {
        let Stepped { labels, predicted, .. } = *stepped;
        // What the penalty adds is part of what is minimised, and of the loss that is logged.
        let loss = stepped.loss + stepped.penalty;
        let images = labels.len() as f64;
        let partial = &mut self.state.partial;
        partial.loss += loss * images;
        partial.penalty += stepped.penalty * images;
        let correct = labels.iter().zip(predicted).filter(|(truth, predicted)| truth == predicted).count();
        partial.correct += correct as u64;
        partial.images += labels.len() as u64;
        let State { step, epoch, .. } = self.state;
        self.unsaved.push(StepRow { step, epoch, lr: point.learning_rate, loss });
        self.watch.step(Seen {
            step,
            loss: stepped.loss,
            penalty: stepped.penalty,
            gradient_norm: stepped.gradient_norm,
            learning_rate: point.learning_rate,
            predicted,
            correct,
        })
    }

    /// Has the variables hold what training goes on from, wherever that is.
    fn fetch(&mut self) -> Result<(), TrainError> {
        match &mut self.engine {
            Engine::Host(_) => Ok(()),
            Engine::Cuda(cuda) => cuda.pull(self.optimizer.as_mut(), &mut self.average),
        }
    }

    fn judge(&mut self, observer: &mut Observer<'_>) -> Result<Evaluation, TrainError> {
        let (split, indices) = self.data.judging();
        let total = indices.len();
        let options = self.recipe.evaluate.options();
        let mut progress = |images| observer(Event::Evaluated { images, total });
        match &mut self.engine {
            Engine::Host(host) => {
                self.average.show(Weights::Averaged)?;
                evaluate(host.network(), &self.augmentation, split, &indices, options, &mut progress)
            }
            Engine::Cuda(cuda) => {
                cuda.exchange()?;
                let judged =
                    evaluate(cuda.executor(), &self.augmentation, split, &indices, options, &mut progress);
                cuda.exchange()?;
                judged
            }
        }
    }

    fn finish_epoch(&mut self, point: Point, observer: &mut Observer<'_>) -> Result<(), TrainError> {
        let norms = self.measure(observer)?;
        let judged = self.judge(observer).map_err(|error| match error {
            TrainError::Metrics(MetricsError::Value { .. }) => {
                let State { step, epoch, .. } = self.state;
                TrainError::NoNumbers { step, epoch, lr: point.learning_rate }
            }
            error => error,
        })?;
        let Partial { loss, penalty, correct, images, seconds } = self.state.partial;
        let n = images.max(1) as f64;
        let row = EpochRow {
            epoch: self.state.epoch,
            lr: point.learning_rate,
            momentum: point.momentum.or(self.recipe.optim.momentum()).unwrap_or(0.0),
            train_loss: loss / n,
            train_accuracy: correct as f64 / n,
            test_loss: judged.loss,
            test_accuracy: judged.accuracy,
        };
        let timing = TimingRow {
            epoch: self.state.epoch,
            seconds,
            images_per_second: images as f64 / seconds.max(f64::MIN_POSITIVE),
        };
        let is_best = self.state.best.is_none_or(|best| judged.accuracy > best.test_accuracy);
        if is_best {
            self.state.best = Some(Best { epoch: row.epoch, test_accuracy: row.test_accuracy });
            if let Engine::Cuda(cuda) = &mut self.engine {
                cuda.show()?;
            }
            self.network.save(&self.run.best(), &self.metadata)?;
        }
        let mut warnings = self.watch.epoch(SeenEpoch {
            epoch: row.epoch,
            loss: (loss - penalty) / n,
            penalty: penalty / n,
            accuracy: row.train_accuracy,
            learning_rate: row.lr,
        });
        self.state.judged.push(Judged { loss: row.test_loss, accuracy: row.test_accuracy });
        warnings.extend(self.schedule_warnings());
        self.state.epoch += 1;
        self.state.step_in_epoch = 0;
        self.state.partial = Partial::default();
        rows::append_epoch(self.run, &row, &timing, &norms)?;
        observer(Event::Epoch { row: &row, timing: &timing, is_best });
        warnings.iter().for_each(|warning| observer(Event::Warning(warning)));
        // A GPU's epoch may be over in a second, which a checkpoint takes as well.
        let is_over = self.state.epoch > self.recipe.train.epochs as u64;
        match self.engine {
            Engine::Cuda(_)
                if !is_over && !is_best && self.run.last_state().exists() && !self.is_time_to_save() =>
            {
                Ok(())
            }
            _ => self.save(observer),
        }
    }

    /// Of a schedule that changes nothing: of a plateau, so far; else over the whole run.
    fn schedule_warnings(&mut self) -> Vec<Warning> {
        let steps = self.recipe.steps_per_epoch(self.data.train_indices.len());
        let (epochs, judged) = (self.recipe.train.epochs, &self.state.judged);
        let rate = |step: usize, judged: &[Judged]| self.schedule.at(step, judged).learning_rate;
        match self.recipe.schedule {
            ScheduleConfig::Constant {} => Vec::new(),
            ScheduleConfig::Plateau(_) => {
                let rates: Vec<f64> = (0..=judged.len()).map(|e| rate(e * steps, &judged[..e])).collect();
                self.watch.plateau(&rates, epochs)
            }
            _ => self.watch.schedule((0..epochs * steps).map(|step| rate(step, &[]))),
        }
    }

    fn save(&mut self, observer: &mut Observer<'_>) -> Result<(), TrainError> {
        rows::append_steps(self.run, &mut self.unsaved)?;
        self.fetch()?;
        let mut tensors = self.optimizer.state()?;
        // The weights' file holds the average, which is then what the network shows; these hold what training goes on from.
        let averaged = self.average.state()?;
        tensors.extend(averaged.into_iter().map(|(name, tensor)| (format!("{AVERAGE}{name}"), tensor)));
        self.state.watched = self.watch.memory().clone();
        checkpoint::save(self.run, &self.network, &self.metadata, &tensors, &mut self.state)?;
        self.average.show(Weights::Trained)?;
        self.saved_at = Instant::now();
        observer(Event::Checkpoint);
        Ok(())
    }

    fn progress(&self, steps: usize, lr: f64) -> Progress {
        let State { epoch, step_in_epoch, partial, .. } = &self.state;
        let n = partial.images.max(1) as f64;
        let seconds = partial.seconds.max(f64::MIN_POSITIVE);
        let images_per_second = n / seconds;
        let epochs = self.recipe.train.epochs;
        let epochs_left = (epochs as f64 - *epoch as f64).max(0.0);
        let images_left = epochs_left * self.data.train_indices.len() as f64
            + (steps - step_in_epoch) as f64 * self.recipe.train.batch_size as f64;
        Progress {
            epoch: *epoch,
            epochs,
            step: *step_in_epoch,
            steps,
            loss: partial.loss / n,
            accuracy: partial.correct as f64 / n,
            lr,
            images_per_second,
            steps_per_second: *step_in_epoch as f64 / seconds,
            seconds_left: images_left / images_per_second,
        }
    }
}
