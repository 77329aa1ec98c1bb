//! Warnings of made-up runs.

use wick_optim::Clip;

use super::*;

const PACE: Pace = Pace { start: 0.1, peak: 0.1, clip: Clip::None };

fn watch() -> Watch {
    Watch::new(10, PACE, Memory::default())
}

fn epoch(epoch: u64, loss: f64, accuracy: f64) -> SeenEpoch {
    SeenEpoch { epoch, loss, penalty: 0.0, accuracy, learning_rate: 0.1 }
}

/// So many steps of a run over ten classes, all alike, from number `first` on.
fn steps(watch: &mut Watch, first: usize, n: usize, seen: Seen) -> Vec<Warning> {
    (first..first + n).flat_map(|step| watch.step(Seen { step: step as u64, ..seen })).collect()
}

fn sound() -> Seen<'static> {
    let predicted = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    Seen { step: 1, loss: 1.5, penalty: 0.0, gradient_norm: None, learning_rate: 0.1, predicted, correct: 5 }
}

#[test]
fn a_sound_run_is_left_alone() {
    let mut watch = watch();
    let norms = [0.5, 3.0, 20.0];
    for step in 1..1000 {
        let gradient_norm = Some(norms[step as usize % 3]);
        assert_eq!(watch.step(Seen { step, gradient_norm, penalty: 0.4, ..sound() }), []);
    }
    // A loss that has become smaller than a modest penalty; classes of which a small batch has one.
    let learnt = Seen { loss: 0.1, penalty: 0.4, predicted: &[3; 8], ..sound() };
    assert_eq!(steps(&mut watch, 1000, 500, learnt), []);
    let few = Seen { loss: 2.4, predicted: &[3, 3], ..sound() };
    assert_eq!(steps(&mut watch, 1500, 500, few), []);
    assert_eq!(watch.epoch(epoch(1, 2.3, 0.3)), []); // a slow beginning, better than guessing
    assert_eq!(watch.schedule([0.1, 0.2, 0.1].into_iter()), []);
    assert_eq!(watch.plateau(&[0.1, 0.1, 0.05], 4), []);
    assert_eq!(watch.plateau(&[0.1, 0.1], 4), []); // too early to tell
    assert_eq!(watch.plateau(&[0.1, 0.1], 2), []); // too short a run
}

#[test]
fn a_dead_network_is_told_once_and_not_in_its_first_steps() {
    let mut watch = watch();
    let loss = 10f64.ln();
    assert_eq!(steps(&mut watch, 1, WINDOW, Seen { loss, predicted: &[3; 8], ..sound() }), []);
    // Which class it is changes from step to step.
    let dead =
        |step: usize| Seen { loss, predicted: if step % 7 < 3 { &[3; 8] } else { &[5; 8] }, ..sound() };
    let warnings: Vec<_> = (WINDOW + 1..10 * WINDOW)
        .flat_map(|step| watch.step(Seen { step: step as u64, ..dead(step) }))
        .collect();
    let [warning @ Warning::ConstantPrediction { classes: 10, span, cause, .. }] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    // The loss never leapt.
    assert_eq!((*span, *cause), (Span::Steps(101, 200), Cause::TooHighOrTooLow { learning_rate: 0.1 }));
    assert_eq!(watch.epoch(epoch(1, loss, 0.1)), []); // which would say no more
    let text = warning.to_string();
    assert!(text.contains("one and the same class") && text.contains("ln 10 = 2.303"), "{text}");

    // 98 of 100 are not all; nothing is learnt all the same, unless a third is classified rightly.
    let mut predicted = [3; 100];
    (predicted[0], predicted[1]) = (1, 2);
    let seen = Seen { loss, predicted: &predicted, correct: 10, ..sound() };
    let warnings = steps(&mut self::watch(), 1, 5 * WINDOW, seen);
    assert!(
        matches!(warnings[..], [Warning::NothingLearnt { span: Span::Steps(101, 200), .. }]),
        "{warnings:?}"
    );
    assert_eq!(steps(&mut self::watch(), 1, 5 * WINDOW, Seen { correct: 33, ..seen }), []);
}

