//! What servers do, and how a client must take it: one list for every backend, played by the emulator over TLS.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use ccfs_driver::{Clock, Error, Overwrite};
use ccfs_emulator::{Builder, Emulator, Fault};
use ccfs_proto::{
    Advice, AnswerError, Credentials, DownloadAgentSkillInfoFile, ErrorKind, ExchangeError, FileReceipt, Freshness, GenerationJob,
    IndexFileName, LocalTime, Policy, QueryAgentSkillInfoData, QueryLine, ResultCode, TlsFailure, TransportFailure,
};
use tempfile::TempDir;

use crate::backend::{Backend, Setup, file_name};
use crate::clock::ManualClock;

/// Runs every scenario with one backend; panics with the names of those that failed.
pub fn hold<B: Backend>() {
    let mut failed = Vec::new();
    for (name, scenario) in all::<B>() {
        println!("scenario: {name}");
        if catch_unwind(AssertUnwindSafe(scenario)).is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "scenarios that failed: {failed:?}");
}

type Scenario = (&'static str, fn());

/// The list.
#[must_use]
pub fn all<B: Backend>() -> Vec<Scenario> {
    vec![
        ("a job is started and its file comes to disk", job_and_file::<B>),
        ("a file goes into a writer", writer::<B>),
        ("a file comes one byte at a time", || intact::<B>(Fault::ByteByByte)),
        ("a file comes slowly", || intact::<B>(Fault::Slow(Duration::from_millis(1)))),
        ("a file comes in chunks, without a length", || intact::<B>(Fault::Chunked)),
        ("a file comes under another content type", || intact::<B>(Fault::WrongType)),
        ("a path prefix is signed and sent", path_prefix::<B>),
        ("both query line dialects are accepted as set", dialects::<B>),
        ("every documented result code is told, and only flow control is repeated", result_codes::<B>),
        ("a JSON error under an octet-stream type is an error", missing_file::<B>),
        ("a wrong key is a 401 and is sent once", wrong_key::<B>),
        ("a locked address is a 403 and is sent once", locked::<B>),
        ("a wrong clock is corrected once, and the next call knows", wrong_clock::<B>),
        ("a wrong key with a wrong clock ends after one correction", wrong_key_and_clock::<B>),
        ("a cut body is tried again, and the file is right", cut_then_right::<B>),
        ("a body that is always cut leaves no file", || broken::<B>(Fault::CutAfter(1000), 4, is_broken_body)),
        ("a length that is too large leaves no file", || broken::<B>(Fault::WrongLength, 4, is_broken_body)),
        ("half an archive leaves no file", || broken::<B>(Fault::TruncatedZip, 4, is_truncated)),
        ("a cut body into a writer says what it has", cut_into_writer::<B>),
        ("silence in the middle is given up", || broken::<B>(Fault::Stall, 4, is_stall)),
        ("silence from the start is given up", || broken::<B>(Fault::Silent, 4, is_stall)),
        ("a closed connection is tried again", || broken::<B>(Fault::CloseBeforeAnswer, 4, is_lost)),
        ("a job is not asked for again when it may have arrived", query_once::<B>),
        ("503 is waited out as Retry-After says", busy_then_right::<B>),
        ("flow control is waited out", flow_control_then_right::<B>),
        ("a gateway's page is told as one", || broken::<B>(Fault::Html(200), 1, is_garbage)),
        ("a gateway's refusal is told as one", || broken::<B>(Fault::Html(502), 1, is_refused(502))),
        ("garbage is told", || broken::<B>(Fault::Garbage, 1, is_garbage)),
        ("an empty answer is told", || broken::<B>(Fault::Empty, 1, is_empty)),
        ("a redirect is not followed", || broken::<B>(Fault::Redirect, 1, is_refused(307))),
        ("a file that is there is left alone, and nothing is sent", existing_file::<B>),
        ("a file that is there is replaced on demand, at once", replaced_file::<B>),
        ("a certificate of an unknown CA is refused", unknown_ca::<B>),
        ("nobody listens", nobody::<B>),
        ("a request that breaks a rule is not sent", bad_request::<B>),
    ]
}

/// An emulator, a clock and a folder.
struct Bench<B> {
    emulator: Emulator,
    clock: ManualClock,
    folder: TempDir,
    client: B,
}

impl<B: Backend> Bench<B> {
    fn new() -> Self {
        Self::with(|builder| builder, |_| {})
    }

    fn with(change: impl FnOnce(Builder) -> Builder, adjust: impl FnOnce(&mut Setup)) -> Self {
        let clock = ManualClock::default();
        let ticks = clock.clone();
        let builder = Emulator::builder().rows(200).clock(move || ticks.now().wall).lockout(None);
        let emulator = change(builder).start().unwrap();
        let mut setup = setup(&emulator, &clock);
        adjust(&mut setup);
        Self { client: B::new(&setup), emulator, clock, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("file.zip")
    }

    /// Starts a job; its file is there at once.
    fn job(&self) -> GenerationJob {
        self.client.query(query()).unwrap()
    }

    /// A file that is there, and its bytes.
    fn file(&self) -> (IndexFileName, Vec<u8>) {
        self.job();
        let name = self.emulator.files().pop().unwrap();
        let bytes = self.emulator.file(&name).unwrap();
        self.emulator.clear_logs();
        (name, bytes)
    }

    fn download(&self, name: &IndexFileName) -> Result<FileReceipt, Error> {
        self.client.to_file(DownloadAgentSkillInfoFile::new(name.clone()), &self.path(), Overwrite::Refuse)
    }

    fn requests(&self) -> usize {
        self.emulator.received().len()
    }

    /// The folder has this file and nothing else: no part of a file is left behind.
    fn holds(&self, bytes: Option<&[u8]>) {
        let names: Vec<_> = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        match bytes {
            None => assert!(names.is_empty(), "left behind: {names:?}"),
            Some(bytes) => {
                assert_eq!(names, ["file.zip"]);
                assert!(fs::read(self.path()).unwrap() == bytes, "the file's bytes differ");
            }
        }
    }
}

fn setup(emulator: &Emulator, clock: &ManualClock) -> Setup {
    let mut policy = Policy::default();
    policy.stall = Duration::from_millis(150);
    Setup {
        endpoint: emulator.endpoint().clone(),
        credentials: emulator.credentials(),
        policy,
        ca_pem: emulator.ca_pem().map(str::to_owned),
        clock: clock.clone(),
    }
}

fn query() -> QueryAgentSkillInfoData {
    let time = |text: &str| text.parse::<LocalTime>().unwrap();
    // Nobody listens at the callback's address; no scenario here waits for it.
    QueryAgentSkillInfoData::new(time("2023-04-05 00:00:00"), time("2023-04-06 00:00:00"), "http://127.0.0.1:9/callback")
}

fn exchange_error<T: std::fmt::Debug>(result: Result<T, Error>) -> ExchangeError {
    match result {
        Err(Error::Exchange(error)) => error,
        other => panic!("an exchange's error was expected: {other:?}"),
    }
}

fn job_and_file<B: Backend>() {
    let bench = Bench::<B>::new();
    let job = bench.job();
    let name = bench.emulator.files().pop().unwrap();
    assert_eq!(name.response_id(), Some(job.response_id));
    let bytes = bench.emulator.file(&name).unwrap();
    let receipt = bench.download(&name).unwrap();
    assert_eq!(receipt.bytes, bytes.len() as u64);
    bench.holds(Some(&bytes));
    for request in bench.emulator.received() {
        assert_eq!(request.header("host"), Some(bench.emulator.endpoint().host_header().as_str()));
        assert_eq!(request.header("content-type"), Some("application/json; charset=UTF-8"));
        assert_eq!(request.header("accept-encoding"), None, "nothing may be packed on the way");
    }
}

fn writer<B: Backend>() {
    let bench = Bench::<B>::new();
    let (name, bytes) = bench.file();
    let (result, taken) = bench.client.to_writer(DownloadAgentSkillInfoFile::new(name));
    assert_eq!(result.unwrap().bytes, bytes.len() as u64);
    assert!(taken == bytes, "the writer's bytes differ");
}

fn intact<B: Backend>(fault: Fault) {
    let bench = Bench::<B>::with(|builder| builder.rows(20), |setup| setup.policy.stall = Duration::from_secs(10));
    let (name, bytes) = bench.file();
    bench.emulator.faults().add(fault);
    bench.download(&name).unwrap();
    bench.holds(Some(&bytes));
    assert_eq!(bench.requests(), 1);
}

fn path_prefix<B: Backend>() {
    let bench = Bench::<B>::with(|builder| builder.path_prefix("/gateway/aicc"), |_| {});
    let (name, bytes) = bench.file();
    bench.download(&name).unwrap();
    bench.holds(Some(&bytes));
    assert_eq!(bench.emulator.received()[0].path, "/gateway/aicc/CCFS/resource/ccfs/downloadAgentSkillInfoFile");
}

fn dialects<B: Backend>() {
    for dialect in QueryLine::ALL {
        let bench = Bench::<B>::with(|builder| builder.query_line(dialect), |setup| setup.policy.query_line = dialect);
        bench.job();
        let other = QueryLine::ALL.into_iter().find(|&other| other != dialect).unwrap();
        let bench = Bench::<B>::with(|builder| builder.query_line(dialect), |setup| setup.policy.query_line = other);
        let error = exchange_error(bench.client.query(query()));
        assert!(error.kind.is_authentication(), "{error}");
        assert_eq!(bench.requests(), 1, "the other dialect is never tried by itself");
    }
}

fn result_codes<B: Backend>() {
    let bench = Bench::<B>::with(|builder| builder, |setup| setup.policy.attempts = 2);
    for code in ResultCode::DOCUMENTED.iter().filter(|code| !code.is_success()) {
        bench.emulator.clear_logs();
        bench.emulator.faults().clear();
        bench.emulator.faults().add(Fault::ErrorUnder200(code.clone()));
        let error = exchange_error(bench.download(&file_name()));
        assert_eq!(error.kind.result_code(), Some(code));
        let expected = if code.advice() == Advice::TryLater { 2 } else { 1 };
        assert_eq!((error.attempts, bench.requests()), (expected, expected as usize), "{code}");
        bench.holds(None);
    }
}

fn missing_file<B: Backend>() {
    let bench = Bench::<B>::new();
    let error = exchange_error(bench.download(&file_name()));
    assert_eq!(error.kind.result_code(), Some(&ResultCode::FileNotFound));
    bench.holds(None);
}

fn wrong_key<B: Backend>() {
    let wrong = |setup: &mut Setup| {
        let access_key = setup.credentials.access_key().as_str().to_owned();
        setup.credentials = Credentials::from_text(&access_key, "not the key".into()).unwrap();
    };
    let bench = Bench::<B>::with(|builder| builder, wrong);
    let error = exchange_error(bench.download(&file_name()));
    assert!(matches!(&error.kind, ErrorKind::Refused { refusal, .. } if refusal.status == 401), "{error}");
    assert_eq!(bench.requests(), 1);
    bench.holds(None);
}

fn locked<B: Backend>() {
    let bench = Bench::<B>::new();
    bench.emulator.faults().add(Fault::Locked);
    let error = exchange_error(bench.download(&file_name()));
    assert!(matches!(&error.kind, ErrorKind::Refused { refusal, .. } if refusal.status == 403), "{error}");
    assert_eq!(bench.requests(), 1);
}

/// The server's clock is two hours ahead, and it takes signatures of a quarter of an hour only.
fn wrong_clock_bench<B: Backend>(adjust: impl FnOnce(&mut Setup)) -> Bench<B> {
    let ahead = ManualClock::at(ManualClock::default().wall().plus_millis(2 * 3600 * 1000));
    Bench::with(|builder| builder.clock(move || ahead.wall()).freshness(Freshness::default()), adjust)
}

fn wrong_clock<B: Backend>() {
    let bench = wrong_clock_bench::<B>(|_| {});
    bench.job();
    let statuses = |bench: &Bench<B>| -> Vec<Option<u16>> { bench.emulator.received().iter().map(|request| request.status).collect() };
    assert_eq!(statuses(&bench), [Some(401), Some(200)]);
    bench.job();
    assert_eq!(statuses(&bench), [Some(401), Some(200), Some(200)], "the correction is remembered");
    let bench = wrong_clock_bench::<B>(|setup| setup.policy.correct_skew_beyond = None);
    let error = exchange_error(bench.client.query(query()));
    assert!(error.to_string().contains("clock is about 7200"), "the error tells of the clock: {error}");
    assert_eq!(bench.requests(), 1, "switched off means off");
}

fn wrong_key_and_clock<B: Backend>() {
    let bench = wrong_clock_bench::<B>(|setup| {
        let access_key = setup.credentials.access_key().as_str().to_owned();
        setup.credentials = Credentials::from_text(&access_key, "not the key".into()).unwrap();
    });
    assert!(exchange_error(bench.client.query(query())).kind.is_authentication());
    assert_eq!(bench.requests(), 2);
}

fn cut_then_right<B: Backend>() {
    let bench = Bench::<B>::new();
    let (name, bytes) = bench.file();
    bench.emulator.faults().add(Fault::CutAfter(1000).times(2));
    bench.download(&name).unwrap();
    bench.holds(Some(&bytes));
    assert_eq!(bench.requests(), 3);
    assert_eq!(bench.clock.waits(), [Duration::from_millis(500), Duration::from_secs(1)].map(longest));
}

/// Without jitter's help a wait is the longest of its range, but for rounding.
fn longest(wait: Duration) -> Duration {
    wait.saturating_sub(Duration::from_nanos(1))
}

fn broken<B: Backend>(fault: Fault, attempts: usize, expected: impl Fn(&ErrorKind) -> bool) {
    let bench = Bench::<B>::new();
    let (name, _) = bench.file();
    bench.emulator.faults().add(fault);
    let error = exchange_error(bench.download(&name));
    assert!(expected(&error.kind), "{error}");
    assert_eq!(bench.requests(), attempts, "{error}");
    bench.holds(None);
}

fn is_broken_body(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Transport(TransportFailure::BodyBroken)) || is_truncated(kind)
}

fn is_truncated(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Answer(AnswerError::Truncated { .. }))
}

