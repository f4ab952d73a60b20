//! The project's chores: `cargo xtask ci`, `deps`, `fuzz`, `bench`.
#![forbid(unsafe_code)]

mod bench;
mod ci;
mod deps;
mod fuzz;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask CHORE

  ci     everything that must pass: formatting, lints, rules, docs, tests, the demo
  deps   the rules of the house: who may import whom, crate budgets, licences, Rust versions
  fuzz   [TARGET] [--seconds N] or --replay: the fuzz targets, each for N seconds (60), or once over its corpus
  bench  sign | archive [OPTIONS]: ours against peers, interleaved in one run";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["ci"] => ci::run(),
        ["deps"] => deps::run(),
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
