//! Checks the documents: links work, references from the code exist, and Rust examples are compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use regex::Regex;
use walkdir::{DirEntry, WalkDir};

use crate::workspace::{metadata, published, root, shell, verdict};

/// The page that is the module `ccfs_proto::protocol`. rustdoc does not check links into it.
const PROTOCOL: &str = "crates/ccfs-proto/docs/protocol.md";
/// The picture of README.md.
const DATA_FLOW: &str = "docs/pictures/data-flow.svg";

pub(crate) fn run() -> Result<()> {
    let sh = shell()?;
    let root = root().canonicalize()?;
    let mut pages = BTreeMap::new();
    for path in files(&root, "md") {
        pages.insert(path.clone(), Page::read(&sh.read_file(&path)?));
    }
    // Doc tests are run where a document is included; see tests/src/lib.rs.
    let included = sh.read_file("tests/src/lib.rs")?;
    let mut wrong = Vec::new();
    for (path, page) in &pages {
        let broken = page.links.iter().filter(|link| !leads_somewhere(path, link, &pages));
        wrong.extend(broken.map(|link| format!("{}: the link {link} is broken", path.display())));
        let name = path.strip_prefix(&root)?.display();
        if page.has_rust && !included.contains(&format!("../../{name}\"")) {
            wrong.push(format!("{name}: its Rust is not compiled; include it in tests/src/lib.rs"));
        }
    }
    let readme = root.join("README.md");
    for folder in ["crates", "tests", "xtask/src", "fuzz"] {
        for path in files(&root.join(folder), "rs") {
            let cited = citations(&sh.read_file(&path)?)?.into_iter();
            let broken = cited.filter(|link| !leads_somewhere(&readme, link, &pages));
            wrong.extend(broken.map(|link| format!("{}: {link} is not there", path.display())));
        }
    }
    let metadata = metadata()?;
    for package in published(&metadata) {
        let readme = package.manifest_path.with_file_name("README.md").canonicalize()?;
        let links = pages.get(&readme).map_or(&[][..], |page| &page.links);
        let relative = links.iter().filter(|link| !link.contains("://"));
        wrong.extend(relative.map(|link| {
            format!("{}: the link {link} works only in the repository", readme.display())
        }));
    }
    let picture = sh.read_file(DATA_FLOW)?;
    let members: Vec<&str> =
        metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    let drawn = Regex::new("ccfs-[a-z]+")?;
    let unknown = drawn.find_iter(&picture).filter(|name| !members.contains(&name.as_str()));
    wrong.extend(unknown.map(|name| format!("{DATA_FLOW}: there is no crate {}", name.as_str())));
    verdict(&wrong, "documents are wrong", &format!("{} documents are right", pages.len()))
}

/// The files below `folder` with an extension; what is built or hidden is left out.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let is_source = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        name != "target" && !name.starts_with('.')
    };
    let entries = WalkDir::new(folder).min_depth(1).sort_by_file_name().into_iter();
    let paths = entries.filter_entry(is_source).flatten().map(DirEntry::into_path);
    paths.filter(|path| path.extension().is_some_and(|kind| kind == extension)).collect()
}

fn leads_somewhere(from: &Path, link: &str, pages: &BTreeMap<PathBuf, Page>) -> bool {
    if link.contains("://") || link.starts_with("mailto:") {
        return true;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() { from.to_owned() } else { from.with_file_name(file) };
    let Ok(target) = target.canonicalize() else { return false };
    let page = pages.get(&target);
    anchor.is_empty() || page.is_some_and(|page| page.anchors.contains(anchor))
}

/// Links from the root to the documents that a source names between backticks, each with the heading that follows in quotes after a
/// comma, and to the anchors of the protocol page that the source links to.
fn citations(source: &str) -> Result<Vec<String>> {
    // A reference may continue on the next line of a comment.
    let text = Regex::new(r"\n\s*//[/!]?\s*")?.replace_all(source, " ");
    let citation = Regex::new(r#"`(docs/[^`]*\.md)`(?:, "([^"]*)")?"#)?;
    let link = Regex::new(r"\]\([^)#]*(?:::protocol|/protocol/)#([^)]*)\)")?;
    let documents = citation.captures_iter(&text).map(|found| {
        let heading = found.get(2).map_or("", |heading| heading.as_str());
        format!("{}#{}", &found[1], anchor(heading))
    });
    let links = link.captures_iter(&text).map(|found| format!("{PROTOCOL}#{}", &found[1]));
    Ok(documents.chain(links).collect())
}

/// The anchor of a heading, by GitHub's rule: in lower case, with dashes for spaces and without punctuation.
fn anchor(heading: &str) -> String {
    let is_kept = |character: &char| character.is_alphanumeric() || " -_".contains(*character);
    let kept: String = heading.chars().filter(is_kept).collect();
    kept.to_lowercase().replace(' ', "-")
}

/// A document.
#[derive(Debug, Default)]
struct Page {
    /// Links to a heading that occurs twice are ambiguous, so it has no second anchor.
    anchors: BTreeSet<String>,
    links: Vec<String>,
    has_rust: bool,
}

impl Page {
    fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut heading = String::new();
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { .. }) => heading.clear(),
                Event::Text(text) | Event::Code(text) => heading += &text,
                Event::End(TagEnd::Heading(_)) => {
                    page.anchors.insert(anchor(&heading));
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(kind))) => {
                    page.has_rust |= kind.split(',').next() == Some("rust");
                }
                _ => {}
            }
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_over_line_ends() {
        let source = "/// See 'docs/a.md', \"One thing\".\n    //! and 'docs/a.md',\n    //! \"Other\", 'docs/b.md' has it\n'docs/x.txt' [A]>crate::protocol#a-b) [B]>https://docs.rs/x/protocol/#c) [C]>other#d)";
        // Written like this, the source of this test cites nothing.
        let found = citations(&source.replace('\'', "`").replace('>', "(")).unwrap();
        assert_eq!(found[..3], ["docs/a.md#one-thing", "docs/a.md#other", "docs/b.md#"]);
        assert_eq!(found[3..], ["a-b", "c"].map(|anchor| format!("{PROTOCOL}#{anchor}")));
    }

    #[test]
    fn headings_links_and_rust_are_found() {
        let page = Page::read(
            "# A `b`, c\n\n```sh\n# not one [x](y)\n```\n[`code`](target.md#x) é `[no](link)` [two](2)\n## A\n## A\n```rust,no_run\n```\n",
        );
        assert_eq!(page.anchors, BTreeSet::from(["a".to_owned(), "a-b-c".to_owned()]));
        assert_eq!(page.links, ["target.md#x", "2"]);
        assert!(page.has_rust && !Page::read("```text\nrust\n```\n").has_rust);
    }

    #[test]
    fn planted_links_are_found() {
        let root = root().canonicalize().unwrap();
        let readme = root.join("README.md");
        let pages = BTreeMap::from([(readme.clone(), Page::read("# One\n\n## Two words\n"))]);
        for good in ["https://example.com/x", "#two-words", "docs/../README.md#one", "crates"] {
            assert!(leads_somewhere(&readme, good, &pages), "{good}");
        }
        for bad in ["#three", "missing.md", "README.md#One", "docs/README.md"] {
            assert!(!leads_somewhere(&readme, bad, &pages), "{bad}");
        }
    }
}
