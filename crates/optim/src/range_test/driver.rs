use super::{
    Ending, Next, RangeTestOptions, Reading, Recorder, Suggestion, suggest_minimum_tenth, suggest_steepest,
    suggest_valley,
};
use crate::{OptimError, Optimizer, Snapshot};
use candle_core::Var;

/// How many times the smallest suggestion the largest may be, for the rules to agree.
const MOST_APART: f64 = 3.0;

/// What a range test saw.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeTest {
    /// With what it was made.
    pub options: RangeTestOptions,
    /// One a step.
    pub readings: Vec<Reading>,
    /// Why there are no more.
    pub ending: Ending,
}

impl RangeTest {
    /// [`suggest_steepest`] of the readings.
    ///
    /// # Errors
    /// [`OptimError::TooFewReadings`]
    pub fn steepest(&self) -> Result<Suggestion, OptimError> {
        suggest_steepest(&self.readings, &self.options)
    }

    /// [`suggest_valley`] of the readings.
    ///
    /// # Errors
    /// [`OptimError::TooFewReadings`]
    pub fn valley(&self) -> Result<Suggestion, OptimError> {
        suggest_valley(&self.readings, &self.options)
    }

    /// [`suggest_minimum_tenth`] of the readings.
    ///
    /// # Errors
    /// [`OptimError::TooFewReadings`]
    pub fn minimum_tenth(&self) -> Result<Suggestion, OptimError> {
        suggest_minimum_tenth(&self.readings, &self.options)
    }

    /// The largest suggestion over the smallest, if that is more than a factor of 3: then the rules disagree, and none should be
    /// followed before somebody has looked at the curve. `None` where they agree, or suggest nothing.
    pub fn disagreement(&self) -> Option<f64> {
        let rates = [self.steepest(), self.valley(), self.minimum_tenth()];
        let rates = rates.into_iter().flatten().map(|suggestion| suggestion.learning_rate);
        let (least, most) =
            rates.fold((f64::INFINITY, 0.0f64), |(least, most), rate| (least.min(rate), most.max(rate)));
        Some(most / least).filter(|factor| *factor > MOST_APART)
    }
}

/// Calls `step` with one learning rate after another until the losses that it returns say stop.
///
/// `step` trains on one batch with the given learning rate and returns the loss before the update, or that of other images
/// after it. It restores nothing; [`range_test`] does.
///
/// # Errors
/// Whatever `step` returns, an interruption for instance; [`OptimError`] for options out of range.
pub fn sweep<E: From<OptimError>>(
    options: &RangeTestOptions,
    mut step: impl FnMut(f64) -> Result<f64, E>,
) -> Result<RangeTest, E> {
    options.check()?;
    let mut recorder = Recorder::new(options);
    let mut k = 0;
    let ending = loop {
        let learning_rate = options.learning_rate(k);
        if let Next::Stop(ending) = recorder.record(learning_rate, step(learning_rate)?) {
            break ending;
        }
        k += 1;
    };
    Ok(RangeTest { options: *options, readings: recorder.into_readings(), ending })
}

/// A range test that leaves everything as it was: `variables` (*all* that a step changes, batch norm's running statistics
/// too), the optimiser's state, its learning rate and momentum are put back at the end, also when `step` fails.
///
/// `step` trains on one batch with the optimiser, whose learning rate is set, and returns the loss before the update, or that of
/// other images after it.
///
/// ```
/// use candle_core::{Device, Var};
/// use wick_optim::{OptimError, Optimizer, RangeTestOptions, Sgd, SgdOptions, range_test};
///
/// let x = Var::new(2f64, &Device::Cpu)?;
/// let mut sgd = Sgd::new(vec![("x".into(), x.clone())], SgdOptions::default())?;
/// let options = RangeTestOptions { end: 10.0, ..Default::default() };
/// let test = range_test::<OptimError>(&options, [&x], &mut sgd, |sgd| {
///     let loss = x.sqr()?;
///     sgd.step(&loss.backward()?)?;
///     Ok(loss.to_scalar()?)
/// })?;
/// assert!(test.steepest()?.learning_rate > 1e-3);
/// assert_eq!(x.to_scalar::<f64>()?, 2.0); // as before
/// # Ok::<(), OptimError>(())
/// ```
///
/// # Errors
/// Whatever `step` returns, an interruption for instance; [`OptimError`] for options out of range.
pub fn range_test<'a, E: From<OptimError>>(
    options: &RangeTestOptions,
    variables: impl IntoIterator<Item = &'a Var>,
    optimizer: &mut dyn Optimizer,
    mut step: impl FnMut(&mut dyn Optimizer) -> Result<f64, E>,
) -> Result<RangeTest, E> {
    options.check()?;
    let snapshot = Snapshot::take(variables, optimizer)?;
    let outcome = sweep(options, |learning_rate| {
        optimizer.set_learning_rate(learning_rate)?;
        step(optimizer)
    });
    snapshot.restore(optimizer)?;
    outcome
}
