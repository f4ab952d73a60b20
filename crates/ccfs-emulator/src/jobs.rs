//! Generation jobs and their files.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::{IndexFileName, LocalTime, ResponseId, Timestamp};

use crate::data::{ArchivePlan, Random, Records, write_archive};
use crate::gate::millis;
use crate::lock;

/// A requested file.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) response_id: ResponseId,
    pub(crate) file_name: IndexFileName,
    pub(crate) account_id: Option<String>,
    ready_after: Duration,
    plan: ArchivePlan,
    /// Generated on first use, and kept: plan and seed determine every byte, so the time does not matter.
    file: OnceLock<Bytes>,
}

impl Job {
    /// The access key of the request.
    pub(crate) fn owner(&self) -> &str {
        &self.plan.developer_id
    }

    /// Which records the file has.
    pub(crate) fn records(&self) -> Records {
        self.plan.records
    }

    /// Returns whether the file is ready at `now`.
    pub(crate) fn is_ready(&self, now: Timestamp) -> bool {
        now.millis_since(self.plan.asked) >= millis(self.ready_after)
    }

    /// Returns the ZIP. Generating it may take a while, so do not call this on the server's thread.
    fn file(&self) -> io::Result<Bytes> {
        if let Some(file) = self.file.get() {
            return Ok(file.clone());
        }
        let made = Bytes::from(write_archive(&self.plan, Vec::new())?);
        Ok(self.file.get_or_init(|| made).clone())
    }
}

/// All jobs of an emulator.
#[derive(Debug)]
pub(crate) struct Jobs {
    seed: u64,
    limit: usize,
    ready_after: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    ids: Random,
    by_name: HashMap<String, Arc<Job>>,
    /// Served instead of every generated file.
    substitute: Option<Bytes>,
}

impl Jobs {
    pub(crate) fn new(seed: u64, limit: usize, ready_after: Duration) -> Self {
        Self {
            seed,
            limit,
            ready_after,
            inner: Mutex::new(Inner {
                ids: Random::new(seed, "response ids"),
                by_name: HashMap::new(),
                substitute: None,
            }),
        }
    }

    /// Serves these bytes instead of every generated file; `None` serves the generated files again.
    pub(crate) fn substitute(&self, bytes: Option<Bytes>) {
        lock(&self.inner).substitute = bytes;
    }

    /// The bytes of a job's file. As [`Job::file`], it may take a while.
    pub(crate) fn file(&self, job: &Job) -> io::Result<Bytes> {
        let substitute = lock(&self.inner).substitute.clone();
        substitute.map_or_else(|| job.file(), Ok)
    }

    /// Starts a job; returns `None` at the limit of jobs. The plan's seed is set here: from the job's ID, or from the contents of
    /// the file.
    pub(crate) fn start(
        &self,
        account_id: Option<String>,
        mut plan: ArchivePlan,
        same_files: bool,
    ) -> Option<Arc<Job>> {
        let mut inner = lock(&self.inner);
        if inner.by_name.len() >= self.limit {
            return None;
        }
        let id = inner.ids.hex32();
        let response_id = ResponseId::from_server(&id).ok()?;
        let day = LocalTime::at_offset(plan.asked, plan.utc_offset).day();
        plan.seed = Random::new(self.seed, &if same_files { plan.contents() } else { id }).next();
        let job = Arc::new(Job {
            response_id,
            file_name: IndexFileName::new(day, response_id),
            account_id,
            ready_after: self.ready_after,
            plan,
            file: OnceLock::new(),
        });
        inner.by_name.insert(job.file_name.as_str().to_owned(), Arc::clone(&job));
        Some(job)
    }

    /// Forgets all jobs. IDs are not reused.
    pub(crate) fn clear(&self) {
        lock(&self.inner).by_name.clear();
    }

    pub(crate) fn find(&self, file_name: &str) -> Option<Arc<Job>> {
        lock(&self.inner).by_name.get(file_name).cloned()
    }

    pub(crate) fn names(&self) -> Vec<IndexFileName> {
        let mut names: Vec<_> =
            lock(&self.inner).by_name.values().map(|job| job.file_name.clone()).collect();
        names.sort();
        names
    }
}
