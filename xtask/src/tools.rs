//! Checks that need a tool besides the stable toolchain.
//!
//! Tools from crates.io, which CI needs, are installed. Where another toolchain is missing, the check prints that and passes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::workspace::{done, members, metadata, output, root, text, without_cargo_variables};

/// Tools that `cargo xtask ci` installs, with their versions.
pub(crate) const HACK: &str = "cargo-hack@0.6.46";
const DENY: &str = "cargo-deny@0.20.2";
const MACHETE: &str = "cargo-machete@0.9.2";

/// Installs a tool in the target folder, unless that version is there, and returns a cargo command that finds it.
pub(crate) fn installed(tool: &str) -> Result<Command, String> {
    let tools = PathBuf::from(text(&metadata()?["target_directory"])).join("tools");
    let mut install = Command::new(env!("CARGO"));
    install.args(["install", "--quiet", "--locked", "--debug", "--root"]).arg(&tools).arg(tool);
    done(without_cargo_variables(&mut install))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [tools.join("bin")].into_iter().chain(std::env::split_paths(&path));
    let folders = std::env::join_paths(folders).map_err(|error| format!("PATH: {error}"))?;
    let mut cargo = Command::new(env!("CARGO"));
    // cargo-machete would take itself for a program that `cargo run` started.
    without_cargo_variables(&mut cargo).current_dir(root()).env("PATH", folders);
    Ok(cargo)
}

/// Every declared dependency is named in the sources.
pub(crate) fn unused() -> Result<(), String> {
    done(installed(MACHETE)?.arg("machete"))
}

/// Builds everything with the Rust version that the packages promise.
pub(crate) fn msrv() -> Result<(), String> {
    let metadata = metadata()?;
    let promised = metadata["packages"].as_array().into_iter().flatten().filter_map(|package| {
        let ours = package["source"].is_null() && package["publish"].is_null();
        package["rust_version"].as_str().filter(|_| ours)
    });
    let Some(version) = promised.max() else {
        return Err("no package of the workspace has a rust-version".into());
    };
    // As rustup names what `rust-version` may cut short.
    let version = &if version.matches('.').count() == 1 {
        format!("{version}.0")
    } else {
        version.to_owned()
    };
    if !run_by(version, &["cargo", "--version"]).output().is_ok_and(|told| told.status.success()) {
        println!(
            "not built with Rust {version}: there is no such toolchain here; `rustup toolchain install {version} --profile minimal` brings it"
        );
        return Ok(());
    }
    let mut check = run_by(
        version,
        &[
            "cargo",
            "check",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--locked",
        ],
    );
    let target = PathBuf::from(text(&metadata["target_directory"])).join("msrv");
    done(check.env("CARGO_TARGET_DIR", target).current_dir(root()))?;
    println!("everything builds with Rust {version}");
    Ok(())
}

/// Packs every crate that can be published, without warnings; with `verify`, also builds each from its package.
pub(crate) fn package(verify: bool) -> Result<(), String> {
    let metadata = metadata()?;
    let mut package = Command::new(env!("CARGO"));
    package.args(["package", "--locked", "--allow-dirty"]).current_dir(root());
    let published: Vec<&str> = members(&metadata)
        .iter()
        .filter(|member| member.is_published())
        .map(|member| member.name)
        .collect();
    package.args(published.iter().flat_map(|name| ["--package", name]));
    if !verify {
        package.arg("--no-verify");
    }
    let output = package.output().map_err(|error| format!("cargo package: {error}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || log.contains("warning: ") {
        return Err(format!("cargo package failed or printed warnings:\n{log}"));
    }
    let built = if verify { ", and each builds from its package" } else { "" };
    println!("{} crates are packed without warnings{built}", published.len());
    Ok(())
}

/// Builds everything with the oldest versions of its direct dependencies.
pub(crate) fn minimal() -> Result<(), String> {
    if !has(&["cargo", "--version"]) {
        println!("minimal versions are not checked: no nightly toolchain is installed");
        return Ok(());
    }
    let target = PathBuf::from(text(&metadata()?["target_directory"])).join("minimal");
    // In a copy, because this needs another Cargo.lock.
    let copy = target.join("tree");
    let _ = fs::remove_dir_all(&copy);
    let tracked = output(
        Command::new("git")
            .args(["ls-files", "-z", "--", ".", ":!fuzz", ":!Cargo.lock"])
            .current_dir(root()),
    )?;
    for file in tracked.split('\0').filter(|file| !file.is_empty()) {
        let to = copy.join(file);
        let folder = to.parent().unwrap_or(&copy);
        let copied = fs::create_dir_all(folder).and_then(|()| fs::copy(root().join(file), &to));
        copied.map_err(|error| format!("{file}: {error}"))?;
    }
    let mut resolve =
        nightly(&["cargo", "generate-lockfile", "--quiet", "-Z", "direct-minimal-versions"]);
    done(resolve.current_dir(&copy)).map_err(|error| {
        format!("{error}\na lower bound in Cargo.toml is below what another dependency wants")
    })?;
    let mut check = Command::new(env!("CARGO"));
    check
        .args(["check", "--quiet", "--workspace", "--all-targets", "--all-features", "--locked"])
        .current_dir(&copy);
    done(check.env("CARGO_TARGET_DIR", target.join("build"))).map_err(|error| {
        format!("{error}\na lower bound in Cargo.toml is below what our code wants")
    })?;
    println!("everything builds with the oldest direct dependencies that Cargo.toml allows");
    Ok(())
}

/// Checks licences, forbidden crates and sources by `deny.toml`. Advisories need a network: `cargo deny check advisories`.
pub(crate) fn deny() -> Result<(), String> {
    done(installed(DENY)?.args(["deny", "check", "licenses", "bans", "sources"]))
}

pub(crate) fn nightly(words: &[&str]) -> Command {
    run_by("nightly", words)
}

fn run_by(toolchain: &str, words: &[&str]) -> Command {
    let mut rustup = Command::new("rustup");
    // What this program was started with would otherwise choose the toolchain again.
    rustup
        .args(["run", toolchain])
        .args(words)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("RUSTC")
        .env_remove("CARGO");
    rustup
}

pub(crate) fn has(words: &[&str]) -> bool {
    nightly(words).output().is_ok_and(|told| told.status.success())
}
