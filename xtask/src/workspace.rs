//! What the chores ask of cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// `path` as it reads from the repository's root.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

pub(crate) fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", shown(path)))
}

/// Removes the variables that cargo sets for the programs that it runs. With them, cargo would build crates again whose build
/// scripts read them, such as ring.
pub(crate) fn without_cargo_variables(command: &mut Command) -> &mut Command {
    let set_by_cargo =
        |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(set_by_cargo) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs cargo at the root, and gives what it printed.
pub(crate) fn cargo(arguments: &[&str]) -> Result<String, String> {
    output(Command::new(env!("CARGO")).args(arguments).current_dir(root()))
}

/// Runs a command to its end, and gives what it printed to stdout.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let line = line(command);
    let output = command.output().map_err(|error| format!("{line} could not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("{line} failed:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| format!("{line} printed something that is not UTF-8"))
}

/// Runs a command that talks to the terminal itself.
pub(crate) fn done(command: &mut Command) -> Result<(), String> {
    let line = line(command);
    let status = command.status().map_err(|error| format!("{line} could not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{line} ended with {status}")) }
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default();
    let words: Vec<_> = std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    words.join(" ")
}

/// What `cargo metadata` says of the workspace and everything below it.
pub(crate) fn metadata() -> Result<Value, String> {
    let json = cargo(&["metadata", "--format-version", "1", "--locked"])?;
    serde_json::from_str(&json).map_err(|error| format!("cargo metadata is not JSON: {error}"))
}

/// A package of this workspace.
#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    pub(crate) name: &'a str,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// What `cargo metadata` says of it.
    pub(crate) json: &'a Value,
}

impl Member<'_> {
    /// Whether it can be published.
    pub(crate) fn is_published(&self) -> bool {
        !self.json["publish"].as_array().is_some_and(Vec::is_empty)
    }

    /// Whether it is a library that can be published.
    pub(crate) fn is_library(&self) -> bool {
        self.is_published() && self.targets("lib").next().is_some()
    }

    /// The sources of its targets of a kind: `lib`, `bin`, `example`, `test`.
    pub(crate) fn targets<'s>(
        &'s self,
        kind: &'s str,
    ) -> impl Iterator<Item = (&'s str, &'s Path)> {
        let targets = self.json["targets"].as_array().into_iter().flatten();
        let of_kind = targets.filter(move |target| list(&target["kind"]).any(|word| word == kind));
        of_kind.map(|target| (text(&target["name"]), Path::new(text(&target["src_path"]))))
    }
}

/// The packages of the workspace, in the order of their names.
pub(crate) fn members(metadata: &Value) -> Vec<Member<'_>> {
    let ids: Vec<&str> = list(&metadata["workspace_members"]).map(text).collect();
    let ours = list(&metadata["packages"]).filter(|package| ids.contains(&text(&package["id"])));
    let folder = |package: &Value| {
        Path::new(text(&package["manifest_path"])).parent().unwrap_or(root()).to_owned()
    };
    let mut members: Vec<_> =
        ours.map(|json| Member { name: text(&json["name"]), folder: folder(json), json }).collect();
    members.sort_by_key(|member| member.name);
    members
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Every file below `folder` whose name ends with `ending`, sorted; what is built or hidden is left out.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    open.push(path);
                }
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Fails with all that is wrong, or says what holds.
pub(crate) fn verdict(wrong: &[String], heading: &str, holds: &str) -> Result<(), String> {
    if wrong.is_empty() {
        println!("{holds}");
        return Ok(());
    }
    Err(format!("{heading}:\n  {}", wrong.join("\n  ")))
}
