//! `ccfs pull`: downloads the files of a range of days; resumable.

mod destination;
mod report;
mod upkeep;
mod watch;

use std::collections::BTreeSet;
use std::iter;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ccfs::archive::{Charset, IndexKind, OnBadRow};
use ccfs::proto::ResultCode;
use ccfs::pull::{
    Format, JournalError, Pace, Plan, Pull, PullError, PullProgress, PullSummary, Zone,
};
use clap::{Args, ValueEnum};

use self::destination::Destination;
use self::watch::Watch;
use super::listen::{self, ReceiverArgs};
use crate::failure::{Failure, Kind};
use crate::settings::{Backend, Settings};
use crate::{backend, choice, days, input, interrupt, table};

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
    /// Convert the files to this format, or to several separated by commas; may change between runs. With parquet, engines read the files as one table
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

pub(crate) fn run(settings: &Settings, args: &PullArgs) -> Result<(), Failure> {
    let destination = Destination::of(args)?;
    if args.verify {
        return upkeep::verify(settings, &destination);
    }
    if let Some(range) = &args.forget {
        return upkeep::forget(settings, &destination, range);
    }
    let plan = plan(settings, args)?;
    let pace = Pace {
        in_flight: args.in_flight.into(),
        wait_for_server: args.wait_for_server,
        ..Pace::default()
    };
    let mut watch = Watch::new(settings);
    let bar = watch.bar.clone();
    let folder = destination.folder();
    interrupt::temporary(folder, format!(".{}_", args.kind));
    let (mut reached, mut before) = (PullProgress::default(), None);
    let outage = Arc::clone(&watch.outage);
    let progress = |progress: &PullProgress| {
        reached = *progress;
        let done = progress.settled - *before.get_or_insert(progress.settled);
        bar.pulled(progress, done, &outage.lock().unwrap_or_else(PoisonError::into_inner));
        interrupt::flow()
    };
    let mut job = Pull::new(plan, folder).pace(pace).progress(progress);
    if let Some(bucket) = destination.bucket()? {
        job = job.bucket(bucket);
    }
    let result = pull(settings, args, job.on_event(|event| watch.on_event(event)));
    watch.finish();
    if let Some(failure) = watch.unprinted {
        return Err(failure);
    }
    let summary = result.map_err(|failure| match reached {
        PullProgress { settled: 1.., windows, .. } => {
            let message = format!(
                "{} ({} of {} settled)",
                failure.message,
                reached.settled,
                table::counted(windows as u64, "window")
            );
            Failure { message, ..failure }
        }
        _ => failure,
    })?;
    report::tell(settings, args, &summary)?;
    let failed = summary.failed().count();
    let Some((window, why)) = summary.failed().next() else {
        let not_converted: BTreeSet<_> =
            watch.zips_missing.iter().chain(&watch.several_days).collect();
        return match not_converted.len() {
            0 => Ok(()),
            count => Err(Failure::data(format_args!(
                "{} not converted",
                table::counted(count as u64, "window")
            ))),
        };
    };
    let message =
        format!("{} failed; the next run tries again", table::counted(failed as u64, "window"));
    // Without --json each reason was printed when its window failed.
    let message = if settings.json { format!("{message}; {window}: {why}") } else { message };
    let failure = Failure::new(Kind::Refused, message);
    Err(if why.contains(ResultCode::SpanTooLong.as_str()) {
        failure.hint(
            "give a smaller --window-days; CC-FS accepts 3 days unless it was configured otherwise",
        )
    } else {
        failure
    })
}

fn zone(settings: &Settings) -> Result<Zone, Failure> {
    settings.time_zone()?.ok_or_else(|| {
        Failure::usage("no time zone is set; days begin at midnight of the call center, so give --tz, such as Asia/Shanghai, or set CCFS_TZ")
    })
}

fn plan(settings: &Settings, args: &PullArgs) -> Result<Plan, Failure> {
    let zone = zone(settings)?;
    let from = args.from.as_deref().unwrap_or_default();
    let (from, to) = (days::day(from, "--from", &zone)?, days::day(&args.to, "--to", &zone)?);
    let again =
        args.again.as_ref().map(|range| days::range(range, "--again", &zone)).transpose()?;
    let read = input::read_options(args.charset, None).on_bad_row(args.on_bad_row);
    let mut plan = Plan::new(args.kind, zone, from, to)
        .keep_zip(!args.no_zip)
        .read_options(read)
        .recheck_days(args.recheck.unwrap_or(0))
        .moved(args.moved);
    if let Some((from, to)) = again {
        plan = plan.again(from, to);
    }
    if let Some(account) = &args.account {
        plan = plan.account_id(account);
    }
    if let Some(url) = &args.callback {
        plan = plan.callback_url(url);
    }
    if let Some(days) = args.window_days {
        plan = plan.window_days(days);
    }
    for format in &args.convert {
        plan = plan.convert(*format);
    }
    plan.check().map_err(Failure::usage)?;
    Ok(plan)
}

fn pull(settings: &Settings, args: &PullArgs, mut pull: Pull<'_>) -> Result<PullSummary, Failure> {
    if args.wait == Wait::Callback {
        let listener = args.receiver.listen(settings)?;
        let mut callbacks = iter::from_fn(move || listener.try_recv()).filter_map(listen::callback);
        pull = pull.callbacks(move || callbacks.next());
    }
    // A pull retries by itself, over all its calls.
    let policy = settings.policy().max_retries(0);
    let result = match settings.backend {
        Backend::Blocking => pull.run(&settings.client(policy)?),
        Backend::Async => {
            backend::runtime()?.block_on(pull.run_async(&settings.async_client(policy)?))
        }
    };
    result.map_err(Failure::from)
}

impl From<PullError> for Failure {
    fn from(error: PullError) -> Self {
        let message = error.to_string();
        match error {
            PullError::Journal(JournalError::OtherPlan { moves: true, .. }) => Self::usage(message)
                .hint("--moved confirms that the data of this folder now comes from there"),
            PullError::Plan(_) | PullError::Journal(JournalError::OtherPlan { .. }) => {
                Self::usage(message)
            }
            PullError::Call { source, .. } | PullError::GaveUp { source: Some(source), .. } => {
                Self { message, ..(*source).into() }
            }
            PullError::GaveUp { .. } => Self::new(Kind::Network, message),
            PullError::Stopped => {
                Self::new(Kind::Interrupted, "interrupted; the same command continues from here")
            }
            _ => Self::file(message),
        }
    }
}
