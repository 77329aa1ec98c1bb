//! The learning rate and momentum of a 20-epoch one-cycle schedule, as each epoch's last step uses them.
//!
//! `cargo run -p wick-optim --example one_cycle`

use wick_optim::{Anneal, CycleMomentum, OneCycle, OneCycleOptions, OptimError};

#[allow(clippy::print_stdout)]
fn main() -> Result<(), OptimError> {
    let (epochs, steps_per_epoch) = (20, 1563);
    let options = OneCycleOptions {
        max_lr: 5.0941380148163806e-3.into(),
        pct_start: 5.0 / 20.0,
        div_factor: 100.0,
        final_div_factor: 100.0,
        anneal: Anneal::Linear,
        momentum: CycleMomentum::Cycle { base: 0.85, max: 0.95 },
        ..Default::default()
    };
    let schedule = OneCycle::new(&options, epochs * steps_per_epoch)?;
    println!("epoch  learning rate            momentum");
    for epoch in 1..=epochs {
        let point = schedule.at(epoch * steps_per_epoch - 1);
        let bar = "█".repeat((point.learning_rate / 5.0941380148163806e-3 * 30.0).round() as usize);
        let momentum = point.momentum.unwrap_or_default();
        println!("{epoch:>5}  {:<23}  {momentum:.4}  {bar}", point.learning_rate);
    }
    Ok(())
}