#[test]
fn a_penalty_that_is_most_of_the_loss_is_told_and_not_its_effect() {
    let mut watch = watch();
    let seen = Seen { penalty: 12.0, loss: 2.31, predicted: &[0; 8], ..sound() };
    let warnings = steps(&mut watch, 1, 2 * WINDOW, seen);
    let [Warning::PenaltyDominates { penalty, loss }] = warnings[..] else { panic!("{warnings:?}") };
    assert!((penalty - 12.0).abs() < 1e-9 && (loss - 14.31).abs() < 1e-9);
    assert!(warnings[0].to_string().contains("12.00 of a loss of 14.31"), "{}", warnings[0]);
}

#[test]
fn a_gradient_that_explodes_is_told_and_not_taken_for_usual() {
    let mut watch = watch();
    // Large at first, which is long past.
    assert_eq!(steps(&mut watch, 1, WINDOW, Seen { gradient_norm: Some(200.0), ..sound() }), []);
    assert_eq!(steps(&mut watch, 101, 10 * WINDOW, Seen { gradient_norm: Some(2.0), ..sound() }), []);
    assert_eq!(watch.step(Seen { step: 1101, gradient_norm: Some(150.0), ..sound() }), []);
    let warnings = watch.step(Seen { step: 1102, gradient_norm: Some(300.0), ..sound() });
    let [Warning::GradientExplodes { step: 1102, norm: 300.0, usual, .. }] = warnings[..] else {
        panic!("{warnings:?}")
    };
    assert!((2.0..2.2).contains(&usual), "{usual}");
}

#[test]
fn a_gradient_that_is_not_finite_is_told_at_once_and_hides_no_explosion() {
    for norm in [f64::INFINITY, f64::NAN] {
        let mut watch = watch();
        assert_eq!(watch.step(Seen { gradient_norm: Some(2.0), ..sound() }), []);
        let warnings = watch.step(Seen { step: 2, gradient_norm: Some(norm), ..sound() });
        let [Warning::GradientNotFinite { step: 2, .. }] = warnings[..] else { panic!("{warnings:?}") };
        let text = warnings[0].to_string();
        assert!(text.contains("learning rate of 0.1 is most likely too high"), "{text}");
        assert_eq!(watch.step(Seen { step: 3, gradient_norm: Some(norm), ..sound() }), []); // once
        assert_eq!(steps(&mut watch, 4, 2 * WINDOW, Seen { gradient_norm: Some(2.0), ..sound() }), []);
        let warnings = watch.step(Seen { step: 300, gradient_norm: Some(300.0), ..sound() });
        let [Warning::GradientExplodes { usual, .. }] = warnings[..] else { panic!("{warnings:?}") };
        assert!((usual - 2.0).abs() < 1e-12, "{usual}");
    }
}

#[test]
fn a_loss_that_leaps_is_told_and_neither_a_bad_batch_nor_a_high_beginning() {
    let leaps = |losses: &[f64], seen: Seen| {
        let mut watch = watch();
        let step = |(at, loss): (usize, &f64)| watch.step(Seen { step: 1 + at as u64, loss: *loss, ..seen });
        losses.iter().enumerate().flat_map(step).collect::<Vec<_>>()
    };
    // Twice the loss of guessing is 4.605.
    let warnings = leaps(&[2.4, 3.0, 4.0, 7.0, 9.0], sound());
    let [Warning::LossLeaps { leap, .. }] = warnings[..] else { panic!("{warnings:?}") };
    assert_eq!((leap.first, leap.last, leap.learning_rate), (2, 4, 0.1));
    assert!((leap.loss - 14.0 / 3.0).abs() < 1e-12, "{leap:?}");
    assert_eq!(leaps(&[2.4, 2.4, 8.9, 2.4, 2.4], sound()), []);
    assert_eq!(leaps(&[2.4, 4.6, 4.6, 4.6, 4.6], sound()), []);
    assert_eq!(leaps(&[7.0, 8.0, 9.0, 10.0, 9.0], sound()), []); // large logits; 1.5 times it is 10.5
    assert_eq!(leaps(&[2.4, 9.0, 9.0, 9.0, 9.0], Seen { predicted: &[3; 7], ..sound() }), []); // few images
}

