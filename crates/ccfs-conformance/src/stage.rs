//! The environment of a scenario: servers, a folder, and the report of a mismatch.

use std::fmt::{Debug, Display};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use ccfs_driver::{Clock, Error, Overwrite};
use ccfs_emulator::{Builder, Emulator, FaultRule, ReceivedRequest};
use ccfs_proto::answer::FileReceipt;
use ccfs_proto::{
    Credentials, DownloadAgentSkillInfoFile, ErrorKind, ExchangeError, IndexFileName, LocalTime,
    QueryAgentSkillInfoData,
};
use tempfile::TempDir;

use crate::archive::file_name;
use crate::backend::{Backend, Client, Setup};
use crate::clock::ManualClock;
use crate::server::{Behaviour, ScriptedServer};

/// The idle timeout or the total timeout of a client, where a scenario is about that. In other scenarios a client waits longer than the server:
/// a slow machine must not change a verdict.
pub(crate) const SHORT: Duration = Duration::from_secs(2);

/// How a scenario ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    Mismatch { expected: String, seen: String },
    NotPlayed(&'static str),
}

/// The result of a scenario.
pub(crate) type Played = Result<(), Stop>;

/// A call that must succeed returned an error.
impl<E: std::error::Error> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Mismatch { expected: "no error".into(), seen: error.to_string() }
    }
}

/// Fails unless both are equal.
pub(crate) fn same<T: PartialEq + Debug>(what: &str, expected: &T, seen: &T) -> Played {
    holds(expected == seen, format_args!("{what}: {expected:?}"), format_args!("{seen:?}"))
}

/// Fails unless the condition is true.
pub(crate) fn holds(so: bool, expected: impl Display, seen: impl Display) -> Played {
    if so {
        Ok(())
    } else {
        Err(Stop::Mismatch { expected: expected.to_string(), seen: seen.to_string() })
    }
}

/// Returns the exchange's error of a call that must fail.
pub(crate) fn failure<T: Debug>(result: Result<T, Error>) -> Result<ExchangeError, Stop> {
    let seen = match result {
        Err(Error::Exchange(error)) => return Ok(error),
        Err(other) => format!("another error: {other}"),
        Ok(answer) => format!("success: {answer:?}"),
    };
    Err(Stop::Mismatch { expected: "an error of the exchange".into(), seen })
}

/// Fails unless a call ended with this kind of error.
pub(crate) fn kind_is(
    error: &ExchangeError,
    what: &str,
    is: impl Fn(&ErrorKind) -> bool,
) -> Played {
    holds(is(&error.kind), what, error)
}

pub(crate) fn is_status(status: u16) -> impl Fn(&ErrorKind) -> bool {
    move |kind| matches!(kind, ErrorKind::Refused { refusal, .. } if refusal.status == status)
}

/// Fails unless each wait is within the jitter of these: from half of it to all of it.
pub(crate) fn waits_are(clock: &ManualClock, expected: &[Duration]) -> Played {
    let waits = clock.waits();
    let near = |wait: &Duration, full: &Duration| {
        *wait <= *full && *wait + Duration::from_millis(1) >= *full / 2
    };
    let so = waits.len() == expected.len()
        && waits.iter().zip(expected).all(|(wait, full)| near(wait, full));
    holds(
        so,
        format_args!("waits on the setup's clock of half to all of {expected:?}"),
        format_args!("waits of {waits:?}"),
    )
}

pub(crate) fn query() -> Result<QueryAgentSkillInfoData, Stop> {
    let (begin, end): (LocalTime, LocalTime) =
        ("2023-04-05 00:00:00".parse()?, "2023-04-06 00:00:00".parse()?);
    // No server listens at the callback's address; no scenario here waits for a callback.
    Ok(QueryAgentSkillInfoData::new(begin, end, "http://127.0.0.1:9/callback"))
}

/// A folder with one place for a file.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Result<Self, Stop> {
        Ok(Self(tempfile::tempdir()?))
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("file.zip")
    }

    /// The folder has this file and nothing else: no temporary file is left.
    pub(crate) fn holds(&self, bytes: Option<&[u8]>) -> Played {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.0.path())? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        let Some(bytes) = bytes else {
            return same("files left in the folder", &Vec::new(), &names);
        };
        same("files in the folder", &vec!["file.zip".to_owned()], &names)?;
        let found = fs::read(self.path())?;
        holds(
            found == bytes,
            format_args!("the server's file, {} bytes", bytes.len()),
            format_args!("{} bytes that differ", found.len()),
        )
    }
}

/// A server that records its requests.
pub(crate) trait Server {
    /// Each request by its line and its header names; header values contain signatures.
    fn requests(&self) -> Vec<String>;
}

impl Server for Emulator {
    fn requests(&self) -> Vec<String> {
        let line = |request: &ReceivedRequest| format!("{} {}", request.method, request.path);
        self.received().iter().map(|it| shown(&line(it), &it.headers)).collect()
    }
}

impl Server for ScriptedServer {
    fn requests(&self) -> Vec<String> {
        self.seen().iter().map(|it| shown(&it.line, &it.headers)).collect()
    }
}

