//! Which proxy calls to a server go through.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ccfs_proto::Endpoint;
use ccfs_proto::exchange::{EndpointError, Scheme};
use http::HeaderValue;
use zeroize::Zeroizing;

/// The scheme in front of an encoded login.
const BASIC: &[u8] = b"Basic ";

/// An HTTP proxy.
///
/// Calls to an https endpoint go through a tunnel (`CONNECT`), so the proxy sees the host and the port and nothing else. Over http it sees
/// everything; signatures cover `Host`, which no proxy on the way may change. Its user name and password are sent to the proxy alone and
/// are in no `Debug`, no error and no URL, and cannot be compared. They are wiped here; an HTTP client that was told them keeps copies of its own.
///
/// ```
/// use ccfs_driver::Proxy;
///
/// let proxy: Proxy = "http://user:word@proxy.example.com:3128".parse()?;
/// assert_eq!(proxy.to_string(), "http://proxy.example.com:3128");
/// # Ok::<(), ccfs_driver::ProxyError>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    host: Box<str>,
    port: u16,
    login: Option<Login>,
}

#[derive(Clone)]
struct Login {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
}

impl Proxy {
    /// The proxy that the environment names for this endpoint; `None` to go directly.
    ///
    /// For https it is `https_proxy`, else `all_proxy`; for http it is `http_proxy`, else `all_proxy`; the lower-case name goes before the
    /// capital one, and an empty value counts as none. `HTTP_PROXY` in capitals is passed over where `REQUEST_METHOD` is set, because a web
    /// server hands a client's `Proxy` header to its CGI programs under that name.
    ///
    /// `no_proxy` is a list, with commas or blanks between: `*` for all hosts; a domain, for itself and what ends in it (with a dot in front
    /// or not); an address; a network such as `10.0.0.0/8`; each with `:port` or without. Nothing is resolved for it: a name is compared with
    /// names, an address with addresses.
    ///
    /// What is set and is no HTTP proxy is an error: going around it unasked would be wrong.
    pub fn from_env(endpoint: &Endpoint) -> Result<Option<Self>, ProxyError> {
        Self::from_env_with(endpoint, |name| std::env::var_os(name).map(text))
    }

    /// The same with an environment of the caller's: `variable` says what is set under a name. What it gives is wiped.
    pub fn from_env_with(
        endpoint: &Endpoint,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ProxyError> {
        let set = |name: &'static str| {
            variable(name)
                .map(|value| (name, Zeroizing::new(value)))
                .filter(|(_, value)| !value.trim().is_empty())
        };
        let own = match endpoint.scheme() {
            Scheme::Http => set("http_proxy").or_else(|| {
                if variable("REQUEST_METHOD").is_some() { None } else { set("HTTP_PROXY") }
            }),
            _ => set("https_proxy").or_else(|| set("HTTPS_PROXY")),
        };
        let Some((name, value)) = own.or_else(|| set("all_proxy")).or_else(|| set("ALL_PROXY"))
        else {
            return Ok(None);
        };
        let exceptions = set("no_proxy").or_else(|| set("NO_PROXY"));
        if exceptions.is_some_and(|(_, list)| {
            list.split([',', ' ', '\t']).any(|entry| excepts(entry, endpoint))
        }) {
            return Ok(None);
        }
        value
            .parse()
            .map(Some)
            .map_err(|problem| ProxyError::Variable { name, problem: Box::new(problem) })
    }

    /// The same proxy with this login instead of its own. Nothing in it is encoded: for what does not come out of a URL. The user name has no colon,
    /// because a colon ends it on the wire (RFC 7617, section 2), and neither has control characters.
    ///
    /// ```
    /// use ccfs_driver::Proxy;
    ///
    /// let proxy = "proxy.example.com:3128".parse::<Proxy>()?.with_login("user", String::from("as: it/is@"))?;
    /// assert_eq!(proxy.login(), Some(("user", "as: it/is@")));
    /// # Ok::<(), ccfs_driver::ProxyError>(())
    /// ```
    pub fn with_login(self, user: &str, password: String) -> Result<Self, ProxyError> {
        let login = Login::new(Zeroizing::new(user.to_owned()), Zeroizing::new(password))?;
        Ok(Self { login: Some(login), ..self })
    }

    /// Its host name or address; an IPv6 address with its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The user name and the password that it wants. Secrets: for the proxy alone.
    pub fn login(&self) -> Option<(&str, &str)> {
        self.login.as_ref().map(|login| (login.user.as_str(), login.password.as_str()))
    }

    /// The same as the value of the header `Proxy-Authorization`: marked sensitive, and wiped when its last clone is dropped.
    ///
    /// ```
    /// use ccfs_driver::Proxy;
    ///
    /// let proxy: Proxy = "http://user:word@proxy.example.com:3128".parse()?;
    /// assert_eq!(proxy.authorization().unwrap(), "Basic dXNlcjp3b3Jk");
    /// # Ok::<(), ccfs_driver::ProxyError>(())
    /// ```
    pub fn authorization(&self) -> Option<HeaderValue> {
        self.login.as_ref().map(Login::authorization)
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    /// Reads `http://user:password@host:port`; all but the host may be left out, and the port is 80 then.
    fn from_str(text: &str) -> Result<Self, ProxyError> {
        let text = text.trim();
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some(_) => return Err(ProxyError::Scheme),
            None => text,
        };
        let rest = rest.trim_end_matches('/');
        let (login, authority) = match rest.rsplit_once('@') {
            Some((login, authority)) => (Some(Login::parse(login)?), authority),
            None => (None, rest),
        };
        if authority.contains('/') {
            return Err(ProxyError::Path);
        }
        // Who forgets the `@` has a password here.
        let place: Endpoint = Zeroizing::new(format!("http://{authority}")).parse()?;
        Ok(Self { host: place.host().into(), port: place.port(), login })
    }
}

