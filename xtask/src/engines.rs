//! The Parquet files, read by other programs: duckdb, pyarrow, pandas, polars, Spark and `DataFusion`.
//!
//! `xtask/engines/main.py` makes the datasets and compares. What is not installed is skipped with a notice; if
//! `CCFS_TESTS_NEED_TOOLS` is set, it is an error.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

use crate::python::{Environment, command, has_java, skip};
use crate::workspace::{root, shell, target};

const ENGINES: [&str; 6] = ["duckdb", "pyarrow", "pandas", "polars", "spark", "datafusion"];
const REQUIREMENTS: &str = "xtask/engines/requirements.txt";

/// Runs the checks of the named engines, or of all.
pub(crate) fn run(names: &[&str]) -> Result<()> {
    let is_known = names.iter().all(|name| ENGINES.contains(name));
    ensure!(is_known, "unknown engine; use {}", ENGINES.join(", "));
    let sh = shell()?;
    let mut engines = if names.is_empty() { ENGINES.to_vec() } else { names.to_vec() };
    let folder = target()?.join("engines");
    let prepared = Environment::prepare(&sh, &folder, &[REQUIREMENTS])?;
    let Some(environment) = prepared else { return Ok(()) };
    let mut compare = environment.python("-B").arg(root().join("xtask/engines/main.py"));
    if engines.contains(&"datafusion") {
        match datafusion(&sh)? {
            Some(program) => compare = compare.arg("--datafusion").arg(program),
            None => engines.retain(|engine| *engine != "datafusion"),
        }
    }
    if engines.contains(&"spark") && !has_java(&sh)? {
        engines.retain(|engine| *engine != "spark");
    }
    if engines.is_empty() {
        return Ok(());
    }
    compare = compare.arg("--ccfs").arg(command(&sh)?).arg("--folder").arg(folder.join("data"));
    compare.args(&engines).run()?;
    println!("{}: the same rows, and the queries have the calculated results", engines.join(", "));
    Ok(())
}

/// Builds the program that runs queries, `bench-engines`.
fn datafusion(sh: &Shell) -> Result<Option<PathBuf>> {
    let manifest = "xtask/bench/engines/Cargo.toml";
    let fetch = cmd!(sh, "cargo fetch --quiet --locked --manifest-path {manifest}");
    if let Err(error) = fetch.run() {
        skip(&format!("datafusion: its crates could not be downloaded: {error}"))?;
        return Ok(None);
    }
    let target = root().join("xtask/bench/target");
    cmd!(sh, "cargo build --quiet --locked --manifest-path {manifest} --target-dir {target}")
        .run()?;
    Ok(Some(target.join("debug/bench-engines")))
}
