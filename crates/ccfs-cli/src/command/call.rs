//! `ccfs call`: every interface of CC-FS, by name.

use std::time::SystemTime;

use ccfs::Timestamp;
use ccfs::proto::AnyOperation;
use ccfs::proto::answer::{Expected, FileKind};
use ccfs::proto::operation::{
    CallError, FieldForm, INTERFACES, Interface, InterfaceField, Received,
};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, error};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::json_text::{Indented, OneLine};
use crate::reading::{read_secret, read_within};
use crate::settings::Settings;
use crate::{backend, output};

/// The interface to call, and the values of its fields. The flags are generated from the table of interfaces in `ccfs-proto`.
#[derive(Debug)]
pub(crate) struct CallArgs {
    interface: &'static Interface,
    /// Field names and their values.
    fields: Vec<(&'static InterfaceField, String)>,
    /// Of an interface that answers with a file.
    file: Option<FileArgs>,
}

// Not a doc comment, which would replace what the help says of the interface.
#[derive(Args, Debug)]
struct FileArgs {
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: String,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
}

impl CallArgs {
    fn command(interface: &'static Interface) -> Command {
        let mut command = Command::new(interface.name)
            .about(interface.about)
            .after_help(format!("Answers with {}.", interface.answer));
        for field in interface.fields {
            let (name, from_file) = flag(field);
            let form = if from_file {
                String::from("a file, - for stdin")
            } else {
                field.form.to_string()
            };
            command = command.arg(
                Arg::new(field.name)
                    .long(name)
                    .value_name(if from_file { "FILE" } else { "VALUE" })
                    .help(format!("{}: {form}", field.about))
                    .allow_hyphen_values(true)
                    .required(field.required && !is_clock(field)),
            );
        }
        if let Expected::File(_) = interface.expected {
            command = FileArgs::augment_args(command);
        }
        command
    }
}

/// Returns a field's flag, and whether its argument is a file with the value: for content and for secrets.
fn flag(field: &InterfaceField) -> (String, bool) {
    match field.form {
        FieldForm::Wav(_) => (field.name.to_owned(), true),
        _ if field.secret => (format!("{}-file", field.name), true),
        _ => (field.name.to_owned(), false),
    }
}

/// Returns whether a field's default is the current time.
fn is_clock(field: &InterfaceField) -> bool {
    matches!(field.form, FieldForm::UnixMillis)
}

impl Args for CallArgs {
    fn augment_args(command: Command) -> Command {
        let command = command
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommand_value_name("INTERFACE");
        command
            .subcommand_help_heading("Interfaces")
            .disable_help_subcommand(true)
            .subcommands(INTERFACES.iter().map(Self::command))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for CallArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(error::ErrorKind::MissingSubcommand);
        let (name, given) = matches.subcommand().ok_or_else(missing)?;
        let interface = Interface::named(name).ok_or_else(missing)?;
        let has_file = matches!(interface.expected, Expected::File(_));
        let text = |id: &str| given.try_get_one::<String>(id).ok().flatten().cloned();
        Ok(Self {
            interface,
            fields: interface
                .fields
                .iter()
                .filter_map(|field| Some((field, text(field.name)?)))
                .collect(),
            file: has_file.then(|| FileArgs::from_arg_matches(given)).transpose()?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// An envelope in `--json`.
#[derive(Serialize)]
struct Line {
    result_data: Option<Box<RawValue>>,
}

pub(crate) fn run(settings: &Settings, args: CallArgs) -> Result<(), Failure> {
    let path = args.file.as_ref().map(|file| output::file(file.output.as_ref())).transpose()?;
    let operation = operation(args.interface, args.fields)?;
    match path {
        None => {
            let Received::Envelope(envelope) = backend::call(settings, operation)? else {
                unreachable!("an interface that answers with a file has -o")
            };
            match envelope.data() {
                data if settings.json => {
                    let data =
                        data.map(|data| RawValue::from_string(OneLine(data.as_str()).to_string()));
                    output::json(&Line { result_data: data.transpose().map_err(Failure::data)? })
                }
                None => output::line("done"),
                Some(data) => output::line(Indented(data.as_str())),
            }
        }
        Some(path) => {
            let overwrite = output::overwrite(args.file.is_some_and(|file| file.force));
            let Some(download) = operation.into_download() else {
                unreachable!("only an interface that answers with a file has -o")
            };
            let receipt = backend::download(settings, download, &path, overwrite, |_| Ok(()))?;
            let kind = match receipt.kind {
                FileKind::Zip => "zip",
                FileKind::Wav => "wav",
                _ => "audio",
            };
            if settings.json {
                return output::json(
                    &json!({"kind": kind, "bytes": receipt.bytes, "path": path.to_string_lossy()}),
                );
            }
            output::line(format_args!("{}  {} bytes, {kind}", path.display(), receipt.bytes))
        }
    }
}

fn operation(
    interface: &'static Interface,
    given: Vec<(&'static InterfaceField, String)>,
) -> Result<AnyOperation, Failure> {
    let mut fields = Vec::new();
    let mut content = None;
    for (field, value) in given {
        match (field.form, flag(field)) {
            (FieldForm::Wav(limit), _) => {
                content = Some(read_within(value.as_ref(), "WAV file", limit as u64)?);
            }
            (_, (_, true)) => {
                let bytes = read_secret(value.as_ref(), "file")?;
                let text = std::str::from_utf8(&bytes)
                    .map_err(|_| Failure::usage(format_args!("{value} is not UTF-8")))?;
                fields
                    .push((field.name.to_owned(), text.trim_end_matches(['\r', '\n']).to_owned()));
            }
            _ => fields.push((field.name.to_owned(), value)),
        }
    }
    for clock in interface.fields.iter().filter(|field| is_clock(field)) {
        if !fields.iter().any(|(name, _)| name == clock.name) {
            fields.push((
                clock.name.to_owned(),
                Timestamp::from(SystemTime::now()).unix_millis().to_string(),
            ));
        }
    }
    let content = content.map(Into::into);
    let made = AnyOperation::from_fields(interface.name, fields, content);
    made.map_err(|error: CallError| Failure { code: "invalid_request", ..Failure::usage(error) })
}
