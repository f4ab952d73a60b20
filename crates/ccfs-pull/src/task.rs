//! Fetching a window in another process, on a folder that the processes share.

use std::error::Error as StdError;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use ccfs_archive::{IndexKind, ReadOptions};
use ccfs_driver::{Error, Overwrite, WholeFile};
use ccfs_proto::auth::AccessKey;
use ccfs_proto::{Endpoint, IndexFileName, ResultCode, Timestamp};
use ccfs_ureq::Client;
use serde::{Deserialize, Serialize};

use crate::call;
use crate::error::PullError;
use crate::folder::Folder;
use crate::format::Format;
use crate::journal::text;
use crate::plan::Plan;
use crate::run::Run;
use crate::scheduler::{Stored, Task, Trouble};
use crate::task_failure::{NoReport, TaskFailure};
use crate::trouble::is_rejected;
use crate::window::Window;
use crate::work::{Duty, Fetched, Shared, Work};
use crate::zone::Zone;

/// Time between two looks at whether the pull goes on.
const SLICE: Duration = Duration::from_millis(250);

/// The function of [`Pull::run_with`](crate::Pull::run_with).
pub(crate) type FetchFn<'a> =
    dyn Fn(&FetchTask, &dyn Fn() -> bool) -> Result<FetchReport, BoxError> + Sync + 'a;
type BoxError = Box<dyn StdError + Send + Sync>;

/// The task of fetching one window's file: download, check, convert, and store in the pull's folder.
///
/// [`Pull::run_with`](crate::Pull::run_with) creates it. It can be serialized, for another process
/// or another machine that has the folder at the same path. It contains no secret, and needs no lock
/// and no journal. It may run several times, also at the same time: each run writes the same bytes
/// to separate temporary files and renames them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchTask {
    folder: PathBuf,
    /// A file in the folder that exists as long as the pull goes on.
    marker: PathBuf,
    #[serde(with = "text")]
    endpoint: Endpoint,
    access_key: String,
    kind: IndexKind,
    #[serde(with = "text")]
    zone: Zone,
    account_id: Option<String>,
    formats: Vec<Format>,
    read: ReadOptions,
    #[serde(with = "text")]
    window: Window,
    #[serde(with = "text")]
    name: IndexFileName,
    /// When the pull made the task.
    #[serde(with = "text")]
    at: Timestamp,
    previous: Option<Stored>,
    may_have_zip: bool,
}

impl FetchTask {
    /// The window.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Fetches the file with a client of the pull's server and access key, and stores it.
    ///
    /// Ends soon if the pull ends meanwhile. The pull retries failures, so the client needs no
    /// [retries](ccfs_proto::Policy::max_retries).
    pub fn run(&self, client: &Client) -> FetchReport {
        let shared = Arc::new(Shared::new(&self.endpoint));
        let result = match self.check(client) {
            Ok(()) => self.fetch(client, &shared),
            Err(message) => Err(TaskFailure::of_setup(message)),
        };
        FetchReport { received: shared.received(), result }
    }

    /// Checks that this process has the client and the folder of the pull.
    fn check(&self, client: &Client) -> Result<(), String> {
        let session = client.session();
        if *session.endpoint() != self.endpoint {
            return Err(format!(
                "the client of the task calls {}, but the pull calls {}; use the same endpoint",
                session.endpoint(),
                self.endpoint
            ));
        }
        if session.access_key().as_str() != self.access_key {
            return Err(
                "the client of the task has another access key than the pull; use the same key"
                    .into(),
            );
        }
        if self.goes_on() {
            return Ok(());
        }
        Err(format!(
            "the pull has ended, or {} is not the folder that it uses; mount the folder at the same path on all machines",
            self.folder.display()
        ))
    }

    fn goes_on(&self) -> bool {
        self.marker.try_exists().unwrap_or(true)
    }

    fn fetch(&self, client: &Client, shared: &Arc<Shared>) -> Result<Fetched, TaskFailure> {
        let days = (self.window.begin().day(), self.window.end().day());
        let mut plan =
            Plan::new(self.kind, self.zone.clone(), days.0, days.1).read_options(self.read.clone());
        plan.formats.clone_from(&self.formats);
        plan.account_id.clone_from(&self.account_id);
        let folder = Folder::new(&self.folder, self.kind, self.account_id.clone(), None);
        let work = Work {
            folder: Arc::new(folder),
            plan: Arc::new(plan),
            shared: Arc::clone(shared),
            window: self.window,
            duty: Duty::Job(Task::Fetch(self.name.clone())),
            now: self.at,
            former: self.previous,
            may_have_zip: self.may_have_zip,
            found: Arc::default(),
        };
        let result = thread::scope(|scope| {
            let (ended, end) = channel::<()>();
            scope.spawn(move || {
                while end.recv_timeout(SLICE) == Err(RecvTimeoutError::Timeout) {
                    if !self.goes_on() {
                        shared.stop();
                    }
                }
            });
            let result = fetch(client, &work, &self.name);
            drop(ended);
            result
        });
        result.map_err(|error| TaskFailure::new(&error))
    }
}

