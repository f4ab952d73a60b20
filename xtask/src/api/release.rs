//! What a change of the public API needs before a release: a line in the changelog, and a new version if it is a breaking change.
//!
//! Released APIs are in the repository, below `tests/api` in a folder named after the version, so that this works in a copy without
//! history or tags as well. Until the first release, everything is new.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::{members, metadata, read, root, shown, text, verdict};

/// The snapshots of all libraries, by name.
type Snapshots = BTreeMap<String, String>;

/// Compares the snapshots with those of the last release.
pub(super) fn check() -> Result<(), String> {
    let changelog = read(&root().join("CHANGELOG.md"))?;
    let released = released()?;
    let release = released.as_ref().map(|(version, snapshots)| (version.as_str(), snapshots));
    let wrong = needs(&version()?, &Changelog::read(&changelog), release, &snapshots(&folder())?);
    let holds = match release {
        Some((version, _)) => {
            format!("CHANGELOG.md names every library whose public API changed since {version}")
        }
        None => "nothing was released yet, and CHANGELOG.md names every library".to_owned(),
    };
    verdict(
        &wrong,
        "a change of the public API lacks something; see CONTRIBUTING.md, \"When the public API changes\"",
        &holds,
    )
}

/// Releases what is unreleased: its heading becomes the workspace's version, and its snapshots become the reference for later changes.
pub(super) fn close() -> Result<(), String> {
    check()?;
    let (version, path) = (version()?, root().join("CHANGELOG.md"));
    let changelog = read(&path)?;
    if Changelog::read(&changelog).released == Some(version.as_str()) {
        return Err(format!(
            "{version} was released; the next one is a higher version in the workspace's Cargo.toml"
        ));
    }
    let before = released()?.map(|(version, _)| folder().join(version));
    let (next, now) = (folder().join(&version), snapshots(&folder())?);
    let written = fs::create_dir_all(&next)
        .and_then(|()| now.iter().try_for_each(|(name, text)| fs::write(next.join(name), text)))
        .and_then(|()| before.map_or(Ok(()), fs::remove_dir_all))
        .and_then(|()| {
            fs::write(
                &path,
                changelog.replacen(UNRELEASED, &format!("{UNRELEASED}\n\n## {version}"), 1),
            )
        });
    written.map_err(|error| format!("{}: {error}", shown(&next)))?;
    println!(
        "{version} is closed: commit {} and CHANGELOG.md, and tag the commit v{version}",
        shown(&next)
    );
    Ok(())
}

const UNRELEASED: &str = "## Unreleased";

/// The contents of the changelog.
struct Changelog<'a> {
    /// The text under "Unreleased".
    unreleased: &'a str,
    /// The version of the newest section below it.
    released: Option<&'a str>,
}

impl<'a> Changelog<'a> {
    fn read(text: &'a str) -> Self {
        let (mut unreleased, mut released) = ("", None);
        for section in text.split("\n## ").skip(1) {
            let (heading, below) = section.split_once('\n').unwrap_or((section, ""));
            match heading.split_whitespace().next() {
                Some("Unreleased") => unreleased = below,
                version => {
                    released = released.or(version.map(|version| version.trim_matches(['[', ']'])));
                }
            }
        }
        Self { unreleased, released }
    }

    fn names(&self, library: &str) -> bool {
        self.unreleased.contains(&format!("`{library}`"))
    }
}

/// Lists what a release of the current state lacks.
fn needs(
    version: &str,
    changelog: &Changelog<'_>,
    release: Option<(&str, &Snapshots)>,
    now: &Snapshots,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let known = release.map(|(version, _)| version);
    if changelog.released != known {
        let (said, known) = (changelog.released.unwrap_or("none"), known.unwrap_or("none"));
        wrong.push(format!(
            "the newest release is {said} in CHANGELOG.md and {known} below tests/api; `cargo xtask api --release` makes both"
        ));
    }
    let nothing = Snapshots::new();
    let before = release.map_or(&nothing, |(_, snapshots)| snapshots);
    for name in before.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
        let (old, new) =
            (before.get(name).map_or("", String::as_str), now.get(name).map_or("", String::as_str));
        let library = name.trim_end_matches(".txt");
        if old == new {
            continue;
        }
        if !changelog.names(library) {
            wrong.push(format!("{library}: its public API changed, and CHANGELOG.md does not name `{library}` under \"Unreleased\""));
        }
        let kept: BTreeSet<&str> = new.lines().collect();
        if let (Some(gone), Some(last)) = (
            old.lines().find(|line| !kept.contains(line)),
            known.filter(|last| fits(last, version)),
        ) {
            wrong.push(format!("{library}: {gone} went since {last}, and {version} looks compatible with it; raise the workspace's version"));
        }
    }
    wrong
}

/// Returns whether cargo considers the two versions compatible.
fn fits(released: &str, version: &str) -> bool {
    let leading = |version: &str| -> Vec<String> {
        let parts: Vec<String> = version.split('.').map(str::to_owned).collect();
        let significant =
            parts.iter().position(|part| part != "0").map_or(parts.len(), |at| at + 1);
        parts.into_iter().take(significant).collect()
    };
    leading(released) == leading(version)
}

