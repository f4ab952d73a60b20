//! `ccfs pull`: downloads the files of a range of days; resumable.

pub(crate) mod args;
mod destination;
mod report;
mod upkeep;
mod watch;

use std::collections::BTreeSet;
use std::iter;
use std::sync::{Arc, PoisonError};

use ccfs::proto::ResultCode;
use ccfs::pull::{JournalError, Pace, Plan, Pull, PullError, PullProgress, PullSummary};

use self::args::{PullArgs, Wait, zone};
use self::destination::Destination;
use self::watch::Watch;
use super::listen;
use crate::failure::{Failure, Kind};
use crate::settings::{Backend, Settings};
use crate::{backend, days, input, interrupt, table};

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
