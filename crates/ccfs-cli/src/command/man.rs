//! `ccfs man`: manual pages, from the definition that `--help` is made from.

use std::io::Write;
use std::path::{Path, PathBuf};

use ccfs::{Overwrite, WholeFile};
use clap::Args;
use clap_mangen::Man;

use crate::failure::Failure;
use crate::output;

const ROOT: &str = "ccfs";
const EXIT_STATUS: &str = "\
0    success
1    the server refused, or the data is bad
2    usage
3    network or TLS
4    authentication (401, 403)
130  interrupted
143  ended by SIGTERM";
const FILES: &str = "\
~/.config/ccfs/config.toml, or ccfs/config.toml in $XDG_CONFIG_HOME
     the configuration file; flags and environment variables take precedence";

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Folder for the pages, ccfs.1 and one for each command; created if it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// Writes the pages of `command`.
pub(crate) fn run(command: clap::Command, args: &ManArgs) -> Result<(), Failure> {
    // `help` only repeats what the pages say.
    let mut root = command.disable_help_subcommand(true);
    // Adds the global flags to every command, and sets every command's full name.
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
    let (man, mut page) = (Man::new(command.clone()), Vec::new());
    let made = man
        .render_title(&mut page)
        .and_then(|()| man.render_name_section(&mut page))
        .and_then(|()| man.render_synopsis_section(&mut page))
        .and_then(|()| man.render_description_section(&mut page))
        .and_then(|()| man.render_options_section(&mut page));
    made.map_err(Failure::data)?;
    if command.get_name() == ROOT {
        man.render_subcommands_section(&mut page).map_err(Failure::data)?;
    } else if command.has_subcommands() {
        // They have no separate pages; their help describes the flags.
        let listed = command.get_subcommands().map(|one| {
            format!("{}\n    {}", one.get_name(), one.get_about().cloned().unwrap_or_default())
        });
        section(&mut page, "INTERFACES", &listed.collect::<Vec<_>>().join("\n"));
    }
    let help = command.get_after_long_help().or_else(|| command.get_after_help());
    if let Some(help) = help.map(ToString::to_string) {
        let (notes, examples) = help.split_once("Example:\n").unwrap_or((&help, ""));
        // Paragraphs about `--json` have their own section.
        let (json, notes): (Vec<&str>, Vec<&str>) =
            notes.split("\n\n").partition(|paragraph| paragraph.starts_with("With "));
        section(&mut page, "JSON OUTPUT", &json.join("\n\n"));
        section(&mut page, "NOTES", &notes.join("\n\n"));
        section(&mut page, "EXAMPLES", examples);
    }
    section(&mut page, "EXIT STATUS", EXIT_STATUS);
    section(&mut page, "FILES", FILES);
    if command.get_name() != ROOT {
        page.extend_from_slice(b".SH \"SEE ALSO\"\nccfs(1)\n");
    }
    String::from_utf8(page).map_err(Failure::data)
}

/// A section whose lines stay as they are; none where there is nothing to say.
fn section(page: &mut Vec<u8>, heading: &str, text: &str) {
    if text.trim().is_empty() {
        return;
    }
    let lines = text.trim_end().lines().map(|line| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        // A dot or a quote would begin a request.
        if line.starts_with(['.', '\'']) { format!("\\&{line}\n") } else { format!("{line}\n") }
    });
    page.extend_from_slice(
        format!(".SH \"{heading}\"\n.nf\n{}.fi\n", lines.collect::<String>()).as_bytes(),
    );
}

fn write(folder: &Path, command: &clap::Command) -> Result<(), Failure> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let page = page(command)?;
    let mut file = WholeFile::create(folder.join(format!("{name}.1")), Overwrite::Replace)?;
    file.write_all(page.as_bytes()).map_err(Failure::file)?;
    file.commit(page.len() as u64)?;
    Ok(())
}