fn is_stall(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Transport(TransportFailure::Stall))
}

fn is_lost(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Transport(TransportFailure::Broken))
}

fn is_garbage(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Answer(AnswerError::Garbage { .. }))
}

fn is_empty(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Answer(AnswerError::Empty))
}

fn is_refused(status: u16) -> impl Fn(&ErrorKind) -> bool {
    move |kind| matches!(kind, ErrorKind::Refused { refusal, .. } if refusal.status == status)
}

fn cut_into_writer<B: Backend>() {
    let bench = Bench::<B>::new();
    let (name, bytes) = bench.file();
    bench.emulator.faults().add(Fault::CutAfter(1000));
    let (result, taken) = bench.client.to_writer(DownloadAgentSkillInfoFile::new(name));
    let error = exchange_error(result);
    assert!(matches!(error.kind, ErrorKind::Interrupted { handed_over, .. } if handed_over == taken.len() as u64), "{error}");
    assert!(bytes.starts_with(&taken) && !taken.is_empty());
    assert_eq!(bench.requests(), 1, "what was handed over cannot be taken back");
}

fn query_once<B: Backend>() {
    for fault in [Fault::CloseBeforeAnswer, Fault::Silent, Fault::CutAfter(5)] {
        let bench = Bench::<B>::new();
        bench.emulator.faults().add(fault);
        exchange_error(bench.client.query(query()));
        assert_eq!(bench.requests(), 1);
    }
}