/// The version of the last release and its snapshots.
fn released() -> Result<Option<(String, Snapshots)>, String> {
    let entries =
        fs::read_dir(folder()).map_err(|error| format!("{}: {error}", shown(&folder())))?;
    let mut versions: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    let Some(last) = versions.pop() else { return Ok(None) };
    if !versions.is_empty() {
        return Err("there are snapshots of more than one release below tests/api; the last one's are enough".to_owned());
    }
    let version = last.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Some((version, snapshots(&last)?)))
}

fn snapshots(folder: &Path) -> Result<Snapshots, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", shown(folder)))?;
    let texts = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"));
    let named = |path: PathBuf| {
        Ok((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), read(&path)?))
    };
    texts.map(named).collect()
}

fn folder() -> PathBuf {
    root().join("tests/api")
}

/// The version that all packages have.
fn version() -> Result<String, String> {
    let metadata = metadata()?;
    let members = members(&metadata);
    let library =
        members.iter().find(|member| member.is_library()).ok_or("the workspace has no library")?;
    Ok(text(&library.json["version"]).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "# Changelog\n\n## Unreleased\n\nFirst version.\n\n- `one` and feature `a` of `two`: all of it\n";
    const LATER: &str = "# Changelog\n\n## Unreleased\n\n- `two`: more\n\n## 0.1.0 - 2026-01-01\n\n- `one`: all of it\n";

    fn snapshots(texts: &[(&str, &str)]) -> Snapshots {
        texts.iter().map(|&(name, text)| (format!("{name}.txt"), text.to_owned())).collect()
    }

    fn found(
        version: &str,
        changelog: &str,
        before: Option<&[(&str, &str)]>,
        now: &[(&str, &str)],
    ) -> Vec<String> {
        let before = before.map(snapshots);
        needs(
            version,
            &Changelog::read(changelog),
            before.as_ref().map(|before| ("0.1.0", before)),
            &snapshots(now),
        )
    }

    #[test]
    fn before_the_first_release_everything_is_new() {
        let libraries = [("one", "pub fn one::f()\n"), ("two", "pub fn two::f()\n")];
        assert_eq!(found("0.1.0", FIRST, None, &libraries), [""; 0]);
        let unnamed = found("0.1.0", FIRST, None, &[("three", "pub fn three::f()\n")]);
        assert!(
            unnamed.len() == 1 && unnamed[0].contains("does not name `three` under"),
            "{unnamed:?}"
        );
        let empty = found("0.1.0", "# Changelog\n", None, &libraries);
        assert_eq!(empty.len(), 2, "a changelog without that heading names nobody");
    }

    #[test]
    fn what_did_not_change_needs_nothing_and_what_did_a_line_of_its_own_release() {
        let before: &[_] = &[("one", "pub fn one::f()\n"), ("two", "pub fn two::f()\n")];
        assert_eq!(found("0.1.0", LATER, Some(before), before), [""; 0]);
        assert_eq!(
            found(
                "0.1.0",
                LATER,
                Some(before),
                &[before[0], ("two", "pub fn two::f()\npub fn two::g()\n")]
            ),
            [""; 0]
        );
        let older = found(
            "0.1.0",
            LATER,
            Some(before),
            &[("one", "pub fn one::f()\npub fn one::g()\n"), before[1]],
        );
        assert!(
            older.len() == 1 && older[0].starts_with("one: its public API changed"),
            "a line of an older release does not count: {older:?}"
        );
    }

    #[test]
    fn breaking_changes_need_an_incompatible_version() {
        let before: &[_] = &[("two", "pub fn two::f()\n")];
        let now: &[_] = &[("two", "pub fn two::g()\n")];
        let same = found("0.1.7", LATER, Some(before), now);
        assert!(
            same.len() == 1
                && same[0].contains(
                    "pub fn two::f() went since 0.1.0, and 0.1.7 looks compatible with it"
                ),
            "{same:?}"
        );
        assert_eq!(found("0.2.0", LATER, Some(before), now), [""; 0]);
        assert_eq!(
            found("0.1.7", LATER, Some(before), &[]).len(),
            1,
            "a library that went broke everybody"
        );
        assert!(fits("1.2.3", "1.9.0") && fits("0.0.3", "0.0.3") && fits("0.1.0", "0.1.1"));
        assert!(
            !fits("1.2.3", "2.0.0")
                && !fits("0.0.3", "0.0.4")
                && !fits("0.1.0", "0.2.0")
                && !fits("0.9.0", "1.0.0")
        );
    }

    #[test]
    fn a_release_is_in_both_places_or_in_none() {
        let one: &[_] = &[("two", "pub fn two::f()\n")];
        let forgotten = found("0.1.0", LATER, None, one);
        assert!(
            forgotten.len() == 1
                && forgotten[0].contains("0.1.0 in CHANGELOG.md and none below tests/api"),
            "{forgotten:?}"
        );
        assert!(
            found("0.1.0", FIRST, Some(one), one)[0]
                .contains("none in CHANGELOG.md and 0.1.0 below tests/api")
        );
    }
}
