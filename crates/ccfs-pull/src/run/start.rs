//! The start of a pull: what the journal, the destination and the plan say about each window.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccfs_proto::auth::AccessKey;
use ccfs_proto::{Day, Endpoint, Now, Timestamp};

use super::{Files, Run};
use crate::destination::Destination;
use crate::error::PullError;
use crate::folder::Folder;
use crate::format::Format;
use crate::journal::{Entry, Histories, Journal, JournalError};
use crate::pace::Pace;
use crate::plan::Plan;
use crate::receipt::Receipt;
use crate::scheduler::{History, Known, Outcome, Scheduler};
use crate::summary::{PullEvent, PullProgress};
use crate::window::{Window, windows};
use crate::work::Shared;

impl Run {
    /// Locks the folder, reads its journal, and starts a pull of the remaining windows.
    pub(crate) fn begin(
        plan: Plan,
        pace: Pace,
        path: &Path,
        store: Option<Box<dyn Destination>>,
        endpoint: &Endpoint,
        access_key: &AccessKey,
        now: Now,
    ) -> Result<Self, PullError> {
        plan.check()?;
        let folder = Folder::lock(path, &plan, store)?;
        let (mut journal, mut known) =
            Journal::open(&folder.journal(), &plan, endpoint, access_key, now.wall)?;
        // After the journal, which may refuse the bucket.
        let is_conditional = folder.open_store(true)?;
        folder.sync()?;
        adopt_receipts(&folder, &plan, endpoint, &mut journal, &mut known, now.wall)?;
        let jobs: Vec<_> =
            known.iter().filter_map(|(window, history)| Some((history.job?, *window))).collect();
        let mut events: Vec<_> =
            is_conditional.map(PullEvent::ConditionalWrites).into_iter().collect();
        events.append(&mut leave_failed(&plan, &mut known));
        let in_table = folder.known_in_table(&known);
        let left_from = add_new(&plan, &folder, &mut known, now)?;
        if plan
            .again
            .is_some_and(|(from, to)| !known.keys().any(|window| window.overlaps(from, to)))
        {
            events.push(PullEvent::NothingAgain);
        }
        renew(&plan, &folder, &mut known)?;
        if plan.formats.contains(&Format::Parquet) {
            check_table(&folder, &known, in_table)?;
        }
        let (mut progress, mut complete) = (PullProgress::default(), Vec::new());
        let mut all = BTreeMap::new();
        // Windows that an earlier run began are finished even outside the range; complete ones are
        // reported only within it.
        known.retain(|window, history| {
            let mut files = Files {
                converted: history.converted.clone(),
                zip_removed: history.zip_removed,
                asked_before: matches!(history.known, Known::Asked(_)),
                ..Files::default()
            };
            match &history.known {
                Known::Complete(outcome) => {
                    if let Outcome::Stored(stored) = outcome {
                        complete.push((*window, *stored, history.failed.is_some()));
                    }
                    files.is_earlier = window.overlaps(plan.from, plan.to);
                    if files.is_earlier {
                        progress.count(outcome);
                    }
                }
                Known::Fresh | Known::Asked(_) => files.previous = history.stored,
            }
            let is_reported = files.is_earlier || !matches!(history.known, Known::Complete(_));
            all.insert(*window, files);
            is_reported
        });
        progress.windows = known.len();
        let mut scheduler = Scheduler::new(plan.zone.clone(), pace, known, now);
        for (id, window) in jobs {
            scheduler.know_job(id, window);
        }
        let mut run = Self {
            scheduler,
            folder: Arc::new(folder),
            plan: Arc::new(plan),
            shared: Arc::new(Shared::new(endpoint)),
            journal,
            torn: false,
            windows: all,
            to_convert: VecDeque::new(),
            converting: false,
            resumed: progress.settled,
            events,
            left_from,
            progress,
            skew: 0,
            fatal: None,
            last: None,
        };
        for (window, stored, has_failed) in complete {
            // The rejected file of a request that failed since is kept.
            if !has_failed {
                run.folder.clear_rejected(window)?;
            }
            run.folder.clear(window).map_err(|source| run.folder.failed(source))?;
            run.tend(window, stored, now)?;
        }
        Ok(run)
    }
}

/// Has windows that are due requested again.
fn renew(plan: &Plan, folder: &Folder, known: &mut Histories) -> Result<(), PullError> {
    for (window, history) in known {
        if plan.is_due(*window, history) {
            if matches!(history.known, Known::Complete(_)) {
                folder.check_foreign(*window, history, &plan.formats_of(*window))?;
            }
            // What a job of an earlier run left is not the answer to the new request.
            folder.clear(*window).map_err(|source| folder.failed(source))?;
            history.known = Known::Fresh;
        }
    }
    Ok(())
}

/// Refuses a table with files that would add the rows of a window twice.
fn check_table(
    folder: &Folder,
    known: &Histories,
    mut in_table: BTreeSet<PathBuf>,
) -> Result<(), PullError> {
    folder.check_table()?;
    let is_open = |history: &History| !matches!(history.known, Known::Complete(_));
    let open = windows_where(known, is_open);
    let days = open.iter().map(|window| window.begin().day()).collect();
    if !folder.is_store() {
        // What a killed pull left, or what another one is storing.
        in_table.extend(open.iter().map(|window| folder.converted(*window, Format::Parquet)));
    }
    match folder.strange_in_table(&days, &in_table)? {
        Some(path) => Err(PullError::Foreign { path }),
        None => Ok(()),
    }
}

