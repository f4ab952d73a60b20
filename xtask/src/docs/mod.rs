//! Checks the documents: links work, references from the code exist, and Rust examples are compiled.

mod page;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::picture;
use crate::workspace::{files, members, metadata, read, root, shown, verdict};
use page::Page;

/// The page that is the module `ccfs_proto::protocol`. rustdoc does not check links into it.
const PROTOCOL: &str = "crates/ccfs-proto/docs/protocol.md";

pub(crate) fn run() -> Result<(), String> {
    let paths = files(root(), ".md");
    let mut pages = BTreeMap::new();
    for path in paths {
        pages.insert(path.clone(), Page::read(&read(&path)?));
    }
    let included = read(&root().join("tests/src/lib.rs"))?;
    let mut wrong = Vec::new();
    let (mut links, mut references) = (0, 0);
    for (path, page) in &pages {
        for link in &page.links {
            links += 1;
            wrong.extend(
                broken(path, link, &pages)
                    .map(|why| format!("{}: the link {link} {why}", shown(path))),
            );
        }
        // Doc tests are run where a document is included; see tests/src/lib.rs.
        let name = shown(path);
        if page.has_rust && !included.contains(&format!("../../{name}\"")) {
            wrong.push(format!("{name}: its Rust is not compiled; include it in tests/src/lib.rs"));
        }
    }
    let protocol = pages.get(&root().join(PROTOCOL)).ok_or("the protocol page is missing")?;
    for folder in ["crates", "tests", "xtask/src", "fuzz"] {
        for path in files(&root().join(folder), ".rs") {
            let source = read(&path)?;
            for anchor in protocol_anchors(&source) {
                references += 1;
                if !protocol.anchors.contains(&anchor) {
                    wrong.push(format!("{}: {PROTOCOL} has no #{anchor}", shown(&path)));
                }
            }
            for (document, heading) in named(&source) {
                references += 1;
                let page = pages.get(&root().join(&document));
                let is_there = page.is_some_and(|page| {
                    heading.as_ref().is_none_or(|heading| page.headings.contains(heading))
                });
                if !is_there {
                    let heading =
                        heading.map(|heading| format!(", {heading:?}")).unwrap_or_default();
                    wrong.push(format!(
                        "{}: it names {document}{heading}, which is not there",
                        shown(&path)
                    ));
                }
            }
        }
    }
    wrong.extend(packaged(&pages)?);
    wrong.extend(picture::unknown_crates());
    if read(&root().join(picture::FLOW)).ok() != Some(picture::flow()) {
        wrong.push(format!("{} is out of date; run cargo xtask pictures", picture::FLOW));
    }
    let holds = format!(
        "{} documents: {links} links and {references} places in the code lead somewhere, and all Rust is compiled",
        pages.len()
    );
    verdict(&wrong, "documents are wrong", &holds)
}

/// Problems of the READMEs of published crates: each crate has a README, and its links work on any site.
fn packaged(pages: &BTreeMap<PathBuf, Page>) -> Result<Vec<String>, String> {
    let metadata = metadata()?;
    let mut wrong = Vec::new();
    for member in members(&metadata).iter().filter(|member| member.is_published()) {
        let readme = member.folder.join("README.md");
        let Some(page) = pages.get(&readme) else {
            wrong.push(format!("{} has no README.md", member.name));
            continue;
        };
        let relative = page.links.iter().filter(|link| !link.contains("://"));
        wrong.extend(relative.map(|link| {
            format!("{}: the link {link} works only in the repository", shown(&readme))
        }));
    }
    Ok(wrong)
}

/// Returns the problem of a link, if any.
fn broken(from: &Path, link: &str, pages: &BTreeMap<PathBuf, Page>) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) =
        link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let target = if file.is_empty() { from.to_owned() } else { normal(&from.parent()?.join(file)) };
    if !target.exists() {
        return Some("leads nowhere".to_owned());
    }
    let anchor = anchor?;
    let found =
        pages.get(&target).is_some_and(|page| page.anchors.iter().any(|known| known == anchor));
    (!found).then(|| {
        format!(
            "names a heading that is not there; there are: {}",
            pages.get(&target).map(|page| page.anchors.join(", ")).unwrap_or_default()
        )
    })
}

/// A path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == std::path::Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

/// The headings of the protocol page that a source links to.
fn protocol_anchors(source: &str) -> Vec<String> {
    let links = source.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let anchors = links.filter_map(|(link, _)| link.split_once('#'));
    anchors
        .filter(|(page, _)| {
            page.trim_end_matches('/').ends_with("::protocol") || page.ends_with("/protocol/")
        })
        .map(|(_, anchor)| anchor.to_owned())
        .collect()
}

/// Documents that a source names between backticks, each with the heading that follows in quotes after a comma.
fn named(source: &str) -> Vec<(String, Option<String>)> {
    // A reference may continue on the next line of a comment.
    let lines =
        source.lines().map(str::trim_start).map(|line| line.trim_start_matches(['/', '!']).trim());
    let text = lines.collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for (at, _) in text.match_indices("`docs/") {
        let rest = &text[at + 1..];
        let Some((document, behind)) = rest.split_once('`').filter(|(document, _)| {
            Path::new(document).extension().is_some_and(|kind| kind == "md")
        }) else {
            continue;
        };
        let heading = behind
            .strip_prefix(", \"")
            .and_then(|rest| rest.split_once('"'))
            .map(|(heading, _)| heading.to_owned());
        found.push((document.to_owned(), heading));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_over_line_ends() {
        let tick = '`';
        let source = format!(
            "/// See {tick}docs/a.md{tick}, \"One thing\".\n    //! and {tick}docs/a.md{tick},\n    //! \"Other\", {tick}docs/b.md{tick} has it\n{tick}docs/x.txt{tick}"
        );
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            named(&source),
            [
                ("docs/a.md".into(), some("One thing")),
                ("docs/a.md".into(), some("Other")),
                ("docs/b.md".into(), None)
            ]
        );
    }

    #[test]
    fn links_into_the_protocol_page_are_found() {
        let open = ["]", "("].concat();
        let source = format!(
            "[A{open}crate::protocol#a-b) [B{open}https://docs.rs/x/protocol/#c) [C{open}other#d)"
        );
        assert_eq!(protocol_anchors(&source), ["a-b", "c"]);
    }

    #[test]
    fn planted_links_are_found() {
        let page = Page::read("# One\n\n## Two words, and `code`\n");
        let readme = root().join("README.md");
        let pages = BTreeMap::from([(readme.clone(), page)]);
        for good in [
            "https://example.com/x",
            "#one",
            "#two-words-and-code",
            "README.md",
            "docs/../README.md#one",
            "crates",
        ] {
            assert_eq!(broken(&readme, good, &pages), None, "{good}");
        }
        for bad in ["#three", "missing.md", "README.md#One", "docs/README.md"] {
            assert!(broken(&readme, bad, &pages).is_some(), "{bad}");
        }
    }
}
