//! `ccfs man`: manual pages, from the definition that `--help` is made from.

use std::io::Write;
use std::path::{Path, PathBuf};

use ccfs::{Overwrite, WholeFile};
use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::args::Cli;
use crate::failure::Failure;
use crate::output;

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Folder for the pages, ccfs.1 and one for each command; made where it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs) -> Result<(), Failure> {
    // `help` only repeats what the pages say.
    let mut root = Cli::command().disable_help_subcommand(true);
    // What is global is a flag of every command, and every command gets its name.
    root.build();
    let Some(folder) = &args.out else {
        return output::line(page(&root)?.trim_end());
    };
    output::folder(folder)?;
    write(folder, &root)?;
    for command in root.get_subcommands() {
        write(folder, command)?;
    }
    Ok(())
}

/// The page in roff, as `man` reads it.
fn page(command: &clap::Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).map_err(Failure::data)?;
    String::from_utf8(page).map_err(Failure::data)
}

fn write(folder: &Path, command: &clap::Command) -> Result<(), Failure> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let page = page(command)?;
    let mut file = WholeFile::create(folder.join(format!("{name}.1")), Overwrite::Replace)?;
    file.write_all(page.as_bytes()).map_err(Failure::file)?;
    file.commit(page.len() as u64)?;
    Ok(())
}
