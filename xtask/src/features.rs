//! What depends on the features of a library: that it builds with any of them, and that its documentation builds alone.

use std::process::Command;

use crate::tools::{HACK, installed};
use crate::workspace::{done, members, metadata, root};

/// The facade: with its number of features, pairs of them take too long, and each switches on another crate.
const FACADE: &str = "ccfs";

/// Checks every library with each feature alone, with each pair of them, with none and with all; the facade without the pairs.
pub(crate) fn run() -> Result<(), String> {
    let pairs = ["--workspace", "--exclude", FACADE, "--feature-powerset", "--depth", "2"];
    for wanted in [&pairs[..], &["--package", FACADE, "--each-feature"]] {
        let mut check = installed(HACK)?;
        check.args(["hack", "clippy", "--quiet", "--locked", "--ignore-private"]).args(wanted);
        // Items that are used only with a feature must be gated by it.
        done(check.args(["--", "-D", "warnings"]))?;
    }
    println!("every library builds with the features that it has");
    Ok(())
}

/// Documents each library alone with default features, because cargo merges the features of crates that it documents together.
pub(crate) fn rustdoc() -> Result<(), String> {
    let metadata = metadata()?;
    for library in members(&metadata).iter().filter(|member| member.is_library()) {
        let mut doc = Command::new(env!("CARGO"));
        doc.args(["doc", "--quiet", "--no-deps", "--locked", "--package", library.name])
            .env("RUSTDOCFLAGS", "-D warnings")
            .current_dir(root());
        done(&mut doc)?;
        println!("{}: its documentation builds", library.name);
    }
    Ok(())
}
