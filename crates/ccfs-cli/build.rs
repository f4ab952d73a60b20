//! Sets the commit and the target for `ccfs --version`.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CCFS_COMMIT");
    let commit = std::env::var("CCFS_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = commit.or_else(of_package).or_else(of_checkout);
    let commit = commit.map(|commit| commit.trim().chars().take(12).collect::<String>());
    let commit = commit.as_deref().unwrap_or("unknown commit");
    println!("cargo::rustc-env=CCFS_COMMIT={commit}");
    println!("cargo::rustc-env=CCFS_TARGET={}", std::env::var("TARGET").unwrap_or_default());
}

/// Returns the commit that `cargo package` recorded.
fn of_package() -> Option<String> {
    let json = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let after = json.split_once("\"sha1\": \"")?.1;
    after.split('"').next().map(str::to_owned)
}

/// Returns the commit of the checkout, if this is the project's repository.
fn of_checkout() -> Option<String> {
    if !Path::new("../../xtask").exists() {
        return None;
    }
    // The log of HEAD changes with each commit. A missing file would make cargo run this script each time.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo::rerun-if-changed={log}");
    }
    git(&["rev-parse", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
