use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use super::message::Callback;
use crate::time::Timestamp;

/// Remembers which jobs were received, so that each is accepted once.
///
/// It recognises jobs, not signatures: a replayed request is for the same job as the original, and
/// so is a callback that the server signed again.
///
/// Implement it for a store that several receivers share, or write the same three functions as
/// async ones. Each call must be atomic, and one that fails must have no effect:
///
/// | state | `begin` | `commit` | `roll_back` |
/// |---|---|---|---|
/// | unknown | [`First`](Begin::First), then pending | `true`, then done | no effect |
/// | pending | [`Pending`](Begin::Pending) | `true`, then done | then unknown |
/// | done | [`Done`](Begin::Done) | `false` | no effect |
///
/// The pending state ends after a time limit, because the receiver that began may have died. If it
/// was only slow, two receivers get `First`, and the first `commit` decides.
///
/// Remember a job for at least [`JobKey::keep_for`] after its latest `begin` or `commit`: until
/// then, the signature of a replayed request may still be valid. Remember it longer to recognise
/// repetitions that the server signs later.
pub trait ReplayGuard {
    /// Why a call failed, for example because of a lost connection.
    type Error;

    /// Marks an unknown job as pending, and returns its state before.
    ///
    /// # Errors
    ///
    /// The store failed; answer 503.
    fn begin(&mut self, key: &JobKey, now: Timestamp) -> Result<Begin, Self::Error>;

    /// Marks a job as done, and returns `true` if it was not done before.
    ///
    /// # Errors
    ///
    /// The store failed and the job is not done; answer 503.
    fn commit(&mut self, key: &JobKey, now: Timestamp) -> Result<bool, Self::Error>;

    /// Forgets a pending job, so that its next delivery is accepted.
    ///
    /// # Errors
    ///
    /// The store failed; answer 503.
    fn roll_back(&mut self, key: &JobKey) -> Result<(), Self::Error>;
}

/// State of a job before [`ReplayGuard::begin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a receiver must handle every state")]
pub enum Begin {
    /// The job was unknown: store the callback, then commit or roll back.
    First,
    /// Another delivery of the job is pending: answer 503.
    Pending,
    /// The job is done: answer 200.
    Done,
}

/// Identifies a job and its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobKey {
    text: Box<str>,
    keep_for: Duration,
}

impl JobKey {
    /// Creates the key of `callback`. [`Receiver::check`](super::Receiver::check) does this.
    pub fn new(callback: &Callback, keep_for: Duration) -> Self {
        let text = format!("{}/{}", callback.response_id, callback.file_name);
        Self { text: text.into(), keep_for }
    }

    /// Returns the response ID, a slash, and the file name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the minimum time to remember the job: after it, the receiver rejects every signature
    /// made so far as too old.
    pub fn keep_for(&self) -> Duration {
        self.keep_for
    }
}

/// A [`ReplayGuard`] in memory that limits the number and the age of its jobs.
///
/// If it is full, it forgets a pending job or, if none is pending, the job that was delivered least
/// recently; a forgotten job is accepted if it is delivered again. A job stays pending for at most
/// one minute. If the clock jumps ahead by more than the retention, the guard forgets all jobs.
#[derive(Clone, Debug)]
pub struct MemoryGuard {
    jobs: HashMap<Box<str>, Job>,
    capacity: usize,
    retention: Duration,
}

#[derive(Clone, Debug)]
struct Job {
    /// `None` if the job is done.
    pending_until: Option<Timestamp>,
    keep_until: Timestamp,
}

impl MemoryGuard {
    const PENDING_LIMIT: Duration = Duration::from_secs(60);

    /// Creates a guard that keeps at most `capacity` jobs (at least 1), each for `retention` after
    /// its latest delivery, or for [`JobKey::keep_for`] if that is longer.
    pub fn new(capacity: usize, retention: Duration) -> Self {
        Self { jobs: HashMap::new(), capacity: capacity.max(1), retention }
    }

    fn insert(&mut self, key: &JobKey, job: Job) {
        if self.jobs.len() >= self.capacity {
            let age = |(_, job): &(_, &Job)| (job.pending_until.is_none(), job.keep_until);
            if let Some((oldest, _)) = self.jobs.iter().min_by_key(age) {
                self.jobs.remove(&oldest.clone());
            }
        }
        self.jobs.insert(key.text.clone(), job);
    }
}

impl Default for MemoryGuard {
    /// Keeps 65,536 jobs for a day.
    fn default() -> Self {
        Self::new(65_536, Duration::from_secs(24 * 60 * 60))
    }
}

impl ReplayGuard for MemoryGuard {
    type Error = Infallible;

    fn begin(&mut self, key: &JobKey, now: Timestamp) -> Result<Begin, Infallible> {
        self.jobs.retain(|_, job| now <= job.keep_until);
        let keep_until = later(now, key.keep_for.max(self.retention));
        let pending_until = Some(later(now, Self::PENDING_LIMIT));
        let Some(job) = self.jobs.get_mut(key.as_str()) else {
            self.insert(key, Job { pending_until, keep_until });
            return Ok(Begin::First);
        };
        job.keep_until = job.keep_until.max(keep_until);
        Ok(match job.pending_until {
            None => Begin::Done,
            // A limit further ahead was set before the clock was set back.
            limit if Some(now) < limit && limit <= pending_until => Begin::Pending,
            _ => {
                job.pending_until = pending_until;
                Begin::First
            }
        })
    }

    fn commit(&mut self, key: &JobKey, now: Timestamp) -> Result<bool, Infallible> {
        self.jobs.retain(|_, job| now <= job.keep_until);
        let previous = self.jobs.remove(key.as_str());
        let keep_until = later(now, key.keep_for.max(self.retention));
        let keep_until = previous.as_ref().map_or(keep_until, |job| job.keep_until.max(keep_until));
        self.insert(key, Job { pending_until: None, keep_until });
        Ok(previous.is_none_or(|job| job.pending_until.is_some()))
    }

    fn roll_back(&mut self, key: &JobKey) -> Result<(), Infallible> {
        if self.jobs.get(key.as_str()).is_some_and(|job| job.pending_until.is_some()) {
            self.jobs.remove(key.as_str());
        }
        Ok(())
    }
}

/// Returns the time `by` after `at`.
fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.plus_millis(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}