fn busy_then_right<B: Backend>() {
    let bench = Bench::<B>::new();
    bench.emulator.faults().add(Fault::Busy(7).times(2));
    bench.job();
    assert_eq!(bench.clock.waits(), [Duration::from_secs(7); 2]);
    assert_eq!(bench.requests(), 3);
}

fn flow_control_then_right<B: Backend>() {
    let bench = Bench::<B>::new();
    bench.emulator.faults().add(Fault::FlowControl.times(2));
    bench.job();
    assert_eq!(bench.clock.waits(), [Duration::from_secs(5), Duration::from_secs(10)].map(longest));
    assert_eq!(bench.requests(), 3);
}

fn existing_file<B: Backend>() {
    let bench = Bench::<B>::new();
    let (name, _) = bench.file();
    fs::write(bench.path(), b"mine").unwrap();
    assert!(matches!(bench.download(&name), Err(Error::File(_))));
    bench.holds(Some(b"mine"));
    assert_eq!(bench.requests(), 0);
}

fn replaced_file<B: Backend>() {
    let bench = Bench::<B>::new();
    let (name, bytes) = bench.file();
    fs::write(bench.path(), b"old").unwrap();
    let replace = || bench.client.to_file(DownloadAgentSkillInfoFile::new(name.clone()), &bench.path(), Overwrite::Replace);
    bench.emulator.faults().add(Fault::Garbage.times(1));
    exchange_error(replace());
    bench.holds(Some(b"old"));
    replace().unwrap();
    bench.holds(Some(&bytes));
}

fn unknown_ca<B: Backend>() {
    let stranger = Emulator::builder().seed(99).start().unwrap();
    let bench = Bench::<B>::with(|builder| builder, |setup| setup.ca_pem = stranger.ca_pem().map(str::to_owned));
    let error = exchange_error(bench.download(&file_name()));
    assert_eq!((error.kind, error.attempts), (ErrorKind::Transport(TransportFailure::Tls(TlsFailure::UnknownIssuer)), 1));
    assert_eq!(bench.requests(), 0);
}

fn nobody<B: Backend>() {
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bench = Bench::<B>::with(|builder| builder, |setup| setup.endpoint = format!("https://{free}").parse().unwrap());
    let error = exchange_error(bench.client.query(query()));
    assert_eq!((&error.kind, error.attempts), (&ErrorKind::Transport(TransportFailure::Connect), 4), "never arrived: repeated");
}

fn bad_request<B: Backend>() {
    let bench = Bench::<B>::new();
    let error = bench.client.query(query().account_id("a".repeat(21))).unwrap_err();
    assert!(matches!(error, Error::Request(_)), "{error}");
    assert_eq!(error.to_string(), "accountId: it has 21 characters, and at most 20 are taken");
    assert_eq!(bench.requests(), 0);
}