impl Login {
    fn parse(text: &str) -> Result<Self, ProxyError> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Self::new(decoded(user)?, decoded(password)?)
    }

    fn new(user: Zeroizing<String>, password: Zeroizing<String>) -> Result<Self, ProxyError> {
        // What cannot stand in a header would end it, or the request.
        let is_bad = |c: char| c.is_control();
        if user.contains(':') || user.contains(is_bad) || password.contains(is_bad) {
            Err(ProxyError::Login)
        } else {
            Ok(Self { user, password })
        }
    }

    fn authorization(&self) -> HeaderValue {
        let plain = Zeroizing::new([self.user.as_str(), ":", self.password.as_str()].concat());
        let mut value = Zeroizing::new(vec![0; BASIC.len() + plain.len().div_ceil(3) * 4]);
        let (scheme, encoded) = value.split_at_mut(BASIC.len());
        scheme.copy_from_slice(BASIC);
        let written = STANDARD.encode_slice(plain.as_bytes(), encoded);
        assert!(
            written.is_ok_and(|len| len == encoded.len()),
            "base64 has four characters for three bytes"
        );
        let Ok(mut value) = HeaderValue::from_maybe_shared(Bytes::from_owner(value)) else {
            unreachable!("base64 is visible ASCII");
        };
        value.set_sensitive(true);
        value
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Result<Zeroizing<String>, ProxyError> {
    // Never longer than what it is made of, so it does not grow and leave its old bytes behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let digit = |at: usize| {
            behind
                .get(at)
                .and_then(|&b| char::from(b).to_digit(16))
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(high << 4 | low);
                rest = &behind[2..];
            }
            (b'%', ..) => return Err(ProxyError::Login),
            _ => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    std::str::from_utf8(&bytes)
        .map(|text| Zeroizing::new(text.to_owned()))
        .map_err(|_| ProxyError::Login)
}

/// A variable's value, in its own buffer. What is no UTF-8 is no proxy, and is told so by the character that stands for it.
fn text(value: OsString) -> String {
    value.into_string().unwrap_or_else(|value| {
        let bytes = Zeroizing::new(value.into_encoded_bytes());
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Whether an entry of `no_proxy` is about this endpoint.
fn excepts(entry: &str, endpoint: &Endpoint) -> bool {
    let entry = entry.trim();
    if entry == "*" {
        return true;
    }
    let host = endpoint.host().trim_matches(['[', ']']);
    let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    let (entry, port) = split_port(entry);
    if port.is_some_and(|port| port != endpoint.port().to_string()) {
        return false;
    }
    match (entry.split_once('/'), entry.parse::<IpAddr>(), address) {
        (Some((network, bits)), _, Some(address)) => in_network(address, network, bits),
        (None, Ok(entry), Some(address)) => entry.to_canonical() == address,
        (None, Err(_), None) => is_below(host, entry),
        _ => false,
    }
}

/// A host and the port behind it, without brackets; an IPv6 address has a port only with them.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = entry.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (entry, None),
    }
}

fn in_network(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    let (left, right, width) = match (address, network) {
        (IpAddr::V4(left), IpAddr::V4(right)) => {
            (u128::from(left.to_bits()), u128::from(right.to_bits()), 32)
        }
        (IpAddr::V6(left), IpAddr::V6(right)) => (left.to_bits(), right.to_bits(), 128),
        _ => return false,
    };
    // A shift by the whole width would be one too many; a network of no bits has every address.
    bits <= width && (bits == 0 || (left ^ right) >> (width - bits) == 0)
}

/// Whether `host` is the domain or ends in it, at a dot.
fn is_below(host: &str, domain: &str) -> bool {
    let domain = domain.strip_prefix('*').unwrap_or(domain);
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    let domain = domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase();
    let above = host.strip_suffix(domain.as_str());
    !domain.is_empty() && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

impl fmt::Display for Proxy {
    /// Its URL, without the user name and the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self}{})", if self.login.is_some() { ", with a login" } else { "" })
    }
}

/// What is wrong with a proxy. Its text is not repeated: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// An https or a SOCKS proxy.
    #[error(
        "only HTTP proxies are supported, as in http://proxy.example.com:3128; https calls go through them in a tunnel"
    )]
    Scheme,
    /// Something behind the port.
    #[error("a proxy is a host and a port, without a path: take off what stands behind the port")]
    Path,
    /// A user name or password that is not percent-encoded as URLs want it, or has what cannot be sent.
    #[error(
        "the proxy's user name and password must be percent-encoded (%40 for @, %25 for %) and hold no control characters, and the user name no colon"
    )]
    Login,
    /// The host or the port is none.
    #[error(
        "the proxy's host or port cannot be used: write them as in http://proxy.example.com:3128"
    )]
    Place(#[from] EndpointError),
    /// A variable of the environment has one of the above.
    #[error(
        "the environment variable {name}: {problem}. Mend it, or except the server with NO_PROXY"
    )]
    Variable {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        #[source]
        problem: Box<ProxyError>,
    },
}
