//! Everything that must pass before a change lands.

use std::process::Command;
use std::time::Instant;

struct Step {
    name: &'static str,
    cargo: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
}

const fn step(name: &'static str, cargo: &'static [&'static str]) -> Step {
    Step { name, cargo, variables: &[] }
}

/// The steps, in order: quick and strict ones first.
const STEPS: &[Step] = &[
    step("formatting", &["fmt", "--all", "--check"]),
    step("dependency rules", &["xtask", "deps"]),
    step("documents", &["xtask", "docs"]),
    step("unused dependencies", &["xtask", "unused"]),
    step(
        "lints",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    ),
    step("docs of each crate alone", &["xtask", "rustdoc"]),
    // The documentation of the command and of the facade have the same path, so they are never built at the same time, and the facade's is built last.
    Step {
        name: "docs of the command",
        cargo: &["doc", "--workspace", "--bin", "ccfs", "--no-deps", "--all-features", "--locked"],
        variables: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    Step {
        name: "docs",
        cargo: &["doc", "--workspace", "--no-deps", "--all-features", "--locked"],
        variables: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    step("tests", &["test", "--workspace"]),
    step("the public API", &["xtask", "api"]),
    step("every combination of features", &["xtask", "features"]),
    step("packages", &["xtask", "package"]),
    step("the core alone", &["xtask", "wasm"]),
    step("examples", &["xtask", "examples"]),
    step("the Python package", &["xtask", "python"]),
    step("the fuzzers' corpora", &["xtask", "fuzz", "--replay"]),
    step("demo (README's first command to try)", &["run", "--release", "--", "demo"]),
];

pub(crate) fn run() -> Result<(), String> {
    for Step { name, cargo, variables } in STEPS {
        let line = format!("cargo {}", cargo.join(" "));
        println!("== {name}: {line}");
        let started = Instant::now();
        let status = Command::new(env!("CARGO"))
            .args(*cargo)
            .envs(variables.iter().copied())
            .status()
            .map_err(|error| format!("{line} could not start: {error}"))?;
        if !status.success() {
            return Err(format!("{name} failed: {line}"));
        }
        println!("== {name}: passed in {:.0} s", started.elapsed().as_secs_f64());
    }
    Ok(())
}
