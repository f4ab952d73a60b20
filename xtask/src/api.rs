//! The public API of every library crate: a committed snapshot, and types that are not allowed in it.
//!
//! rustdoc writes the public items as JSON, which is unstable: each version of the toolchain may write another format, and `public-api`, which
//! turns it into lines, reads one. The project's toolchain must write that one. Where another toolchain writes another format, nothing is
//! compared, and a message says so.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use public_api::Builder;
use xshell::cmd;

use crate::workspace::{libraries, metadata, shell, verdict};

/// The project's own toolchain: `.ci/run` uses it.
const TOOLCHAIN: &str = include_str!("../../.ci/toolchain").trim_ascii();
/// The variable that makes this program run as rustdoc, and contains the path of the real one.
const STAND_IN: &str = "XTASK_STANDS_IN_FOR_RUSTDOC";

/// Crates whose types may be in any signature. A type of a crate below 1.0 is a breaking change for our users with each minor version,
/// and so is a type of a crate that has a new major version every few months.
const STABLE: &str =
    "alloc bytes core http rustls_pki_types serde_core serde_json std tokio zeroize";
/// Other crates whose types may be in the signatures of one library, each with the reason.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("ccfs-arrow", "arrow_array arrow_schema", "its minor version moves with Arrow's major one"),
    ("ccfs-reqwest", "reqwest", "taking the caller's own client is the point"),
    ("ccfs-time", "chrono jiff time", "behind features that name the versions"),
    ("ccfs-tls", "rustls", "it gives certificates as rustls takes them"),
    ("ccfs-ureq", "ureq", "taking the caller's own agent is the point"),
];

const DIFFERS: &str = "the public API differs from the snapshot below tests/api; if that is wanted, \
    follow CONTRIBUTING.md, \"Changes of the public API\", otherwise make the item private";

/// Compares the libraries with their snapshots, or writes the snapshots with `bless`.
pub(crate) fn run(bless: bool) -> Result<()> {
    let sh = shell()?;
    let metadata = metadata()?;
    let libraries = libraries(&metadata);
    let packages = libraries.iter().flat_map(|library| ["--package", library.name.as_str()]);
    // The unstable option must not be in cargo's own environment: build scripts look at it, and everything would be rebuilt.
    cmd!(sh, "cargo doc --quiet --locked --no-deps --all-features --lib {packages...}")
        .env(STAND_IN, std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()))
        .env("RUSTDOC", std::env::current_exe()?)
        .env("RUSTDOCFLAGS", "-Zunstable-options --output-format json")
        .run()?;
    let (mut differing, mut foreign) = (Vec::new(), Vec::new());
    for library in libraries {
        let name = library.name.as_str();
        let document = metadata.target_directory.join("doc").join(name.replace('-', "_"));
        let now = match items(document.with_extension("json").as_std_path()) {
            Ok(items) => items,
            Err(error) if bless || cmd!(sh, "rustc --version").read()?.contains(TOOLCHAIN) => {
                return Err(error).context("update .ci/toolchain and public-api together");
            }
            Err(error) => {
                println!("warning: THE PUBLIC API IS NOT COMPARED, use Rust {TOOLCHAIN}: {error}");
                return Ok(());
            }
        };
        foreign.extend(now.iter().filter(|line| has_foreign_type(name, line)).cloned());
        let snapshot = format!("tests/api/{name}.txt");
        if bless {
            sh.write_file(snapshot, now.join("\n") + "\n")?;
        } else {
            let before = sh.read_file(snapshot).unwrap_or_default();
            differing.extend(differences(&before, &now));
        }
    }
    verdict(&foreign, "types of other crates are in the public API", "no foreign types")?;
    verdict(&differing, DIFFERS, "the public API is that of the snapshots below tests/api")
}

/// The public items of a library. Omits blanket impls, the methods of derived ones, and auto traits; includes types that are not `Send`
/// or not `Sync`.
fn items(document: &Path) -> Result<Vec<String>> {
    let items = |auto: bool, derived: bool| -> Result<Vec<String>> {
        let builder = Builder::from_rustdoc_json(document).sorted(true).omit_blanket_impls(true);
        let builder = builder.omit_auto_trait_impls(!auto).omit_auto_derived_impls(!derived);
        Ok(builder.build()?.items().map(ToString::to_string).collect())
    };
    let plain: BTreeSet<String> = items(false, false)?.into_iter().collect();
    let derived: BTreeSet<String> = items(false, true)?.into_iter().collect();
    let mut lines = items(true, true)?;
    lines.retain(|line| {
        let is_missing =
            line.contains("!core::marker::Send") || line.contains("!core::marker::Sync");
        let is_derived = derived.contains(line) && line.starts_with("impl");
        plain.contains(line) || is_derived || is_missing
    });
    lines.dedup();
    Ok(lines)
}

/// The removed and the added lines.
fn differences(before: &str, now: &[String]) -> Vec<String> {
    let old: BTreeSet<&str> = before.lines().collect();
    let new: BTreeSet<&str> = now.iter().map(String::as_str).collect();
    let gone = old.difference(&new).map(|line| format!("- {line}"));
    gone.chain(new.difference(&old).map(|line| format!("+ {line}"))).collect()
}

/// Returns whether a line has a path into a crate whose types are not allowed in the library.
fn has_foreign_type(library: &str, line: &str) -> bool {
    let is_path = |character: char| character.is_alphanumeric() || "_:".contains(character);
    let paths = line.split(|character| !is_path(character));
    // Type parameters are in upper case.
    let mut crates = paths
        .filter_map(|path| path.split_once("::"))
        .map(|(root, _)| root)
        .filter(|root| root.starts_with(|first: char| first.is_ascii_lowercase()));
    let allowed = ALLOWED.iter().filter(|(who, ..)| *who == library).map(|(_, crates, _)| *crates);
    let allowed: Vec<&str> = allowed.chain([STABLE]).flat_map(|crates| crates.split(' ')).collect();
    crates.any(|root| !root.starts_with("ccfs") && !allowed.contains(&root))
}

/// Runs as rustdoc and exits, if this program was started as such.
pub(crate) fn run_as_rustdoc() -> Result<()> {
    let Some(rustdoc) = std::env::var_os(STAND_IN) else { return Ok(()) };
    let mut command = std::process::Command::new(rustdoc);
    command.args(std::env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").env_remove(STAND_IN);
    std::process::exit(command.status()?.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_and_added_items_are_reported() {
        let now = ["pub fn a::f()".to_owned(), "pub fn a::h()".to_owned()];
        let differing = differences("pub fn a::f()\npub fn a::g()\n", &now);
        assert_eq!(differing, ["- pub fn a::g()", "+ pub fn a::h()"]);
    }

    #[test]
    fn a_planted_type_is_found() {
        let line = "pub fn ccfs_x::Y::make(&self, core::option::Option<&http::HeaderMap<T::Item>>) -> <O as ccfs_x::Op>::Z";
        assert!(!has_foreign_type("ccfs-x", line));
        assert!(has_foreign_type("ccfs-x", &line.replace("http::", "young::")));
        let line = "pub fn ccfs_x::with(rustls::ClientConfig)";
        assert!(has_foreign_type("ccfs-x", line) && !has_foreign_type("ccfs-tls", line));
    }
}
