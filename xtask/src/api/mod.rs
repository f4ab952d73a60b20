//! The public API of every library crate: a committed snapshot, and types that are not allowed in it.
//!
//! rustdoc writes the public items as JSON, which is unstable: each version of the toolchain may write another format, and `public-api`, which
//! turns it into lines, reads one. The project's toolchain must write that one. With another format, nothing is compared, and a message
//! says so.

mod face;
mod foreign;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::workspace::{Member, done, members, metadata, output, root, shown, text, verdict};
use face::Face;

/// The project's own toolchain: `.ci/run` uses it.
const TOOLCHAIN: &str = include_str!("../../../.ci/toolchain").trim_ascii();
/// The format that `public-api` of this workspace reads, and that toolchain's rustdoc writes.
const FORMAT: u64 = 57;
/// The variable that makes this program run as rustdoc, and contains the path of the real one.
const STAND_IN: &str = "XTASK_STANDS_IN_FOR_RUSTDOC";

const DIFFERS: &str = "the public API differs from the snapshot below tests/api. If that is wanted:
  - `cargo xtask api --bless` writes the snapshot, and the change is committed with it;
  - CHANGELOG.md gets a line under \"Unreleased\" that names the library, because users will notice;
  - a line with '-' breaks somebody: until 1.0 that is a new minor version, and the changelog says what to write instead.
Where it is not wanted, make the item private";

/// Compares the libraries with their snapshots, or writes the snapshots with `bless`.
pub(crate) fn run(bless: bool) -> Result<(), String> {
    let metadata = metadata()?;
    let members = members(&metadata);
    let libraries: Vec<&Member<'_>> = members.iter().filter(|member| member.is_library()).collect();
    let documents =
        document(&libraries, &Path::new(text(&metadata["target_directory"])).join("doc"))?;
    let (mut differing, mut wrong) = (Vec::new(), Vec::new());
    let folder = root().join("tests/api");
    for (library, document) in libraries.iter().zip(documents) {
        let format = face::format(&document)?;
        if format != FORMAT {
            let rust = output(Command::new("rustc").arg("--version"))?;
            return unfit(rust.split(' ').nth(1).unwrap_or_default(), format, bless);
        }
        let face = Face::read(&document)?;
        wrong.extend(foreign::check(library.name, &face, &metadata));
        wrong.extend(face.not_thread_safe(library.name));
        wrong.extend(face.closed(library.name));
        let snapshot = folder.join(format!("{}.txt", library.name));
        if bless {
            let written =
                fs::create_dir_all(&folder).and_then(|()| fs::write(&snapshot, face.text()));
            written.map_err(|error| format!("{}: {error}", shown(&snapshot)))?;
        } else {
            let before = fs::read_to_string(&snapshot).unwrap_or_default();
            differing.extend(
                face.differences(&before)
                    .into_iter()
                    .map(|line| format!("{}: {line}", library.name)),
            );
        }
    }
    verdict(
        &wrong,
        "the public API has what it should not",
        &format!(
            "{} libraries: no foreign types, every enum can grow, all types are Send and Sync or listed",
            libraries.len()
        ),
    )?;
    verdict(&differing, DIFFERS, "the public API is that of the snapshots below tests/api")
}

/// Returns whether the public API may go unchecked because the toolchain writes another format.
fn unfit(rust: &str, format: u64, bless: bool) -> Result<(), String> {
    let why =
        format!("rustdoc of Rust {rust} writes format {format}, and what reads it knows {FORMAT}");
    if rust == TOOLCHAIN {
        return Err(format!(
            "{why}: .ci/toolchain, public-api in Cargo.toml and FORMAT in xtask/src/api/mod.rs go together"
        ));
    }
    let why = format!("{why}; `cargo +{TOOLCHAIN} xtask api` can");
    if bless {
        return Err(format!("the public API cannot be read: {why}"));
    }
    println!("warning: THE PUBLIC API IS NOT COMPARED: {why}");
    Ok(())
}

/// Makes rustdoc write the JSON of all libraries at once, and returns the paths of the files.
fn document(libraries: &[&Member<'_>], folder: &Path) -> Result<Vec<PathBuf>, String> {
    let myself =
        std::env::current_exe().map_err(|error| format!("where is this program? {error}"))?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["doc", "--quiet", "--locked", "--no-deps", "--all-features", "--lib"])
        .current_dir(root());
    cargo.args(libraries.iter().flat_map(|library| ["--package", library.name]));
    // The unstable option must not be in cargo's own environment: build scripts look at it, and everything would be rebuilt.
    cargo
        .env(STAND_IN, std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()))
        .env("RUSTDOC", myself);
    cargo.env("RUSTDOCFLAGS", "-Zunstable-options --output-format json");
    done(&mut cargo)?;
    let file = |library: &&Member<'_>| {
        library
            .targets("lib")
            .next()
            .map(|(name, _)| folder.join(format!("{}.json", name.replace('-', "_"))))
    };
    Ok(libraries.iter().filter_map(file).collect())
}

/// Runs as rustdoc, if this program was started as such.
pub(crate) fn as_rustdoc() -> Option<ExitCode> {
    let rustdoc = std::env::var_os(STAND_IN)?;
    let status = Command::new(rustdoc)
        .args(std::env::args_os().skip(1))
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove(STAND_IN)
        .status();
    let code =
        status.ok().and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
    Some(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_own_toolchain_must_compare_and_another_one_may_warn() {
        assert!(
            TOOLCHAIN.split('.').count() == 3
                && TOOLCHAIN.split('.').all(|part| part.parse::<u32>().is_ok()),
            "{TOOLCHAIN}"
        );
        let own = unfit(TOOLCHAIN, FORMAT + 1, false).unwrap_err();
        assert!(own.contains("go together"), "{own}");
        assert_eq!(unfit("1.999.0", FORMAT + 1, false), Ok(()));
        assert!(unfit("1.999.0", FORMAT + 1, true).is_err(), "nothing was read to write");
    }
}
