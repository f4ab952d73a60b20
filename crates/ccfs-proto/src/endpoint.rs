//! Where a CC-FS stands.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// Bytes that an endpoint may have.
const LIMIT: usize = 2048;

/// The base URL of a CC-FS, or of the load balancer (NSLB) or gateway before it: `https://10.1.2.3:8443`.
///
/// A path prefix is allowed, because gateways add one, and `http` too, because some end TLS earlier; user names, queries and
/// fragments are not. The `Host` text that is signed is the one that an HTTP client really sends: lower-case, and without the port
/// when it is the scheme's own. See `docs/protocol.md`, "Endpoints".
///
/// ```
/// use ccfs_proto::Endpoint;
///
/// let endpoint: Endpoint = "https://[2001:db8::7]:443/gateway/".parse()?;
/// assert_eq!(endpoint.host_header(), "[2001:db8::7]");
/// assert_eq!(endpoint.to_string(), "https://[2001:db8::7]/gateway");
/// assert!("https://user:word@10.1.2.3".parse::<Endpoint>().is_err());
/// # Ok::<(), ccfs_proto::EndpointError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    scheme: Scheme,
    /// Lower case; an IPv6 address with its brackets.
    host: Box<str>,
    port: u16,
    /// Empty, or `/a/b` without a slash at the end.
    prefix: Box<str>,
}

/// How an endpoint is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// With TLS.
    Https,
    /// In clear: only inside a network where TLS ends earlier.
    Http,
}

impl Scheme {
    /// `https` or `http`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    /// The port that goes without saying.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Endpoint {
    /// How it is reached.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host name or address, lower-case; an IPv6 address with its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own when none was given.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path before `/CCFS`: empty, or with a leading and without a trailing slash.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The `Host` header's text.
    pub fn host_header(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.as_str(), self.host_header(), self.prefix)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if text.len() > LIMIT {
            return Err(EndpointError::TooLong { limit: LIMIT, len: text.len() });
        }
        let (scheme, rest) = split_scheme(text)?;
        if rest.contains(['?', '#']) {
            return Err(EndpointError::Query);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        Ok(Self {
            scheme,
            host: check_host(host)?,
            port: port.unwrap_or_else(|| scheme.default_port()),
            prefix: check_prefix(path)?,
        })
    }
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), EndpointError> {
    let (name, rest) = text.split_once("://").ok_or(EndpointError::Scheme)?;
    [Scheme::Https, Scheme::Http]
        .into_iter()
        .find(|scheme| name.eq_ignore_ascii_case(scheme.as_str()))
        .map(|scheme| (scheme, rest))
        .ok_or(EndpointError::Scheme)
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), EndpointError> {
    let colon = match authority.rfind(']') {
        Some(end) => authority[end..].find(':').map(|at| at + end),
        None => authority.find(':'),
    };
    let Some(colon) = colon else { return Ok((authority, None)) };
    let (host, digits) = (&authority[..colon], &authority[colon + 1..]);
    match digits.parse::<u16>() {
        Ok(port) if port > 0 && digits.bytes().all(|b| b.is_ascii_digit()) => {
            Ok((host, Some(port)))
        }
        _ => Err(EndpointError::Port),
    }
}

fn check_host(host: &str) -> Result<Box<str>, EndpointError> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: Ipv6Addr = inner
            .strip_suffix(']')
            .and_then(|text| text.parse().ok())
            .ok_or(EndpointError::Host)?;
        // Written the one way that URL libraries write it, so that it is signed as it is sent.
        return Ok(format!("[{}]", ipv6_text(address)).into());
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if host.len() > 253 || !host.split('.').all(label) {
        return Err(EndpointError::Host);
    }
    // URL libraries rewrite hosts whose last label is a number (010.1, 0x7f.1) into an IPv4 address; only the plain form is taken.
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit())
        || last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    if numeric && host.parse::<std::net::Ipv4Addr>().is_err() {
        return Err(EndpointError::Host);
    }
    Ok(host.to_ascii_lowercase().into())
}

/// `address` as URLs write it: never with an IPv4 tail, which `Display` of the standard library uses for mapped addresses.
fn ipv6_text(address: Ipv6Addr) -> String {
    if address.to_ipv4_mapped().is_none() {
        return address.to_string();
    }
    let [.., high, low] = address.segments();
    format!("::ffff:{high:x}:{low:x}")
}

fn check_prefix(path: &str) -> Result<Box<str>, EndpointError> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok("".into());
    }
    let segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
    };
    if !path[1..].split('/').all(segment) {
        return Err(EndpointError::Prefix);
    }
    if path.split('/').any(|segment| segment == "CCFS") {
        return Err(EndpointError::InterfacePath);
    }
    Ok(path.into())
}

/// Which part of an endpoint is wrong. The text itself is not repeated: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Longer than the bound.
    #[error("the endpoint has {len} bytes, and at most {limit} are taken")]
    TooLong {
        /// The bound in bytes.
        limit: usize,
        /// The bytes given.
        len: usize,
    },
    /// Neither `https://` nor `http://`.
    #[error(
        "the endpoint must begin with https:// (or http:// where TLS ends earlier), as in https://10.1.2.3:8443"
    )]
    Scheme,
    /// A user name or password.
    #[error("the endpoint must not hold a user name or password: the keys are set on their own")]
    UserInfo,
    /// The host is empty or no host.
    #[error("the endpoint's host is not a name, an IPv4 address or an IPv6 address in brackets")]
    Host,
    /// The port is no port.
    #[error("the endpoint's port must be a number from 1 to 65535")]
    Port,
    /// A query or fragment.
    #[error("the endpoint must not have a query or a fragment")]
    Query,
    /// The prefix has something else than plain segments.
    #[error(
        "the endpoint's path prefix may hold only letters, digits, '-', '.', '_' and '~' between single slashes"
    )]
    Prefix,
    /// The prefix holds the interface's own path.
    #[error("the endpoint ends before /CCFS: give the base URL, the interface's path is added")]
    InterfacePath,
}
