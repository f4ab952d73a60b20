//! The HTTP proxy of a client.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ccfs_proto::Endpoint;
use ccfs_proto::exchange::EndpointError;
use http::HeaderValue;
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

/// Authentication scheme of the `Proxy-Authorization` header, before the encoded login.
const BASIC: &[u8] = b"Basic ";

/// An HTTP proxy.
///
/// Calls to an `https` endpoint go through a tunnel (`CONNECT`), so the proxy sees only the host
/// and the port. For an `http` endpoint it sees everything, and must not change the `Host` header,
/// which signatures cover.
///
/// The user name and the password are sent only to the proxy. They do not appear in `Debug`, in
/// errors or in URLs, cannot be compared, and are wiped when the proxy is dropped. The HTTP client
/// keeps its own copies.
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
    /// Returns the proxy that the environment names for `endpoint`, or `None` for a direct
    /// connection.
    ///
    /// For `https` it is `https_proxy`, else `all_proxy`; for `http` it is `http_proxy`, else
    /// `all_proxy`. The lower-case name takes precedence over the upper-case one, and an empty
    /// value counts as absent. `HTTP_PROXY` is ignored if `REQUEST_METHOD` is set, because a web
    /// server passes a client's `Proxy` header to CGI programs under that name.
    ///
    /// `no_proxy` is a list of hosts to connect to directly, separated by commas, spaces or tabs.
    /// An entry is `*` for all hosts, a domain (which includes its subdomains, with or without a
    /// leading dot), an address, or a network such as `10.0.0.0/8`, each optionally followed by
    /// `:port`. Names are not resolved: an entry that is a name matches only names, one that is an
    /// address only addresses.
    ///
    /// # Errors
    ///
    /// [`ProxyError::Variable`] if the value is not the URL of an HTTP proxy. It is not ignored,
    /// because the call would then bypass the proxy.
    pub fn from_env(endpoint: &Endpoint) -> Result<Option<Self>, ProxyError> {
        Self::from_env_with(endpoint, |name| std::env::var_os(name).map(text))
    }

    /// Works like [`from_env`](Self::from_env), but reads each variable with `variable`. The values
    /// that it returns are wiped.
    ///
    /// # Errors
    ///
    /// Those of [`from_env`](Self::from_env).
    pub fn from_env_with(
        endpoint: &Endpoint,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ProxyError> {
        let set = |name: &'static str| {
            variable(name)
                .map(|value| (name, Zeroizing::new(value)))
                .filter(|(_, value)| !value.trim().is_empty())
        };
        let own = if endpoint.is_https() {
            set("https_proxy").or_else(|| set("HTTPS_PROXY"))
        } else {
            set("http_proxy").or_else(|| {
                if variable("REQUEST_METHOD").is_some() { None } else { set("HTTP_PROXY") }
            })
        };
        let Some((name, value)) = own.or_else(|| set("all_proxy")).or_else(|| set("ALL_PROXY"))
        else {
            return Ok(None);
        };
        let exceptions = set("no_proxy").or_else(|| set("NO_PROXY"));
        if exceptions.is_some_and(|(_, list)| {
            list.split([',', ' ', '\t']).any(|entry| excludes(entry, endpoint))
        }) {
            return Ok(None);
        }
        value
            .parse()
            .map(Some)
            .map_err(|problem| ProxyError::Variable { name, problem: Box::new(problem) })
    }

    /// Returns the host name or address; an IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the user name and the password, if set. Both are secrets to send only to the proxy.
    pub fn login(&self) -> Option<(&str, &str)> {
        self.login.as_ref().map(|login| (login.user.as_str(), login.password.as_str()))
    }

    /// Returns the value of the `Proxy-Authorization` header (Basic authentication), if a login is
    /// set. It is marked sensitive, and wiped when its last clone is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use ccfs_driver::Proxy;
    ///
    /// let proxy: Proxy = "http://user:word@proxy.example.com:3128".parse()?;
    /// assert_eq!(proxy.authorization().unwrap(), "Basic dXNlcjp3b3Jk");
    /// # Ok::<(), ccfs_driver::ProxyError>(())
    /// ```
    pub fn authorization(&self) -> Option<HeaderValue> {
        let Login { user, password } = self.login.as_ref()?;
        let plain = Zeroizing::new([user.as_str(), ":", password.as_str()].concat());
        let mut value = Zeroizing::new(vec![0; BASIC.len() + plain.len().div_ceil(3) * 4]);
        let (scheme, encoded) = value.split_at_mut(BASIC.len());
        scheme.copy_from_slice(BASIC);
        let written = STANDARD.encode_slice(plain.as_bytes(), encoded);
        let value = HeaderValue::from_maybe_shared(Bytes::from_owner(value));
        let (Ok(_), Ok(mut value)) = (written, value) else {
            unreachable!("base64 is visible ASCII, four characters for three bytes");
        };
        value.set_sensitive(true);
        Some(value)
    }

    /// Returns a `CONNECT` request for a tunnel to `endpoint`, with the login if one is set. For
    /// programs that ask the proxy themselves; HTTP clients create their own.
    ///
    /// # Examples
    ///
    /// ```
    /// use ccfs_driver::Proxy;
    ///
    /// let proxy: Proxy = "proxy.example.com:3128".parse()?;
    /// assert_eq!(
    ///     &*proxy.connect_request(&"https://10.1.2.3:8443".parse()?),
    ///     b"CONNECT 10.1.2.3:8443 HTTP/1.1\r\nHost: 10.1.2.3:8443\r\n\r\n",
    /// );
    /// assert_eq!(Proxy::status(b"HTTP/1.1 407 Proxy Authentication Required\r\n"), Some(407));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn connect_request(&self, endpoint: &Endpoint) -> Zeroizing<Vec<u8>> {
        let target = format!("{}:{}", endpoint.host(), endpoint.port());
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        let login = self.authorization();
        let login: [&[u8]; 3] = login
            .as_ref()
            .map_or([b"", b"", b""], |login| [b"Proxy-Authorization: ", login.as_bytes(), b"\r\n"]);
        // In one buffer that does not grow and leave unwiped copies.
        Zeroizing::new([&[request.as_bytes()], &login[..], &[b"\r\n"]].concat().concat())
    }

    /// Returns the status in the first bytes of the proxy's answer; `None` if it is not HTTP/1.
    pub fn status(answer: &[u8]) -> Option<u16> {
        let digits = answer.strip_prefix(b"HTTP/1.")?.get(1..5)?.strip_prefix(b" ")?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    /// Parses `http://user:password@host:port`. Everything but the host is optional. Default port:
    /// 80.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] if the text is not the URL of an HTTP proxy.
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
        // If the `@` is missing, this contains the password.
        let place: Endpoint = Zeroizing::new(format!("http://{authority}")).parse()?;
        Ok(Self { host: place.host().into(), port: place.port(), login })
    }
}

