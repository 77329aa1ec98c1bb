//! Against PyTorch's `OneCycleLR`: 1e-12 (its cosine may differ in the last bit); a logged linear run to the last bit.

use crate::{deviation, floats, reference};
use wick_optim::{Anneal, CycleMomentum, Length, OneCycle, OneCycleOptions, Phases, Point, ScheduleConfig};

fn matches_reference(case: &str, options: OneCycleOptions, total_steps: usize) {
    let schedule = OneCycle::new(&options, total_steps).unwrap();
    let (got_lr, got_momentum): (Vec<f64>, Vec<Option<f64>>) = (0..total_steps)
        .map(|step| schedule.at(step))
        .map(|Point { learning_rate, momentum }| (learning_rate, momentum))
        .unzip();
    let want = &reference("schedulers.json")[case];
    let error = deviation(&got_lr, &floats(&want["lr"]));
    assert!(error <= 1e-12, "{case}: learning rate {error:e}");
    // Where the momentum is not cycled, PyTorch's optimiser keeps the .9 that it was made with.
    let got_momentum: Vec<f64> = got_momentum.into_iter().map(|m| m.unwrap_or(0.9)).collect();
    let error = deviation(&got_momentum, &floats(&want["momentum"]));
    assert!(error <= 1e-12, "{case}: momentum {error:e}");
}

/// The references scale every learning rate by this.
fn scale() -> f64 {
    reference("schedulers.json")["learning_rate_scale"].as_f64().unwrap()
}

#[test]
fn cosine_with_pytorchs_defaults() {
    let options = OneCycleOptions { max_lr: (1.0 * scale()).into(), ..Default::default() };
    matches_reference("one_cycle_default", options, 50);
}

#[test]
fn linear() {
    let options = OneCycleOptions {
        max_lr: (5.09e-3 * scale()).into(),
        pct_start: 0.25,
        div_factor: 100.0,
        final_div_factor: 100.0,
        anneal: Anneal::Linear,
        ..Default::default()
    };
    matches_reference("one_cycle_linear_pct25", options, 80);
}

#[test]
fn three_phases() {
    let max_lr = (0.4 * scale()).into();
    let options = OneCycleOptions { max_lr, pct_start: 0.2, phases: Phases::Three, ..Default::default() };
    matches_reference("one_cycle_three_phase", options, 60);
}

#[test]
fn fixed_momentum() {
    let max_lr = (0.4 * scale()).into();
    let options = OneCycleOptions { max_lr, momentum: CycleMomentum::Fixed, ..Default::default() };
    matches_reference("one_cycle_no_momentum", options, 30);
}

#[test]
fn beta1_of_adam() {
    let options = OneCycleOptions { max_lr: (0.4 * scale()).into(), ..Default::default() };
    let schedule = OneCycle::new(&options, 30).unwrap();
    let got: Vec<f64> = (0..30).map(|step| schedule.at(step).momentum.unwrap()).collect();
    let error = deviation(&got, &floats(&reference("schedulers.json")["one_cycle_adamw_beta1"]));
    assert!(error <= 1e-12, "{error:e}");
}

/// A run of 20 epochs of 1563 steps with PyTorch logged these as the learning rates of each epoch's last step.
const LOGGED: [f64; 20] = [
    0.001059064382880664,
    0.002067832790864593,
    0.0030766011988485227,
    0.004085369606832451,
    0.0050941380148163806,
    0.00475456277474872,
    0.00441498753468106,
    0.004075412294613401,
    0.003735837054545741,
    0.003396261814478081,
    0.003056686574410421,
    0.0027171113343427613,
    0.002377536094275101,
    0.0020379608542074414,
    0.0016983856141397817,
    0.0013588103740721216,
    0.0010192351340044615,
    0.0006796598939368013,
    0.00034008465386914204,
    5.09413801481895e-07,
];

#[test]
fn a_logged_run_to_the_last_bit() {
    let options = OneCycleOptions {
        max_lr: 5.0941380148163806e-3.into(),
        pct_start: 5.0 / 20.0,
        div_factor: 100.0,
        final_div_factor: 100.0,
        anneal: Anneal::Linear,
        phases: Phases::Two,
        momentum: CycleMomentum::Cycle { base: 0.85, max: 0.95 },
    };
    let schedule = OneCycle::new(&options, 20 * 1563).unwrap();
    for (epoch, want) in LOGGED.into_iter().enumerate() {
        let got = schedule.at(1563 * (epoch + 1) - 1).learning_rate;
        assert_eq!(got.to_bits(), want.to_bits(), "epoch {}: got {got:?}, logged {want:?}", epoch + 1);
    }

    // The momentum mirrors it: .95 at the first step, .85 at the peak, .95 at the last, and the mean of both halfway down.
    let momentum = |step| schedule.at(step).momentum.unwrap();
    assert_eq!(momentum(0), 0.95);
    assert_eq!(momentum(5 * 1563 - 1), 0.85);
    assert!((momentum(20 * 1563 - 1) - 0.95).abs() <= 1e-15);
    for epoch in 1..=20 {
        let point = schedule.at(1563 * epoch - 1);
        let (low, high) = if epoch <= 5 { (0.01, 0.95) } else { (1e-4, 0.95) };
        let risen = (point.learning_rate / 5.0941380148163806e-3 - low) / (1.0 - low);
        let fallen = (high - point.momentum.unwrap()) / 0.1;
        assert!((risen - fallen).abs() <= 1e-12, "epoch {epoch}: {risen} of the rise, {fallen} of the fall");
    }
}

#[test]
fn short_and_lopsided_cycles_stay_within_their_bounds() {
    for anneal in [Anneal::Cosine, Anneal::Linear] {
        for phases in [Phases::Two, Phases::Three] {
            for pct_start in [0.0, 0.1, 0.3, 0.5, 1.0] {
                if phases == Phases::Three && pct_start > 0.5 {
                    continue;
                }
                for total_steps in [1, 2, 3, 10, 11] {
                    let options = OneCycleOptions {
                        max_lr: 1.0.into(),
                        pct_start,
                        anneal,
                        phases,
                        ..Default::default()
                    };
                    let schedule = OneCycle::new(&options, total_steps).unwrap();
                    for step in 0..total_steps + 3 {
                        let Point { learning_rate, momentum } = schedule.at(step);
                        let case = format!(
                            "{options:?}, step {step} of {total_steps}: {learning_rate} {momentum:?}"
                        );
                        assert!((0.0..=1.0 + 1e-12).contains(&learning_rate), "{case}");
                        assert!((0.85 - 1e-12..=0.95 + 1e-12).contains(&momentum.unwrap()), "{case}");
                    }
                    assert_eq!(schedule.at(total_steps), schedule.at(total_steps - 1));
                }
            }
        }
    }
}

#[test]
fn a_constant_schedule_is_the_optimisers_learning_rate() {
    let schedule =
        ScheduleConfig::Constant {}.build(0.25, Length { epochs: 1, steps_per_epoch: 10 }).unwrap();
    assert_eq!(schedule.at(1_000_000, &[]), Point { learning_rate: 0.25, momentum: None });
}