fn windows_where(known: &Histories, is_it: impl Fn(&History) -> bool) -> BTreeSet<Window> {
    known.iter().filter(|(_, history)| is_it(history)).map(|(window, _)| *window).collect()
}

/// Removes failed windows without a job. In the range, their days are split into windows again, so
/// another window length can help; outside it, they are only reported.
fn leave_failed(plan: &Plan, known: &mut Histories) -> Vec<PullEvent> {
    let (mut failed, mut again) = (Vec::new(), Vec::new());
    known.retain(|window, history| {
        let Some(why) = history.failed.clone() else { return true };
        let in_range = window.overlaps(plan.from, plan.to);
        match (&history.known, history.stored) {
            (Known::Complete(_), _) => return true,
            (Known::Asked(_), _) | (Known::Fresh, Some(_)) if in_range => return true,
            // The file of an earlier request is kept.
            (_, Some(stored)) => {
                history.known = Known::Complete(Outcome::Stored(stored));
                again.push(PullEvent::FailedBefore { window: *window, why });
                return true;
            }
            _ => {}
        }
        if !in_range {
            failed.push((*window, why));
        }
        false
    });
    let taken: Vec<Window> = known.keys().copied().collect();
    let is_missing = |window: Window| {
        let (from, to) = (window.begin().day(), window.end().day());
        windows(&plan.zone, from, to, plan.days_per_window(), &taken).next().is_some()
    };
    let missing = failed.into_iter().filter(|(window, _)| is_missing(*window));
    again.extend(missing.map(|(window, why)| PullEvent::FailedBefore { window, why }));
    again
}

/// Adds to the journal what receipts of the destination say and the journal does not: it was lost, or
/// another pull stored the windows.
fn adopt_receipts(
    folder: &Folder,
    plan: &Plan,
    endpoint: &Endpoint,
    journal: &mut Journal,
    known: &mut Histories,
    now: Timestamp,
) -> Result<(), PullError> {
    for window in folder.store.receipts() {
        match known.get(&window) {
            // Its job decides.
            Some(History { known: Known::Asked(_), .. }) => continue,
            Some(history) if folder.agrees(window, history) => continue,
            _ => {}
        }
        let path = folder.store.receipt_path(window);
        let is_again = plan.again.is_some_and(|(from, to)| window.overlaps(from, to));
        let receipt = match folder.store.receipt(window) {
            Ok(Some(receipt)) => receipt,
            // It was removed in the meantime, or it is stored again.
            Ok(None) => continue,
            Err(error) if error.kind() == io::ErrorKind::InvalidData && is_again => continue,
            Err(source) => return Err(PullError::Bucket { path, source }),
        };
        if known.get(&window).is_some_and(|history| receipt.is_about(history)) {
            continue;
        }
        let ours = Receipt::new(plan, endpoint, None, receipt.entry.clone());
        let difference = receipt.difference(&ours);
        if let Some((what, before, now)) = difference.filter(|it| it.0 != "server" || !plan.moved) {
            let moves = what == "server";
            return Err(JournalError::OtherPlan { path, what, before, now, moves }.into());
        }
        let has_part = |other: &Window| {
            *other != window && other.begin() <= window.end() && other.end() >= window.begin()
        };
        // Both windows would have the rows. Failed ones are left, and split again.
        let is_left = |history: &History| {
            history.known == Known::Fresh && history.stored.is_none() && history.failed.is_some()
        };
        if known.iter().any(|(other, history)| has_part(other) && !is_left(history)) {
            return Err(PullError::Foreign { path });
        }
        let may_lack_zip = receipt.may_lack_zip();
        journal.adopt(receipt.entry, known)?;
        if may_lack_zip && !folder.store.exists(&folder.zip(window)) {
            journal.adopt(Entry::ZipRemoved { window, at: now }, known)?;
        }
    }
    Ok(())
}

/// Adds the windows of the range that the journal does not have. Returns the first day that has not
/// ended yet.
///
/// Only days that have ended are pulled: a complete window is not requested again, so its data must
/// be final.
fn add_new(
    plan: &Plan,
    folder: &Folder,
    known: &mut Histories,
    now: Now,
) -> Result<Option<Day>, PullError> {
    let today = plan.zone.local(now.wall).day();
    let over =
        today.previous().map(|yesterday| plan.to.min(yesterday)).filter(|last| *last >= plan.from);
    let taken: Vec<Window> = known.keys().copied().collect();
    for window in over
        .into_iter()
        .flat_map(|last| windows(&plan.zone, plan.from, last, plan.days_per_window(), &taken))
    {
        let history = Known::Fresh.into();
        folder.check_foreign(window, &history, &plan.formats_of(window))?;
        known.insert(window, history);
    }
    Ok(if plan.to >= today { Some(today.max(plan.from)) } else { None })
}
