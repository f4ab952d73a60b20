//! Runs every example of the workspace and compares its output with the output in its head.
//!
//! The head of an example says how to run it (`cargo run -p … --example …`, with arguments after `--`) and, in a `text` block,
//! what it prints, where `…` matches anything within a line and a line of `…` alone matches any lines. New examples are found automatically.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use regex::Regex;
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::workspace::{add_to_path, metadata, root, shell};

pub(crate) fn run() -> Result<()> {
    let sh = shell()?;
    let metadata = metadata()?;
    cmd!(sh, "cargo build --quiet --locked --workspace --examples --bin ccfs").run()?;
    let programs = metadata.target_directory.join("debug");
    let scratch = metadata.target_directory.join("examples-scratch");
    sh.create_dir(&scratch)?;
    sh.change_dir(&scratch);
    let mut examples = Vec::new();
    for package in metadata.workspace_packages() {
        for target in package.targets.iter().filter(|target| target.is_example()) {
            let head = head(&sh.read_file(&target.src_path)?, &package.name, &target.name);
            examples.push((&target.name, head.context(target.src_path.clone())?));
        }
    }
    // Examples with an argument read the output of others.
    examples.sort_by_key(|(name, (arguments, _))| (!arguments.is_empty(), *name));
    for (name, (arguments, prints)) in &examples {
        let printed = sh
            .cmd(programs.join("examples").join(name))
            .args(arguments.split_whitespace())
            .read()?;
        compare(prints, &printed).with_context(|| format!("example {name}"))?;
    }
    serve(&sh, programs.as_std_path())?;
    println!("{} examples and the scripts print what they say", examples.len());
    Ok(())
}

/// The arguments of an example and what it prints, by its head.
fn head(source: &str, package: &str, name: &str) -> Result<(String, String)> {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let lines = lines.collect::<Vec<_>>().join("\n");
    let command = format!("`cargo run -p {package} --example {name}(| -- [^`]*)`");
    let head = Regex::new(&format!("(?s){command}.*?```text\n(.*?)\n```"))?;
    let found = head.captures(&lines).context(
        "its head does not say its command and then, in a ```text block, what it prints",
    )?;
    Ok((found[1].trim_start_matches(" -- ").to_owned(), found[2].to_owned()))
}

fn compare(expected: &str, printed: &str) -> Result<()> {
    let pattern = |line| match line {
        "…" => "(.*\n)*".to_owned(),
        line => regex::escape(line).replace('…', ".*") + "\n",
    };
    let lines: String = expected.lines().map(pattern).collect();
    let fits = Regex::new(&format!(r"\A{lines}\z"))?.is_match(&format!("{printed}\n"));
    ensure!(fits, "it says that it prints\n{expected}\nand prints\n{printed}");
    Ok(())
}

/// Runs the shell scripts against `ccfs serve`.
fn serve(sh: &Shell, programs: &Path) -> Result<()> {
    add_to_path(sh, programs)?;
    sh.set_var("CCFS_CA", "ca.pem");
    if cmd!(sh, "curl --version").quiet().output().is_err() {
        println!("the scripts are not run: there is no curl here");
        return Ok(());
    }
    let program = programs.join("ccfs");
    let mut serve = Command::from(cmd!(sh, "{program} serve --json --ca-out ca.pem"));
    serve.env("XDG_CONFIG_HOME", sh.current_dir());
    let mut server = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let done = server.stdout.take().context("ccfs serve").and_then(|stdout| scripts(sh, stdout));
    server.kill()?;
    server.wait()?;
    done
}

fn scripts(sh: &Shell, server: ChildStdout) -> Result<()> {
    let mut line = String::new();
    BufReader::new(server).read_line(&mut line)?;
    let ready: Value = serde_json::from_str(&line).context("ccfs serve is not ready")?;
    for (variable, field) in [
        ("CCFS_ENDPOINT", "endpoint"),
        ("CCFS_ACCESS_KEY", "access_key"),
        ("CCFS_SECRET_KEY", "secret_key"),
    ] {
        sh.set_var(variable, ready[field].as_str().unwrap_or_default());
    }
    for script in sh.read_dir(root().join("tests/examples"))? {
        if script.extension().is_some_and(|kind| kind == "sh") {
            let source = sh.read_file(&script)?;
            let block = source.lines().skip_while(|line| *line != "# It prints:").skip(2);
            let prints: Vec<_> = block.map_while(|line| line.strip_prefix("#   ")).collect();
            let printed = cmd!(sh, "sh {script}").read()?;
            compare(&prints.join("\n"), &printed).with_context(|| script.display().to_string())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_example_has_its_command_and_its_output() {
        let source = "//! Does it.\n//!\n//! Run it with `cargo run -p a --example b -- x y`. It prints:\n//!\n//! ```text\n//! one …\n//!\n//! two\n//! ```\n//! More.\nfn main() {}\n";
        let read = head(source, "a", "b").unwrap();
        assert_eq!(read, ("x y".to_owned(), "one …\n\ntwo".to_owned()));
        assert!(head(source, "a", "c").is_err(), "another name");
        assert!(head(&source.replace("```text", "```"), "a", "b").is_err(), "no block");
    }

    #[test]
    fn dots_match_anything_in_a_line_or_any_lines() {
        for (expected, printed) in [
            ("a … c", "a b c"),
            ("a…b…c", "a-b-b-c"),
            ("a\nb", "a\nb"),
            ("a\n…\nc", "a\nb\nb\nc"),
            ("a\n…\nc", "a\nc"),
        ] {
            assert!(compare(expected, printed).is_ok(), "{expected} {printed}");
        }
        for (expected, printed) in [
            ("a … c", "a b d"),
            ("plain", "plainer"),
            ("a…c", "a\nc"),
            ("a\nb", "a"),
            ("a", "a\nb"),
            ("a\n…\nc", "a\nb"),
        ] {
            assert!(compare(expected, printed).is_err(), "{expected} {printed}");
        }
    }
}
