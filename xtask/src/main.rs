//! Tasks of the project. `cargo xtask` alone lists them; CONTRIBUTING.md says when to use which.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod api;
mod bench;
mod ci;
mod deps;
mod dist;
mod docs;
mod engines;
mod examples;
mod fuzz;
mod picture;
mod python;
mod tools;
mod wasm;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask CHORE

  ci         everything that must pass and needs no tool that it does not install: what follows down to wasm, formatting, lints, tests, demo

  deps       the dependency rules: who may depend on whom, crate budgets, Rust versions
  deny       licences, forbidden crates and sources by deny.toml (installs cargo-deny)
  docs       links, what the code says of the documents, and that their Rust is compiled
  unused     every declared dependency is named in the sources (installs cargo-machete)
  api        [--bless]: the public API against its committed snapshot, and no foreign types in it
  features   each library builds with any two of its features without a warning (installs cargo-hack)
  examples   runs every example, and compares what it prints with what it says
  python     the Python package: built, installed into a virtual environment, its tests, types and examples (Python 3.10 and PyPI)
  picture    draws the terminal in README.md, from the output of ccfs inspect after a demo
  package    [--verify]: packs every crate that can be published, without warnings; with --verify, builds each from its package
  rustdoc    the documentation of each library builds alone with default features, and of all with all features
  wasm       the core needs nothing of the world: its wasm module imports nothing, its crates name no I/O, clock or thread

  msrv       everything builds with the Rust version that is promised (that toolchain)
  minimal    everything builds with the oldest dependencies that Cargo.toml allows
  miri       the core's tests in Miri (nightly with miri and rust-src)

  dist       portable binaries, archives, a Debian package, an image, and their SHA-256 (cargo-zigbuild, cargo-deb, Docker)
  fuzz       [TARGET] [--seconds N] or --replay: the fuzz targets, each for N seconds (60), or once over its corpus
  bench      sign | archive [OPTIONS] | convert [OPTIONS] | python [scale] [OPTIONS]: compared with other programs, interleaved in one run; pull: windows
             from the emulator over both backends
  engines    [ENGINE...]: duckdb, pyarrow, pandas, polars, spark and datafusion read the Parquet files to the same rows, and run the
             queries of docs/analysis.md (Python, PyPI, Java)
  python spark
             the data source of the Python package for Spark, with a local cluster (Python 3.10, PyPI, Java 17)
  soak       [--downloads N] [--seed N]: downloads with random faults over both backends (10,000), every file compared";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    api::run_as_rustdoc()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["api"] => api::run(false),
        ["api", "--bless"] => api::run(true),
        ["ci"] => ci::run(),
        ["deps"] => deps::run(),
        ["docs"] => docs::run(),
        ["msrv"] => tools::msrv(),
        ["minimal"] => tools::minimal(),
        ["miri"] => tools::miri(),
        ["deny"] => tools::deny(),
        ["wasm"] => wasm::run(),
        ["package"] => tools::package(false),
        ["package", "--verify"] => tools::package(true),
        ["dist"] => dist::run(),
        ["rustdoc"] => tools::rustdoc(),
        ["features"] => tools::features(),
        ["unused"] => tools::unused(),
        ["examples"] => examples::run(),
        ["picture"] => picture::run(),
        ["python"] => python::run(),
        ["python", "spark"] => python::spark(),
        ["fuzz", "--replay"] => fuzz::replay(),
        ["fuzz", ref targets @ .., "--seconds", seconds] => fuzz::run(targets, seconds),
        ["fuzz", ref targets @ ..] => fuzz::run(targets, "60"),
        ["engines", ref rest @ ..] => engines::run(rest),
        ["soak", ref rest @ ..] => bench::run("soak", rest),
        ["bench", "python", ref rest @ ..] => python::bench(rest),
        ["bench", name, ref rest @ ..] => bench::run(name, rest),
        _ => anyhow::bail!(USAGE),
    }
}
