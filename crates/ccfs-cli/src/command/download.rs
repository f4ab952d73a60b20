//! `ccfs download`: one index file, verified and written atomically.

use std::fs::File;
use std::path::{Path, PathBuf};

use ccfs::archive::{Archive, Error};
use ccfs::{DownloadAgentSkillInfoFile, IndexFileName};
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::settings::Settings;
use crate::{backend, output};

#[derive(Args, Debug)]
pub(crate) struct DownloadArgs {
    /// Name of the file: yyyyMMdd_{responseId}.zip
    pub(crate) name: String,
    /// File to write, or folder to write it into
    #[arg(short, long, value_name = "FILE|DIR", default_value = ".")]
    pub(crate) output: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
    /// Accept every name that the published rule of the server allows
    #[arg(long)]
    pub(crate) lenient: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    file_name: &'a str,
    bytes: u64,
    path: &'a str,
}

pub(crate) fn run(settings: &Settings, args: &DownloadArgs) -> Result<(), Failure> {
    let name = file_name(args)?;
    let path = target(&args.output, name.as_str())?;
    let overwrite = output::overwrite(args.force);
    let receipt = backend::download(
        settings,
        DownloadAgentSkillInfoFile::new(name.clone()),
        &path,
        overwrite,
        check_archive,
    )?;
    if settings.json {
        return output::json(&Answer {
            file_name: name.as_str(),
            bytes: receipt.bytes,
            path: &path.to_string_lossy(),
        });
    }
    output::line(format_args!("{}  {} bytes", path.display(), receipt.bytes))
}

fn file_name(args: &DownloadArgs) -> Result<IndexFileName, Failure> {
    let parsed = if args.lenient { IndexFileName::lenient(&args.name) } else { args.name.parse() };
    parsed.map_err(|error| {
        let hint = if !args.lenient && IndexFileName::lenient(&args.name).is_ok() {
            "; the published rule of the server allows this name, and --lenient sends it unchanged"
        } else {
            ""
        };
        Failure::usage(format_args!("{error}{hint}"))
    })
}

/// Returns the file to write: the given path, or the index file's name in the given folder.
fn target(output: &Path, name: &str) -> Result<PathBuf, Failure> {
    if output.is_dir() { Ok(output.join(name)) } else { output::file(output) }
}

/// Reads every member to its end, which checks lengths and CRCs. The rows are not parsed.
fn check_archive(file: File) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    match Archive::open(file).and_then(|mut archive| archive.inspect()) {
        // Exceeding a limit is not damage; the reader of the file sets the limits.
        Ok(_) | Err(Error::Limit { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
