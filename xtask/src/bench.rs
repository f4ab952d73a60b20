//! Measuring: `cargo xtask bench sign`, `archive` and `pull`, and `cargo xtask soak`.
//!
//! Each bench is a package of its own below `xtask/bench`, outside the workspace, because its peers should be in nobody's build. It prints ratios
//! to peers of the same run, or what a pull takes; nothing here is asserted in a test. The soak ends with 1 when a file is not right.

use std::path::Path;
use std::process::Command;

pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench");
    let manifest = folder.join(name).join("Cargo.toml");
    if name.contains(['/', '\\', '.']) || !manifest.is_file() {
        return Err(format!("there is no bench {name}: there are sign, archive and pull"));
    }
    let status = Command::new(env!("CARGO"))
        .args(["run", "--release", "--quiet", "--locked", "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(folder.join("target"))
        .arg("--")
        .args(arguments)
        .status()
        .map_err(|error| format!("cargo could not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the bench {name} ended with {status}")) }
}
