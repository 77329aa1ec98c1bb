//! The recipe, batches, the epoch loop, evaluation and checkpoints.
