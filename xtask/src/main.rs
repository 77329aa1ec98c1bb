//! The project's chores: dataset, reproduce, ci.

fn main() {}