#[test]
fn a_leap_that_a_run_has_recovered_from_is_no_cause() {
    let mut watch = watch();
    let warnings = steps(&mut watch, 1, 10, Seen { loss: 6.0, ..sound() });
    assert_eq!(warnings, []); // as high from the first step on
    let first = Seen { loss: 2.4, ..sound() };
    watch = self::watch();
    steps(&mut watch, 1, 1, first);
    let warnings = steps(&mut watch, 2, 10, Seen { loss: 6.0, ..sound() });
    assert!(matches!(warnings[..], [Warning::LossLeaps { .. }]), "{warnings:?}");
    assert_eq!(steps(&mut watch, 12, 400, sound()), []);
    assert_eq!(watch.memory().leap, None);
    let warnings = watch.epoch(epoch(1, 2.31, 0.1));
    let [Warning::NothingLearnt { cause, .. }] = warnings[..] else { panic!("{warnings:?}") };
    assert_eq!(cause, Cause::TooHighOrTooLow { learning_rate: 0.1 });
}

#[test]
fn a_learning_rate_that_has_yet_to_rise_is_given_time_until_the_epoch_ends() {
    let pace = Pace { start: 0.001, peak: 0.1, ..PACE };
    let mut watch = Watch::new(10, pace, Memory::default());
    let seen = Seen { loss: 2.31, learning_rate: 0.005, correct: 1, ..sound() };
    assert_eq!(steps(&mut watch, 1, 300, seen), []);
    let warnings = watch.epoch(SeenEpoch { learning_rate: 0.005, ..epoch(1, 2.31, 0.1) });
    let [Warning::NothingLearnt { cause, span: Span::Epoch(1), .. }] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    assert_eq!(*cause, Cause::StillLow { learning_rate: 0.005, peak: 0.1 });
    assert!(warnings[0].to_string().contains("rate of 0.005 is most likely too low yet"), "{}", warnings[0]);
}

#[test]
fn what_is_remembered_passes_through_a_checkpoint_and_nothing_is_told_twice() {
    // A leap, an explosion and a standstill, watched in one go or by a new watch after every few steps.
    let seen = |step: u64| Seen {
        step,
        loss: if (2..9).contains(&step) { 6.1 } else { 2.31 },
        gradient_norm: Some(if step.is_multiple_of(150) { 1e4 } else { 0.1 * step as f64 }),
        correct: 1,
        ..sound()
    };
    let mut one = watch();
    let told: Vec<Warning> = (1..=400).flat_map(|step| one.step(seen(step))).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    let (mut memory, mut again) = (Memory::default(), Vec::new());
    for step in 1..=400 {
        let mut watch = Watch::new(10, PACE, memory);
        again.extend(watch.step(seen(step)));
        let text = serde_json::to_string(watch.memory()).unwrap();
        memory = serde_json::from_str(&text).unwrap();
    }
    assert_eq!(again, told);
    assert_eq!(memory, *one.memory());
}

#[test]
fn guessing_for_an_epoch_or_worse_is_told() {
    for loss in [2.3031, 40.0] {
        let mut watch = watch();
        let warnings = watch.epoch(epoch(1, loss, 0.101));
        let told = matches!(warnings[..], [Warning::NothingLearnt { span: Span::Epoch(1), classes: 10, .. }]);
        assert!(told, "{warnings:?}");
        assert_eq!(watch.epoch(epoch(2, loss, 0.101)), []); // once
    }
}

#[test]
fn a_schedule_that_stands_still_is_told() {
    let mut watch = watch();
    let crawling = (0..1000).map(|step| 0.004 + 1e-7 * f64::from(step));
    assert_eq!(watch.schedule(crawling), [Warning::ScheduleStandsStill { learning_rate: 0.004 }]);
    assert_eq!(watch.plateau(&[0.1; 20], 40), []);
    let warnings = watch.plateau(&[0.1; 21], 40);
    assert_eq!(warnings, [Warning::PlateauNeverReduced { epochs: 20, learning_rate: 0.1 }]);
}
