//! Schedules that are as long as the run, and those that are longer.

use wick_optim::{Length, Linear, Point, ScheduleConfig, Span, Tick};

fn config(text: &str) -> ScheduleConfig {
    toml::from_str(text).unwrap()
}

const RUN: Length = Length { epochs: 10, steps_per_epoch: 5 };

/// The rates of all its steps.
fn rates(config: &ScheduleConfig, length: Length) -> Vec<Point> {
    let schedule = config.build(0.1, length).unwrap();
    (0..length.steps()).map(|step| schedule.at(step, &[])).collect()
}

#[test]
fn run_is_the_number_of_its_ticks() {
    for (kind, key) in [
        ("kind = \"cosine\"", "t_max"),
        ("kind = \"polynomial\"\npower = 2.0", "total"),
        ("kind = \"linear\"\nstart_factor = 1.0\nend_factor = 0.0", "total"),
        ("kind = \"constant_factor\"\nfactor = 0.5", "total"),
    ] {
        for (per, ticks) in [("epoch", 10), ("step", 50)] {
            let whole = config(&format!("{kind}\nper = \"{per}\"\n{key} = \"run\""));
            let told = config(&format!("{kind}\nper = \"{per}\"\n{key} = {ticks}"));
            assert_eq!(rates(&whole, RUN), rates(&told, RUN), "{kind} per {per}");
            assert_eq!(whole.clone().over(RUN), told, "{kind} per {per}");
            assert_eq!(told.clone().over(RUN), told, "a number stays what it is");
            whole.check_length(RUN).unwrap();
            told.check_length(RUN).unwrap();
            assert_eq!(config(&toml::to_string(&whole).unwrap()), whole);
        }
    }
}

/// A warm-up of two epochs, then a wave over what is left.
#[test]
fn in_a_sequence_run_is_the_turn() {
    let text = |first: &str, last: &str| {
        config(&format!(
            "kind = \"sequential\"\nmilestones = [2]\nschedules = [\
             {{ kind = \"linear\", start_factor = 0.1, total = {first} }}, {{ kind = \"cosine\", t_max = {last} }}]"
        ))
    };
    let whole = text("\"run\"", "\"run\"");
    for (epochs, rest) in [(10, "8"), (3, "1")] {
        let length = Length { epochs, ..RUN };
        assert_eq!(whole.clone().over(length), text("2", rest));
        assert_eq!(rates(&whole, length), rates(&text("2", rest), length));
        whole.check_length(length).unwrap();
    }
    let late = whole.check_length(Length { epochs: 2, ..RUN }).unwrap_err().to_string();
    assert!(late.starts_with("schedule.milestones = [2] (per = \"epoch\") does not fit"), "{late}");
}

#[test]
fn what_is_longer_than_the_run_is_refused_with_key_value_and_length() {
    let cycle = "kind = \"cyclic\"\nbase_lr = 0.1\nmax_lr = 1.0\nstep_size_up = 20";
    let sequence = |last: &str| {
        format!(
            "kind = \"sequential\"\nmilestones = [4]\nschedules = [{{ kind = \"constant\" }}, {{ {last} }}]"
        )
    };
    // What just fits, and what does not.
    for (fits, longer, said) in [
        ("kind = \"cosine\"\nt_max = 10", "kind = \"cosine\"\nt_max = 11", "t_max = 11 (per = \"epoch\")"),
        (
            "kind = \"cosine\"\nt_max = 50\nper = \"step\"",
            "kind = \"cosine\"\nt_max = 51\nper = \"step\"",
            "t_max = 51 (per = \"step\")",
        ),
        ("kind = \"cosine_restarts\"\nt_0 = 10", "kind = \"cosine_restarts\"\nt_0 = 11", "t_0 = 11"),
        ("kind = \"polynomial\"\ntotal = 10", "kind = \"polynomial\"\ntotal = 11", "total = 11"),
        (
            "kind = \"linear\"\nstart_factor = 0.1\ntotal = 10",
            "kind = \"linear\"\nstart_factor = 0.1\ntotal = 11",
            "total = 11",
        ),
        (
            "kind = \"constant_factor\"\nfactor = 0.1\ntotal = 10",
            "kind = \"constant_factor\"\nfactor = 0.1\ntotal = 11",
            "total = 11",
        ),
        // The last epoch is 9.
        (
            "kind = \"multi_step\"\nmilestones = [3, 9]",
            "kind = \"multi_step\"\nmilestones = [3, 10]",
            "milestones = [3, 10]",
        ),
        (
            &format!("{cycle}\nstep_size_down = 30"),
            &format!("{cycle}\nstep_size_down = 31"),
            "step_size_up + step_size_down = 20 + 31 (per = \"step\")",
        ),
        (
            cycle,
            &format!("{cycle}\nper = \"epoch\""),
            "step_size_up + step_size_down = 20 + 20 (per = \"epoch\")",
        ),
        (
            &sequence("kind = \"cosine\", t_max = 6"),
            &sequence("kind = \"cosine\", t_max = 10"),
            "schedules[1].t_max = 10 (per = \"epoch\") does not fit into its turn of 6 epochs in",
        ),
    ] {
        config(fits).check_length(RUN).unwrap();
        let message = config(longer).check_length(RUN).unwrap_err().to_string();
        assert!(message.starts_with(&format!("schedule.{said}")), "{longer}: {message}");
        assert!(message.contains("the run of 10 epochs of 5 steps, 50 in all: "), "{message}");
        assert!(message.contains("make it shorter"), "{message}");
        // A run of that kind that has begun is not kept from going on.
        assert_eq!(rates(&config(longer), RUN).len(), 50);
    }
}

#[test]
fn what_has_no_end_fits_into_any_run() {
    let once = Length { epochs: 1, steps_per_epoch: 1 };
    for text in [
        "kind = \"constant\"",
        "kind = \"one_cycle\"",
        "kind = \"step\"\nstep_size = 30",
        "kind = \"exponential\"\ngamma = 0.9",
        "kind = \"plateau\"",
        "kind = \"cosine\"\nt_max = \"run\"",
        "kind = \"multi_step\"\nmilestones = []",
    ] {
        config(text).check_length(once).unwrap();
    }
    let message = config("kind = \"cosine\"\nt_max = 2").check_length(once).unwrap_err().to_string();
    assert!(message.contains("the run of 1 epoch of 1 step, 1 in all"), "{message}");
}

#[test]
fn a_span_is_a_number_or_run() {
    for (value, said) in [("\"rum\"", "rum"), ("-1", "-1"), ("1.5", "1.5"), ("true", "true")] {
        let text = format!("kind = \"cosine\"\nt_max = {value}");
        let message = toml::from_str::<ScheduleConfig>(&text).unwrap_err().to_string();
        let expected = "expected a number of ticks or \"run\"";
        assert!(message.contains(said) && message.contains(expected), "{value}: {message}");
    }
    // Checkpoints hold hashes of this text.
    assert_eq!(format!("{:?}", Span::from(200)), "200");
    // Of a run that nobody has told the length of, no tick is near the end.
    let line = Linear { start_factor: 1.0, end_factor: 0.0, total: Span::Run, per: Tick::Step };
    assert!((line.factor(1_000_000) - 1.0).abs() < 1e-12);
}
