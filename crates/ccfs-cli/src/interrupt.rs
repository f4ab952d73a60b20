//! Ctrl-C and SIGTERM.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use ccfs::proto::Now;
use ccfs::{Clock, SystemClock};
#[cfg(unix)]
use signal_hook::consts::SIGXFSZ;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::message;

const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;

/// The exit code for the first signal; 0 before it.
static SIGNAL: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// How often a wait checks for an interruption.
const SLICE: Duration = Duration::from_millis(50);

/// How long an interrupted command may take to end by itself: a read of a silent server or of stdin
/// may block for longer.
const PATIENCE: Duration = Duration::from_millis(700);

/// The same for a command that has accepted callbacks to print or store.
const LONG_PATIENCE: Duration = Duration::from_secs(10);

/// End of the names of files that are not complete: see [`ccfs::WholeFile`].
const UNFINISHED: &str = ".part";

/// Folders and beginnings of the names of temporary files, which are removed at the end.
static TEMPORARY: Mutex<Vec<(PathBuf, String)>> = Mutex::new(Vec::new());
/// Whether the command has accepted callbacks.
static ENDS_ITSELF: AtomicBool = AtomicBool::new(false);

/// Handles the signals. The first one stops the command within a second, after cleanup; a second one
/// stops it immediately.
pub(crate) fn install(json: bool) {
    let came = Arc::new(AtomicBool::new(false));
    for (signal, code) in [(SIGINT, INTERRUPTED), (SIGTERM, TERMINATED)] {
        // These fail only for signals that cannot be handled.
        let _ = flag::register_conditional_shutdown(signal, code.into(), Arc::clone(&came));
        let _ = flag::register(signal, Arc::clone(&came));
        let _ = flag::register_usize(signal, Arc::clone(&SIGNAL), code.into());
    }
    // A write beyond a limit on the size of files then fails, instead of killing the process.
    #[cfg(unix)]
    let _ = flag::register(SIGXFSZ, Arc::default());
    let ending = thread::Builder::new().spawn(move || {
        wait();
        thread::sleep(PATIENCE);
        if ENDS_ITSELF.load(Ordering::Relaxed) {
            thread::sleep(LONG_PATIENCE);
        }
        remove_temporary();
        message::end(json, "interrupted", "interrupted");
        message::finish();
        std::process::exit(exit_code().into());
    });
    if let Err(error) = ending {
        message::note(format_args!(
            "a blocked call cannot be interrupted, because no thread can be created: {error}"
        ));
    }
}

/// Registers temporary files of this process: those in `folder` whose names begin with a prefix and
/// end in `.part`.
pub(crate) fn temporary(folder: &Path, beginning: String) {
    lock().push((folder.to_owned(), beginning));
}

/// Registers the temporary file of a download to `target`: see [`ccfs::WholeFile`], which
/// follows links and shortens long names.
pub(crate) fn temporary_of(target: &Path) {
    let target = target.canonicalize().unwrap_or_else(|_| target.to_owned());
    let beginning = format!(".{}.", target.file_name().unwrap_or_default().to_string_lossy());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    temporary(folder.unwrap_or(Path::new(".")), beginning.chars().take(50).collect());
}

/// Lets the command end by itself after a signal, and ends the process only after ten seconds.
pub(crate) fn ends_itself() {
    ENDS_ITSELF.store(true, Ordering::Relaxed);
}

fn lock() -> MutexGuard<'static, Vec<(PathBuf, String)>> {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remove_temporary() {
    for (folder, beginning) in lock().iter() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let rest = name.strip_prefix(beginning).and_then(|end| end.strip_suffix(UNFINISHED));
            // A further dot belongs to the longer name of another file.
            if rest.is_some_and(|rest| !beginning.ends_with('.') || !rest.contains('.')) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Returns whether a signal arrived.
pub(crate) fn came() -> bool {
    SIGNAL.load(Ordering::Relaxed) != 0
}

/// Returns the exit code of an interrupted command, as in shells: 128 plus the number of the signal.
pub(crate) fn exit_code() -> u8 {
    let code = u8::try_from(SIGNAL.load(Ordering::Relaxed)).unwrap_or_default();
    if code == 0 { INTERRUPTED } else { code }
}

/// For progress functions: breaks after a signal.
pub(crate) fn flow() -> ControlFlow<()> {
    if came() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Waits for a signal.
pub(crate) fn wait() {
    while !came() {
        thread::sleep(SLICE);
    }
}

/// The system's clock, whose waits end early after a signal.
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
