//! Evidence: the results of the checks, without conclusions.

use ccfs_proto::exchange::TlsFailure;
use ccfs_proto::{ErrorKind, FailureKind};
use http::{HeaderMap, header};
use serde::Serialize;

/// Characters of a server's text that are kept.
const SHOWN: usize = 200;

/// Proxies and gateways, by the beginning of their `Server` header.
const FRONTS: &[&str] = &[
    "nginx",
    "openresty",
    "tengine",
    "apache",
    "envoy",
    "istio",
    "kong",
    "apisix",
    "haproxy",
    "traefik",
    "caddy",
    "varnish",
    "squid",
    "cloudflare",
    "awselb",
    "big-ip",
    "microsoft-iis",
    "slb",
    "elb",
    "waf",
];

/// Headers that only proxies and gateways add.
const BETWEEN: &[&str] = &[
    "via",
    "x-cache",
    "cf-ray",
    "x-amz-cf-id",
    "x-kong-request-id",
    "x-kong-upstream-latency",
    "x-envoy-upstream-service-time",
];

/// Input of [`judge`](crate::judge()). The default is no evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// Whether the endpoint is an https one.
    pub https: bool,
    /// How far the connection got.
    pub reach: Reach,
    /// Why the probing handshake failed, if it did.
    pub tls: Option<TlsFailure>,
    /// Days for which the server's certificate is still valid; negative when it is over.
    pub days_left: Option<i64>,
    /// Length in bits of the RSA key in the server's certificate, if it has one.
    pub rsa_bits: Option<usize>,
    /// X.509 version of the server's certificate, 1 to 3.
    pub x509_version: Option<u32>,
    /// Whether the server asked for a client certificate in the handshake, and none is set.
    pub is_client_certificate_missing: bool,
    /// Milliseconds that the server's clock is ahead of this one.
    pub skew_millis: Option<i64>,
    /// Result of the signed call.
    pub call: Option<Call>,
    /// Result of the second call, with the other query line dialect.
    pub other_dialect: Option<Call>,
    /// What the head of the answer shows about the server.
    pub head: Head,
}

impl Evidence {
    pub(crate) fn skew_seconds(&self) -> u64 {
        self.skew_millis.map_or(0, |millis| millis.unsigned_abs() / 1000)
    }
}

/// How far a connection got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// It was not tried.
    #[default]
    Untried,
    /// The name was not found.
    NameNotFound,
    /// The connection was refused.
    Refused,
    /// The connection timed out, or there is no route to the host.
    Unreachable,
    /// Could not connect to the proxy.
    ProxyUnreachable,
    /// The proxy refused the tunnel with this status; `None` if its answer is not HTTP.
    ProxyRefused(Option<u16>),
    /// The connection was established.
    Connected,
}

/// Result of a signed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// The server accepted the signature: the answer has a result code, of any value.
    Accepted,
    /// A status other than success.
    Status {
        /// The status.
        status: u16,
        /// Whether the body has the format of errors of CC-FS (that of Spring).
        spring: bool,
    },
    /// A status of success, with a body that is not in the format of CC-FS.
    Strange,
    /// No answer.
    Failed(FailureKind),
}

impl Call {
    /// Returns the result of a call that failed with this error.
    pub fn of(kind: &ErrorKind) -> Self {
        match kind.root() {
            ErrorKind::ResultCode { .. } => Self::Accepted,
            ErrorKind::Refused { refusal, .. } => {
                Self::Status { status: refusal.status.as_u16(), spring: refusal.has_ccfs_form }
            }
            ErrorKind::Transport(failure) => Self::Failed(failure.kind()),
            ErrorKind::TotalTimeout { .. } => Self::Failed(FailureKind::IdleTimeout),
            _ => Self::Strange,
        }
    }
}

/// What the head of an answer shows about the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Head {
    /// Name of the software (`Server`), shortened.
    pub server: Option<String>,
    /// Name of a header that a proxy or gateway added.
    pub between: Option<&'static str>,
    /// Whether the body is a web page, by its content type.
    pub html: bool,
    /// Whether it requests a login (`WWW-Authenticate`), which CC-FS never does.
    pub challenge: bool,
    /// Target of a redirect (`Location`), shortened, without user name, query and fragment, which
    /// may contain secrets.
    pub location: Option<String>,
}

impl Head {
    /// Reads the headers of an answer.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: header::HeaderName| {
            headers.get(name).map(|value| shown(&String::from_utf8_lossy(value.as_bytes())))
        };
        Self {
            server: text(header::SERVER),
            between: BETWEEN.iter().find(|name| headers.contains_key(**name)).copied(),
            html: text(header::CONTENT_TYPE)
                .is_some_and(|kind| kind.to_ascii_lowercase().contains("html")),
            challenge: headers.contains_key(header::WWW_AUTHENTICATE),
            location: headers.get(header::LOCATION).map(|value| target(value.as_bytes())),
        }
    }

    /// Returns the signs of a proxy or gateway, as sentences.
    pub(crate) fn signs(&self) -> Vec<String> {
        let is_front = |name: &&String| {
            FRONTS.iter().any(|front| name.to_ascii_lowercase().starts_with(front))
        };
        let front = self.server.as_ref().filter(is_front).map(|name| {
            format!("the answer's Server header is {name:?}, which is usually a proxy or gateway")
        });
        let between = self.between.map(|name| {
            format!("the answer has the header {name}, which only proxies and gateways add")
        });
        front.into_iter().chain(between).collect()
    }

    /// Returns the same signs, and those that the answer itself is not from CC-FS.
    pub(crate) fn foreign(&self) -> Vec<String> {
        let mut signs = self.signs();
        if self.html {
            signs.push("the answer is a web page; CC-FS answers with JSON".into());
        }
        if self.challenge {
            signs.push(
                "the answer requests a login (WWW-Authenticate), which CC-FS never does".into(),
            );
        }
        signs
    }
}

/// Returns the URL of a redirect without parts that may be secret.
fn target(location: &[u8]) -> String {
    let location = String::from_utf8_lossy(location);
    let path = location.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = path.split_once("//") else { return shown(path) };
    let authority = rest.split(['/', '\\']).next().unwrap_or_default();
    let login = authority.rfind('@').map_or(0, |at| at + 1);
    shown(&format!("{scheme}//{}", &rest[login..]))
}

/// Returns text from the server for a terminal: short, on one line, without control characters.
pub(crate) fn shown(text: &str) -> String {
    let mut kept: String =
        text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        kept.push('…');
    }
    kept
}
