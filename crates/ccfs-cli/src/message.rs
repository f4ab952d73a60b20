//! Messages: on stderr and in the log file.
//!
//! Every message goes through this module. What cannot be written is dropped: a full disk or a
//! closed stderr must not end a command.

use std::fmt::{Arguments, Display, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use ccfs::Timestamp;
use clap::Args;
use indicatif::ProgressBar;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::escape::escaped;
use crate::failure::Failure;

/// Options for messages.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Messages")]
pub(crate) struct MessageArgs {
    /// Show only errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Show attempts, result codes and waits; twice: each step of the protocol
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Append messages with timestamps to this file, including those of -v
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,
}

/// Errors are of `ERROR`, other messages of `WARN`, those of `-v` of `INFO`, and those of `-vv` of `DEBUG`.
static MESSAGES: OnceLock<Messages> = OnceLock::new();
/// The current bar; messages are printed above it.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The thread that writes to stderr, for a command that must not block on stderr.
static WRITER: OnceLock<SyncSender<Item>> = OnceLock::new();
/// Maximum number of texts in the queue of that thread; further ones are dropped.
const WAITING: usize = 1024;
/// How long an error waits for a place in the queue, and how long the end waits for the queue.
const PATIENCE: Duration = Duration::from_millis(300);

enum Item {
    Text(String),
    /// Confirms that all earlier texts are written.
    Done(SyncSender<()>),
}

struct Messages {
    level: Level,
    file: Option<(Level, Mutex<File>)>,
    has_times: bool,
}

impl Messages {
    fn new(level: Level, file: Option<(Level, Mutex<File>)>) -> Self {
        Self { level, file, has_times: !io::stderr().is_terminal() }
    }

    fn get() -> &'static Self {
        MESSAGES.get_or_init(|| Self::new(Level::WARN, None))
    }

    fn write(&self, level: Level, text: &str) {
        let (text, time) = (escaped(text), Timestamp::from(SystemTime::now()));
        if level <= self.level {
            to_stderr(level, lines(&text, self.has_times.then_some(time)));
        }
        if let Some((least, file)) = &self.file
            && level <= *least
        {
            let _ = lock(file).write_all(lines(&text, Some(time)).as_bytes());
        }
    }
}

/// Returns the text with the time at the beginning of each line.
fn lines(text: &str, time: Option<Timestamp>) -> String {
    let mut lines = String::new();
    for line in text.lines() {
        if let Some(time) = time {
            let _ = write!(lines, "{time} ");
        }
        lines.push_str(line);
        lines.push('\n');
    }
    lines
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes to stderr on a separate thread from now on, so that a blocked stderr does not block the
/// command. Messages that exceed the queue are dropped.
pub(crate) fn detach() -> Result<(), Failure> {
    let (sender, items) = mpsc::sync_channel(WAITING);
    let write = move || {
        for item in items {
            match item {
                Item::Text(text) => drop(io::stderr().lock().write_all(text.as_bytes())),
                Item::Done(done) => drop(done.send(())),
            }
        }
    };
    thread::Builder::new().name("stderr".into()).spawn(write).map_err(|error| {
        Failure::file(format_args!("cannot start a thread for stderr: {error}"))
    })?;
    let _ = WRITER.set(sender);
    Ok(())
}

/// Waits a short time until the queue of [`detach`] is written.
pub(crate) fn finish() {
    let (done, written) = mpsc::sync_channel(1);
    if let Some(writer) = WRITER.get()
        && hand_over(writer, Item::Done(done), PATIENCE)
    {
        let _ = written.recv_timeout(PATIENCE);
    }
}

/// Sends an item to the thread, unless the queue stays full.
fn hand_over(writer: &SyncSender<Item>, mut item: Item, within: Duration) -> bool {
    let begin = Instant::now();
    loop {
        match writer.try_send(item) {
            Err(TrySendError::Full(back)) if begin.elapsed() < within => item = back,
            result => return result.is_ok(),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn to_stderr(level: Level, text: String) {
    /// Whether an error was dropped because stderr is blocked; further errors do not wait.
    static BLOCKED: AtomicBool = AtomicBool::new(false);
    if let Some(writer) = WRITER.get() {
        let waits = level == Level::ERROR && !BLOCKED.load(Ordering::Relaxed);
        let within = if waits { PATIENCE } else { Duration::ZERO };
        let is_taken = hand_over(writer, Item::Text(text), within);
        BLOCKED.fetch_or(waits && !is_taken, Ordering::Relaxed);
        return;
    }
    let write = || {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    };
    match &*lock(&BAR) {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Sets the level of messages from the command line.
pub(crate) fn install(args: &MessageArgs) -> Result<(), Failure> {
    let level = match args.verbose {
        _ if args.quiet => Level::ERROR,
        0 => Level::WARN,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    let file = args.log_file.as_ref().map(|path| {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(Failure::cannot("write the log file", path))?;
        Ok::<_, Failure>((level.max(Level::INFO), Mutex::new(file)))
    });
    let file = file.transpose()?;
    let traced = file.as_ref().map_or(level, |(level, _)| *level);
    let _ = MESSAGES.set(Messages::new(level, file));
    // Only the events of these crates: HTTP and TLS libraries may log headers. `ccfs pull` prints
    // the events of a pull itself.
    let targets: &[_] = match traced {
        Level::INFO => &[("ccfs_driver", Level::INFO)],
        Level::DEBUG => &[("ccfs_driver", Level::DEBUG), ("ccfs_pull", Level::DEBUG)],
        _ => return Ok(()),
    };
    let format = tracing_subscriber::fmt::layer()
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_ansi(false)
        .with_writer(Event::default);
    let filtered = Targets::new().with_targets(targets.iter().copied());
    let _ = tracing_subscriber::registry().with(format).with(filtered).try_init();
    Ok(())
}

/// Sets the current bar; messages are printed above it.
pub(crate) fn set_bar(bar: Option<ProgressBar>) {
    *lock(&BAR) = bar;
}

/// Prints an error, even with `-q`.
pub(crate) fn error(text: impl Display) {
    Messages::get().write(Level::ERROR, &text.to_string());
}

/// Prints a message, except with `-q`.
pub(crate) fn note(text: impl Display) {
    Messages::get().write(Level::WARN, &text.to_string());
}

/// Prints a message with `-v`.
pub(crate) fn verbose(text: impl Display) {
    Messages::get().write(Level::INFO, &text.to_string());
}

/// Prints the error that a command ends with: a JSON object for scripts, or a message.
pub(crate) fn end(json: bool, code: &str, text: &str) {
    if json {
        plain(format_args!("{}", serde_json::json!({"error": code, "message": text})));
    } else {
        error(format_args!("error: {text}"));
    }
}

/// Prints a line for scripts or a requested explanation on stderr: always, and without the time.
pub(crate) fn plain(text: Arguments<'_>) {
    to_stderr(Level::ERROR, escaped(&format!("{text}\n")).into_owned());
}

/// An event of the library; a message with `-v` when it is dropped. The filter passes those of `DEBUG` only with `-vv`.
#[derive(Default)]
struct Event(Vec<u8>);

impl Write for Event {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        verbose(String::from_utf8_lossy(&self.0));
    }
}