/// Result of a [`FetchTask`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchReport {
    received: u64,
    result: Result<Fetched, TaskFailure>,
}

impl FetchReport {
    /// Returns the failure, if there is no file.
    pub fn failure(&self) -> Option<&TaskFailure> {
        self.result.as_ref().err()
    }
}

impl TaskFailure {
    fn new(error: &Error) -> Self {
        let exchange = error.exchange();
        let mut failure = Self {
            trouble: Trouble::of_fetch(error),
            message: error.to_string(),
            code: error.code().into(),
            result_code: error.result_code().map(|code| ResultCode::as_str(code).into()),
            status: error.status().map(|status| status.as_u16()),
            is_retryable: error.is_retryable(),
            is_network: exchange.is_some_and(ccfs_proto::ExchangeError::is_network),
            retry_after: exchange.and_then(|error| error.retry_after),
            is_kept: false,
        };
        if let Error::Rejected(cause) = error
            && cause.downcast_ref().is_none_or(is_rejected)
        {
            failure.message = cause.to_string();
            failure.is_kept = true;
        }
        failure
    }

    fn of_setup(message: String) -> Self {
        Self { message, code: "task".into(), ..Self::default() }
    }
}

/// Fetches a window's file and stores it.
pub(crate) fn fetch(client: &Client, work: &Work, name: &IndexFileName) -> Result<Fetched, Error> {
    if let Some(fetched) = work.resume(name)? {
        return Ok(fetched);
    }
    let result = client
        .download(call::fetch(&work.plan, name.clone()))
        .overwrite(Overwrite::Replace)
        .check(work.check())
        .progress(work.progress())
        .to_file(work.zip());
    work.store(work.downloaded(result)?, name)
}

/// Makes tasks for the caller's function.
pub(crate) struct Tasks<'a> {
    run: &'a FetchFn<'a>,
    folder: PathBuf,
    marker: PathBuf,
    endpoint: &'a Endpoint,
    access_key: &'a AccessKey,
}

impl<'a> Tasks<'a> {
    /// Returns it, and the file that tasks watch. Drop the file to stop them.
    pub(crate) fn begin(
        run: &'a FetchFn<'a>,
        folder: &Path,
        pull: &Run,
        endpoint: &'a Endpoint,
        access_key: &'a AccessKey,
    ) -> Result<(Self, WholeFile), PullError> {
        let cannot = |source| PullError::Folder { path: folder.to_owned(), source };
        let folder = absolute(folder).map_err(cannot)?;
        // A new name in each run, which tasks of an earlier one do not watch. After a kill, the next
        // pull removes the file as an incomplete one.
        let name = format!("{}_tasks", pull.plan.kind.as_str());
        let marker = WholeFile::create(folder.join(name), Overwrite::Replace)
            .map_err(|error| cannot(std::io::Error::other(error)))?;
        let path = marker.temp_path().to_owned();
        Ok((Self { run, folder, marker: path, endpoint, access_key }, marker))
    }

    /// Has the caller's function run a task.
    pub(crate) fn fetch(&self, work: &Work, name: &IndexFileName) -> Result<Fetched, Error> {
        let plan = &work.plan;
        let task = FetchTask {
            folder: self.folder.clone(),
            marker: self.marker.clone(),
            endpoint: self.endpoint.clone(),
            access_key: self.access_key.as_str().into(),
            kind: plan.kind,
            zone: plan.zone.clone(),
            account_id: plan.account_id.clone(),
            formats: plan.formats.clone(),
            read: plan.read.clone(),
            window: work.window,
            name: name.clone(),
            at: work.now,
            previous: work.former,
            may_have_zip: work.may_have_zip,
        };
        let report = (self.run)(&task, &|| work.shared.is_stopped());
        if work.shared.is_stopped() && report.is_err() {
            return Err(Error::Stopped);
        }
        let report = report.map_err(|error| Error::Rejected(Box::new(NoReport(error))))?;
        work.shared.count_received(report.received);
        report.result.map_err(|failure| Error::Rejected(Box::new(failure)))
    }
}
