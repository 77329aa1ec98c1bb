//! What a stage found, as tables for people.

pub mod evaluation;
pub mod training;
