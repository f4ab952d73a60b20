//! Checks that need a tool besides the stable toolchain: the oldest supported Rust, the oldest supported dependencies, and advisories.
//!
//! Where the tool is missing, the check prints that and passes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::workspace::{
    cargo, done, members, metadata, output, read, root, text, without_cargo_variables,
};

/// The source of cargo-deny's advisories.
const ADVISORIES: &str = "https://github.com/RustSec/advisory-db";
/// The section of `deny.toml` that configures the advisories.
const SECTION: &str = "[advisories]\n";

/// Tools that `cargo xtask ci` installs, with their versions.
pub(crate) const HACK: &str = "cargo-hack@0.6.46";
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

/// Runs cargo-deny with `deny.toml`; with a clone of the advisory database, without a network.
pub(crate) fn deny(copy: Option<&str>) -> Result<(), String> {
    if cargo(&["deny", "--version"]).is_err() {
        println!(
            "advisories are not checked: cargo-deny is not installed; `cargo install cargo-deny --locked` brings it"
        );
        return Ok(());
    }
    let Some(copy) = copy else {
        let checked = done(Command::new(env!("CARGO")).args(["deny", "check"]).current_dir(root()));
        return checked.map_err(|error| format!("{error}\nwhere {ADVISORIES} is out of reach: `cargo xtask deny --db PATH` takes a clone"));
    };
    let copy = fs::canonicalize(copy).map_err(|error| format!("{copy}: {error}"))?;
    let day = output(Command::new("git").arg("-C").arg(&copy).args(["log", "-1", "--format=%cs"]))?;
    let folder = PathBuf::from(text(&metadata()?["target_directory"])).join("deny");
    let _ = fs::remove_dir_all(&folder);
    let config = folder.join("deny.toml");
    let rules = read(&root().join("deny.toml"))?.replacen(
        SECTION,
        &format!("{SECTION}db-path = {:?}\n", folder.join("db").to_string_lossy()),
        1,
    );
    let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&config, rules));
    written.map_err(|error| format!("{}: {error}", config.display()))?;
    let run = |first: &[&str], then: &[&str]| {
        let mut deny = Command::new(env!("CARGO"));
        deny.arg("deny").args(first).arg("--config").arg(&config).args(then).current_dir(root());
        // cargo-deny has git fetch the database, and git takes the clone for it.
        deny.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_VALUE_0", ADVISORIES);
        done(deny.env("GIT_CONFIG_KEY_0", format!("url.{}.insteadOf", copy.display())))
    };
    run(&[], &["fetch", "db"])?;
    run(&["--offline"], &["check"])?;
    println!("that is by the advisories of {}", day.trim());
    Ok(())
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
