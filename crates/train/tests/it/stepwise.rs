//! Recipes whose every step leaves a checkpoint.

use wick_train::Recipe;

use crate::tiny::tiny;

/// Two epochs of three steps over so many images in batches of eight, of the network with the least to write, and `more` in TOML.
pub fn stepwise(images: usize, more: &str) -> Recipe {
    let images = format!("data.synthetic_train={images}");
    let settings = [
        &images,
        "data.synthetic_test=8",
        "train.batch_size=8",
        "train.epochs=2",
        "train.checkpoint_minutes=1e-9",
        "model.architecture=speedrun",
    ];
    tiny(&settings, more)
}
