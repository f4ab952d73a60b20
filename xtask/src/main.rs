//! The project's chores. `cargo xtask` alone lists them; CONTRIBUTING.md says when to take which.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bench;
mod ci;
mod deps;
mod examples;
mod fuzz;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask CHORE

  ci     everything that must pass: formatting, lints, rules, docs, tests, the demo
  deps   the rules of the house: who may import whom, crate budgets, licences, Rust versions
  examples  runs every example, and compares what it prints with what it says
  fuzz   [TARGET] [--seconds N] or --replay: the fuzz targets, each for N seconds (60), or once over its corpus
  bench  sign | archive [OPTIONS]: ours against peers, interleaved in one run";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["ci"] => ci::run(),
        ["deps"] => deps::run(),
        ["examples"] => examples::run(),
        ["fuzz", ref rest @ ..] => fuzz::run(rest),
        ["bench", name, ref rest @ ..] => bench::run(name, rest),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
