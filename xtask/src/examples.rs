//! Runs every example of the workspace and compares its output with the output in its head.
//!
//! The head of an example says how to run it (`cargo run -p … --example …`, with arguments after `--`) and, in a `text` block,
//! what it prints, where `…` matches anything within a line and a line of `…` alone matches any lines. New examples are found automatically.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::workspace::{self, members, metadata, output, root, shown, text};

pub(crate) fn run() -> Result<(), String> {
    let metadata = metadata()?;
    let scratch = PathBuf::from(text(&metadata["target_directory"])).join("examples-scratch");
    fs::create_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    let programs = build()?;
    let mut examples = Vec::new();
    for member in members(&metadata) {
        for (name, source) in member.targets("example") {
            let told = Told::read(&workspace::read(source)?, member.name, name)
                .map_err(|error| format!("{}: {error}", shown(source)))?;
            examples.push((member.name.to_owned(), name.to_owned(), told));
        }
    }
    // Examples with an argument read the output of others.
    examples.sort_by_key(|(package, name, told)| {
        (!told.arguments.is_empty(), package.clone(), name.clone())
    });
    for (package, name, told) in &examples {
        let program = programs
            .get(&(package.clone(), name.clone()))
            .ok_or_else(|| format!("cargo built no example {name} of {package}"))?;
        let printed = output(Command::new(program).args(&told.arguments).current_dir(&scratch))?;
        compare(&told.prints, &printed)
            .map_err(|error| format!("example {name} of {package}: {error}"))?;
        println!("{package}: {name} prints what it says");
    }
    let command = programs.get(&("ccfs-cli".into(), "ccfs".into())).ok_or("cargo built no ccfs")?;
    scripts(command, &scratch)
}

/// Builds all examples and the command, and returns the paths of the programs.
fn build() -> Result<BTreeMap<(String, String), PathBuf>, String> {
    let told = workspace::cargo(&[
        "build",
        "--workspace",
        "--examples",
        "--bin",
        "ccfs",
        "--message-format",
        "json-render-diagnostics",
    ])?;
    let artifacts = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let programs = artifacts.filter_map(|artifact| {
        let program = artifact["executable"].as_str()?;
        // The folder's name is the package's, but for `tests`.
        let folder = Path::new(text(&artifact["manifest_path"])).parent()?.file_name()?.to_str()?;
        let package = if folder == "tests" { "ccfs-tests" } else { folder };
        Some((
            (package.to_owned(), text(&artifact["target"]["name"]).to_owned()),
            PathBuf::from(program),
        ))
    });
    Ok(programs.collect())
}

/// The head of an example.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    arguments: Vec<String>,
    prints: Vec<String>,
}

impl Told {
    fn read(source: &str, package: &str, name: &str) -> Result<Self, String> {
        let top: Vec<&str> = source.lines().map_while(|line| line.strip_prefix("//!")).collect();
        let command = format!("`cargo run -p {package} --example {name}");
        let line = top
            .iter()
            .find_map(|line| line.split_once(&command))
            .ok_or_else(|| format!("its top does not say {command}`"))?
            .1;
        let rest = line.split_once('`').ok_or("the command has no end")?.0;
        let arguments = rest.split_once("-- ").map_or("", |(_, arguments)| arguments);
        let block = top
            .iter()
            .skip_while(|line| line.trim() != "```text")
            .skip(1)
            .take_while(|line| line.trim() != "```");
        let prints: Vec<String> =
            block.map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned()).collect();
        if prints.is_empty() {
            return Err("its top does not say, in a ```text block, what it prints".into());
        }
        Ok(Self { arguments: arguments.split_whitespace().map(str::to_owned).collect(), prints })
    }
}

fn compare(expected: &[String], printed: &str) -> Result<(), String> {
    let lines: Vec<&str> = printed.lines().collect();
    if all_fit(expected, &lines) {
        return Ok(());
    }
    let begin: Vec<&str> = lines.into_iter().take(20).collect();
    Err(format!(
        "it says that it prints\n  {}\nand prints (the first 20 lines)\n  {}",
        expected.join("\n  "),
        begin.join("\n  ")
    ))
}

/// Returns whether the lines match the expected ones, where a line of `…` matches any lines.
fn all_fit(expected: &[String], lines: &[&str]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "…" => {
            (0..=lines.len()).any(|passed| all_fit(rest, &lines[passed..]))
        }
        Some((first, rest)) => {
            lines.split_first().is_some_and(|(line, more)| fits(first, line) && all_fit(rest, more))
        }
    }
}

