//! A server, a folder, and a simulated clock.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use ccfs_archive::IndexKind;
use ccfs_driver::{Clock, Config};
use ccfs_emulator::{Builder, Emulator};
use ccfs_proto::callback::Callback;
use ccfs_proto::{Policy, Timestamp};
use ccfs_pull::{
    FetchReport, FetchTask, Pace, Plan, Pull, PullError, PullProgress, PullSummary, Zone,
};
use ccfs_tests::ManualClock;
pub(crate) use ccfs_tests::runtime;
use tempfile::TempDir;

pub(crate) const ASK: &str = "queryAgentSkillInfoData";
pub(crate) const FETCH: &str = "downloadAgentSkillInfoFile";

/// An emulator and a folder to pull into, both by one clock.
pub(crate) struct Bench {
    pub(crate) emulator: Emulator,
    pub(crate) clock: ManualClock,
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// Noon of the 20th in Shanghai.
    pub(crate) fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        Self::at("2023-04-20T04:00:00Z", change)
    }

    pub(crate) fn at(time: &str, change: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::at(time.parse::<Timestamp>().unwrap());
        let emulator = change(server(&clock)).start().unwrap();
        Self { emulator, clock, folder: tempfile::tempdir().unwrap() }
    }

    /// A builder for another server, by the same clock.
    pub(crate) fn another(&self) -> Builder {
        server(&self.clock)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("pulled")
    }

    pub(crate) fn client(&self) -> ccfs_ureq::Client {
        ccfs_ureq::Client::new(self.session()).unwrap()
    }

    pub(crate) fn async_client(&self) -> ccfs_reqwest::Client {
        ccfs_reqwest::Client::new(self.session()).unwrap()
    }

    pub(crate) fn session(&self) -> Config {
        ccfs_tests::config(&self.emulator).policy(policy()).clock(self.clock.clone())
    }

    /// What the server was asked to generate, by window, how often.
    pub(crate) fn questions(&self) -> BTreeMap<String, usize> {
        questions(&self.emulator)
    }

    pub(crate) fn requests(&self, interface: &str) -> usize {
        self.emulator
            .received()
            .iter()
            .filter(|request| request.interface == Some(interface))
            .count()
    }
}

fn server(clock: &ManualClock) -> Builder {
    let ticks = clock.clone();
    Emulator::builder()
        .plain()
        .rows(40)
        .same_files(true)
        .clock(move || ticks.now().wall)
        .lockout(None)
}

pub(crate) fn policy() -> Policy {
    Policy::default().max_retries(1)
}

pub(crate) fn questions(emulator: &Emulator) -> BTreeMap<String, usize> {
    let mut questions = BTreeMap::new();
    for request in emulator.received().iter().filter(|request| request.interface == Some(ASK)) {
        let body = request.msg_body.as_ref().unwrap();
        let window = format!(
            "{} {}",
            body["beginTime"].as_str().unwrap(),
            body["endTime"].as_str().unwrap()
        );
        *questions.entry(window).or_default() += 1;
    }
    questions
}

/// The drivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    Blocking,
    Async,
    /// The blocking one, which fetches files with serialized tasks.
    Tasks,
}

pub(crate) const DRIVERS: [Driver; 3] = [Driver::Blocking, Driver::Async, Driver::Tasks];

impl Driver {
    pub(crate) fn pull(
        self,
        bench: &Bench,
        plan: Plan,
        in_flight: usize,
    ) -> Result<PullSummary, PullError> {
        self.watched(bench, plan, pace(in_flight), None, |_| ControlFlow::Continue(()))
    }

    pub(crate) fn watched(
        self,
        bench: &Bench,
        plan: Plan,
        pace: Pace,
        line: Option<Receiver<Callback>>,
        progress: impl FnMut(&PullProgress) -> ControlFlow<()> + Send,
    ) -> Result<PullSummary, PullError> {
        let mut pull =
            Pull::new(plan, bench.path()).pace(pace).clock(bench.clock.clone()).progress(progress);
        if let Some(line) = line {
            pull = pull.callbacks(move || line.try_recv().ok());
        }
        self.run(pull, bench.session())
    }

    /// Runs a pull with a client of this configuration.
    pub(crate) fn run(self, pull: Pull<'_>, session: Config) -> Result<PullSummary, PullError> {
        let client = || ccfs_ureq::Client::new(session.clone()).unwrap();
        match self {
            Self::Blocking => pull.run(&client()),
            Self::Async => {
                runtime().block_on(pull.run_async(&ccfs_reqwest::Client::new(session).unwrap()))
            }
            Self::Tasks => pull.run_with(&client(), |task, _| Ok(run_elsewhere(task, &client()))),
        }
    }
}

/// Runs a task as another process does, which has only its text.
pub(crate) fn run_elsewhere(task: &FetchTask, client: &ccfs_ureq::Client) -> FetchReport {
    let task: FetchTask = serde_json::from_str(&serde_json::to_string(task).unwrap()).unwrap();
    let report = serde_json::to_string(&task.run(client)).unwrap();
    serde_json::from_str(&report).unwrap()
}

/// Ten days: four windows.
pub(crate) fn plan() -> Plan {
    plan_of("2023-04-01", "2023-04-10")
}

pub(crate) fn plan_of(from: &str, to: &str) -> Plan {
    Plan::new(
        IndexKind::AgentSkillInfo,
        Zone::named("Asia/Shanghai").unwrap(),
        from.parse().unwrap(),
        to.parse().unwrap(),
    )
}

pub(crate) fn pace(in_flight: usize) -> Pace {
    Pace { in_flight, ..Pace::default() }
}

/// Everything in a folder and below it, but the journal and the lock.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let own = ["ccfs-pull.journal", ".ccfs-pull.lock"];
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            let below = self::files(&entry.path()).into_iter();
            files.extend(below.map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else if !own.contains(&name.as_str()) {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    files
}
