//! Begins a run, is "killed" in the third epoch, resumes, and compares a figure with a published one.
//!
//! `cargo run -p wick-runs --example run_folder`
#![allow(clippy::print_stdout)]

use wick_runs::{
    Claim, Claims, EpochRow, Input, Kind, Manifest, RunDir, Status, Timestamp, append_rows, cut_rows_after,
    read_rows, write_atomic,
};

fn row(epoch: u64) -> EpochRow {
    let progress = 1.0 - (-(epoch as f64)).exp();
    EpochRow {
        epoch,
        lr: 0.01,
        momentum: 0.9,
        train_loss: 2.3 * (1.0 - progress),
        train_accuracy: 0.1 + 0.85 * progress,
        test_loss: 2.3 * (1.0 - progress) + 0.2,
        test_accuracy: 0.1 + 0.8 * progress,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scratch = tempfile::tempdir()?;
    let run = RunDir::create(scratch.path(), "demo", 0, Timestamp::now())?;
    Manifest::begin(std::env::args().collect(), "cpu").write(&run)?;
    write_atomic(&run.recipe_toml(), b"epochs = 4\n")?;
    println!("The run's folder, which demo/latest points at: {}\n", run.path().display());

    append_rows(&run.epochs(), &[row(1), row(2), row(3)])?;
    println!("Three epochs, then the process is killed. Its last checkpoint is of epoch 2, so a resumed run");
    let cut = cut_rows_after::<EpochRow>(&run.epochs(), 2)?;
    println!("keeps {} rows of epochs.csv, cuts {}, and goes on:\n", cut.kept, cut.cut);
    append_rows(&run.epochs(), &[row(3), row(4)])?;
    print!("{}", wick_runs::read_text(&run.epochs())?);

    let inputs = [Input::path(run.recipe_toml())];
    Manifest::record_stage(&run, "train", &inputs, &[run.epochs()], 0.1)?;
    let manifest = Manifest::update(&run, |manifest| manifest.set_status(Status::Finished))?;
    println!("\nMust `train` run again? {:?}", manifest.stage_state(&run, "train", &inputs)?);
    write_atomic(&run.recipe_toml(), b"epochs = 5\n")?;
    println!("And with another recipe? {:?}\n", manifest.stage_state(&run, "train", &inputs)?);

    let rows: Vec<EpochRow> = read_rows(&run.epochs())?;
    let accuracy = rows.last().map_or(f64::NAN, |row| row.test_accuracy);
    let claims = Claims {
        claims: vec![
            Claim::judge("test accuracy", Kind::Within { tolerance: 0.004 }, 0.886, accuracy).in_percent(),
            Claim::judge("momentum", Kind::Exact, 0.9, rows.last().map_or(f64::NAN, |row| row.momentum)),
        ],
    };
    claims.write(&run.claims())?;
    print!("{}", claims.table());
    Ok(())
}
