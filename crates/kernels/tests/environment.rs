//! What `WICK_ISA` does to a program, which here is this test itself, started once more.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of a test

use std::process::{Command, Output};

use wick_kernels::{InstructionSet, relu_forward};

/// Not a test when started by cargo: computes, and tells which set it was.
#[test]
#[ignore = "is started by the others"]
fn program() {
    let mut y = [0.0; 3];
    for _ in 0..2 {
        relu_forward(&[1.0, -1.0, 2.0], &mut y).unwrap();
        assert_eq!(y, [1.0, 0.0, 2.0]);
    }
    println!("used {}", InstructionSet::current().name());
    println!("asked {:?}", InstructionSet::from_environment().map(InstructionSet::name));
}

fn run_with(name: &str) -> Output {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--ignored", "--exact", "program", "--nocapture"]).env("WICK_ISA", name);
    let output = program.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

#[test]
fn a_set_that_is_there_is_used() {
    for set in InstructionSet::available() {
        let output = run_with(set.name());
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.contains(&format!("used {}\n", set.name())), "{told}");
        assert!(told.contains(&format!("asked Ok({:?})\n", set.name())), "{told}");
        assert!(!String::from_utf8(output.stderr).unwrap().contains("WICK_ISA"));
    }
}

#[test]
fn one_that_is_not_is_named_once_and_the_fastest_used() {
    let output = run_with("avx1024");
    let names: Vec<_> = InstructionSet::available().into_iter().map(InstructionSet::name).collect();
    let (fastest, names) = (names.last().unwrap().to_string(), names.join(", "));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains(&format!("used {fastest}\n")) && told.contains("asked Err("), "{told}");
    let said = String::from_utf8(output.stderr).unwrap();
    let want =
        format!("WICK_ISA is `avx1024`, expected one that this machine has: {names}; using {fastest}\n");
    assert_eq!(said.matches(&want).count(), 1, "{said}");
    assert_eq!(said.matches("WICK_ISA").count(), 1, "{said}");
}
