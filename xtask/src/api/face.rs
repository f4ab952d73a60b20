//! The public items of a library, as lines.

use std::collections::BTreeSet;
use std::path::Path;

use public_api::{Builder, PublicApi};
use serde_json::Value;

use crate::workspace::read;

/// Types that are deliberately not `Send` or not `Sync`, each with the reason.
const ONE_THREAD: &[(&str, &str)] = &[
    (
        "!core::marker::Sync for ccfs_archive::Records<'a, T>",
        "it can be moved to a thread; reading needs `&mut`, and its reader need not be `Sync`",
    ),
    ("!core::marker::Sync for ccfs_archive::ArchiveParser<T>", "the same"),
    ("!core::marker::Sync for ccfs_arrow::Batches<'a, T>", "the same"),
    ("!core::marker::Sync for ccfs_arrow::BatchesAhead<T>", "the same"),
    ("!core::marker::Sync for ccfs_arrow::BatchParser<T>", "the same"),
    ("!core::marker::Sync for ccfs_arrow::ParquetInspector", "the same"),
    (
        "!core::marker::Sync for ccfs_arrow::ParquetWriter<W>",
        "it can be moved to a thread; writing needs `&mut`, and its output need not be `Sync`",
    ),
    (
        "!core::marker::Sync for ccfs_listener::ListenerBuilder",
        "it is made and used up in one place",
    ),
    ("!core::marker::Sync for ccfs_pull::Pull<'a>", "it is made and used up in one place"),
    (
        "!core::marker::Sync for ccfs_reqwest::Download<'a, O>",
        "it is made and used up in one place",
    ),
    ("!core::marker::Sync for ccfs_ureq::Download<'a, O>", "it is made and used up in one place"),
    ("!core::marker::Sync for ccfs_driver::DownloadOptions<'a, 'c>", "the same"),
];

/// Enums that a driver or a receiver must handle completely: without a variant more, it does not
/// compile.
const EXHAUSTIVE: &[&str] = &[
    "ccfs_proto::Step<A>",
    "ccfs_proto::exchange::Step<A>",
    "ccfs_proto::callback::Begin",
    "ccfs_proto::callback::Outcome<E>",
    "ccfs_pull::Step",
    "ccfs_pull::Task",
];

/// Which format of rustdoc's JSON a file has.
pub(super) fn format(document: &Path) -> Result<u64, String> {
    let json: Value = serde_json::from_str(&read(document)?)
        .map_err(|error| format!("rustdoc's JSON: {error}"))?;
    json["format_version"].as_u64().ok_or_else(|| "rustdoc's JSON names no format".to_owned())
}

/// The public items of a library.
#[derive(Debug)]
pub(super) struct Face {
    /// Omits blanket impls, the methods of derived ones, and auto traits; includes types that are not `Send` or not `Sync`.
    lines: Vec<String>,
}

impl Face {
    pub(super) fn read(document: &Path) -> Result<Self, String> {
        let items = |auto: bool, derived: bool| -> Result<Vec<String>, String> {
            let builder =
                Builder::from_rustdoc_json(document).sorted(true).omit_blanket_impls(true);
            let api: PublicApi = builder
                .omit_auto_trait_impls(!auto)
                .omit_auto_derived_impls(!derived)
                .build()
                .map_err(|error| error.to_string())?;
            Ok(api.items().map(ToString::to_string).collect())
        };
        let plain: BTreeSet<String> = items(false, false)?.into_iter().collect();
        let derived: BTreeSet<String> = items(false, true)?.into_iter().collect();
        let all = items(true, true)?;
        let counts = |line: &String| {
            plain.contains(line)
                || if derived.contains(line) { line.starts_with("impl") } else { is_missing(line) }
        };
        let mut lines: Vec<String> = all.into_iter().filter(counts).collect();
        lines.dedup();
        Ok(Self { lines })
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    pub(super) fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }

    /// The removed and the added lines.
    pub(super) fn differences(&self, before: &str) -> Vec<String> {
        let (old, new): (BTreeSet<&str>, BTreeSet<&str>) =
            (before.lines().collect(), self.lines().collect());
        let gone = old.difference(&new).map(|line| format!("- {line}"));
        gone.chain(new.difference(&old).map(|line| format!("+ {line}"))).collect()
    }

    /// Types that are not `Send` and `Sync`, and are not listed as such.
    pub(super) fn not_thread_safe(&self, library: &str) -> Vec<String> {
        let missing = self.lines().filter(|line| {
            is_missing(line) && !ONE_THREAD.iter().any(|(known, _)| line.ends_with(known))
        });
        missing
            .map(|line| format!("{library}: {line}; every public type must be Send and Sync, or be listed in xtask/src/api/face.rs with the reason"))
            .collect()
    }

    /// Enums that are exhaustive and need not be, or that must be and are not.
    pub(super) fn closed(&self, library: &str) -> Vec<String> {
        let wrong = self.lines().filter_map(|line| {
            let (attribute, name) = line.split_once("pub enum ")?;
            match (attribute.contains("non_exhaustive"), EXHAUSTIVE.contains(&name)) {
                (false, false) => {
                    Some(format!("{library}: {line} cannot grow; it needs #[non_exhaustive]"))
                }
                (true, true) => {
                    Some(format!("{library}: {line} must be handled completely; it is exhaustive"))
                }
                _ => None,
            }
        });
        wrong.collect()
    }
}

/// Whether a line says that a type is not `Send` or not `Sync`.
fn is_missing(line: &str) -> bool {
    line.contains("!core::marker::Send for ") || line.contains("!core::marker::Sync for ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(lines: &[&str]) -> Face {
        Face { lines: lines.iter().map(|&line| line.to_owned()).collect() }
    }

    #[test]
    fn removed_and_added_items_are_reported() {
        let now = face(&["pub fn a::f()", "pub fn a::h()"]);
        assert_eq!(
            now.differences("pub fn a::f()\npub fn a::g()\n"),
            ["- pub fn a::g()", "+ pub fn a::h()"]
        );
        assert_eq!(now.differences(&now.text()), [""; 0]);
        assert_eq!(
            now.differences(""),
            ["+ pub fn a::f()", "+ pub fn a::h()"],
            "a library without a snapshot"
        );
    }

    #[test]
    fn types_that_cannot_cross_threads_are_found() {
        let found = face(&[
            "pub struct a::B",
            "impl !core::marker::Sync for a::B",
            "impl core::marker::Send for a::B",
        ])
        .not_thread_safe("a");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("a: impl !core::marker::Sync for a::B"));
    }

    #[test]
    fn an_enum_that_cannot_grow_is_found() {
        let found = face(&[
            "pub enum a::Closed",
            "pub a::Closed::One",
            "#[non_exhaustive] pub enum a::Open",
        ])
        .closed("a");
        assert_eq!(found, ["a: pub enum a::Closed cannot grow; it needs #[non_exhaustive]"]);
        let found =
            face(&["pub enum ccfs_pull::Task", "#[non_exhaustive] pub enum ccfs_pull::Step"])
                .closed("ccfs-pull");
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
