//! The public types that show themselves, as the snapshots of the API have them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// `Debug ccfs_proto::Credentials` and the like, for every public type of every crate; but not for enums whose variants hold nothing.
pub(crate) fn that_show_themselves() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("api");
    let mut all = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let snapshot = fs::read_to_string(file.unwrap().path()).unwrap();
        let plain = enums_without_data(&snapshot);
        for line in snapshot.lines().filter(|line| line.starts_with("impl")) {
            for (written, short) in
                [(" core::fmt::Debug for ", "Debug"), (" core::fmt::Display for ", "Display")]
            {
                let Some((_, name)) = line.split_once(written) else { continue };
                let name = name.split(['<', ' ']).next().unwrap();
                if !plain.contains(name) {
                    all.insert(format!("{short} {}", without_modules(name)));
                }
            }
        }
    }
    assert!(all.len() > 200, "the snapshots were read");
    all
}

/// `ccfs_proto::callback::Receiver` for `ccfs_proto::callback::Receiver`.
fn without_modules(path: &str) -> String {
    match (path.split_once("::"), path.rsplit_once("::")) {
        (Some((library, _)), Some((_, name))) => format!("{library}::{name}"),
        _ => path.to_owned(),
    }
}

fn enums_without_data(snapshot: &str) -> BTreeSet<&str> {
    let mut enums: BTreeMap<&str, bool> = snapshot
        .lines()
        .filter_map(|line| line.split_once("pub enum "))
        .map(|(_, name)| (name.split('<').next().unwrap(), true))
        .collect();
    for line in snapshot.lines().filter_map(|line| line.strip_prefix("pub ")) {
        // A variant's field: `krate::Enum::Variant(type)` or `krate::Enum::Variant::field: type`.
        let (path, is_field) = match (line.split_once('('), line.split_once(": ")) {
            (Some((path, _)), _) | (None, Some((path, _)))
                if !line.starts_with("fn ") && !line.starts_with("const ") =>
            {
                (path, true)
            }
            _ => (line, false),
        };
        if is_field {
            for (name, plain) in &mut enums {
                if path.strip_prefix(*name).is_some_and(|rest| rest.starts_with("::")) {
                    *plain = false;
                }
            }
        }
    }
    enums.into_iter().filter_map(|(name, plain)| plain.then_some(name)).collect()
}
