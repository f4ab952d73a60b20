//! Options of an emulator, set before it starts.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ccfs_proto::Timestamp;
use ccfs_proto::auth::{Freshness, QueryLine};

use crate::data::Shape;
use crate::developer::Developer;
use crate::emulator::Emulator;
use crate::fault::FaultRule;
use crate::gate::Lockout;
use crate::jobs::Jobs;
use crate::log::ReceivedRequest;
use crate::tls::TlsVersions;

type Watcher = Arc<dyn Fn(&ReceivedRequest) + Send + Sync>;

/// Options of an emulator. Each has a default, so `Emulator::builder().start()` is enough.
#[derive(Clone)]
#[allow(clippy::struct_excessive_bools)] // Each is an option of its own.
#[must_use = "a builder does nothing until `start` is called"]
pub struct Builder {
    pub(crate) bind: SocketAddr,
    pub(crate) plain: bool,
    pub(crate) path_prefix: String,
    pub(crate) certificate_names: Vec<String>,
    pub(crate) expired: bool,
    pub(crate) tls_versions: TlsVersions,
    pub(crate) client_certificates: bool,
    pub(crate) connection_limit: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pub(crate) utc_offset: i32,
    pub(crate) developer: Option<Developer>,
    pub(crate) more_developers: Vec<Developer>,
    pub(crate) dialect: Option<QueryLine>,
    pub(crate) freshness: Option<Freshness>,
    pub(crate) lockout: Option<Lockout>,
    pub(crate) seed: u64,
    pub(crate) rows: Option<u64>,
    pub(crate) rows_per_member: u64,
    pub(crate) shape: Shape,
    pub(crate) span_limit: Duration,
    pub(crate) ready_after: Duration,
    /// Whether the bytes of a file depend only on the request, not on its time or on earlier requests.
    pub(crate) same_files: bool,
    pub(crate) jobs: Option<Arc<Jobs>>,
    pub(crate) jobs_limit: usize,
    pub(crate) callback_attempts: u32,
    pub(crate) callback_interval: Duration,
    pub(crate) callback_roots: Vec<String>,
    pub(crate) watcher: Option<Watcher>,
    pub(crate) faults: Vec<FaultRule>,
    pub(crate) log_limit: usize,
    pub(crate) log_byte_limit: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            plain: false,
            path_prefix: String::new(),
            certificate_names: Vec::new(),
            expired: false,
            tls_versions: TlsVersions::default(),
            client_certificates: false,
            connection_limit: 1024,
            body_timeout: Duration::from_secs(30),
            clock: Arc::new(|| Timestamp::from(SystemTime::now())),
            utc_offset: 8 * 3600,
            developer: None,
            more_developers: Vec::new(),
            dialect: None,
            freshness: None,
            lockout: Some(Lockout::default()),
            seed: 1,
            rows: None,
            rows_per_member: 1_000_000,
            shape: Shape::default(),
            span_limit: Duration::from_secs(3 * 24 * 3600),
            ready_after: Duration::ZERO,
            same_files: false,
            jobs: None,
            jobs_limit: 100_000,
            callback_attempts: 3,
            callback_interval: Duration::from_secs(10 * 60),
            callback_roots: Vec::new(),
            watcher: None,
            faults: Vec::new(),
            log_limit: 10_000,
            log_byte_limit: 64 * 1024 * 1024,
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Builder");
        shown.field("bind", &self.bind).field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl Emulator {
    /// Returns the options of an emulator. All have defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// Address, TLS, connections and time.
impl Builder {
    /// Sets the address to listen on. Default: `127.0.0.1`, with a port that the system chooses.
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.bind = address;
        self
    }

    /// Uses HTTP without TLS. Default: HTTPS, with a certificate of the emulator's CA.
    pub fn plain(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Sets a prefix of all paths, such as `/gateway`, as gateways add it. Default: empty.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = prefix.into();
        self
    }

    /// Sets the names and addresses in the certificate. Default: `localhost`, `127.0.0.1`, `::1` and the address that the emulator listens
    /// on. With other names, the certificate does not match the endpoint, as is common for servers that are addressed by IP.
    pub fn certificate_names<T: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = T>,
    ) -> Self {
        self.certificate_names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Uses a certificate that expired at the end of 2020. Default: no; the certificate is valid until 4096.
    pub fn expired_certificate(mut self, on: bool) -> Self {
        self.expired = on;
        self
    }

    /// Sets the TLS versions. Default: 1.2 and 1.3.
    pub fn tls_versions(mut self, versions: TlsVersions) -> Self {
        self.tls_versions = versions;
        self
    }

    /// Accepts only clients with a certificate of the emulator's CA: [`Emulator::client_identity`]. Default: no; all clients are accepted.
    pub fn require_client_certificate(mut self, on: bool) -> Self {
        self.client_certificates = on;
        self
    }

    /// Sets how many connections may be open at the same time, at least 1; further ones wait until one
    /// ends. A connection ends if the handshake, a request head or the pause before the next request
    /// takes 30 seconds. Default: 1,024.
    pub fn connection_limit(mut self, connections: usize) -> Self {
        self.connection_limit = connections;
        self
    }

    /// Sets how long a request body may take, in real time, at most a day. After that the answer is
    /// 408. Default: 30 seconds.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        // It is added to the current time, which must not overflow.
        self.body_timeout = timeout.min(Duration::from_secs(24 * 3600));
        self
    }

