//! The Parquet files, read by other programs: duckdb, pyarrow, pandas, polars, Spark and `DataFusion`.
//!
//! `xtask/engines/main.py` makes the datasets and compares. What is not installed is skipped with a notice; if
//! `CCFS_TESTS_NEED_TOOLS` is set, it is an error.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{cargo, done, metadata, output, read, root, text};

const ENGINES: [&str; 6] = ["duckdb", "pyarrow", "pandas", "polars", "spark", "datafusion"];
/// Oldest versions that the packages in `requirements.txt` support.
const PYTHON: &str = "3.11";
const JAVA: u32 = 17;

/// Runs the checks of the named engines, or of all.
pub(crate) fn run(names: &[&str]) -> Result<(), String> {
    if let Some(unknown) = names.iter().find(|name| !ENGINES.contains(name)) {
        return Err(format!("unknown engine {unknown}; use {}", ENGINES.join(", ")));
    }
    let mut engines = if names.is_empty() { ENGINES.to_vec() } else { names.to_vec() };
    let target = PathBuf::from(text(&metadata()?["target_directory"]));
    let folder = target.join("engines");
    let Some(python) = python(&folder)? else {
        return Ok(());
    };
    let mut compare = Command::new(&python);
    compare.arg("-B").arg(root().join("xtask/engines/main.py"));
    if engines.contains(&"datafusion") {
        match datafusion()? {
            Some(program) => _ = compare.arg("--datafusion").arg(program),
            None => engines.retain(|engine| *engine != "datafusion"),
        }
    }
    if engines.contains(&"spark") && !has_java()? {
        engines.retain(|engine| *engine != "spark");
    }
    if engines.is_empty() {
        return Ok(());
    }
    cargo(&["build", "--quiet", "--locked", "-p", "ccfs-cli"])?;
    compare.arg("--ccfs").arg(target.join("debug").join(format!("ccfs{EXE_SUFFIX}")));
    done(compare.arg("--folder").arg(folder.join("data")).args(&engines))?;
    println!("{}: the same rows, and the queries have the calculated results", engines.join(", "));
    Ok(())
}

/// Returns the Python of a virtual environment with the packages in `requirements.txt`.
fn python(folder: &Path) -> Result<Option<PathBuf>, String> {
    let system = if cfg!(windows) { "python" } else { "python3" };
    let probe = format!(
        "import ensurepip, sys, venv; sys.exit(sys.version_info < ({}))",
        PYTHON.replace('.', ", ")
    );
    if output(Command::new(system).args(["-c", &probe])).is_err() {
        skip(&format!("engines: {system} {PYTHON} or newer with venv is not installed"))?;
        return Ok(None);
    }
    let environment = folder.join("venv");
    let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let wanted = root().join("xtask/engines/requirements.txt");
    let installed = environment.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| read(&wanted).is_ok_and(|new| new == text)) {
        return Ok(Some(python));
    }
    println!("installing the packages of xtask/engines/requirements.txt");
    let _ = fs::remove_dir_all(&environment);
    output(Command::new(system).args(["-m", "venv"]).arg(&environment))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    if let Err(error) = output(pip.arg(&wanted)) {
        skip(&format!("engines: the Python packages could not be installed: {error}"))?;
        return Ok(None);
    }
    fs::copy(&wanted, &installed).map_err(|error| format!("{}: {error}", installed.display()))?;
    Ok(Some(python))
}

/// Builds the program that runs queries, `bench-engines`.
fn datafusion() -> Result<Option<PathBuf>, String> {
    let folder = root().join("xtask/bench");
    let manifest = folder.join("engines/Cargo.toml");
    let manifest = manifest.to_string_lossy();
    if let Err(error) = cargo(&["fetch", "--quiet", "--locked", "--manifest-path", &manifest]) {
        skip(&format!("datafusion: its crates could not be downloaded: {error}"))?;
        return Ok(None);
    }
    let target = folder.join("target");
    let target_dir = target.to_string_lossy();
    cargo(&[
        "build",
        "--quiet",
        "--locked",
        "--manifest-path",
        &manifest,
        "--target-dir",
        &target_dir,
    ])?;
    Ok(Some(target.join("debug").join(format!("bench-engines{EXE_SUFFIX}"))))
}

/// Whether the Java that Spark would start is new enough.
pub(crate) fn has_java() -> Result<bool, String> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let version = Command::new(home.unwrap_or_else(|| "java".into())).arg("-version").output();
    let shown = version.map(|version| String::from_utf8_lossy(&version.stderr).into_owned());
    if shown.ok().and_then(|shown| major(&shown)).is_some_and(|major| major >= JAVA) {
        return Ok(true);
    }
    skip(&format!("spark: Java {JAVA} or newer is not installed"))?;
    Ok(false)
}

/// The version in `openjdk version "17.0.15" 2025-04-15`.
fn major(shown: &str) -> Option<u32> {
    let (_, version) = shown.split_once("version \"")?;
    version.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

fn skip(reason: &str) -> Result<(), String> {
    if std::env::var_os("CCFS_TESTS_NEED_TOOLS").is_some() {
        return Err(reason.to_owned());
    }
    println!("skipped {reason}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_java_are_read() {
        let shown = "openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime Environment";
        assert_eq!(major(shown), Some(17));
        assert_eq!(major("java version \"21\" 2023-09-19 LTS"), Some(21));
        assert_eq!(major("java version \"1.8.0_202\""), Some(1));
        assert_eq!(major("command not found"), None);
    }
}
