//! Ctrl-C and SIGTERM.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use ccfs::proto::Now;
use ccfs::{Clock, SystemClock};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::message;

const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;

/// The first signal that came; 0 before.
static SIGNAL: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// How long a wait goes on before it looks for an interruption.
const SLICE: Duration = Duration::from_millis(50);

/// How long an interrupted command may take before it says what it waits for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Handles the signals. The first one ends the command in good order, a second one at once.
pub(crate) fn install() {
    let came = Arc::new(AtomicBool::new(false));
    for (signal, number, code) in [(SIGINT, 2, INTERRUPTED), (SIGTERM, 15, TERMINATED)] {
        // These fail only for signals that cannot be handled.
        let _ = flag::register_conditional_shutdown(signal, code.into(), Arc::clone(&came));
        let _ = flag::register(signal, Arc::clone(&came));
        let _ = flag::register_usize(signal, Arc::clone(&SIGNAL), number);
    }
    thread::spawn(|| {
        wait();
        thread::sleep(PATIENCE);
        message::note(
            "interrupted; a call that waits for the server ends with its answer, or when none comes (interrupt once more to end at once)",
        );
    });
}

/// Whether a signal came.
pub(crate) fn came() -> bool {
    SIGNAL.load(Ordering::Relaxed) != 0
}

/// The exit code of a command that a signal interrupted, as shells have it: 128 and the signal.
pub(crate) fn exit_code() -> u8 {
    if SIGNAL.load(Ordering::Relaxed) == 15 { TERMINATED } else { INTERRUPTED }
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
