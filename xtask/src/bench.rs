//! Measuring against peers: `cargo xtask bench sign`, `cargo xtask bench archive`.
//!
//! Each bench is a package of its own below `xtask/bench`, outside the workspace, because its peers should be in nobody's build. It prints ratios
//! to peers of the same run; nothing here is asserted in a test.

use std::path::Path;
use std::process::Command;

pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench");
    let manifest = folder.join(name).join("Cargo.toml");
    if name.contains(['/', '\\', '.']) || !manifest.is_file() {
        return Err(format!("there is no bench {name}: there are sign and archive"));
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
