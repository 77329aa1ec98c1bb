//! Against torch-lr-finder's arithmetic: learning rates to the last bit, smoothed losses 1e-12.

use crate::{deviation, floats, gradient, reference, store, values, var};
use candle_core::Tensor;
use wick_optim::{
    Ending, Momentum, Next, OptimError, Optimizer, RangeTest, RangeTestOptions, Reading, Recorder, Sgd,
    SgdOptions, Spacing, Suggestion, range_test, suggest_minimum_tenth, suggest_steepest, suggest_valley,
    sweep,
};

fn readings(losses: &[f64]) -> Vec<Reading> {
    let reading = |(step, &loss)| Reading { step, learning_rate: (step + 1) as f64, loss, smoothed: loss };
    losses.iter().enumerate().map(reading).collect()
}

fn untrimmed() -> RangeTestOptions {
    RangeTestOptions { skip_start: 0, skip_end: 0, ..Default::default() }
}

#[test]
fn the_default_grid_to_the_last_bit() {
    let rates = RangeTestOptions::default().learning_rates();
    let want = floats(&reference("schedulers.json")["range_test"]["lr"]);
    assert_eq!(rates, want);
    assert_eq!(rates[67].to_bits(), 5.0941380148163806e-3_f64.to_bits());
    assert_eq!((rates[0], rates.len()), (1e-5, 100));
}

#[test]
fn a_linear_grid() {
    let options =
        RangeTestOptions { start: 1.0, end: 2.0, steps: 21, spacing: Spacing::Linear, ..Default::default() };
    let rates = options.learning_rates();
    assert_eq!((rates[0], rates[5], rates[20]), (1.0, 1.25, 2.0));

    let options = RangeTestOptions { steps: 5, skip_start: 0, skip_end: 0, ..options };
    let mut tried = Vec::new();
    let test = sweep::<OptimError>(&options, |rate| {
        tried.push(rate);
        Ok(3.0 - rate)
    });
    assert_eq!(tried, [1.0, 1.25, 1.5, 1.75, 2.0]);
    let seen: Vec<f64> = test.unwrap().readings.iter().map(|r| r.learning_rate).collect();
    assert_eq!(seen, tried);
}

#[test]
fn smoothing_and_the_steepest_gradient_as_the_reference() {
    let want = &reference("schedulers.json")["range_test"];
    let losses = floats(&want["raw_loss"]);
    let options = RangeTestOptions { diverge_threshold: f64::MAX, ..Default::default() };
    let mut losses_left = losses.iter().copied();
    let test = sweep::<OptimError>(&options, |_| Ok(losses_left.next().unwrap())).unwrap();
    assert_eq!(test.ending, Ending::Completed);
    let smoothed: Vec<f64> = test.readings.iter().map(|r| r.smoothed).collect();
    let error = deviation(&smoothed, &floats(&want["smoothed_loss"]));
    assert!(error <= 1e-12, "{error:e}");
    let steepest = test.steepest().unwrap();
    assert_eq!(steepest.step as u64, want["steepest_index"].as_u64().unwrap());
    assert_eq!(steepest.learning_rate, want["steepest_lr"].as_f64().unwrap());
    assert_eq!(test.valley().unwrap().step, 53); // fastai's `valley` run on the same losses
}

#[test]
fn the_steepest_gradient_uses_central_differences_and_the_first_of_equals() {
    let step = |losses: &[f64]| suggest_steepest(&readings(losses), &untrimmed()).unwrap().step;
    // numpy.gradient([5, 5, 4, 2, 1, 1]) = [0, -.5, -1.5, -1.5, -.5, 0]
    assert_eq!(step(&[5., 5., 4., 2., 1., 1.]), 2);
    // One-sided at the ends: [-4, -2, 0, 0] and [0, 0, -2, -4].
    assert_eq!(step(&[5., 1., 1., 1.]), 0);
    assert_eq!(step(&[5., 5., 5., 1.]), 3);
    assert_eq!(step(&[5., 1.]), 0);
    let trimmed = RangeTestOptions { skip_start: 1, skip_end: 2, ..Default::default() };
    let suggestion = suggest_steepest(&readings(&[9., 5., 4., 4., 0., 0.]), &trimmed).unwrap();
    assert_eq!((suggestion.step, suggestion.learning_rate), (1, 2.0));
}

/// Against fastai's `valley` run on the same lists.
#[test]
fn the_valley_as_fastai_finds_it() {
    let step = |losses: &[f64]| suggest_valley(&readings(losses), &untrimmed()).unwrap().step;
    // The whole list falls: end 8, start 8 - 9 = -1, section 3: index -1 + 3 + 1.
    assert_eq!(step(&[9., 8., 7., 6., 5., 4., 3., 2., 1.]), 3);
    // Longest falling subsequence 6 5 4 3 2 1 ends at 7: start 1, section 2: index 1 + 2 + 1.
    assert_eq!(step(&[6., 7., 5., 4., 3., 2., 9., 1., 8., 10., 11.]), 4);
    // Nothing falls: the first.
    assert_eq!(step(&[1., 2., 3., 4.]), 0);
    // Two readings that fall: fastai's index is -1; the first is meant.
    assert_eq!(step(&[2., 1.]), 0);
}

