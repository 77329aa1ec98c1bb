//! Refusing recipes that cannot be carried out, before any work starts.

use super::Recipe;
use crate::TrainError;
use wick_models::LEAST_PART;
use wick_optim::{Average, Group, Length};

impl Recipe {
    /// Checks every value's range and what the parts ask of one another.
    ///
    /// # Errors
    /// The first value that cannot be, with its key and what is allowed.
    pub fn check(&self) -> Result<(), TrainError> {
        let fits = |key: &str, value: &dyn std::fmt::Display, allowed: &str, ok: bool| {
            if ok {
                return Ok(());
            }
            Err(TrainError::Value {
                key: key.to_owned(),
                value: value.to_string(),
                allowed: allowed.to_owned(),
            })
        };
        let t = &self.train;
        fits(
            "name",
            &format!("{:?}", self.name),
            "letters, digits, `-`, `_` and `.`",
            is_file_name(&self.name),
        )?;
        fits("train.epochs", &t.epochs, "1 or more, to 100000", (1..=100_000).contains(&t.epochs))?;
        // Batch norm has no variance of a single 1x1 map; two images are the least that any network here trains with.
        fits("train.batch_size", &t.batch_size, "2 or more", t.batch_size >= 2)?;
        let parts = 1..=t.batch_size / LEAST_PART;
        let allowed = format!("1 to {} (half of train.batch_size)", parts.end());
        fits("train.accumulate", &t.accumulate, &allowed, parts.contains(&t.accumulate))?;
        if let Some(splits) = self.model.architecture.splits() {
            // Norms see a step's parts one by one.
            let multiple = splits.saturating_mul(t.accumulate);
            let times = if t.accumulate > 1 { " times train.accumulate" } else { "" };
            let allowed = format!(
                "a multiple of {multiple}, the splits of model.architecture = \"{}\"{times}",
                self.model.architecture
            );
            fits("train.batch_size", &t.batch_size, &allowed, t.batch_size.is_multiple_of(multiple))?;
        }
        let smoothing = t.label_smoothing;
        fits("train.label_smoothing", &smoothing, "0 to 1", (0.0..=1.0).contains(&smoothing))?;
        let minutes = t.checkpoint_minutes;
        fits("train.checkpoint_minutes", &minutes, "above 0, to 1000000", minutes > 0.0 && minutes <= 1e6)?;
        let e = &self.evaluate;
        fits("evaluate.batch_size", &e.batch_size, "1 or more", e.batch_size >= 1)?;
        let d = &self.data;
        let drawn = |n: usize| (1..=1_000_000).contains(&n);
        fits("data.synthetic_train", &d.synthetic_train, "1 or more, to 1000000", drawn(d.synthetic_train))?;
        fits("data.synthetic_test", &d.synthetic_test, "1 or more, to 1000000", drawn(d.synthetic_test))?;
        let steps = self.lr_finder.steps;
        fits("lr_finder.steps", &steps, "1000000 at most", steps <= 1_000_000)?;

        self.lr_finder.check()?;
        self.optim.check()?;
        self.gradients.check()?;
        self.groups.iter().try_for_each(Group::check)?;
        // Of nothing, which asks whether its options go with the epochs; how many steps they have, only the data tell.
        Average::new(self.average, Vec::new(), Length { epochs: t.epochs, steps_per_epoch: usize::MAX })?;
        self.schedule.check()?;
        let cycles = self.schedule.cycles_momentum() && self.optim.momentum().is_none();
        let kept = "\"fixed\": the optimiser has no momentum to cycle";
        fits("schedule.momentum", &"a cycle", kept, !cycles)?;
        self.augmentation()?;
        self.check_mix()?;
        self.check_freeze()?;
        self.check_published()
    }
}

fn is_file_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}