/// A client, and its server.
pub(crate) struct Stage<S> {
    pub(crate) server: S,
    pub(crate) setup: Setup,
    pub(crate) folder: Folder,
    pub(crate) client: Box<dyn Client>,
    /// The file to download.
    pub(crate) file_name: IndexFileName,
    server_timeout: Duration,
}

/// A client of an emulator.
pub(crate) type Bench = Stage<Emulator>;
/// A client of a server that plays a script, without TLS.
pub(crate) type Script = Stage<ScriptedServer>;

impl<S: Server> Stage<S> {
    fn start(
        backend: &dyn Backend,
        server: S,
        mut setup: Setup,
        adjust: impl FnOnce(&mut Setup),
    ) -> Result<Self, Stop> {
        let server_timeout = backend.server_timeout();
        // More than the server's, so that a slow machine does not change a verdict.
        setup.policy.idle_timeout = server_timeout * 2;
        adjust(&mut setup);
        Ok(Self {
            client: backend.client(&setup),
            server,
            setup,
            folder: Folder::new()?,
            file_name: file_name(),
            server_timeout,
        })
    }

    pub(crate) fn operation(&self) -> DownloadAgentSkillInfoFile {
        DownloadAgentSkillInfoFile::new(self.file_name.clone())
    }

    pub(crate) fn download(&self) -> Result<FileReceipt, Error> {
        self.client.to_file(self.operation(), &self.folder.path(), Overwrite::Refuse)
    }

    /// Fails unless a download leaves these bytes in the folder.
    pub(crate) fn brings(&self, bytes: &[u8]) -> Played {
        self.download()?;
        self.folder.holds(Some(bytes))
    }

    /// Fails unless a download ends with this kind of error, after so many requests, and leaves nothing in the folder.
    pub(crate) fn fails(
        &self,
        what: &str,
        is: impl Fn(&ErrorKind) -> bool,
        requests: usize,
    ) -> Played {
        kind_is(&failure(self.download())?, what, is)?;
        self.requests_are(requests)?;
        self.folder.holds(None)
    }

    /// Waits until so many requests are recorded: a client may give up before the server's thread reads what it sent. One too many is still noticed,
    /// since its sender waits for the answer, and a server records before it answers.
    pub(crate) fn requests_are(&self, expected: usize) -> Played {
        let begin = Instant::now();
        let mut seen = self.server.requests();
        while seen.len() < expected && begin.elapsed() <= self.server_timeout {
            thread::sleep(Duration::from_millis(1));
            seen = self.server.requests();
        }
        holds(
            seen.len() == expected,
            format_args!("{expected} requests at the server"),
            format_args!("{}: {}", seen.len(), seen.join("; ")),
        )
    }
}

impl Bench {
    pub(crate) fn new(backend: &dyn Backend) -> Result<Self, Stop> {
        Self::with(backend, |builder| builder, |_| {})
    }

    pub(crate) fn with(
        backend: &dyn Backend,
        change: impl FnOnce(Builder) -> Builder,
        adjust: impl FnOnce(&mut Setup),
    ) -> Result<Self, Stop> {
        let clock = ManualClock::default();
        let ticks = clock.clone();
        let builder = Emulator::builder().rows(200).clock(move || ticks.now().wall).lockout(None);
        let builder = if backend.speaks_tls() { builder } else { builder.plain() };
        let emulator = change(builder).start()?;
        let mut setup = Setup::new(emulator.endpoint().clone(), emulator.credentials());
        setup.ca_pem = emulator.ca_pem().map(str::to_owned);
        setup.clock = clock;
        Self::start(backend, emulator, setup, adjust)
    }

    /// Starts a job. From now on its file is the one to download; returns the file's bytes.
    pub(crate) fn generate(&mut self) -> Result<Vec<u8>, Stop> {
        let job = self.client.query(query()?)?;
        let missing = || Stop::Mismatch {
            expected: "the emulator made a file".into(),
            seen: "it has none".into(),
        };
        self.file_name = self.server.files().pop().ok_or_else(missing)?;
        same("the job's id", &self.file_name.response_id(), &Some(job.response_id))?;
        self.server.clear_logs();
        self.server.file(&self.file_name).ok_or_else(missing)
    }

    pub(crate) fn add_fault(&self, rule: impl Into<FaultRule>) {
        self.server.faults().add(rule);
    }
}

impl Script {
    pub(crate) fn new(
        backend: &dyn Backend,
        script: impl IntoIterator<Item = Behaviour>,
    ) -> Result<Self, Stop> {
        Self::with(backend, script, |_| {})
    }

    pub(crate) fn with(
        backend: &dyn Backend,
        script: impl IntoIterator<Item = Behaviour>,
        adjust: impl FnOnce(&mut Setup),
    ) -> Result<Self, Stop> {
        let server = ScriptedServer::bearing(backend.server_timeout(), script)?;
        let setup = Setup::new(server.url().parse()?, Credentials::from_text("ak", "sk".into())?);
        Self::start(backend, server, setup, adjust)
    }
}

/// A request by its line and its header names.
fn shown(line: &str, headers: &[(String, String)]) -> String {
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    format!("{line} with {}", names.join(", "))
}
