//! Everything that must pass before a change lands.

use std::time::Instant;

use anyhow::Result;
use xshell::cmd;

use crate::workspace::shell;

/// The steps, in order: quick and strict ones first.
const STEPS: &[&str] = &[
    "fmt --all --check",
    "xtask deps",
    "xtask deny",
    "xtask docs",
    "xtask unused",
    "clippy --workspace --all-targets --all-features --locked -- -D warnings",
    "xtask rustdoc",
    "test --workspace",
    "xtask api",
    "xtask features",
    "xtask package",
    "xtask wasm",
    "xtask examples",
    "xtask python",
    "xtask fuzz --replay",
    // README's first command to try.
    "run --release -- demo",
];

pub(crate) fn run() -> Result<()> {
    let sh = shell()?;
    for step in STEPS {
        println!("== cargo {step}");
        let started = Instant::now();
        cmd!(sh, "cargo").args(step.split(' ')).quiet().run()?;
        println!("== cargo {step}: passed in {:.0} s", started.elapsed().as_secs_f64());
    }
    Ok(())
}
