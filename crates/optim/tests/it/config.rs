//! Options as they stand in a TOML file.

use serde::{Deserialize, Serialize};
use wick_optim::{
    AdamWOptions, Anneal, CycleMomentum, Length, Momentum, OneCycleOptions, OptimizerConfig, Peak, Phases,
    RangeTestOptions, ScheduleConfig, SgdOptions, Spacing,
};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    optimizer: OptimizerConfig,
    schedule: ScheduleConfig,
    range_test: RangeTestOptions,
}

const TEXT: &str = r#"
    [optimizer]
    kind = "sgd"
    lr = 0.01
    momentum = { heavy = 0.9 }

    [schedule]
    kind = "one_cycle"
    max_lr = 5.0941380148163806e-3
    pct_start = 0.25
    div_factor = 100
    final_div_factor = 100.0
    anneal = "linear"
    momentum = { cycle = { base = 0.85, max = 0.95 } }

    [range_test]
    end = 1
    spacing = "linear"
"#;

#[test]
fn a_file_holds_what_it_says_and_defaults_for_the_rest() {
    let file: File = toml::from_str(TEXT).unwrap();
    let want = File {
        optimizer: OptimizerConfig::Sgd(SgdOptions {
            learning_rate: 0.01,
            momentum: Momentum::Heavy(0.9),
            dampening: 0.0,
            weight_decay: 0.0,
        }),
        schedule: ScheduleConfig::OneCycle(OneCycleOptions {
            max_lr: Peak::At(5.0941380148163806e-3),
            pct_start: 0.25,
            div_factor: 100.0,
            final_div_factor: 100.0,
            anneal: Anneal::Linear,
            phases: Phases::Two,
            momentum: CycleMomentum::Cycle { base: 0.85, max: 0.95 },
        }),
        range_test: RangeTestOptions { end: 1.0, spacing: Spacing::Linear, ..Default::default() },
    };
    assert_eq!(file, want);
    // What is written resolved reads back the same, every bit.
    assert_eq!(toml::from_str::<File>(&toml::to_string(&file).unwrap()).unwrap(), want);
}

#[test]
fn every_variant_survives_writing_and_reading() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Both {
        optimizer: OptimizerConfig,
        schedule: ScheduleConfig,
    }
    let optimizers = [
        OptimizerConfig::Sgd(SgdOptions::default()),
        OptimizerConfig::Sgd(SgdOptions { momentum: Momentum::Nesterov(0.9), ..Default::default() }),
        OptimizerConfig::Adam(Default::default()),
        OptimizerConfig::AdamW(AdamWOptions { weight_decay: 0.3, ..Default::default() }),
    ];
    let cycle = OneCycleOptions::default();
    let schedules = [
        ScheduleConfig::Constant {},
        ScheduleConfig::OneCycle(cycle),
        ScheduleConfig::OneCycle(OneCycleOptions {
            max_lr: Peak::At(0.1),
            phases: Phases::Three,
            momentum: CycleMomentum::Fixed,
            ..cycle
        }),
    ];
    for optimizer in optimizers {
        for schedule in &schedules {
            let both = Both { optimizer, schedule: schedule.clone() };
            let text = toml::to_string(&both).unwrap();
            assert_eq!(toml::from_str::<Both>(&text).unwrap(), both, "{text}");
        }
    }
}

#[test]
fn unknown_keys_and_kinds_are_refused_by_name() {
    let refused =
        |from: &str, to: &str| toml::from_str::<File>(&TEXT.replace(from, to)).unwrap_err().to_string();
    let cases = [
        ("lr = 0.01", "learning_rate = 0.01", "learning_rate"),
        ("pct_start = 0.25", "percent_start = 0.25", "percent_start"),
        ("end = 1", "stop = 1", "stop"),
        ("{ heavy = 0.9 }", "{ heavier = 0.9 }", "heavier"),
        ("{ base = 0.85,", "{ base = 0.85, mid = 0.9,", "mid"),
        (r#"kind = "sgd""#, r#"kind = "sdg""#, "sdg"),
        (r#"anneal = "linear""#, r#"anneal = "linaer""#, "linaer"),
        ("max_lr = 5.0941380148163806e-3", r#"max_lr = "search""#, "search"),
    ];
    for (from, to, named) in cases {
        let message = refused(from, to);
        assert!(message.contains(named), "{message}");
    }
    let constant = toml::from_str::<ScheduleConfig>("kind = \"constant\"\npct_start = 0.3").unwrap_err();
    assert!(constant.to_string().contains("pct_start"), "{constant}");
}

#[test]
fn a_peak_to_be_found_is_filled_in_once() {
    let config: ScheduleConfig = toml::from_str("kind = \"one_cycle\"\nmax_lr = \"find\"").unwrap();
    assert!(config.needs_range_test());
    let length = Length { epochs: 10, steps_per_epoch: 10 };
    assert!(config.build(0.1, length).is_err());
    let found = config.with_found(0.25);
    assert!(!found.needs_range_test());
    let schedule = found.build(0.1, length).unwrap();
    let peak = (0..100).map(|step| schedule.at(step, &[]).learning_rate).fold(0.0, f64::max);
    assert_eq!(peak, 0.25);
    assert_eq!(found.clone().with_found(0.5), found);
}
