//! What an emulator can be told before it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ccfs_proto::Timestamp;
use ccfs_proto::auth::{Freshness, KeyError, QueryLine};
use ccfs_proto::exchange::EndpointError;

use crate::data::{MEMBERS_LIMIT, Shape};
use crate::developer::Developer;
use crate::emulator::Emulator;
use crate::fault::FaultRule;
use crate::gate::Lockout;
use crate::jobs::{Delay, Jobs};
use crate::log::ReceivedRequest;
use crate::state::{CallbackSettings, Clock, Settings, Watcher};
use crate::tls::TlsVersions;

/// Records that one file may have.
const ROWS_LIMIT: u64 = 50_000_000;
/// Seconds that a clock may be ahead of or behind UTC.
const OFFSET_LIMIT: u32 = 18 * 3600;

/// Options of an emulator; each has a default, so that `Emulator::builder().start()` is enough.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct Builder {
    pub(crate) bind: SocketAddr,
    pub(crate) plain: bool,
    pub(crate) path_prefix: String,
    pub(crate) developer: Option<Developer>,
    pub(crate) more_developers: Vec<Developer>,
    pub(crate) clock: Clock,
    pub(crate) lockout: Option<Lockout>,
    pub(crate) delay: Delay,
    pub(crate) faults: Vec<FaultRule>,
    pub(crate) certificate_names: Vec<String>,
    pub(crate) expired: bool,
    pub(crate) tls_versions: TlsVersions,
    pub(crate) client_certificates: bool,
    pub(crate) callback_roots: Vec<String>,
    pub(crate) log_limit: usize,
    pub(crate) log_byte_limit: usize,
    pub(crate) watcher: Option<Watcher>,
    pub(crate) jobs_limit: usize,
    pub(crate) jobs: Option<Arc<Jobs>>,
    pub(crate) settings: Settings,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            plain: false,
            path_prefix: String::new(),
            developer: None,
            more_developers: Vec::new(),
            clock: Clock(Arc::new(|| Timestamp::from(SystemTime::now()))),
            lockout: Some(Lockout::default()),
            delay: Delay::None,
            faults: Vec::new(),
            certificate_names: Vec::new(),
            expired: false,
            tls_versions: TlsVersions::default(),
            client_certificates: false,
            callback_roots: Vec::new(),
            log_limit: 10_000,
            log_byte_limit: 64 * 1024 * 1024,
            watcher: None,
            jobs_limit: 100_000,
            jobs: None,
            settings: Settings {
                seed: 1,
                rows: None,
                rows_per_member: 1_000_000,
                shape: Shape::default(),
                span_limit: Duration::from_secs(3 * 24 * 3600),
                utc_offset: 8 * 3600,
                connection_limit: 1024,
                body_timeout: Duration::from_secs(30),
                chunked: false,
                same_files: false,
                errors_as_octet_stream: true,
                dialect: None,
                freshness: None,
                callback: CallbackSettings {
                    name_key: "agentOprSkillFileName".into(),
                    attempts: 3,
                    interval: Duration::from_secs(10 * 60),
                    timeout: Duration::from_secs(10),
                    host_without_port: false,
                },
            },
        }
    }
}

/// Where it listens, and as what.
impl Builder {
    /// Listens there. Default: `127.0.0.1`, at a port that the system chooses.
    pub fn bind(mut self, address: SocketAddr) -> Self {
        self.bind = address;
        self
    }

    /// Speaks HTTP without TLS. Default: HTTPS, with a certificate of its own CA.
    pub fn plain(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Stands behind a path, as gateways make it: `/gateway`. Default: none.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = prefix.into();
        self
    }

