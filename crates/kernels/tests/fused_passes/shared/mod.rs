//! What the tests of fused passes share: data, the sources and sinks over it, and what equal means.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod data;
mod sinks;

use std::fmt::Display;
use std::sync::{Condvar, Mutex, PoisonError};

use wick_kernels::huge_pages::Lines;
use wick_kernels::{Element, InstructionSet};

pub use data::{Data, len, numbers, whole_numbers};
pub use sinks::{Kind, Tolerance, check_sinks};

/// Calls `check` with every instruction set that this machine has in use. The choice is the process's: tests that are at the same
/// one run beside each other, others wait.
pub fn with_every_instruction_set(check: impl Fn(InstructionSet)) {
    for set in InstructionSet::available() {
        let _user = User::of(set);
        check(set);
    }
}

/// A test that goes by the set in use, until it is dropped.
struct User;

static USERS: Mutex<usize> = Mutex::new(0);
static ONE_LEFT: Condvar = Condvar::new();

impl User {
    fn of(set: InstructionSet) -> Self {
        let users = USERS.lock().unwrap_or_else(PoisonError::into_inner);
        let others = |users: &mut usize| *users > 0 && InstructionSet::current() != set;
        let mut users = ONE_LEFT.wait_while(users, others).unwrap_or_else(PoisonError::into_inner);
        assert!(set.select());
        *users += 1;
        Self
    }
}

impl Drop for User {
    fn drop(&mut self) {
        *USERS.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ONE_LEFT.notify_all();
    }
}

/// Asserts that `f` returns the same bits on one, two and three threads.
pub fn assert_same_on_any_threads(what: impl Display, f: impl Fn() -> Vec<f32> + Sync) {
    let bits = |threads: usize| -> Vec<u32> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(&f).iter().map(|v| v.to_bits()).collect()
    };
    let one = bits(1);
    for threads in [2, 3] {
        assert!(one == bits(threads), "{what}: {threads} threads give other bits than one");
    }
}

/// Asserts `|got − want| ≤ absolute + relative·|want|` of each value.
pub fn assert_close(what: impl Display, got: &[f32], want: &[f32], absolute: f32, relative: f32) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let most = absolute + relative * w.abs();
        assert!((g - w).abs() <= most, "{what}[{i}]: got {g}, want {w} to within {most}");
    }
}

/// The same values from the beginning of a cache line on.
pub fn lines<E: Element>(values: &[E]) -> Lines<E> {
    let mut lines = Lines::new(E::default(), values.len());
    lines.copy_from_slice(values);
    lines
}

pub fn widened<E: Element>(values: &[E]) -> Vec<f32> {
    values.iter().map(|v| v.to_f32()).collect()
}

/// The nearest values of `E`.
pub fn rounded<E: Element>(values: &[f32]) -> Vec<f32> {
    values.iter().map(|v| E::from_f32(*v).to_f32()).collect()
}
