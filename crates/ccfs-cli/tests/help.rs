//! Manual pages, completions and the version.

use std::fs;
use std::process::Command;

use crate::support::{Ccfs, QUERY};
use ccfs_emulator::Emulator;
use serde_json::Value;

const NAME: &str = "20230406_9239cb50a8384bb0ab503441bf089446.zip";

/// The section of a manual page, as plain text.
fn section(page: &str, heading: &str) -> String {
    let begin = page.find(&format!(".SH \"{heading}\"\n")).expect("the page has the section");
    page[begin + 4..].split("\n.SH ").next().unwrap().replace("\\-", "-")
}

/// Each field that a command prints with `--json` is in its manual page.
#[test]
fn manual_pages_document_the_fields_of_json() {
    let emulator = Emulator::builder().rows(20).start().unwrap();
    // That of the emulator, so that names of files have its date.
    let ccfs = Ccfs::against(&emulator).env("CCFS_TZ", "Asia/Shanghai");
    ccfs.run(&["man", "--out", "man1"]).ends_with_code(0);
    let page = |command: &str| fs::read_to_string(ccfs.path(&format!("man1/{command}.1"))).unwrap();
    let documented = |command: &str, lines: &str| {
        let section = section(&page(&format!("ccfs-{command}")), "JSON OUTPUT");
        let words: Vec<&str> =
            section.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        for line in lines.lines() {
            let Value::Object(fields) = serde_json::from_str(line).unwrap() else {
                panic!("{command}: {line}")
            };
            let nested = fields.get("summary").and_then(Value::as_object).into_iter().flatten();
            for (field, _) in fields.iter().chain(nested) {
                assert!(words.contains(&field.as_str()), "ccfs-{command}: {field} is missing");
            }
        }
        assert!(!lines.is_empty(), "{command} printed nothing");
    };
    let run = |command: &str, arguments: &[&str]| {
        let run = ccfs.run(&[&[command, "--json"], arguments].concat());
        run.ends_with_code(0);
        documented(command, &run.stdout);
        run.stdout
    };
    let answer: Value = serde_json::from_str(&run("query", &QUERY)).unwrap();
    let name = answer["file_name"].as_str().unwrap();
    run("download", &[name]);
    run(
        "call",
        &["downloadAgentSkillInfoFile", "--agentSkillInfoFileName", name, "-o", "again.zip"],
    );
    run("doctor", &[]);
    let pull = ["--from", "-4d", "--out", "out", "--convert", "parquet,jsonl"];
    run("pull", &pull);
    run("inspect", &[name, "out/agent_skill_info"]);
    let request = ["--path", "/a", "--header", "host: a"];
    let signed = run("sign", &[&request[..], &["--explain"]].concat());
    let signed: Value = serde_json::from_str(&signed).unwrap();
    let value = signed["authorization"].as_str().unwrap();
    run("verify", &[&request[..], &["--authorization", value]].concat());
    let mut server = ccfs.start(&["serve", "--json"]);
    documented("serve", &server.line());

    // Every page has the section.
    let failure = ccfs.run(&["--json", "download", NAME]);
    let fields: Value = serde_json::from_str(&failure.stderr).unwrap();
    for field in fields.as_object().unwrap().keys() {
        assert!(
            section(&page("ccfs"), "JSON OUTPUT").contains(&format!("\n  {field} ")),
            "{field}"
        );
    }
    for file in ccfs.files("man1") {
        section(&page(file.trim_end_matches(".1")), "JSON OUTPUT");
    }
}

/// bash completes commands, flags, and the names of files and folders.
#[test]
fn bash_completes_file_names() {
    let ccfs = Ccfs::new();
    for name in ["skills one.zip", "skills-two.zip"] {
        fs::write(ccfs.path(name), "").unwrap();
    }
    fs::create_dir(ccfs.path("folder")).unwrap();
    fs::write(ccfs.path("script"), ccfs.run(&["completions", "bash"]).stdout).unwrap();
    let complete = |words: &[&str]| {
        // As bash calls the function, and what it then does itself by `complete -o default`.
        let script = r#"
            source ./script
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _ccfs ccfs "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
            printf '%s\n' "${COMPREPLY[@]}"
        "#;
        let arguments = [&["--norc", "-c", script, "bash", "ccfs"], words].concat();
        let output = ccfs.program("bash", &arguments).output();
        output.map(|output| {
            let mut found: Vec<String> =
                String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
            found.sort();
            found
        })
    };
    if Command::new("bash").arg("--version").output().is_err() {
        ccfs_tests::skipped("bash");
        return;
    }
    assert_eq!(complete(&["dow"]).unwrap(), ["download"]);
    let both = ["skills one.zip", "skills-two.zip"];
    assert_eq!(complete(&["convert", "ski"]).unwrap(), both);
    assert_eq!(complete(&["inspect", "skills one.zip", "ski"]).unwrap(), both);
    assert_eq!(complete(&["convert", "--output", "ski"]).unwrap(), both);
    assert_eq!(complete(&["convert", "-o", "ski"]).unwrap(), both);
    assert_eq!(complete(&["--config", "ski"]).unwrap(), both);
    for (words, file) in [
        (&["convert", ""][..], "skills one.zip"),
        (&["inspect", ""], "folder"),
        (&["convert", "-o", ""], "skills-two.zip"),
    ] {
        let found = complete(words).unwrap();
        assert!(found.iter().any(|name| name == file), "{words:?}: {found:?}");
        assert!(!found.iter().any(|name| name.starts_with('[')), "{words:?}: {found:?}");
    }
    assert!(complete(&["convert", "--rej"]).unwrap().contains(&"--rejects".to_owned()));
}

#[test]
fn the_version_has_the_commit_and_the_target() {
    let ccfs = Ccfs::new();
    let number = env!("CARGO_PKG_VERSION");
    assert_eq!(ccfs.run(&["-V"]).stdout, format!("ccfs {number}\n"));
    let long = ccfs.run(&["--version"]).stdout;
    let (commit, target) = long
        .strip_prefix(&format!("ccfs {number} ("))
        .and_then(|rest| rest.strip_suffix(")\n")?.split_once(", "))
        .expect("version, commit and target");
    let is_commit = commit.len() == 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_commit || commit == "unknown commit", "{long}");
    assert!(target.contains(std::env::consts::ARCH), "{long}");
}
