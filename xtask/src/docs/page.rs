//! Parses the subset of Markdown that the documents here use: headings, links, Rust.

/// A document.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) headings: Vec<String>,
    /// The anchors of the headings, by GitHub's rule.
    pub(super) anchors: Vec<String>,
    pub(super) links: Vec<String>,
    pub(super) has_rust: bool,
}

impl Page {
    pub(super) fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut in_code = false;
        for line in text.lines() {
            if let Some(kind) = line.trim_start().strip_prefix("```") {
                in_code = !in_code;
                page.has_rust |= in_code && kind.split(',').next() == Some("rust");
            } else if !in_code {
                page.line(line);
            }
        }
        page
    }

    fn line(&mut self, line: &str) {
        let level = line.len() - line.trim_start_matches('#').len();
        if let Some(heading) = line[level..].strip_prefix(' ').filter(|_| (1..=6).contains(&level))
        {
            let anchor = anchor(heading);
            let same = self.anchors.iter().filter(|known| **known == anchor).count();
            self.anchors.push(if same == 0 { anchor } else { format!("{anchor}-{same}") });
            self.headings.push(heading.replace('`', ""));
        }
        // `[text](target)`, where the text may hold code.
        for (at, _) in without_code(line).match_indices("](") {
            if let Some((target, _)) = line[at + 2..].split_once(')') {
                self.links.push(target.to_owned());
            }
        }
    }
}

/// Blanks the code spans of the line, so that their content does not count as links.
fn without_code(line: &str) -> String {
    let mut in_code = false;
    let blanked = line.chars().flat_map(|character| {
        in_code ^= character == '`';
        std::iter::repeat_n(
            if in_code { ' ' } else { character },
            if in_code { character.len_utf8() } else { 1 },
        )
    });
    blanked.collect()
}

/// Lower case, dashes for spaces, no punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|character| character.is_alphanumeric() || [' ', '-', '_'].contains(character));
    kept.flat_map(char::to_lowercase)
        .map(|character| if character == ' ' { '-' } else { character })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_links_and_rust_are_found() {
        let page = Page::read(
            "# A `b`, c\n\n```sh\n# not one [x](y)\n```\n[`code`](target.md#x) é `[no](link)` [two](2)\n## A\n## A\n```rust,no_run\n```\n",
        );
        assert_eq!(page.headings, ["A b, c", "A", "A"]);
        assert_eq!(page.anchors, ["a-b-c", "a", "a-1"]);
        assert_eq!(page.links, ["target.md#x", "2"]);
        assert!(page.has_rust && !Page::read("```text\nrust\n```\n").has_rust);
    }
}
