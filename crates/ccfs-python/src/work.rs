//! Work on a second thread, while the caller's thread handles signals and calls its functions.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use ccfs::proto::Now;
use ccfs::{Clock, SystemClock};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Time between two looks at signals.
const SLICE: Duration = Duration::from_millis(50);
/// How long interrupted work may take to remove its temporary file. After that, the file is left: its
/// thread ends after the read that it is in.
const GRACE: Duration = Duration::from_secs(1);

thread_local! {
    /// Whether the work of this thread was stopped.
    static STOPPED: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Runs `work` on a second thread and returns its result. The caller's thread calls `progress` with
/// what `work` reports, and raises what `progress` or a signal raises; `work` then has to stop.
pub(crate) fn run<P, T>(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Reporter<P, T>) -> T + Send + 'static,
) -> PyResult<T>
where
    P: for<'py> IntoPyObject<'py> + Send + 'static,
    T: Send + 'static,
{
    let stopped = Arc::new(AtomicBool::new(false));
    let (events, received) = channel();
    let reporter =
        Reporter { events, is_wanted: progress.is_some(), stopped: Arc::clone(&stopped) };
    let thread = thread::Builder::new().name("ccfs".into()).spawn(move || {
        STOPPED.set(Some(Arc::clone(&reporter.stopped)));
        let result = work(&reporter);
        let _ = reporter.events.send(Event::Done(result));
    });
    thread.map_err(PyErr::from)?;
    py.detach(move || {
        let result = wait(&received, progress.as_ref());
        if result.is_err() {
            stopped.store(true, Ordering::Relaxed);
            let until = Instant::now() + GRACE;
            while let Ok(event) =
                received.recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                match event {
                    Event::Progress(_, answer) => drop(answer),
                    Event::Done(_) => break,
                }
            }
        }
        result
    })
}

fn wait<P, T>(received: &Receiver<Event<P, T>>, progress: Option<&Py<PyAny>>) -> PyResult<T>
where
    P: for<'py> IntoPyObject<'py>,
{
    loop {
        match received.recv_timeout(SLICE) {
            Ok(Event::Done(result)) => return Ok(result),
            Ok(Event::Progress(report, answer)) => {
                let goes_on = Python::attach(|py| {
                    py.check_signals()?;
                    let Some(progress) = progress else { return Ok(true) };
                    let answer = progress.call1(py, (report,))?;
                    Ok::<_, PyErr>(!answer.bind(py).is(&*pyo3::types::PyBool::new(py, false)))
                })?;
                let flow = if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
                let _ = answer.send(flow);
            }
            #[expect(clippy::redundant_closure_for_method_calls, reason = "of any lifetime")]
            Err(RecvTimeoutError::Timeout) => Python::attach(|py| py.check_signals())?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err(
                    "bug in ccfs, please report it: a thread panicked",
                ));
            }
        }
    }
}

enum Event<P, T> {
    /// A report, and where to send the answer of the caller's function.
    Progress(P, SyncSender<ControlFlow<()>>),
    Done(T),
}

/// Reports progress to the caller's thread.
pub(crate) struct Reporter<P, T> {
    events: Sender<Event<P, T>>,
    /// Whether the caller has a function for progress.
    is_wanted: bool,
    stopped: Arc<AtomicBool>,
}

impl<P, T> Reporter<P, T> {
    /// Returns whether to go on, after the caller's function has returned.
    pub(crate) fn report(&self, progress: P) -> ControlFlow<()> {
        if self.stopped.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        if !self.is_wanted {
            return ControlFlow::Continue(());
        }
        let (sender, answer) = sync_channel(1);
        // The caller no longer listens after an exception.
        let sent = self.events.send(Event::Progress(progress, sender));
        sent.ok().and_then(|()| answer.recv().ok()).unwrap_or(ControlFlow::Break(()))
    }
}

/// The system's clock. In work that was stopped, waits end and all timeouts are over, so that the
/// call sends nothing more.
#[derive(Debug, Default)]
pub(crate) struct StoppableClock(SystemClock);

impl Clock for StoppableClock {
    fn now(&self) -> Now {
        let now = self.0.now();
        Now { monotonic: if is_stopped() { Duration::MAX } else { now.monotonic }, ..now }
    }

    fn wait(&self, duration: Duration) -> bool {
        let until = Instant::now() + duration;
        while !is_stopped() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            thread::sleep(left.min(SLICE));
        }
        true
    }
}

fn is_stopped() -> bool {
    STOPPED.with_borrow(|stopped| stopped.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)))
}
