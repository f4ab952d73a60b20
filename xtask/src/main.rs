//! Tasks of the project. `cargo xtask` alone lists them; CONTRIBUTING.md says when to use which.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod api;
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

fn main() -> anyhow::Result<()> {
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
        ["soak", ref rest @ ..] => tools::bench("soak", rest),
        ["bench", "python", ref rest @ ..] => python::bench(rest),
        ["bench", name, ref rest @ ..] => tools::bench(name, rest),
        _ => anyhow::bail!("usage: cargo xtask CHORE\n\n{}", chores()),
    }
}

/// The rows of the table of chores in CONTRIBUTING.md, and what each does.
fn chores() -> String {
    let rows = include_str!("../../CONTRIBUTING.md").lines().filter_map(|line| {
        let (chore, rest) = line.strip_prefix("| `cargo xtask ")?.split_once("` | ")?;
        Some(format!("{}\n    {}\n", chore.replace('`', ""), rest.split(" | ").next()?))
    });
    rows.collect()
}
