//! `ccfs completions`: scripts for shells, from the definition that `--help` is made from.

use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::Shell;

use crate::args::Cli;
use crate::failure::Failure;
use crate::output;

/// How the script completes the names of files.
const FILES: &str = "COMPREPLY=($(compgen -f \"${cur}\"))";
const WORDS: &str = "COMPREPLY=( $(compgen -W \"${opts}\" -- \"${cur}\") )";

pub(crate) fn run(shell: Shell) -> Result<(), Failure> {
    let mut command = with_hints(Cli::command());
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "ccfs", &mut script);
    let script = String::from_utf8_lossy(&script);
    let script = if shell == Shell::Bash { bash(&script, &command) } else { script.into_owned() };
    output::line(script.trim_end())
}

/// Marks the values that are not paths, so that shells do not complete file names there.
fn with_hints(command: Command) -> Command {
    let hint = |argument: Arg| match argument.get_value_hint() {
        ValueHint::Unknown if argument.get_action().takes_values() => {
            argument.value_hint(ValueHint::Other)
        }
        _ => argument,
    };
    command.mut_args(hint).mut_subcommands(with_hints)
}

/// Leaves file names to bash, which quotes them and appends a slash to folders, and completes them also as the first argument.
fn bash(script: &str, command: &Command) -> String {
    let has_files = |name: &str| {
        let found = command.find_subcommand(name);
        found.into_iter().flat_map(Command::get_positionals).any(is_path)
    };
    let mut in_command_with_files = false;
    let lines = script.lines().map(|line| {
        if let Some(label) = line.strip_suffix(')').filter(|line| line.starts_with("        ccfs"))
        {
            in_command_with_files = label.rsplit("__").next().is_some_and(has_files);
        }
        let line = line.replace(FILES, "COMPREPLY=()");
        if in_command_with_files && line.starts_with("            if [[") {
            line.replace(" || ${COMP_CWORD} -eq 2", "")
        } else if in_command_with_files && line == format!("            {WORDS}") {
            String::from("            COMPREPLY=()")
        } else {
            line
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn is_path(argument: &Arg) -> bool {
    matches!(
        argument.get_value_hint(),
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath
    )
}
