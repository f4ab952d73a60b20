//! Ctrl-C and SIGTERM.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ccfs::proto::Now;
use ccfs::{Clock, SystemClock};

use crate::message;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How long a wait goes on before it looks for an interruption.
const SLICE: Duration = Duration::from_millis(50);

/// How long an interrupted command may take before it says what it waits for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes over the signals. The first one ends what runs in good order, a second one at once.
pub(crate) fn install() {
    // Fails only when a handler is there already.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        thread::spawn(|| {
            thread::sleep(PATIENCE);
            message::note(format_args!(
                "interrupted; a call that waits for the server ends with its answer or its silence (once more ends it at once)"
            ));
        });
    });
}

/// Whether a signal came.
pub(crate) fn came() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// For progress functions: stop once a signal came.
pub(crate) fn flow() -> ControlFlow<()> {
    if came() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Waits until a signal comes.
pub(crate) fn wait() {
    while !came() {
        thread::sleep(SLICE);
    }
}

/// The machine's clock, whose waits end early once a signal came.
#[derive(Debug)]
pub(crate) struct InterruptibleClock(SystemClock);

impl InterruptibleClock {
    pub(crate) fn new() -> Self {
        Self(SystemClock::new())
    }
}

impl Clock for InterruptibleClock {
    fn now(&self) -> Now {
        self.0.now()
    }

    fn wait(&self, duration: Duration) -> bool {
        let mut left = duration;
        while !left.is_zero() && !came() {
            let slice = left.min(SLICE);
            thread::sleep(slice);
            left = left.saturating_sub(slice);
        }
        true
    }
}