#[test]
fn a_tenth_of_the_rate_at_the_first_smallest_loss() {
    let suggest = |losses: &[f64], options: &RangeTestOptions| {
        let Suggestion { step, learning_rate } = suggest_minimum_tenth(&readings(losses), options).unwrap();
        (step, learning_rate)
    };
    // Step k was taken with rate k + 1.
    assert_eq!(suggest(&[5., 4., 1., 2., 1., 9.], &untrimmed()), (2, 0.3));
    assert_eq!(suggest(&[1., 2., 3.], &untrimmed()), (0, 0.1));
    assert_eq!(suggest(&[3., 2., 1.], &untrimmed()), (2, 0.3));
    // What is skipped does not count: of 4, 2, 3 the second.
    let trimmed = RangeTestOptions { skip_start: 1, skip_end: 1, ..Default::default() };
    assert_eq!(suggest(&[0., 4., 2., 3., 0.], &trimmed), (2, 0.3));
    assert!(suggest_minimum_tenth(&readings(&[0., 1., 2.]), &trimmed).is_err());
}

#[test]
fn rules_that_are_more_than_a_factor_of_three_apart_disagree() {
    let test = |losses: &[f64], options| RangeTest {
        options,
        readings: readings(losses),
        ending: Ending::Completed,
    };
    // Rates 1 to 9. Steepest: slopes [-1, -1, …], the first, rate 1; valley: step 3, rate 4; minimum: 9 / 10.
    let straight = [9., 8., 7., 6., 5., 4., 3., 2., 1.];
    let disagreement = test(&straight, untrimmed()).disagreement().unwrap();
    assert!((disagreement - 4.0 / 0.9).abs() < 1e-12, "{disagreement}");
    // Steepest [-1, -1, …]: rate 1; valley: end 2, length 3, index 2 - 3 + 1 + 0 = 0: rate 1; minimum: 3 / 10. More than 3.
    assert!((test(&[3., 2., 1.], untrimmed()).disagreement().unwrap() - 1.0 / 0.3).abs() < 1e-12);
    // Steepest 1; valley: end 3, length 4, index 3 - 4 + 1 + 0 = 0: rate 1; minimum: 4 / 10. No more than 3.
    assert_eq!(test(&[4., 3., 2., 1.], untrimmed()).disagreement(), None);
    assert_eq!(test(&straight, RangeTestOptions::default()).disagreement(), None); // nothing is suggested
}

#[test]
fn stops_when_the_smoothed_loss_is_far_above_its_best() {
    let options = RangeTestOptions { smoothing: 0.0, ..Default::default() };
    let mut recorder = Recorder::new(&options);
    assert_eq!(recorder.record(1e-5, 2.0), Next::Continue);
    assert_eq!(recorder.record(1e-4, 1.0), Next::Continue);
    assert_eq!(recorder.record(1e-3, 5.0), Next::Continue); // five times the best is not more than that
    assert_eq!(recorder.record(1e-2, 5.1), Next::Stop(Ending::Diverged));
    assert_eq!(recorder.readings().len(), 4);
}

#[test]
fn stops_at_a_loss_that_is_no_number_and_says_when_nothing_can_be_suggested() {
    let at = |bad: f64, step: usize| -> RangeTest {
        let mut k = 0;
        sweep::<OptimError>(&RangeTestOptions::default(), |_| {
            k += 1;
            Ok(if k > step { bad } else { 2.0 - 0.01 * k as f64 })
        })
        .unwrap()
    };
    let late = at(f64::NAN, 30);
    assert_eq!((late.ending, late.readings.len()), (Ending::NotFinite, 30));
    assert!((10..25).contains(&late.steepest().unwrap().step));
    assert!((10..25).contains(&late.valley().unwrap().step));
    let early = at(f64::INFINITY, 16);
    assert_eq!(
        early.steepest().unwrap_err().to_string(),
        "the range test left 16 usable losses, a suggestion needs 17 (the first 10 and last 5 are skipped, and a slope takes 2): test lower learning rates, or take more steps"
    );
    assert!(early.valley().is_err());
    assert!(at(f64::NAN, 0).readings.is_empty());
    assert!(at(f64::NAN, 17).steepest().is_ok());
}

#[test]
fn everything_is_put_back_whether_the_test_ends_or_fails() {
    for fail_at in [None, Some(0), Some(5)] {
        let (p, statistics) = (var(&[1.0, -2.0]), var(&[0.0]));
        let options =
            SgdOptions { learning_rate: 0.01, momentum: Momentum::Heavy(0.9), ..Default::default() };
        let mut sgd = Sgd::new(vec![("p".into(), p.clone())], options).unwrap();
        sgd.step(&store([(&p, gradient(0, 2))])).unwrap();
        let state = |sgd: &Sgd| -> Vec<(String, Vec<f64>)> {
            let tensors = sgd.state().unwrap();
            let wide = |t: &Tensor| values(&t.to_dtype(candle_core::DType::F64).unwrap());
            tensors.iter().map(|(name, t)| (name.clone(), wide(t))).collect()
        };
        let before = (values(&p), state(&sgd));

        let mut k = 0;
        let mut rates = Vec::new();
        let outcome =
            range_test::<OptimError>(&RangeTestOptions::default(), [&p, &statistics], &mut sgd, |sgd| {
                statistics.set(&(statistics.as_tensor() + 1.0)?)?;
                sgd.set_momentum(0.5)?;
                rates.push(sgd.learning_rate());
                sgd.step(&store([(&p, gradient(k, 2))]))?;
                if fail_at == Some(k) {
                    return Err(OptimError::PeakNotFound); // any error
                }
                k += 1;
                Ok(1.0)
            });
        assert_eq!(outcome.is_err(), fail_at.is_some());
        assert_eq!(rates, RangeTestOptions::default().learning_rates()[..rates.len()]);
        assert_eq!((values(&p), state(&sgd)), before, "{fail_at:?}");
        assert_eq!(values(&statistics), [0.0]);
        assert_eq!((sgd.learning_rate(), sgd.momentum()), (0.01, Some(0.9)));
    }
}
