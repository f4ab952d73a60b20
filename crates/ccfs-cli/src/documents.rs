//! Tests that the command accepts every `ccfs …` in the documents, in the examples and in the help itself.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};

use crate::args::Cli;

/// Every document and script, by its path.
fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for (folder, kind) in
        [("", "md"), ("docs", "md"), ("docs/decisions", "md"), ("tests/examples", "sh")]
    {
        for entry in fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == kind) {
                found.push((entry.path(), fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    found
}

/// The words of a shell command: without quotes, pipes and redirections.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, '|' | '<' | '>' | ')') => break,
            (None, _) if character.is_whitespace() => words.push(String::new()),
            _ => words.last_mut().unwrap().push(character),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The `ccfs` commands in a document, each joined to one line: in a span between backticks, or at the start of a line
/// in a block.
fn mentions(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let mut found = Vec::new();
    let mut in_block = false;
    for line in joined.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            found.push(line.trim_start_matches(['$', ' ']).to_owned());
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
            found.extend(line.split_once("$(").map(|(_, command)| command.to_owned()));
        }
    }
    found.retain(|mention| mention.starts_with("ccfs "));
    found
}

/// Why the command would not accept it: an unknown subcommand or flag.
fn refused(mention: &str) -> Option<String> {
    let words = words(mention);
    let mut root = Cli::command();
    // Adds `ccfs help` and `ccfs --version`.
    root.build();
    if let Some(flag) = words.get(1)?.strip_prefix('-') {
        let is_known = root.get_arguments().any(|argument| {
            flag.strip_prefix('-').is_some_and(|long| argument.get_long() == Some(long))
                || argument.get_short().is_some_and(|short| flag == short.to_string())
        });
        return (!is_known).then(|| format!("ccfs has no -{flag}"));
    }
    let mut command = root
        .find_subcommand(words.get(1)?)
        .map_or_else(|| Err(format!("there is no ccfs {}", words[1])), Ok);
    for word in words.iter().skip(2) {
        let Ok(found) = command else { break };
        if let Some(flag) = word.strip_prefix("--") {
            let flag = flag.split('=').next().unwrap_or_default();
            let known = found
                .get_arguments()
                .chain(root.get_arguments())
                .any(|argument| argument.get_long() == Some(flag));
            // The fields of an interface are flags, which are made when it is named.
            if !known
                && flag != "help"
                && !(words[1] == "call"
                    && ccfs::proto::operation::INTERFACES
                        .iter()
                        .any(|interface| interface.field(flag).is_some()))
            {
                command = Err(format!("ccfs {} has no --{flag}", words[1]));
            }
        }
    }
    command.err()
}

#[test]
fn documents_name_only_valid_commands() {
    let mut count = 0;
    for (path, text) in documents() {
        for mention in mentions(&text) {
            count += 1;
            assert_eq!(refused(&mention), None, "{}: {mention}", path.display());
        }
    }
    assert!(count > 12, "only {count} mentions were found");
}

#[test]
fn the_readme_lists_every_command() {
    let (_, readme) =
        documents().into_iter().find(|(path, _)| path.ends_with("README.md")).unwrap();
    for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
        assert!(
            readme.contains(&format!("\nccfs {} ", command.get_name())),
            "README.md does not list ccfs {}",
            command.get_name()
        );
    }
}

/// The examples in the help parse.
#[test]
fn the_examples_of_the_help_parse() {
    for command in Cli::command().get_subcommands() {
        let help = command
            .get_after_help()
            .unwrap_or_else(|| panic!("{} has no example", command.get_name()))
            .to_string();
        let examples = help.replace("\\\n", " ");
        let examples: Vec<&str> =
            examples.lines().map(str::trim).filter(|line| line.starts_with("ccfs ")).collect();
        assert!(!examples.is_empty(), "{} has no example", command.get_name());
        for example in examples {
            let parsed = Cli::try_parse_from(words(example));
            assert!(parsed.is_ok(), "{example}: {}", parsed.err().unwrap());
        }
    }
}

#[test]
fn a_planted_mistake_is_found() {
    for good in [
        "ccfs convert - --to csv < skills.zip",
        "ccfs call downloadRecord --callId 1",
        "ccfs demo      what it is for",
        "ccfs sign --json",
        "ccfs help sign",
        "ccfs --version",
        "ccfs -V",
    ] {
        assert_eq!(refused(good), None, "{good}");
    }
    for bad in [
        "ccfs fetch x",
        "ccfs --versions",
        "ccfs convert a --too csv",
        "ccfs call downloadRecord --callid 1",
        "ccfs demo --force",
    ] {
        assert!(refused(bad).is_some(), "{bad}");
    }
    assert_eq!(
        mentions("see `ccfs a b` and `x`\n```sh\n$ ccfs c \\\n  d\n# ccfs\n```\nccfs is\n"),
        ["ccfs a b", "ccfs c    d"]
    );
}
