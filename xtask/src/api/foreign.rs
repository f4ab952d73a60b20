//! Which crates' types are allowed in public signatures. A type of a crate below 1.0 is a breaking change for our users with each minor version,
//! and so is a type of a crate that has a new major version every few months.

use std::collections::BTreeSet;

use serde_json::Value;

use super::face::Face;
use crate::workspace::{list, text};

/// Crates at 1.0 or later with frequent major versions.
const FAST: &[&str] =
    &["zip", "ureq", "reqwest", "csv", "flate2", "arrow_array", "arrow_schema", "parquet"];

/// Types allowed in a signature, each with the reason.
const ALLOWED: &[(&str, &str, &str)] = &[
    (
        "ccfs-arrow",
        "arrow_array",
        "batches are the point; its minor version moves with Arrow's major one",
    ),
    (
        "ccfs-arrow",
        "arrow_schema",
        "batches are the point; its minor version moves with Arrow's major one",
    ),
    ("ccfs-reqwest", "reqwest", "taking the caller's own client is the point"),
    ("ccfs-time", "chrono", "behind the feature chrono-04, which names the version"),
    ("ccfs-time", "jiff", "behind the feature jiff-02, which names the version"),
    ("ccfs-time", "time", "behind the feature time-03, which names the version"),
    ("ccfs-tls", "rustls", "it gives certificates as rustls takes them"),
    ("ccfs-ureq", "ureq", "taking the caller's own agent is the point"),
];

pub(super) fn check(library: &str, face: &Face, metadata: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut told = BTreeSet::new();
    for line in face.lines() {
        for root in roots(line) {
            let allowed = ALLOWED.iter().any(|(who, whose, _)| *who == library && *whose == root);
            if !allowed && !told.contains(root) && moves(root, metadata) {
                told.insert(root.to_owned());
                wrong.push(format!(
                    "{library}: a type of {root}, which may change any day, is in: {line}"
                ));
            }
        }
    }
    wrong
}

/// Whether a crate of that name is below 1.0 or moves fast. Our own are as old as their users.
fn moves(root: &str, metadata: &Value) -> bool {
    let packages = list(&metadata["packages"])
        .filter(|package| text(&package["name"]).replace('-', "_") == root);
    let foreign = packages.filter(|package| !package["source"].is_null());
    FAST.contains(&root)
        || foreign.map(|package| text(&package["version"])).any(|version| version.starts_with("0."))
}

/// The first segments of the paths in a line.
fn roots(line: &str) -> BTreeSet<&str> {
    let is_word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    let bytes = line.as_bytes();
    let ends = line.match_indices("::").map(|(at, _)| at);
    let words = ends.filter_map(|end| {
        let begin = bytes[..end].iter().rposition(|&byte| !is_word(byte)).map_or(0, |at| at + 1);
        let first = begin < end && !line[..begin].ends_with("::");
        first.then(|| &line[begin..end])
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn roots_are_the_first_segments() {
        let line = "pub fn ours::Thing::make(&self, core::option::Option<&http::header::HeaderMap<T::Item>>) -> <O as ours::Op>::Answer";
        assert_eq!(roots(line).into_iter().collect::<Vec<_>>(), ["T", "core", "http", "ours"]);
    }

    #[test]
    fn a_planted_type_is_found() {
        let packages = json!({"packages": [
            {"name": "young", "version": "0.3.1", "source": "registry"},
            {"name": "grown-up", "version": "1.2.0", "source": "registry"},
            {"name": "zip", "version": "9.4.0", "source": "registry"},
            {"name": "ours", "version": "0.1.0", "source": null},
        ]});
        assert!(moves("young", &packages) && moves("zip", &packages));
        assert!(
            !moves("grown_up", &packages)
                && !moves("ours", &packages)
                && !moves("core", &packages)
                && !moves("T", &packages)
        );
    }
}
