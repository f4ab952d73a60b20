//! [`Pull`] and the functions that it calls while it runs.

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ccfs_driver::{Clock, SystemClock};
use ccfs_proto::Now;
use ccfs_proto::callback::Callback;

use crate::destination::Destination;
use crate::error::PullError;
use crate::pace::Pace;
use crate::plan::Plan;
use crate::run::Run;
use crate::summary::{PullEvent, PullProgress};

/// The longest wait between two calls of the caller's functions.
pub(crate) const SLICE: Duration = Duration::from_millis(100);

/// A pull into a folder, with the blocking client ([`run`](Self::run)) or the async client
/// ([`run_async`](Self::run_async)).
///
/// ```no_run
/// use ccfs_archive::IndexKind;
/// use ccfs_proto::Credentials;
/// use ccfs_pull::{Plan, Pull, Zone};
///
/// let credentials = Credentials::from_text("my-app-id", std::env::var("CCFS_SECRET_KEY")?)?;
/// let client = ccfs_ureq::Client::new(ccfs_ureq::Config::new("https://10.1.2.3:8443".parse()?, credentials))?;
/// let plan = Plan::new(IndexKind::AgentSkillInfo, Zone::named("Asia/Shanghai")?, "2023-04-01".parse()?, "2023-04-30".parse()?);
/// let summary = Pull::new(plan, "skills").run(&client)?;
/// println!("{} rows in {} windows", summary.rows(), summary.windows.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is pulled before `run` or `run_async`"]
pub struct Pull<'a> {
    pub(crate) plan: Plan,
    pub(crate) folder: PathBuf,
    /// Where complete files are kept, if not in the folder.
    pub(crate) store: Option<Box<dyn Destination>>,
    pub(crate) pace: Pace,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) caller: Caller<'a>,
}

/// The caller's functions.
#[derive(Default)]
pub(crate) struct Caller<'a> {
    callbacks: Option<CallbackFn<'a>>,
    progress: Option<ProgressFn<'a>>,
    on_event: Option<EventFn<'a>>,
}

type CallbackFn<'a> = Box<dyn FnMut() -> Option<Callback> + Send + 'a>;
type ProgressFn<'a> = Box<dyn FnMut(&PullProgress) -> ControlFlow<()> + Send + 'a>;
type EventFn<'a> = Box<dyn FnMut(&PullEvent) + Send + 'a>;

impl<'a> Pull<'a> {
    /// Creates a pull into a folder. The folder is created if it is missing.
    pub fn new(plan: Plan, folder: impl Into<PathBuf>) -> Self {
        let (pace, clock) = (Pace::default(), Arc::new(SystemClock::new()));
        Self { plan, folder: folder.into(), store: None, pace, clock, caller: Caller::default() }
    }

    /// Keeps the files in a bucket. The folder then has the journal, and each file until it is in the
    /// bucket.
    ///
    /// A stop of [`progress`](Self::progress) takes effect between requests of the store: not while the
    /// pull starts and reads receipts, and not during the request that removes an object.
    #[cfg(feature = "object-store")]
    pub fn bucket(mut self, bucket: crate::Bucket) -> Self {
        self.plan.bucket = Some(bucket.identity());
        self.store = Some(Box::new(bucket));
        self
    }

    /// Sets concurrency, intervals and timeouts. Default: [`Pace::default`].
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Waits for callbacks, which `callbacks` returns. The timeout is [`Pace::CALLBACK_TIMEOUT`]
    /// unless the pace sets [`callback_timeout`](Pace#structfield.callback_timeout). Default: no
    /// callbacks; files are polled from the start.
    ///
    /// `callbacks` returns the next verified callback, or `None` if none is available. It is called
    /// about ten times a second and must not block. Use `try_recv` of a channel or of a listener:
    ///
    /// ```no_run
    /// # fn example(plan: ccfs_pull::Plan, listener: ccfs_listener::Listener) {
    /// use ccfs_pull::Pull;
    ///
    /// let events = std::iter::from_fn(|| listener.try_recv());
    /// // Requests that are not valid callbacks are dropped here; you may want to log them.
    /// let mut callbacks = events.filter_map(|event| event.callback.ok());
    /// let pull = Pull::new(plan, "skills").callbacks(move || callbacks.next());
    /// # }
    /// ```
    ///
    /// Set the URL of the listener with [`Plan::callback_url`].
    pub fn callbacks(mut self, callbacks: impl FnMut() -> Option<Callback> + Send + 'a) -> Self {
        self.caller.callbacks = Some(Box::new(callbacks));
        self
    }

    /// Calls `progress` at every step and about ten times a second in between. If it returns
    /// `ControlFlow::Break(())`, the pull stops its jobs and ends with [`PullError::Stopped`].
    pub fn progress(
        mut self,
        progress: impl FnMut(&PullProgress) -> ControlFlow<()> + Send + 'a,
    ) -> Self {
        self.caller.progress = Some(Box::new(progress));
        self
    }

    /// Calls `on_event` for each event as soon as it happened: a window that is complete or given
    /// up, a failure, a clock that is wrong. The [summary](crate::PullSummary) has the windows, too.
    pub fn on_event(mut self, on_event: impl FnMut(&PullEvent) + Send + 'a) -> Self {
        self.caller.on_event = Some(Box::new(on_event));
        self
    }

    /// Sets the clock. Default: the system clock.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Returns the pace, with a callback timeout if callbacks are used.
    pub(crate) fn paced(&self) -> Pace {
        let mut pace = self.pace.clone();
        if self.caller.waits_for_callbacks() {
            pace.callback_timeout.get_or_insert(Pace::CALLBACK_TIMEOUT);
        }
        pace
    }
}

impl Caller<'_> {
    pub(crate) fn waits_for_callbacks(&self) -> bool {
        self.callbacks.is_some()
    }

    /// Reports events and progress, stops if the caller wants that, and passes callbacks to the
    /// scheduler.
    pub(crate) fn look(&mut self, run: &mut Run, now: Now) {
        let events = run.events();
        if let Some(on_event) = &mut self.on_event {
            events.iter().for_each(on_event);
        }
        if self.progress.as_mut().is_some_and(|progress| progress(&run.progress(now)).is_break()) {
            run.stop_for(PullError::Stopped);
        }
        while let Some(callback) = self.callbacks.as_mut().and_then(|callbacks| callbacks()) {
            run.on_callback(now, &callback);
        }
    }
}

impl fmt::Debug for Pull<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pull")
            .field("plan", &self.plan)
            .field("folder", &self.folder)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}