    /// Names and addresses in the certificate. Default: `localhost`, `127.0.0.1`, `::1` and the address that it listens at. Others make a
    /// certificate that does not fit, as servers that are addressed by IP have.
    pub fn certificate_names<T: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = T>,
    ) -> Self {
        self.certificate_names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Has a certificate that ended with the year 2020. Default: no; it does not end in our time.
    pub fn expired_certificate(mut self, on: bool) -> Self {
        self.expired = on;
        self
    }

    /// Which versions of TLS it speaks. Default: 1.2 and 1.3.
    pub fn tls_versions(mut self, versions: TlsVersions) -> Self {
        self.tls_versions = versions;
        self
    }

    /// Lets only clients in that show a certificate of its CA: [`Emulator::client_identity`]. Default: no; all come in.
    pub fn require_client_certificate(mut self, on: bool) -> Self {
        self.client_certificates = on;
        self
    }

    /// Sets how many connections may be open at the same time, at least 1; further ones wait until one
    /// ends. A connection ends if the handshake, a request head or the pause before the next request
    /// takes 30 seconds. Default: 1,024.
    pub fn connection_limit(mut self, connections: usize) -> Self {
        self.settings.connection_limit = connections;
        self
    }

    /// Sets how long a request body may take, in real time, at most a day. After that the answer is
    /// 408. Default: 30 seconds.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        // It is added to the current time, which must not overflow.
        self.settings.body_timeout = timeout.min(Duration::from_secs(24 * 3600));
        self
    }

    /// Where the time comes from, for everything: dates of answers, checks, names, signatures, locks. Default: the system's clock.
    pub fn clock(mut self, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Clock(Arc::new(now));
        self
    }

    /// Seconds that the tenant's clock is ahead of UTC, up to 18 hours either way. Default: 8 hours.
    pub fn utc_offset(mut self, seconds: i32) -> Self {
        self.settings.utc_offset = seconds;
        self
    }
}

/// Who may call.
impl Builder {
    /// The keys of the main developer account. Default: made from the seed.
    pub fn keys(self, access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        self.main_developer(Developer::new(access_key, secret_key))
    }

    /// The main developer account, with its tenant spaces. Default: keys made from the seed, and no tenant space of its own.
    pub fn main_developer(mut self, developer: Developer) -> Self {
        self.developer = Some(developer);
        self
    }

    /// Adds another developer account. Default: none.
    pub fn developer(mut self, developer: Developer) -> Self {
        self.more_developers.push(developer);
        self
    }

    /// Accepts signatures in one query line dialect only. Default: both.
    pub fn query_line(mut self, dialect: QueryLine) -> Self {
        self.settings.dialect = Some(dialect);
        self
    }

    /// Accepts signatures of this age only. Default: of any age, because CC-FS publishes no window.
    pub fn freshness(mut self, window: Freshness) -> Self {
        self.settings.freshness = Some(window);
        self
    }

    /// When bad signatures lock an address; `None` for never. Default: 10 bad signatures within 5 minutes lock it for 10 minutes.
    pub fn lockout(mut self, lockout: impl Into<Option<Lockout>>) -> Self {
        self.lockout = lockout.into();
        self
    }
}

/// What it hands out.
impl Builder {
    /// Sets the seed of keys, response ids and all data. Default: 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Sets the number of records in each file, at most 50 million. Default: the records of 60 agents.
    ///
    /// Each file then has as many agents as are needed for that many records, and the last agent has
    /// only the first of its records. A file has fewer records if the request is for one agent, or
    /// for a period in which 10,000 agents more than `rows` do not have that many.
    pub fn rows(mut self, rows: u64) -> Self {
        self.settings.rows = Some(rows);
        self
    }

    /// Sets the number of records in each member of a file, at least 1. A file has at most 10,000
    /// members; without [`rows`](Self::rows), members are larger if a file would have more. Default:
    /// 1 million.
    pub fn rows_per_member(mut self, rows: u64) -> Self {
        self.settings.rows_per_member = rows;
        self
    }

    /// How files are written. Default: UTF-8 without a mark, no header row, `\n`, `;`.
    pub fn shape(mut self, shape: Shape) -> Self {
        self.settings.shape = shape;
        self
    }

    /// The longest window that can be asked for. Default: 3 days.
    pub fn span_limit(mut self, limit: Duration) -> Self {
        self.settings.span_limit = limit;
        self
    }

    /// A file is there once so many downloads have found it missing. Default: at once.
    pub fn ready_after_polls(mut self, polls: u32) -> Self {
        self.delay = Delay::Polls(polls);
        self
    }

    /// A file is there so long after it was asked for, by the emulator's clock. Default: at once.
    pub fn ready_after(mut self, wait: Duration) -> Self {
        self.delay = Delay::Time(wait);
        self
    }

    /// Sends files in chunks, without `Content-Length`. Default: no.
    pub fn chunked(mut self, on: bool) -> Self {
        self.settings.chunked = on;
        self
    }

    /// Sends the JSON refusals of interfaces that hand out files under the files' content type. Default: yes, to keep clients honest.
    pub fn errors_as_octet_stream(mut self, on: bool) -> Self {
        self.settings.errors_as_octet_stream = on;
        self
    }

    /// Generates the same bytes whenever and however often the same period is requested, as if at the
    /// end of the period. For tests that interrupt a client, resume and compare. Default: no; files of
    /// the same period have the same records, but other member names, and records that still lasted
    /// when an earlier file was generated have an end.
    pub fn same_files(mut self, on: bool) -> Self {
        self.settings.same_files = on;
        self
    }

