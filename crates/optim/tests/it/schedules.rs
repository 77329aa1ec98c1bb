//! Against PyTorch's schedulers: 1e-12, since it multiplies step by step where these are closed forms.

use crate::{deviation, floats, reference};
use serde_json::Value;
use wick_optim::{
    Judged, Length, OptimError, Plateau, PlateauMode, PlateauOptions, Point, Schedule, ScheduleConfig,
    ThresholdMode,
};

/// The references scale every learning rate by this.
fn scale() -> f64 {
    reference("schedulers.json")["learning_rate_scale"].as_f64().unwrap()
}

fn config(text: &str) -> ScheduleConfig {
    toml::from_str(text).unwrap()
}

/// Of a run whose epochs have three steps.
fn schedule(text: &str) -> Schedule {
    config(text).build(0.1 * scale(), Length { epochs: 30, steps_per_epoch: 3 }).unwrap()
}

/// `text`, a schedule that counts epochs, gives the values of `case` in each epoch; counting steps, at each step.
fn matches_reference(case: &str, text: &str) {
    let want = &reference("schedulers.json")[case];
    let lrs = floats(&want["lr"]);
    let ticks = lrs.len();
    for (per, steps) in [("epoch", 3), ("step", 1)] {
        let schedule = schedule(&format!("per = \"{per}\"\n{text}"));
        for within in 0..steps {
            let points: Vec<Point> = (0..ticks).map(|t| schedule.at(t * steps + within, &[])).collect();
            let got: Vec<f64> = points.iter().map(|p| p.learning_rate).collect();
            let error = deviation(&got, &lrs);
            assert!(error <= 1e-12, "{case} per {per}: learning rate {error:e}");
            // Where the momentum is not cycled, PyTorch's optimiser keeps the .9 that it was made with.
            let got: Vec<f64> = points.iter().map(|p| p.momentum.unwrap_or(0.9)).collect();
            let error = deviation(&got, &floats(&want["momentum"]));
            assert!(error <= 1e-12, "{case} per {per}: momentum {error:e}");
        }
    }
}

#[test]
fn functions_of_the_tick_are_pytorchs() {
    matches_reference("step", "kind = \"step\"\nstep_size = 4\ngamma = 0.3");
    matches_reference("multi_step", "kind = \"multi_step\"\nmilestones = [3, 9, 15]\ngamma = 0.2");
    matches_reference("exponential", "kind = \"exponential\"\ngamma = 0.9");
    matches_reference("cosine", "kind = \"cosine\"\nt_max = 20\neta_min = 1e-4");
    matches_reference("cosine_restarts", "kind = \"cosine_restarts\"\nt_0 = 5\nt_mult = 2");
    matches_reference("linear_warmup", "kind = \"linear\"\nstart_factor = 0.1\ntotal = 8");
    matches_reference("constant_warmup", "kind = \"constant_factor\"\nfactor = 0.25\ntotal = 5");
    matches_reference("polynomial_power2", "kind = \"polynomial\"\ntotal = 15\npower = 2");
}

#[test]
fn cycles_are_pytorchs() {
    for (case, mode) in [
        ("cyclic_triangular", "\"triangular\""),
        ("cyclic_triangular2", "\"triangular2\""),
        ("cyclic_exp_range", "{ exp_range = { gamma = 0.95 } }"),
    ] {
        let (base, max) = (0.01 * scale(), 0.1 * scale());
        let text = format!("base_lr = {base:?}\nmax_lr = {max:?}\nstep_size_up = 4\nstep_size_down = 6");
        matches_reference(case, &format!("kind = \"cyclic\"\n{text}\nmode = {mode}"));
    }
}

#[test]
fn a_sequence_is_pytorchs() {
    for per in ["epoch", "step"] {
        let text = format!(
            "kind = \"sequential\"\nper = \"{per}\"\nmilestones = [5]\nschedules = [\
             {{ kind = \"linear\", start_factor = 0.1, total = 5, per = \"{per}\" }}, \
             {{ kind = \"cosine\", t_max = 15, per = \"{per}\" }}]"
        );
        let steps = if per == "epoch" { 3 } else { 1 };
        let want = floats(&reference("schedulers.json")["sequential_warmup_then_cosine"]["lr"]);
        let schedule = schedule(&text);
        let got: Vec<f64> = (0..want.len()).map(|t| schedule.at(t * steps, &[]).learning_rate).collect();
        let error = deviation(&got, &want);
        assert!(error <= 1e-12, "per {per}: {error:e}");
    }
}

