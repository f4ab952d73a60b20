//! Several members at a time, each on a thread.

use std::io::{Read, Seek};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::archive::{Archive, ArchiveSource};
use crate::error::Error;
use crate::record::Record;
use crate::records::Records;
use crate::zip::{Member, Meter, Shared};

impl<R: Read + Seek + Send> Archive<R> {
    /// Reads members side by side on up to `threads` threads, the caller's among them, each member by one call of `fold`, and
    /// returns what the calls return, in the order of the members.
    ///
    /// Within a member the records come in order. The order across members is that of the results, so that nothing has to
    /// be held back: memory grows with the threads, by less than 1 MiB each, and not with the archive. If a call fails, no
    /// further member is begun, and the error of the first of them is returned.
    ///
    /// ```no_run
    /// use ccfs_archive::{AgentSkillChange, Archive};
    ///
    /// let mut archive = Archive::open(std::fs::File::open("20150208_0123.zip")?)?;
    /// let rows = archive.fold_members::<AgentSkillChange, _>(2, |_, changes| {
    ///     while let Some(change) = changes.next_record()? {
    ///         let _ = change.agent_id();
    ///     }
    ///     Ok(changes.rows())
    /// })?;
    /// println!("{} rows", rows.iter().sum::<u64>());
    /// # Ok::<(), ccfs_archive::Error>(())
    /// ```
    pub fn fold_members<T: Record, A: Send>(
        &mut self,
        threads: usize,
        fold: impl Fn(&Member, &mut Records<'_, T>) -> Result<A, Error> + Sync,
    ) -> Result<Vec<A>, Error> {
        let members = self.members_of::<T>();
        let options = self.options().clone();
        let meter = Meter::new(*options.get_limits());
        let reader = Mutex::new(self.reader());
        let next = AtomicUsize::new(0);
        let results: Vec<Mutex<Option<Result<A, Error>>>> =
            members.iter().map(|_| Mutex::new(None)).collect();
        let work = || {
            while let Some((member, result)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                members.get(index).zip(results.get(index))
            } {
                let source =
                    ArchiveSource::new::<T>(Shared(&reader), vec![member.clone()], meter.clone());
                let outcome = fold(member, &mut Records::new(Box::new(source), &options));
                if outcome.is_err() {
                    next.store(members.len(), Ordering::Relaxed);
                }
                *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads.min(members.len()) {
                // With fewer threads than asked for the work is done as well.
                let _ =
                    thread::Builder::new().name("ccfs-member".to_owned()).spawn_scoped(scope, work);
            }
            work();
        });
        // Members are begun in order, so that one that was not begun stands behind an error.
        results
            .into_iter()
            .map_while(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect()
    }
}
