//! `ccfs man`: manual pages, from the definition that `--help` is made from.

use std::fs;
use std::io::Write;
use std::path::Path;

use ccfs::{Overwrite, WholeFile};
use clap::CommandFactory;
use clap_mangen::Man;

use crate::args::{Cli, ManArgs};
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(args: &ManArgs) -> Result<(), Failure> {
    // `help` only repeats what the pages say.
    let mut root = Cli::command().disable_help_subcommand(true);
    // What is global is a flag of every command, and every command gets its name.
    root.build();
    let Some(folder) = &args.out else {
        return output::line(page(&root)?.trim_end());
    };
    fs::create_dir_all(folder).map_err(|error| Failure::file(format_args!("{}: {error}", folder.display())))?;
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
    let mut file = WholeFile::create(folder.join(format!("{name}.1")), Overwrite::Replace).map_err(Failure::file)?;
    file.write_all(page.as_bytes()).map_err(Failure::file)?;
    file.commit(page.len() as u64).map(drop).map_err(Failure::file)
}