impl Login {
    /// Parses `user:password`, both percent-encoded.
    fn parse(text: &str) -> Result<Self, ProxyError> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let (user, password) = (decoded(user)?, decoded(password)?);
        // A control character such as CR or LF would end the header or the request, and a colon
        // the user name (RFC 7617, section 2).
        let is_bad = |c: char| c.is_control();
        if user.contains(':') || user.contains(is_bad) || password.contains(is_bad) {
            return Err(ProxyError::Login);
        }
        Ok(Self { user, password })
    }
}

/// Decodes percent-encoded text, in which each `%` must begin an encoded byte.
fn decoded(text: &str) -> Result<Zeroizing<String>, ProxyError> {
    let is_byte = |after: &str| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if !text.split('%').skip(1).all(is_byte) {
        return Err(ProxyError::Login);
    }
    // The result is never longer than `text`, so the buffer does not grow and leave unwiped copies.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    bytes.extend(percent_decode_str(text));
    std::str::from_utf8(&bytes)
        .map(|text| Zeroizing::new(text.to_owned()))
        .map_err(|_| ProxyError::Login)
}

/// Converts a variable's value without leaving unwiped copies. Bytes that are not UTF-8 become a
/// replacement character, which makes the proxy malformed.
fn text(value: OsString) -> String {
    value.into_string().unwrap_or_else(|value| {
        let bytes = Zeroizing::new(value.into_encoded_bytes());
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Whether an entry of `no_proxy` matches `endpoint`.
fn excludes(entry: &str, endpoint: &Endpoint) -> bool {
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
    match (entry.parse::<IpAddr>(), address) {
        (Ok(entry), Some(address)) => entry.to_canonical() == address,
        (Ok(_), None) => false,
        (Err(_), Some(address)) => {
            entry.parse::<IpNet>().is_ok_and(|network| network.contains(&address))
        }
        (Err(_), None) => is_in_domain(host, entry),
    }
}

/// Splits an entry into host, without brackets, and port. An IPv6 address needs brackets for a
/// port.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = entry.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (entry, None),
    }
}

/// Whether `host` is `domain` or a subdomain of it.
fn is_in_domain(host: &str, domain: &str) -> bool {
    let domain = domain.strip_prefix('*').unwrap_or(domain);
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    let domain = domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase();
    let above = host.strip_suffix(domain.as_str());
    !domain.is_empty() && above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

impl fmt::Display for Proxy {
    /// Writes the URL without user name and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self}{})", if self.login.is_some() { ", with a login" } else { "" })
    }
}

/// Why a proxy cannot be used. Does not contain the URL, which may contain a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The URL's scheme is not `http`, for example that of a SOCKS proxy.
    #[error(
        "proxy URL has an unsupported scheme; use an HTTP proxy, as in http://proxy.example.com:3128, also for https endpoints"
    )]
    Scheme,
    /// The URL has a path.
    #[error("proxy URL has a path; remove everything after the port")]
    Path,
    /// The user name or the password is not percent-encoded, or has characters that cannot be sent.
    #[error(
        "proxy login is malformed; percent-encode user name and password (%40 for @, %25 for %), use no control characters and no colon in the user name"
    )]
    Login,
    /// The host or the port is malformed.
    #[error("proxy URL has a malformed host or port; write it as in http://proxy.example.com:3128")]
    Address(#[from] EndpointError),
    /// An environment variable has one of the problems above.
    #[error("environment variable {name}: {problem}; fix it, or exclude the host with NO_PROXY")]
    Variable {
        /// Name of the variable.
        name: &'static str,
        /// What is wrong with its value.
        #[source]
        problem: Box<ProxyError>,
    },
}
