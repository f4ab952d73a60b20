//! Everything that must pass before a change lands.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader};
use std::process::Command;
use std::time::Instant;

struct Step {
    name: &'static str,
    cargo: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
}

const fn step(name: &'static str, cargo: &'static [&'static str]) -> Step {
    Step { name, cargo, variables: &[] }
}

/// The steps, in order: quick and strict ones first.
const STEPS: &[Step] = &[
    step("formatting", &["fmt", "--all", "--check"]),
    step("dependency rules", &["xtask", "deps"]),
    step("licences and forbidden crates", &["xtask", "deny"]),
    step("documents", &["xtask", "docs"]),
    step("unused dependencies", &["xtask", "unused"]),
    step(
        "lints",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    ),
    step("docs of each crate alone", &["xtask", "rustdoc"]),
    // The documentation of the command and of the facade have the same path, so they are never built at the same time, and the facade's is built last.
    Step {
        name: "docs of the command",
        cargo: &["doc", "--workspace", "--bin", "ccfs", "--no-deps", "--all-features", "--locked"],
        variables: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    Step {
        name: "docs",
        cargo: &["doc", "--workspace", "--no-deps", "--all-features", "--locked"],
        variables: &[("RUSTDOCFLAGS", "-D warnings")],
    },
    step("tests", &["test", "--workspace"]),
    step("the public API", &["xtask", "api"]),
    step("every combination of features", &["xtask", "features"]),
    step("packages", &["xtask", "package"]),
    step("the core alone", &["xtask", "wasm"]),
    step("examples", &["xtask", "examples"]),
    step("the Python package", &["xtask", "python"]),
    step("the fuzzers' corpora", &["xtask", "fuzz", "--replay"]),
    step("demo (README's first command to try)", &["run", "--release", "--", "demo"]),
];

/// How many of its last lines a failed step repeats: a log of CI may be cut above.
const REPEATED: usize = 30;

pub(crate) fn run() -> Result<(), String> {
    for Step { name, cargo, variables } in STEPS {
        let line = format!("cargo {}", cargo.join(" "));
        println!("== {name}: {line}");
        let started = Instant::now();
        let mut command = Command::new(env!("CARGO"));
        command.args(*cargo).envs(variables.iter().copied());
        let last = run_step(command).map_err(|error| format!("{line}: {error}"))?;
        if let Some(last) = last {
            return Err(format!("{name} failed: {line}\nIts last lines were:\n{last}"));
        }
        println!("== {name}: passed in {:.0} s", started.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Runs a command and prints what it prints. Returns its last lines if it failed.
fn run_step(mut command: Command) -> io::Result<Option<String>> {
    let (output, writer) = io::pipe()?;
    let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
    // Its copies of the writer would keep the pipe open.
    drop(command);
    let mut last = VecDeque::new();
    for line in BufReader::new(output).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        last.push_back(line);
        last.drain(..last.len().saturating_sub(REPEATED));
    }
    let is_failed = !child.wait()?.success();
    Ok(is_failed.then(|| Vec::from(last).join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_repeats_its_last_lines() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            run_step(command).unwrap()
        };
        assert_eq!(shell("echo a; exit 0"), None);
        assert_eq!(shell("echo a; echo b >&2; exit 1").as_deref(), Some("a\nb"));
        let many = shell("seq 100; exit 1").unwrap();
        assert_eq!((many.lines().count(), many.lines().next()), (REPEATED, Some("71")));
    }
}
