//! The environment of a scenario: servers, a folder, and the report of a mismatch.

use std::fmt::{Debug, Display};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use ccfs_driver::{Clock, Error, Overwrite};
use ccfs_emulator::{Builder, Emulator};
use ccfs_proto::answer::FileReceipt;
use ccfs_proto::{
    Credentials, DownloadAgentSkillInfoFile, ErrorKind, ExchangeError, IndexFileName, LocalTime,
    QueryAgentSkillInfoData,
};
use tempfile::TempDir;

use crate::archive::file_name;
use crate::backend::{Backend, Client, Setup};
use crate::clock::ManualClock;
use crate::server::{Behaviour, ScriptedServer, Seen};

/// The idle timeout or the total timeout of a client, where a scenario is about that. In other scenarios a client waits longer than the server:
/// a slow machine must not change a verdict.
pub(crate) const SHORT: Duration = Duration::from_secs(2);

fn more_than(server_timeout: Duration) -> Duration {
    server_timeout * 2
}

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
    match result {
        Err(Error::Exchange(error)) => Ok(error),
        Err(other) => Err(Stop::Mismatch {
            expected: "an error of the exchange".into(),
            seen: format!("another error: {other}"),
        }),
        Ok(answer) => Err(Stop::Mismatch {
            expected: "an error of the exchange".into(),
            seen: format!("success: {answer:?}"),
        }),
    }
}

/// Waits until that many are recorded: a client may give up before the server's thread reads what it sent. One too many is still noticed, since
/// its sender waits for the answer, and a server records before it answers.
fn noted<T>(expected: usize, server_timeout: Duration, look: impl Fn() -> Vec<T>) -> Vec<T> {
    let begin = Instant::now();
    loop {
        let all = look();
        if all.len() >= expected || begin.elapsed() > server_timeout {
            return all;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Fails unless a call ended with this kind of error.
pub(crate) fn kind_is(
    error: &ExchangeError,
    what: &str,
    is: impl Fn(&ErrorKind) -> bool,
) -> Played {
    holds(is(&error.kind), what, error)
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

pub(crate) fn download() -> DownloadAgentSkillInfoFile {
    DownloadAgentSkillInfoFile::new(file_name())
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
        match bytes {
            None => same("files left in the folder", &Vec::new(), &names),
            Some(bytes) => {
                same("files in the folder", &vec!["file.zip".to_owned()], &names)?;
                let found = fs::read(self.path())?;
                let seen = || format!("{} bytes that differ", found.len());
                holds(
                    found == bytes,
                    format_args!("the server's file, {} bytes", bytes.len()),
                    seen(),
                )
            }
        }
    }
}

/// A client of an emulator.
pub(crate) struct Bench {
    pub(crate) emulator: Emulator,
    pub(crate) clock: ManualClock,
    pub(crate) folder: Folder,
    pub(crate) client: Box<dyn Client>,
    server_timeout: Duration,
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
        setup.policy.idle_timeout = more_than(backend.server_timeout());
        setup.ca_pem = emulator.ca_pem().map(str::to_owned);
        setup.clock = clock.clone();
        adjust(&mut setup);
        Ok(Self {
            client: backend.client(&setup),
            emulator,
            clock,
            folder: Folder::new()?,
            server_timeout: backend.server_timeout(),
        })
    }

    /// An existing file, and its bytes.
    pub(crate) fn file(&self) -> Result<(IndexFileName, Vec<u8>), Stop> {
        self.client.query(query()?)?;
        let name = self.emulator.files().pop();
        let bytes = name.as_ref().and_then(|name| self.emulator.file(name));
        self.emulator.clear_logs();
        let missing = || Stop::Mismatch {
            expected: "the emulator made a file".into(),
            seen: "it has none".into(),
        };
        name.zip(bytes).ok_or_else(missing)
    }

    pub(crate) fn download(&self, name: &IndexFileName) -> Result<FileReceipt, Error> {
        self.client.to_file(
            DownloadAgentSkillInfoFile::new(name.clone()),
            &self.folder.path(),
            Overwrite::Refuse,
        )
    }

    pub(crate) fn requests_are(&self, expected: usize) -> Played {
        same(
            "requests that the server received",
            &expected,
            &noted(expected, self.server_timeout, || self.emulator.received()).len(),
        )
    }
}

/// A client of a server that plays a script, without TLS.
pub(crate) struct Script {
    pub(crate) server: ScriptedServer,
    pub(crate) setup: Setup,
    pub(crate) folder: Folder,
    pub(crate) client: Box<dyn Client>,
    server_timeout: Duration,
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
        let mut setup =
            Setup::new(server.url().parse()?, Credentials::from_text("ak", "sk".into())?);
        setup.policy.idle_timeout = more_than(backend.server_timeout());
        adjust(&mut setup);
        Ok(Self {
            client: backend.client(&setup),
            server,
            setup,
            folder: Folder::new()?,
            server_timeout: backend.server_timeout(),
        })
    }

    pub(crate) fn download(&self) -> Result<FileReceipt, Error> {
        self.client.to_file(download(), &self.folder.path(), Overwrite::Refuse)
    }

    /// Everything received: the line and the header names of each request.
    pub(crate) fn requests_are(&self, expected: usize) -> Played {
        let seen = noted(expected, self.server_timeout, || self.server.seen());
        let shown: Vec<String> = seen.iter().map(shown).collect();
        holds(
            seen.len() == expected,
            format_args!("{expected} requests at the server"),
            format_args!("{}: {}", seen.len(), shown.join("; ")),
        )
    }
}

/// A request by its line and its header names; header values contain signatures.
pub(crate) fn shown(request: &Seen) -> String {
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    format!("{} with {}", request.line, names.join(", "))
}