/// A metric that JSON cannot hold is null there.
fn metrics(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

#[test]
fn plateaus_are_pytorchs() {
    let relative = PlateauOptions { patience: 2, ..Default::default() };
    let absolute = PlateauOptions {
        factor: 0.5,
        patience: 1,
        threshold: 0.05,
        threshold_mode: ThresholdMode::Abs,
        cooldown: 2,
        min_lr: 0.02,
        ..Default::default()
    };
    let rising = PlateauOptions { mode: PlateauMode::Max, factor: 0.5, patience: 0, ..Default::default() };
    let nan = PlateauOptions { factor: 0.5, patience: 1, ..Default::default() };
    for (case, options, of) in [
        ("plateau_min_rel_p2", relative, "plateau_metrics"),
        ("plateau_min_abs_p1_cooldown2", absolute, "plateau_metrics"),
        ("plateau_max_rel_p0", rising, "plateau_metrics"),
        ("plateau_nan_p1", nan, "plateau_nan_metrics"),
    ] {
        let golden = reference("schedulers.json");
        let (want, metrics) = (floats(&golden[case]["lr"]), metrics(&golden[of]));
        let lr = 0.1 * scale();
        let after = |n: usize| Plateau::after(options, lr, &metrics[..n]).unwrap().learning_rate();
        let got: Vec<f64> = (0..want.len()).map(after).collect();
        let error = deviation(&got, &want);
        assert!(error <= 1e-12, "{case}: {error:e}");

        // As a run's schedule: by the loss or by the accuracy, whichever it is; the other one says nothing.
        let schedule = ScheduleConfig::Plateau(options).build(lr, Length { epochs: 30, steps_per_epoch: 3 });
        let judged: Vec<Judged> = metrics
            .iter()
            .map(|&metric| match options.mode {
                PlateauMode::Min => Judged { loss: metric, accuracy: 0.5 },
                PlateauMode::Max => Judged { loss: 0.5, accuracy: metric },
            })
            .collect();
        let schedule = schedule.unwrap();
        let got: Vec<f64> =
            (0..want.len()).map(|epoch| schedule.at(3 * epoch + 2, &judged[..epoch]).learning_rate).collect();
        assert!(deviation(&got, &want) <= 1e-12, "{case} as a schedule");
    }
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let build = |text: &str| -> OptimError {
        let config = toml::from_str::<ScheduleConfig>(text).unwrap();
        config.build(0.1, Length { epochs: 3, steps_per_epoch: 2 }).unwrap_err()
    };
    for (text, named) in [
        ("kind = \"step\"\nstep_size = 0", "step_size is 0"),
        ("kind = \"step\"\nstep_size = 1\ngamma = -1.0", "gamma is -1"),
        ("kind = \"multi_step\"\nmilestones = [3, 2]", "milestones is [3, 2]"),
        ("kind = \"exponential\"\ngamma = 0.0", "gamma is 0"),
        ("kind = \"cosine\"\nt_max = 0", "t_max is 0"),
        ("kind = \"cosine\"\nt_max = 2\neta_min = -0.5", "eta_min is -0.5"),
        ("kind = \"cosine_restarts\"\nt_0 = 0", "t_0 is 0"),
        ("kind = \"cosine_restarts\"\nt_0 = 1\nt_mult = 0", "t_mult is 0"),
        ("kind = \"polynomial\"\ntotal = 0", "total is 0"),
        ("kind = \"linear\"\nstart_factor = 0.1\ntotal = 0", "total is 0"),
        ("kind = \"constant_factor\"\nfactor = nan\ntotal = 1", "factor is NaN"),
        (
            "kind = \"cyclic\"\nbase_lr = 1.0\nmax_lr = 0.1\nstep_size_up = 3",
            "base_lr = 1 cannot be combined with max_lr = 0.1",
        ),
        ("kind = \"cyclic\"\nbase_lr = 0.1\nmax_lr = 1.0\nstep_size_up = 0", "step_size_up is 0"),
        (
            "kind = \"cyclic\"\nbase_lr = 0.1\nmax_lr = 1.0\nstep_size_up = 1\nmomentum = { cycle = { base = 0.0, max = 0.9 } }",
            "base is 0",
        ),
        ("kind = \"exponential\"\ngamma = 1e200", "the learning rate of the last step is inf"),
        ("kind = \"plateau\"\nfactor = 1.0", "factor is 1"),
        ("kind = \"plateau\"\nthreshold = 1.0", "threshold = 1 cannot be combined with threshold_mode"),
        ("kind = \"plateau\"\nmin_lr = 0.2", "min_lr = 0.2 cannot be combined with lr = 0.1"),
        (
            "kind = \"sequential\"\nmilestones = [0]\nschedules = [{ kind = \"constant\" }, { kind = \"constant\" }]",
            "milestones is [0]",
        ),
        (
            "kind = \"sequential\"\nmilestones = [1, 1]\nschedules = [{ kind = \"constant\" }, { kind = \"constant\" }, { kind = \"constant\" }]",
            "milestones is [1, 1]",
        ),
        ("kind = \"sequential\"\nmilestones = []\nschedules = []", "milestones = []"),
        (
            "kind = \"sequential\"\nmilestones = [1]\nschedules = [{ kind = \"constant\" }, { kind = \"plateau\" }]",
            "only functions of the tick",
        ),
        (
            "kind = \"sequential\"\nmilestones = []\nschedules = [{ kind = \"exponential\", gamma = 0.5, per = \"step\" }]",
            "the same ticks",
        ),
    ] {
        let message = build(text).to_string();
        assert!(message.contains(named), "{text}: {message}");
    }
    let unknown = toml::from_str::<ScheduleConfig>("kind = \"step\"\nstep = 3").unwrap_err();
    assert!(unknown.to_string().contains("step"), "{unknown}");
}

#[test]
fn every_schedule_survives_toml() {
    for text in [
        "kind = \"step\"\nstep_size = 4",
        "kind = \"multi_step\"\nmilestones = [1, 2]",
        "kind = \"exponential\"\ngamma = 0.5\nper = \"step\"",
        "kind = \"cosine\"\nt_max = 3",
        "kind = \"cosine_restarts\"\nt_0 = 3",
        "kind = \"cyclic\"\nbase_lr = 0.1\nmax_lr = 1.0\nstep_size_up = 3\nmode = { exp_range = { gamma = 0.9 } }",
        "kind = \"polynomial\"\ntotal = 3",
        "kind = \"linear\"\nstart_factor = 0.1\ntotal = 3",
        "kind = \"constant_factor\"\nfactor = 0.1\ntotal = 3",
        "kind = \"plateau\"\nmode = \"max\"\nthreshold_mode = \"abs\"",
        "kind = \"sequential\"\nmilestones = [1]\nschedules = [{ kind = \"constant\" }, { kind = \"step\", step_size = 1 }]",
    ] {
        let schedule = config(text);
        let written = toml::to_string(&schedule).unwrap();
        assert_eq!(config(&written), schedule, "{written}");
    }
}