    /// Takes over the jobs of another emulator, which may have stopped, as a server does that starts again. Without it, none.
    pub fn jobs_of(mut self, other: &Emulator) -> Self {
        self.jobs = Some(other.jobs());
        self
    }

    /// Jobs that can be started; the next gets 0300009. Default: 100,000.
    pub fn jobs_limit(mut self, limit: usize) -> Self {
        self.jobs_limit = limit;
        self
    }
}

/// How it calls back.
impl Builder {
    /// The key under which the callback for agent skill files has the name. Default: `agentOprSkillFileName`.
    pub fn callback_name_key(mut self, key: impl Into<String>) -> Self {
        self.settings.callback.name_key = key.into();
        self
    }

    /// How often a receiver is called that does not answer 2xx with a body, and how long after one another, in real time.
    /// Default: 3 times, every 10 minutes.
    pub fn callback_attempts(mut self, attempts: u32, interval: Duration) -> Self {
        self.settings.callback.attempts = attempts;
        self.settings.callback.interval = interval;
        self
    }

    /// How long a receiver has to answer, in real time. Default: 10 seconds.
    pub fn callback_timeout(mut self, timeout: Duration) -> Self {
        self.settings.callback.timeout = timeout;
        self
    }

    /// Leaves the port out of a callback's `Host`, as the published example does. Default: no.
    pub fn callback_host_without_port(mut self, on: bool) -> Self {
        self.settings.callback.host_without_port = on;
        self
    }

    /// Adds a CA, in PEM, that receivers' certificates may be signed by. Default: the emulator's own alone.
    pub fn callback_root(mut self, pem: impl Into<String>) -> Self {
        self.callback_roots.push(pem.into());
        self
    }
}

/// What goes wrong, and what is kept.
impl Builder {
    /// Calls `watch` with each request, on the emulator's thread, before its answer goes out: it should be quick. Default: nobody watches.
    pub fn on_request(mut self, watch: impl Fn(&ReceivedRequest) + Send + Sync + 'static) -> Self {
        self.watcher = Some(Watcher(Arc::new(watch)));
        self
    }

    /// Adds a rule to the script of faults. Default: none.
    pub fn fault(mut self, rule: impl Into<FaultRule>) -> Self {
        self.faults.push(rule.into());
        self
    }

    /// Entries that each log keeps, the newest. Default: 10,000.
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

    /// Starts the emulator on a thread of its own, and returns when it listens. Works in any test, async ones too.
    ///
    /// It fails for options that do not fit ([`Limit`](StartError::Limit), [`Key`](StartError::Key),
    /// [`SameAccessKey`](StartError::SameAccessKey), [`PathPrefix`](StartError::PathPrefix), a CA that is none as
    /// [`Tls`](StartError::Tls)) and when the system says no ([`Bind`](StartError::Bind), [`Thread`](StartError::Thread)).
    pub fn start(self) -> Result<Emulator, StartError> {
        let settings = &self.settings;
        let rows = settings.rows.unwrap_or_default();
        let limits = [
            (rows <= ROWS_LIMIT, "rows", "at most 50,000,000"),
            (settings.rows_per_member > 0, "rows_per_member", "at least 1"),
            (
                rows.div_ceil(settings.rows_per_member.max(1)) <= MEMBERS_LIMIT,
                "rows_per_member",
                "so large that a file has at most 10,000 members",
            ),
            (
                settings.utc_offset.unsigned_abs() <= OFFSET_LIMIT,
                "utc_offset",
                "at most 18 hours (64,800 seconds) either way",
            ),
        ];
        match limits.into_iter().find(|(kept, ..)| !kept) {
            Some((_, option, limit)) => Err(StartError::Limit { option, limit }),
            None => Emulator::start(self),
        }
    }
}

/// Why an emulator does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// An option is outside its bounds.
    #[error("{option} must be {limit}")]
    Limit {
        /// The option.
        option: &'static str,
        /// Its bounds.
        limit: &'static str,
    },
    /// A developer's key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Two developer accounts have the same access key.
    #[error("two developer accounts have the same access key")]
    SameAccessKey,
    /// The path prefix is none.
    #[error("the path prefix does not fit into an endpoint: {0}")]
    PathPrefix(#[from] EndpointError),
    /// The certificates could not be made, or a root for callbacks could not be read.
    #[error("cannot set up TLS: {0}")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The thread or its event loop could not be made.
    #[error("cannot start the emulator's thread: {0}")]
    Thread(#[source] std::io::Error),
}
