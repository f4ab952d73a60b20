use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// Maximum length of an endpoint in bytes.
const LIMIT: usize = 2048;

/// Base URL of a CC-FS server, load balancer (NSLB) or gateway: `https://10.1.2.3:8443`.
///
/// A path prefix is allowed; user names, queries and fragments are not. Host names become
/// lower-case and the scheme's default port is dropped, as HTTP clients do, so that the signed
/// `Host` header is the one that is sent. See [Endpoints](crate::protocol#endpoints).
///
/// ```
/// use ccfs_proto::Endpoint;
///
/// let endpoint: Endpoint = "https://[2001:db8::7]:443/gateway/".parse()?;
/// assert_eq!(endpoint.host_header(), "[2001:db8::7]");
/// assert_eq!(endpoint.to_string(), "https://[2001:db8::7]/gateway");
/// assert!("https://user:word@10.1.2.3".parse::<Endpoint>().is_err());
/// # Ok::<(), ccfs_proto::exchange::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    is_https: bool,
    /// In lower case. An IPv6 address has brackets.
    host: Box<str>,
    port: u16,
    /// Empty, or `/a/b` without a trailing slash.
    prefix: Box<str>,
}

impl Endpoint {
    /// Returns whether connections use TLS. Plain HTTP is for trusted networks where TLS ends
    /// earlier.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Returns `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    /// Returns the host name or address in lower case. An IPv6 address has brackets; for a socket,
    /// use the host of [`Target`](super::Target).
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port; without an explicit one, the scheme's default port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the path before `/CCFS`: empty, or with a leading and without a trailing slash.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the value of the `Host` header.
    pub fn host_header(&self) -> String {
        if self.port == default_port(self.is_https) {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.host_header(), self.prefix)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if text.len() > LIMIT {
            return Err(EndpointError::TooLong { len: text.len() });
        }
        let (scheme, rest) = text.split_once("://").ok_or(EndpointError::Scheme)?;
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return Err(EndpointError::Scheme);
        }
        if rest.contains(['?', '#']) {
            return Err(EndpointError::Query);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        Ok(Self {
            is_https,
            host: check_host(host)?,
            port: port.unwrap_or(default_port(is_https)),
            prefix: check_prefix(path)?,
        })
    }
}

fn default_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), EndpointError> {
    // The colons inside of the brackets of an IPv6 address do not count.
    let address_end = authority.rfind(']').unwrap_or_default();
    let Some(colon) = authority[address_end..].find(':') else { return Ok((authority, None)) };
    let (host, port) = authority.split_at(address_end + colon);
    let digits = &port[1..];
    match digits.parse() {
        Ok(port) if port > 0 && !digits.starts_with('+') => Ok((host, Some(port))),
        _ => Err(EndpointError::Port),
    }
}

fn check_host(host: &str) -> Result<Box<str>, EndpointError> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: Ipv6Addr = inner
            .strip_suffix(']')
            .and_then(|text| text.parse().ok())
            .ok_or(EndpointError::Host)?;
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
    // URL libraries rewrite hosts with a numeric last label (010.1, 0x7f.1) to an IPv4 address, so
    // only its usual form is allowed.
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit())
        || last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    if numeric && host.parse::<std::net::Ipv4Addr>().is_err() {
        return Err(EndpointError::Host);
    }
    Ok(host.to_ascii_lowercase().into())
}

/// Writes `address` as URL libraries do. `Display` differs: it writes a mapped address as IPv4.
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
    if !path[1..].split('/').all(|segment| !segment.is_empty() && is_plain_segment(segment)) {
        return Err(EndpointError::Prefix);
    }
    if path.split('/').any(|segment| segment == "CCFS") {
        return Err(EndpointError::InterfacePath);
    }
    Ok(path.into())
}

/// Returns whether URL libraries leave the segment of a path unchanged.
pub(super) fn is_plain_segment(segment: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !matches!(segment, "." | "..") && segment.bytes().all(is_plain)
}

/// A text is not a valid endpoint. Messages do not contain the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The endpoint is longer than 2048 bytes.
    #[error("endpoint is {len} bytes long, limit {LIMIT}")]
    TooLong {
        /// Length in bytes.
        len: usize,
    },
    /// The endpoint does not start with `https://` or `http://`.
    #[error("endpoint has no scheme https or http; write it like https://10.1.2.3:8443")]
    Scheme,
    /// The endpoint contains a user name or a password.
    #[error("endpoint contains a user name or password; remove it and set the keys separately")]
    UserInfo,
    /// The host is empty or malformed.
    #[error(
        "malformed host of the endpoint; use a name, an IPv4 address or a [bracketed] IPv6 one"
    )]
    Host,
    /// The port is malformed.
    #[error("malformed port of the endpoint; use a number from 1 to 65535")]
    Port,
    /// The endpoint has a query or a fragment.
    #[error("endpoint has a query or fragment; remove it")]
    Query,
    /// The path prefix is malformed.
    #[error("malformed path of the endpoint; use letters, digits and -._~ between single slashes")]
    Prefix,
    /// The path contains the path of an interface.
    #[error("endpoint contains /CCFS; remove it and what follows")]
    InterfacePath,
}
