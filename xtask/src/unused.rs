//! Every dependency that a package declares is named in its sources.

use serde_json::Value;

use crate::workspace::{Member, files, list, members, metadata, read, text, verdict};

/// Dependencies that are needed without being named.
const UNNAMED: &[(&str, &str, &str)] = &[
    ("ccfs-tests", "ccfs-archive", "the documents' examples use it"),
    ("ccfs-tests", "ccfs-arrow", "the documents' examples use it"),
    ("ccfs-tests", "ccfs-time", "the documents' examples use it"),
];

pub(crate) fn run() -> Result<(), String> {
    let metadata = metadata()?;
    let members = members(&metadata);
    let mut wrong = Vec::new();
    for member in &members {
        let sources = sources(member)?;
        for dependency in list(&member.json["dependencies"]) {
            let package = text(&dependency["name"]);
            let name = dependency["rename"].as_str().unwrap_or(package).replace('-', "_");
            let known =
                UNNAMED.iter().any(|(who, what, _)| *who == member.name && *what == package);
            let (normal, all) = &sources;
            let looked_at = if dependency["kind"] == Value::Null { normal } else { all };
            if !known && !is_named(looked_at, &name) {
                let kind = dependency["kind"].as_str().unwrap_or("normal");
                wrong.push(format!(
                    "{}: the {kind} dependency {package} is named nowhere",
                    member.name
                ));
            }
        }
    }
    verdict(
        &wrong,
        "unused dependencies",
        &format!("{} packages name every dependency that they declare", members.len()),
    )
}

/// What a package is made of: its library or program, and that together with tests, examples and benches.
fn sources(member: &Member<'_>) -> Result<(String, String), String> {
    let text = |folder: &str| -> Result<String, String> {
        files(&member.folder.join(folder), ".rs").iter().map(|file| read(file)).collect()
    };
    let normal = text("src")?;
    let all = normal.clone() + &text("tests")? + &text("examples")? + &text("benches")?;
    Ok((normal, all))
}

/// Whether a crate is named: in a path, a `use`, or as the crate that a feature switches on. Comments do not count, but for doc examples.
fn is_named(sources: &str, name: &str) -> bool {
    let is_word = |character: char| character == '_' || character.is_alphanumeric();
    sources.lines().filter(|line| !line.trim_start().starts_with("// ")).any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + name.len()..]);
            let alone = !before.ends_with(is_word)
                && !before.ends_with("::")
                && !after.starts_with(is_word);
            let in_use = before.trim_start().ends_with("use ")
                && (after.starts_with(';') || after.starts_with(" as "));
            alone && (after.starts_with("::") || in_use)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_path_or_a_use_counts() {
        for source in [
            "use serde::Serialize;",
            "let x = serde::to(1);",
            "#[serde::inner]",
            "    pub use serde;",
            "/// use serde::X;",
            "use serde as s;",
        ] {
            assert!(is_named(source, "serde"), "{source}");
        }
    }

    #[test]
    fn a_planted_dependency_is_found() {
        for source in [
            "use serde_json::Value;",
            "// serde::Serialize",
            "let serde = 1;",
            "use other::serde::X;",
            "use std::fmt;",
            "\"serde\"",
        ] {
            assert!(!is_named(source, "serde"), "{source}");
        }
    }
}