    /// Sets the clock for dates of answers, checks, names, signatures and locks. Default: the system's clock.
    pub fn clock(mut self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(now);
        self
    }

    /// Sets the UTC offset of the tenant's time zone, in seconds east of UTC, at most 18 hours either way. Default: 8 hours.
    pub fn utc_offset(mut self, seconds: i32) -> Self {
        self.utc_offset = seconds;
        self
    }
}

/// Accounts and signatures.
impl Builder {
    /// Sets the keys of the main developer account. Default: generated from the seed.
    pub fn keys(self, access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        self.main_developer(Developer::new(access_key, secret_key))
    }

    /// Sets the main developer account, with its tenant spaces. Default: keys generated from the seed, without tenant spaces.
    pub fn main_developer(mut self, developer: Developer) -> Self {
        self.developer = Some(developer);
        self
    }

    /// Adds another developer account. Default: only the main account.
    pub fn developer(mut self, developer: Developer) -> Self {
        self.more_developers.push(developer);
        self
    }

    /// Accepts signatures in one query line dialect only. Default: both.
    pub fn query_line(mut self, dialect: QueryLine) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Accepts only signatures of this age. Default: any age, because CC-FS does not publish a limit.
    pub fn freshness(mut self, window: Freshness) -> Self {
        self.freshness = Some(window);
        self
    }

    /// Sets when bad signatures lock an address; `None` for never. Default: 10 bad signatures within 5 minutes lock it for 10 minutes.
    pub fn lockout(mut self, lockout: impl Into<Option<Lockout>>) -> Self {
        self.lockout = lockout.into();
        self
    }
}

/// Files and jobs.
impl Builder {
    /// Sets the seed of keys, response IDs and all data. Default: 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the number of records in each file, at most 50 million. Default: the records of 60 agents.
    ///
    /// Each file then has as many agents as are needed for that many records, and the last agent has
    /// only the first of its records. A file has fewer records if the request is for one agent, or
    /// if `rows` + 10,000 agents have fewer than `rows` records in its period.
    pub fn rows(mut self, rows: u64) -> Self {
        self.rows = Some(rows);
        self
    }

    /// Sets the number of records in each member of a file, at least 1. A file has at most 10,000
    /// members; without [`rows`](Self::rows), members are larger if a file would have more. Default:
    /// 1 million.
    pub fn rows_per_member(mut self, rows: u64) -> Self {
        self.rows_per_member = rows;
        self
    }

    /// Sets the format of files. Default: UTF-8 without a byte order mark, no header row, `\n`, `;`.
    pub fn shape(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Sets the longest period of a request. Default: 3 days.
    pub fn span_limit(mut self, limit: Duration) -> Self {
        self.span_limit = limit;
        self
    }

    /// Sets how long after its request a file exists, by the emulator's clock. Default: immediately.
    pub fn ready_after(mut self, wait: Duration) -> Self {
        self.ready_after = wait;
        self
    }

    /// Generates the same bytes for every request for the same period, as if the file was generated
    /// at the end of the period. For tests that interrupt a client, resume and compare. Default: no;
    /// files of the same period then have the same records, but different member names, and an
    /// operation that had not ended when an earlier file was generated has an end in a later one.
    pub fn same_files(mut self, on: bool) -> Self {
        self.same_files = on;
        self
    }

    /// Continues with the jobs of another emulator, which may have stopped, as a restarted server does. Default: no jobs.
    pub fn jobs_of(mut self, other: &Emulator) -> Self {
        self.jobs = Some(other.jobs());
        self
    }

    /// Sets how many jobs can be started; further requests are answered with 0300009. Default: 100,000.
    pub fn jobs_limit(mut self, limit: usize) -> Self {
        self.jobs_limit = limit;
        self
    }
}

/// Callbacks.
impl Builder {
    /// Sets how often a callback is sent to a receiver that does not answer with 2xx and a body, and the interval in real time. Default: 3
    /// times, every 10 minutes. The emulator waits 10 seconds for an answer.
    pub fn callback_attempts(mut self, attempts: u32, interval: Duration) -> Self {
        self.callback_attempts = attempts;
        self.callback_interval = interval;
        self
    }

    /// Adds a CA certificate, in PEM, that is trusted for receivers. Default: only the emulator's CA.
    pub fn callback_root(mut self, pem: impl Into<String>) -> Self {
        self.callback_roots.push(pem.into());
        self
    }
}

/// Faults and logs.
impl Builder {
    /// Sets a function that is called with each request, before the response is sent. It runs on the emulator's thread, so it should be
    /// quick.
    pub fn on_request(mut self, watch: impl Fn(&ReceivedRequest) + Send + Sync + 'static) -> Self {
        self.watcher = Some(Arc::new(watch));
        self
    }

    /// Adds a rule to the script of faults. Default: no faults.
    pub fn fault(mut self, rule: impl Into<FaultRule>) -> Self {
        self.faults.push(rule.into());
        self
    }

    /// Sets how many entries each log keeps; the oldest are dropped. Default: 10,000.
    pub fn log_limit(mut self, entries: usize) -> Self {
        self.log_limit = entries;
        self
    }

    /// Sets how many bytes of memory each log takes, approximately; the oldest entries are dropped,
    /// but the newest is always kept. Default: 64 MiB.
    pub fn log_byte_limit(mut self, bytes: usize) -> Self {
        self.log_byte_limit = bytes;
        self
    }
}
