//! Benchmarks: `cargo xtask bench sign`, `archive`, `convert`, `parquet` and `pull`, and `cargo xtask soak`.
//!
//! Each is a package below `xtask/bench`, outside the workspace, to keep the crates that it compares
//! with out of normal builds. It prints ratios of one run. `bench sign`, `bench convert` and `bench parquet` fail if a threshold
//! is missed, the soak if a file is wrong.

use anyhow::{Result, ensure};
use xshell::cmd;

use crate::workspace::{root, shell};

pub(crate) fn run(name: &str, arguments: &[&str]) -> Result<()> {
    let sh = shell()?;
    let folder = root().join("xtask/bench");
    let manifest = folder.join(name).join("Cargo.toml");
    let is_known = manifest.is_file();
    ensure!(
        is_known,
        "unknown benchmark {name}; use sign, archive, convert, parquet, pull or python"
    );
    let run = cmd!(sh, "cargo run --release --quiet --locked --manifest-path {manifest}");
    Ok(run.arg("--target-dir").arg(folder.join("target")).arg("--").args(arguments).run()?)
}
