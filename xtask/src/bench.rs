//! Benchmarks: `cargo xtask bench sign`, `archive`, `convert`, `parquet` and `pull`, and `cargo xtask soak`.
//!
//! Each is a package below `xtask/bench`, outside the workspace, to keep the crates that it compares
//! with out of normal builds. It prints ratios of one run. `bench sign`, `bench convert` and `bench parquet` fail if a threshold
//! is missed, the soak if a file is wrong.

use std::path::Path;
use std::process::Command;

pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench");
    let manifest = folder.join(name).join("Cargo.toml");
    if name.contains(['/', '\\', '.']) || !manifest.is_file() {
        return Err(format!(
            "unknown benchmark {name}; use sign, archive, convert, parquet, pull or python"
        ));
    }
    if name == "sign" && !arguments.is_empty() {
        return Err("bench sign has no options; run it without".to_owned());
    }
    let status = Command::new(env!("CARGO"))
        .args(["run", "--release", "--quiet", "--locked", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(folder.join("target"))
        .arg("--")
        .args(arguments)
        .status()
        .map_err(|error| format!("could not start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("benchmark {name} failed: {status}")) }
}
