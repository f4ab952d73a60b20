//! Checks by cargo, and by tools that are installed from crates.io.

use anyhow::{Context as _, Result, ensure};
use xshell::{Shell, cmd};

use crate::workspace::{
    add_to_path, libraries, metadata, published, root, shell, target, without_cargo_variables,
};

/// Tools that `cargo xtask ci` installs, with their versions.
const HACK: &str = "cargo-hack@0.6.46";
const DENY: &str = "cargo-deny@0.20.2";
const MACHETE: &str = "cargo-machete@0.9.2";

/// The facade: with its number of features, pairs of them take too long, and each switches on another crate.
const FACADE: &str = "ccfs";

/// Installs a tool in the target folder, unless that version is there, and returns a shell in which cargo finds it.
fn installed(tool: &str) -> Result<Shell> {
    let sh = shell()?;
    let tools = target()?.join("tools");
    let install = cmd!(sh, "cargo install --quiet --locked --debug --root {tools} {tool}");
    without_cargo_variables(install).run()?;
    add_to_path(&sh, &tools.join("bin"))?;
    Ok(sh)
}

/// Every declared dependency is named in the sources.
pub(crate) fn unused() -> Result<()> {
    let sh = installed(MACHETE)?;
    // cargo-machete would take itself for a program that `cargo run` started.
    Ok(without_cargo_variables(cmd!(sh, "cargo machete")).run()?)
}

/// Checks licences, forbidden crates and sources by `deny.toml`. Advisories need a network: `cargo deny check advisories`.
pub(crate) fn deny() -> Result<()> {
    let sh = installed(DENY)?;
    Ok(cmd!(sh, "cargo deny check licenses bans sources").run()?)
}

/// Checks every library with each feature alone, with each pair of them, with none and with all; the facade without the pairs.
pub(crate) fn features() -> Result<()> {
    let sh = installed(HACK)?;
    let pairs = ["--workspace", "--exclude", FACADE, "--feature-powerset", "--depth", "2"];
    for wanted in [&pairs[..], &["--package", FACADE, "--each-feature"]] {
        // Items that are used only with a feature must be gated by it.
        let check = cmd!(
            sh,
            "cargo hack clippy --quiet --locked --ignore-private {wanted...} -- -D warnings"
        );
        without_cargo_variables(check).run()?;
    }
    Ok(())
}

/// Documents each library alone with default features, because cargo merges the features of crates that it documents together, and
/// then everything.
pub(crate) fn rustdoc() -> Result<()> {
    let sh = shell()?;
    sh.set_var("RUSTDOCFLAGS", "-D warnings");
    for library in libraries(&metadata()?) {
        let name = library.name.as_str();
        cmd!(sh, "cargo doc --quiet --no-deps --locked --package {name}").run()?;
    }
    // The documentation of the command and of the facade have the same path, so they are never built at the same time, and the
    // facade's is built last.
    for wanted in [&["--bin", "ccfs"][..], &[]] {
        cmd!(sh, "cargo doc --quiet --workspace {wanted...} --no-deps --all-features --locked")
            .run()?;
    }
    Ok(())
}

/// Packs every crate that can be published, without warnings; with `verify`, also builds each from its package.
pub(crate) fn package(verify: bool) -> Result<()> {
    let sh = shell()?;
    let metadata = metadata()?;
    let packages =
        published(&metadata).into_iter().flat_map(|package| ["--package", package.name.as_str()]);
    let option = (!verify).then_some("--no-verify");
    let package = cmd!(sh, "cargo package --locked --allow-dirty {packages...} {option...}");
    let output = package.ignore_status().output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    let is_clean = output.status.success() && !log.contains("warning: ");
    ensure!(is_clean, "cargo package failed or printed warnings:\n{log}");
    Ok(())
}

/// Builds everything with the Rust version that the packages promise, which cargo-hack installs with rustup.
pub(crate) fn msrv() -> Result<()> {
    let sh = installed(HACK)?;
    sh.set_var("CARGO_TARGET_DIR", target()?.join("msrv"));
    let wanted = ["--rust-version", "--workspace", "--all-targets", "--all-features", "--locked"];
    Ok(without_cargo_variables(cmd!(sh, "cargo hack check --quiet {wanted...}")).run()?)
}

/// Builds everything with the oldest versions of its direct dependencies.
pub(crate) fn minimal() -> Result<()> {
    let sh = shell()?;
    let lock = sh.read_file("Cargo.lock")?;
    let target = target()?.join("minimal");
    let resolve = cmd!(sh, "cargo generate-lockfile --quiet -Z direct-minimal-versions");
    let check = cmd!(sh, "cargo check --quiet --workspace --all-targets --all-features --locked");
    let resolved = resolve.env("RUSTC_BOOTSTRAP", "1").run();
    let checked = resolved.and_then(|()| check.env("CARGO_TARGET_DIR", target).run());
    sh.write_file("Cargo.lock", lock)?;
    checked
        .context("a lower bound in Cargo.toml is below what our code or another dependency wants")
}

/// Runs the core's tests in Miri, which finds undefined behaviour that a processor lets pass, also in the dependencies of the core.
/// A test that cannot run there says why.
pub(crate) fn miri() -> Result<()> {
    let sh = shell()?;
    let test = cmd!(sh, "rustup run nightly cargo miri test --package ccfs-proto --lib --tests");
    // Proptest asks the system for randomness, and the environment for its settings.
    let test = test.env("MIRIFLAGS", "-Zmiri-disable-isolation").env_remove("RUSTUP_TOOLCHAIN");
    Ok(test.env("CARGO_TARGET_DIR", target()?.join("miri")).run()?)
}

/// Runs a package below `xtask/bench`. These are outside the workspace, to keep the crates that they compare with out of normal builds.
pub(crate) fn bench(name: &str, arguments: &[&str]) -> Result<()> {
    let sh = shell()?;
    let folder = root().join("xtask/bench");
    let manifest = folder.join(name).join("Cargo.toml");
    let run = cmd!(sh, "cargo run --release --quiet --locked --manifest-path {manifest}");
    Ok(run.arg("--target-dir").arg(folder.join("target")).arg("--").args(arguments).run()?)
}
