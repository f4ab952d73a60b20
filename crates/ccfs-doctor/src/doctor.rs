//! Checks a server, step by step.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccfs_driver::{Clock, Config, Error, Proxy, ProxyError, SystemClock};
use ccfs_proto::auth::QueryLine;
use ccfs_proto::exchange::ClockSkew;
use ccfs_proto::{
    Credentials, Day, DownloadAgentSkillInfoFile, Endpoint, IndexFileName, Policy, ResponseId,
};
use ccfs_tls::Trust;
use ccfs_ureq::Client;

use crate::evidence::{Call, Evidence, Head, Reach};
use crate::judge::{NOTABLE_SKEW, SOON, judge};
use crate::probe::{Probe, probe};
use crate::report::{Mark, Report, Step, Verdict};

/// A file that does not exist: of a day long before CC-FS, with an ID of zeros.
const NO_SUCH_DAY: &str = "1970-01-01";
const NO_SUCH_ID: &str = "00000000000000000000000000000000";
/// Bytes of an answer that are read: it is an envelope or a refusal.
const ANSWER_LIMIT: u64 = 1024 * 1024;
const DAY_MILLIS: i64 = 24 * 3600 * 1000;

/// Finds out why a CC-FS does not answer as it should.
///
/// It resolves the name, connects, performs a TLS handshake, and then makes exactly one signed call: `downloadAgentSkillInfoFile` for a file
/// that cannot exist. That call changes nothing, and any result code in the answer proves that the server accepted the signature. No call is
/// repeated, because bad signatures lock the address.
#[derive(Clone)]
#[must_use = "nothing is checked before `examine`"]
pub struct Doctor {
    endpoint: Endpoint,
    credentials: Option<Credentials>,
    trust: Trust,
    way: Way,
    query_line: QueryLine,
    try_dialects: bool,
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// How to connect to the server.
#[derive(Clone, Debug)]
enum Way {
    /// Through the proxy of the environment variables, if any.
    Environment,
    /// Through this proxy, or directly.
    Given(Option<Proxy>),
}

impl Doctor {
    /// Creates a doctor for the server at this endpoint. Without credentials, no signed call is made.
    pub fn new(endpoint: Endpoint, credentials: Option<Credentials>) -> Self {
        Self {
            endpoint,
            credentials,
            trust: Trust::system(),
            way: Way::Environment,
            query_line: QueryLine::default(),
            try_dialects: false,
            timeout: Duration::from_secs(15),
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Sets the trusted certificates and the client certificate. Default: the system's roots, no client certificate.
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Sets the proxy; `None` connects directly. Default: [`Proxy::from_env`].
    pub fn proxy(mut self, proxy: impl Into<Option<Proxy>>) -> Self {
        self.way = Way::Given(proxy.into());
        self
    }

    /// Sets how the signature represents an absent query. Default: [`QueryLine::Omit`].
    pub fn query_line(mut self, dialect: QueryLine) -> Self {
        self.query_line = dialect;
        self
    }

    /// Sets whether to make a second call with the other query line dialect after a 401. Default: `false`, because if the dialect is not the
    /// cause, that is one more bad signature, and those lock the address.
    pub fn try_dialects(mut self, on: bool) -> Self {
        self.try_dialects = on;
        self
    }

    /// Sets the timeout of each step, at most a day. Default: 15 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.min(Duration::from_secs(24 * 60 * 60));
        self
    }

    /// Sets the clock. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks the server and returns a report. Blocks for at most a few times the [timeout](Self::timeout).
    ///
    /// # Errors
    ///
    /// [`ProxyError`] if an environment variable names a malformed proxy.
    pub fn examine(self) -> Result<Report, ProxyError> {
        let proxy = match &self.way {
            Way::Given(proxy) => proxy.clone(),
            Way::Environment => Proxy::from_env(&self.endpoint)?,
        };
        let (probe, mut evidence) =
            probe(&self.endpoint, proxy.as_ref(), &self.trust, self.timeout);
        let mut steps = vec![
            name_step(&self.endpoint, proxy.as_ref(), &probe),
            connection_step(proxy.as_ref(), &evidence),
        ];
        if evidence.https && evidence.reach == Reach::Connected {
            let now = self.clock.now().wall;
            let ends = probe.certificates.first().and_then(|own| own.ends);
            evidence.days_left = ends.map(|ends| ends.millis_since(now).div_euclid(DAY_MILLIS));
            steps.push(tls_step(&probe, &evidence, &self.trust));
        }
        let mut skew = None;
        if evidence.reach == Reach::Connected && evidence.tls.is_none() {
            skew = self.sign(&mut evidence, proxy.as_ref(), &mut steps);
        } else {
            steps.push(Step::new(
                "signed call",
                Mark::Skipped,
                "not made without a trusted connection to the server",
            ));
        }
        Ok(Report {
            endpoint: self.endpoint.to_string(),
            proxy: proxy.as_ref().map(ToString::to_string),
            verdict: verdict(&evidence, self.credentials.is_some()),
            steps,
            tls_version: probe.tls_version,
            certificates: probe.certificates,
            clock_skew_millis: skew.map(|skew: ClockSkew| skew.millis),
            findings: judge(&evidence),
            head: evidence.head,
        })
    }

    /// Makes the signed call, and the second one if it is enabled.
    fn sign(
        &self,
        evidence: &mut Evidence,
        proxy: Option<&Proxy>,
        steps: &mut Vec<Step>,
    ) -> Option<ClockSkew> {
        let Some(credentials) = &self.credentials else {
            steps.push(Step::new(
                "signed call",
                Mark::Skipped,
                "the keys were not tested, because none are set",
            ));
            return None;
        };
        let first = self.call(credentials, proxy, self.query_line);
        evidence.skew_millis = first.skew.map(|skew| skew.millis);
        evidence.call = Some(first.call);
        evidence.head = first.head;
        steps.push(clock_step(first.skew));
        steps.push(call_step(first.call, &first.said));
        if self.try_dialects && matches!(first.call, Call::Status { status: 401, spring: true }) {
            let other = match self.query_line {
                QueryLine::Omit => QueryLine::Empty,
                _ => QueryLine::Omit,
            };
            let second = self.call(credentials, proxy, other);
            evidence.other_dialect = Some(second.call);
            let mut step = call_step(second.call, &second.said);
            step.name = "dialect";
            step.text = format!("in the other query line dialect: {}", step.text);
            steps.push(step);
        }
        first.skew
    }

    fn call(&self, credentials: &Credentials, proxy: Option<&Proxy>, dialect: QueryLine) -> Called {
        let policy = Policy::default()
            .max_retries(0)
            // Correcting the clock would take another signed call.
            .skew_threshold(None)
            .query_line(dialect)
            .idle_timeout(self.timeout)
            .total_timeout(self.timeout * 2)
            .file_limit(ANSWER_LIMIT);
        let head = Arc::new(Mutex::new(Head::default()));
        let seen = Arc::clone(&head);
        let session = Config::new(self.endpoint.clone(), credentials.clone())
            .policy(policy)
            .proxy(proxy.cloned())
            .connect_timeout(self.timeout)
            .clock(Arc::clone(&self.clock))
            .on_head(move |_, headers| {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = Head::of(headers);
            });
        let client = match Client::with_trust(session, &self.trust) {
            Ok(client) => client,
            Err(error) => {
                return Called {
                    call: Call::Strange,
                    said: error.to_string(),
                    head: Head::default(),
                    skew: None,
                };
            }
        };
        let result = client.download(no_such_file()).to_writer(io::sink());
        let (call, said) = match &result {
            // The file cannot exist, but a server that returns it accepted the signature.
            Ok(_) => (Call::Accepted, String::from("the server returned a file")),
            Err(Error::Exchange(error)) => (Call::of(&error.kind), error.kind.root().to_string()),
            Err(error) => (Call::Strange, error.to_string()),
        };
        let head = head.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Called { call, said, head, skew: client.session().clock_skew() }
    }
}

impl fmt::Debug for Doctor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doctor")
            .field("endpoint", &self.endpoint)
            .field("trust", &self.trust)
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}

/// One call and what it showed.
struct Called {
    call: Call,
    said: String,
    head: Head,
    skew: Option<ClockSkew>,
}

fn no_such_file() -> DownloadAgentSkillInfoFile {
    let (day, id) = (NO_SUCH_DAY.parse::<Day>(), NO_SUCH_ID.parse::<ResponseId>());
    let name = day.ok().zip(id.ok()).map(|(day, id)| IndexFileName::new(day, id));
    DownloadAgentSkillInfoFile::new(name.unwrap_or_else(|| unreachable!("both are well-formed")))
}

fn name_step(endpoint: &Endpoint, proxy: Option<&Proxy>, probe: &Probe) -> Step {
    let host = proxy.map_or(endpoint.host(), Proxy::host);
    let whose = if proxy.is_some() { "the proxy " } else { "" };
    if probe.addresses.is_empty() {
        return Step::new("name", Mark::Fail, format!("{whose}{host} is not found"));
    }
    let addresses: Vec<String> =
        probe.addresses.iter().map(|address| address.ip().to_string()).collect();
    let addresses = addresses.join(", ");
    let text = if addresses == host.trim_matches(['[', ']']) {
        format!("{whose}{host} is an address")
    } else {
        format!("{whose}{host} is {addresses}")
    };
    Step::new("name", Mark::Ok, text)
}

fn connection_step(proxy: Option<&Proxy>, evidence: &Evidence) -> Step {
    let (mark, text) = match evidence.reach {
        Reach::Connected if proxy.is_some() && evidence.https => {
            (Mark::Ok, "through the proxy's tunnel".to_owned())
        }
        Reach::Connected if proxy.is_some() => {
            (Mark::Ok, "to the proxy; it connects to the server".to_owned())
        }
        Reach::Connected => (Mark::Ok, "the server listens".to_owned()),
        Reach::Refused => (Mark::Fail, "refused: nothing listens there".to_owned()),
        Reach::ProxyUnreachable => (Mark::Fail, "could not connect to the proxy".to_owned()),
        Reach::ProxyRefused(None) => (Mark::Fail, "the proxy's answer is not HTTP".to_owned()),
        Reach::ProxyRefused(Some(status)) => {
            (Mark::Fail, format!("the proxy refused the tunnel: HTTP {status}"))
        }
        Reach::Unreachable => (Mark::Fail, "could not connect: timeout or no route".to_owned()),
        Reach::NameNotFound | Reach::Untried => {
            (Mark::Skipped, "no address to connect to".to_owned())
        }
    };
    Step::new("connection", mark, text)
}

fn tls_step(probe: &Probe, evidence: &Evidence, trust: &Trust) -> Step {
    let version = probe.tls_version.map_or(String::new(), |version| format!("{version}; "));
    let trusted = if trust.pins().is_empty() {
        "the certificate is trusted"
    } else {
        "the certificate is a pinned one"
    };
    let mut step = match evidence.tls {
        Some(failure) => Step::new("TLS", Mark::Fail, format!("{version}{failure}")),
        None if evidence.days_left.is_some_and(|days| days < SOON) => Step::new(
            "TLS",
            Mark::Warn,
            format!("{version}{trusted}, but expires soon or has expired"),
        ),
        None => Step::new("TLS", Mark::Ok, format!("{version}{trusted}")),
    };
    for (number, certificate) in probe.certificates.iter().enumerate() {
        let signer = if certificate.issuer.is_empty() {
            String::new()
        } else {
            format!(", signed by {}", certificate.issuer)
        };
        step.details.push(format!("{}. {}{signer}", number + 1, certificate.subject));
        if let (Some(begin), Some(end)) = (&certificate.not_before, &certificate.not_after) {
            step.details.push(format!("   from {begin} to {end}"));
        }
        if !certificate.names.is_empty() {
            step.details.push(format!("   for {}", certificate.names.join(", ")));
        }
    }
    step.details.extend(probe.certificates.first().map(|own| format!("pin {}", own.sha256)));
    step
}

fn clock_step(skew: Option<ClockSkew>) -> Step {
    let Some(skew) = skew else {
        return Step::new("clock", Mark::Skipped, "the answer does not show the server's time");
    };
    let seconds = |millis: i64| {
        format!("{}.{}", millis.unsigned_abs() / 1000, millis.unsigned_abs() % 1000 / 100)
    };
    if skew.exceeds(Duration::from_secs(NOTABLE_SKEW)) {
        let side = if skew.millis > 0 { "ahead of" } else { "behind" };
        return Step::new(
            "clock",
            Mark::Warn,
            format!("the server's clock is {} s {side} this one", seconds(skew.millis)),
        );
    }
    Step::new(
        "clock",
        Mark::Ok,
        format!(
            "the clocks agree to {} s, measured to {} s",
            seconds(skew.millis),
            seconds(skew.uncertainty_millis)
        ),
    )
}

fn call_step(call: Call, said: &str) -> Step {
    match call {
        Call::Accepted => Step::new(
            "signed call",
            Mark::Ok,
            "the server accepted the signature, and reports that the file does not exist",
        ),
        _ => Step::new("signed call", Mark::Fail, said),
    }
}

fn verdict(evidence: &Evidence, signs: bool) -> Verdict {
    if evidence.tls.is_some() || evidence.reach != Reach::Connected {
        return Verdict::Network;
    }
    match evidence.call {
        None if signs => Verdict::Network,
        None => Verdict::Unsigned,
        Some(Call::Accepted) => Verdict::Well,
        Some(Call::Failed(_)) => Verdict::Network,
        Some(Call::Status { status: 401 | 403, .. }) => Verdict::Authentication,
        Some(_) => Verdict::Refused,
    }
}
