//! The arguments of a pull.

use std::path::PathBuf;
use std::time::Duration;

use ccfs::archive::{Charset, IndexKind, OnBadRow};
use ccfs::pull::{Format, Zone};
use clap::{Args, ValueEnum};

use crate::command::listen::ReceiverArgs;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::{choice, days};

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct PullArgs {
    /// First day: 2023-04-01, today, yesterday, or -7d (7 days before today), in the time zone of the call center
    #[arg(long, value_name = "DAY", allow_hyphen_values = true, required_unless_present_any = ["verify", "forget"])]
    pub(crate) from: Option<String>,
    /// Last day, inclusive
    #[arg(long, value_name = "DAY", allow_hyphen_values = true, default_value = "yesterday")]
    pub(crate) to: String,
    /// Folder for the files and the journal, created if it is missing; or `s3://BUCKET/PREFIX`, a bucket of an S3 store, with the credentials that AWS tools use
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) out: PathBuf,
    /// With a bucket: folder for the journal, and for each file until it is in the bucket [default: ~/.local/state/ccfs/BUCKET/PREFIX]
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// How to detect that a file is ready: poll for it, or wait for the server's callback
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Wait::Poll)]
    pub(crate) wait: Wait,
    #[command(flatten)]
    pub(crate) receiver: ReceiverArgs,
    /// URL that the server calls when a file is ready; must lead to --bind and --path [default with --wait poll: an unused address]
    #[arg(long, value_name = "URL", required_if_eq("wait", "callback"))]
    pub(crate) callback: Option<String>,
    /// Convert the files to this format, or to several separated by commas; may change between runs. With parquet, analysis tools read the files as one table
    #[arg(long, value_parser = choice::format(), value_name = "FORMAT", value_delimiter = ',')]
    pub(crate) convert: Vec<Format>,
    /// Remove each ZIP after its conversion, unless it has data that the converted file does not have
    #[arg(long, requires = "convert")]
    pub(crate) no_zip: bool,
    /// What to do with a bad row during a conversion
    #[arg(long, value_parser = choice::on_bad_row(), value_name = "ACTION", default_value = "stop")]
    pub(crate) on_bad_row: OnBadRow,
    /// Charset of the data [default: detected for each file]
    #[arg(long, value_parser = choice::charset())]
    pub(crate) charset: Option<Charset>,
    /// Kind of index file to pull
    #[arg(long, value_parser = choice::kind(), default_value_t = IndexKind::AgentSkillInfo)]
    pub(crate) kind: IndexKind,
    /// Pull only the data of this tenant space
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// Number of concurrent windows
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) in_flight: u8,
    /// Days in a window, at most as many as the server accepts [default: 1 with --convert parquet, otherwise 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=31))]
    pub(crate) window_days: Option<u8>,
    /// Request a window again if it ended less than N days before its last download, to get data that arrived late
    #[arg(long, value_name = "Nd", value_parser = days::number_of_days)]
    pub(crate) recheck: Option<u16>,
    /// Request these days again and replace their files
    #[arg(long, value_name = "DAY[..DAY]", allow_hyphen_values = true)]
    pub(crate) again: Option<String>,
    /// Compare the files with the journal, without contacting the server; exit code 1 if one is missing or changed
    #[arg(long, conflicts_with_all = ["from", "forget", "again", "moved"])]
    pub(crate) verify: bool,
    /// Remove these days from the journal, without contacting the server; files are kept
    #[arg(long, value_name = "DAY[..DAY]", allow_hyphen_values = true, conflicts_with_all = ["from", "again", "moved"])]
    pub(crate) forget: Option<String>,
    /// Confirm that the data of this folder now comes from another endpoint or access key than before
    #[arg(long)]
    pub(crate) moved: bool,
    /// List all windows of the range, not only those that changed
    #[arg(long)]
    pub(crate) all: bool,
    /// How long to wait for a server that has not answered yet
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = days::duration)]
    pub(crate) wait_for_server: Duration,
}

/// How to detect that a file is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wait {
    /// Try to download the file under its expected name until it exists
    Poll,
    /// Wait for the server's callback, and poll only if it does not arrive
    Callback,
}

/// Returns the time zone of the call center.
pub(super) fn zone(settings: &Settings) -> Result<Zone, Failure> {
    settings.time_zone()?.ok_or_else(|| {
        Failure::usage("no time zone is set; days begin at midnight of the call center, so give --tz, such as Asia/Shanghai, or set CCFS_TZ")
    })
}
