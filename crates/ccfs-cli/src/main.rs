//! The `ccfs` command: what it prints and how it ends. The work is done by the libraries.
#![forbid(unsafe_code)]
// Messages go through `message`, and results through `output`: both survive a full disk.
#![deny(clippy::print_stderr, clippy::print_stdout)]

mod args;
mod backend;
mod choice;
mod command;
mod days;
#[cfg(test)]
mod documents;
mod escape;
mod failure;
mod help;
mod input;
mod interrupt;
mod json_text;
mod message;
mod output;
mod progress;
mod reading;
mod settings;
mod table;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use serde_json::json;

use crate::args::{Cli, Command};
use crate::failure::{Failure, Kind};
use crate::settings::Settings;

fn main() -> ExitCode {
    let command = settings::without_empty_variables(Cli::command());
    let cli = match command.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        // clap's messages are for people; a script gets the error without the usage.
        Err(error)
            if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") =>
        {
            let text = error.to_string();
            let lines = text
                .lines()
                .map(str::trim)
                .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
            let message = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
            return end(&Failure::usage(message.trim_start_matches("error: ")), true);
        }
        Err(error) => {
            return match error.print() {
                // Help and version are results.
                Err(cannot) if !error.use_stderr() => end(&Failure::stdout(&cannot), false),
                _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1)),
            };
        }
    };
    let json = cli.settings.json;
    interrupt::install(json);
    let code = match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => end(&failure, json),
    };
    message::finish();
    code
}

fn end(failure: &Failure, json: bool) -> ExitCode {
    tell(failure, json);
    ExitCode::from(failure.kind.exit_code())
}

fn run(cli: Cli) -> Result<(), Failure> {
    message::install(&cli.messages)?;
    let settings = Settings::load(cli.settings)?;
    match cli.command {
        Command::Demo(args) => command::demo::run(&args),
        Command::Download(args) => command::download::run(&settings, &args),
        Command::Query(args) => command::query::run(&settings, args),
        Command::Call(args) => command::call::run(&settings, args),
        Command::Listen(args) => command::listen::run(&settings, &args),
        Command::Pull(args) => command::pull::run(&settings, &args),
        Command::Doctor(args) => command::doctor::run(&settings, &args),
        Command::Convert(args) => command::convert::run(&settings, &args),
        Command::Inspect(args) => command::inspect::run(&settings, &args),
        Command::Sign(args) => command::signature::sign(&settings, &args),
        Command::Verify(args) => command::signature::verify(&settings, &args),
        Command::Serve(args) => command::serve::run(&settings, &args),
        Command::Man(args) => command::man::run(Cli::command(), &args),
        Command::Completions { shell } => command::completions::run(shell),
    }
}

fn tell(failure: &Failure, as_json: bool) {
    if failure.kind == Kind::PipeClosed {
        return;
    }
    if let Some(code) = failure.result_code.as_ref().filter(|_| as_json) {
        let line = json!({"error": failure.code, "message": failure.message, "result_code": code});
        return message::plain(format_args!("{line}"));
    }
    message::end(as_json, failure.code, &failure.message);
    if let Some(hint) = failure.hint.filter(|_| !as_json) {
        message::error(format_args!("hint: {hint}"));
    }
}