/// Returns whether `line` matches `pattern`, in which `…` matches anything.
fn fits(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

/// Runs the shell scripts against `ccfs serve`.
fn scripts(command: &Path, scratch: &Path) -> Result<(), String> {
    let scripts = workspace::files(&root().join("tests/examples"), ".sh");
    for script in scripts {
        if Command::new("curl").arg("--version").output().is_err() {
            println!("{} is not run: there is no curl here", shown(&script));
            continue;
        }
        let server = Server::start(command, scratch)?;
        let folder = command.parent().unwrap_or(Path::new("."));
        let path = std::env::join_paths(
            [folder.to_owned()]
                .into_iter()
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        );
        let mut shell = Command::new("sh");
        shell
            .arg(&script)
            .current_dir(scratch)
            .env("PATH", path.map_err(|error| error.to_string())?)
            .env("CCFS_CA", "ca.pem");
        for (variable, field) in [
            ("CCFS_ENDPOINT", "endpoint"),
            ("CCFS_ACCESS_KEY", "access_key"),
            ("CCFS_SECRET_KEY", "secret_key"),
        ] {
            shell.env(variable, text(&server.ready[field]));
        }
        let source = workspace::read(&script)?;
        let block = source.lines().skip_while(|line| *line != "# It prints:").skip(2);
        let prints: Vec<String> =
            block.map_while(|line| line.strip_prefix("#   ")).map(str::to_owned).collect();
        if prints.is_empty() {
            return Err(format!("{}: its top does not say what it prints", shown(&script)));
        }
        compare(&prints, &output(&mut shell)?)
            .map_err(|error| format!("{}: {error}", shown(&script)))?;
        println!("{} prints what it says", shown(&script));
    }
    Ok(())
}

/// A running `ccfs serve`; dropping it stops the process.
struct Server {
    process: Child,
    ready: Value,
}

impl Server {
    fn start(command: &Path, scratch: &Path) -> Result<Self, String> {
        let arguments = ["serve", "--json", "--ca-out", "ca.pem"];
        let mut serve = Command::new(command);
        serve
            .args(arguments)
            .current_dir(scratch)
            .env("XDG_CONFIG_HOME", scratch)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let process =
            serve.spawn().map_err(|error| format!("ccfs serve could not start: {error}"))?;
        let mut server = Self { process, ready: Value::Null };
        let mut line = String::new();
        if let Some(stdout) = server.process.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(|error| format!("ccfs serve: {error}"))?;
        }
        server.ready =
            serde_json::from_str(&line).map_err(|_| format!("ccfs serve is not ready: {line}"))?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_head_of_an_example_has_its_command_and_its_output() {
        let source = "//! Does it.\n//!\n//! Run it with `cargo run -p a --example b -- x y`. It prints:\n//!\n//! ```text\n//! one …\n//!\n//! two\n//! ```\n//! More.\nfn main() {}\n";
        let told = Told::read(source, "a", "b").unwrap();
        assert_eq!(told, Told { arguments: lines("x\ny"), prints: lines("one …\n\ntwo") });
        assert!(Told::read(source, "a", "c").is_err(), "another name");
        assert!(Told::read(&source.replace("```text", "```"), "a", "b").is_err(), "no block");
    }

    #[test]
    fn dots_match_anything_in_a_line() {
        for (pattern, line) in [
            ("a … c", "a b c"),
            ("…", ""),
            ("… bytes", "12 bytes"),
            ("a…b…c", "a-b-b-c"),
            ("plain", "plain"),
        ] {
            assert!(fits(pattern, line), "{pattern} {line}");
        }
        for (pattern, line) in [
            ("a … c", "a b d"),
            ("plain", "plainer"),
            ("a…b…c", "a-c"),
            ("…_….zip", "x.zip"),
            ("ab…", "a"),
        ] {
            assert!(!fits(pattern, line), "{pattern} {line}");
        }
    }

    #[test]
    fn every_line_counts() {
        assert_eq!(compare(&lines("a\nb"), "a\nb\n"), Ok(()));
        assert_eq!(compare(&lines("a\n…\nc"), "a\nb\nb\nc\n"), Ok(()));
        assert_eq!(compare(&lines("a\n…\nc"), "a\nc\n"), Ok(()));
        assert_eq!(compare(&lines("…\nb\n…\nd"), "a\nb\nc\nd\n"), Ok(()));
        for (expected, printed) in
            [("a\nb", "a\n"), ("a", "a\nb\n"), ("a\n…\nc", "a\nb\n"), ("a\nb", "b\na\n")]
        {
            assert!(compare(&lines(expected), printed).is_err(), "{expected:?} {printed:?}");
        }
    }
}
