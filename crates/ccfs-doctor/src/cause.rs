//! The causes, and what to do about each.

use std::fmt;

use serde::Serialize;

/// Why a call to CC-FS does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// The endpoint's name is unknown here.
    NameNotFound,
    /// The machine is reachable, but no program listens at the port.
    NothingListening,
    /// The machine is unreachable: a firewall, a network failure, a wrong address.
    Unreachable,
    /// The proxy is unreachable.
    ProxyUnreachable,
    /// The proxy does not let the connection through.
    ProxyRefused,
    /// The endpoint is `https`, but the port does not speak TLS.
    PlainInsteadOfTls,
    /// The endpoint is `http`, but the port seems to speak TLS.
    TlsInsteadOfPlain,
    /// The certificate's CA is not trusted here.
    UnknownIssuer,
    /// The certificate names another host.
    WrongName,
    /// The certificate has expired.
    CertificateExpired,
    /// The certificate is not valid yet.
    CertificateNotYetValid,
    /// The certificate is a CA certificate.
    CaCertificate,
    /// The certificate is broken, or not one for servers.
    BadCertificate,
    /// The certificate has an RSA key under 2048 bits, which rustls refuses, also with a pin.
    WeakKey,
    /// The certificate is an X.509 one older than version 3, which rustls refuses, also with a pin.
    OldCertificate,
    /// The certificate is not the pinned one.
    PinDiffers,
    /// The server wants a client certificate.
    ClientCertificateMissing,
    /// The server does not accept the client certificate.
    ClientCertificateRefused,
    /// TLS fails for another reason: its version, its ciphers.
    TlsOther,
    /// The certificate ends soon.
    CertificateEndsSoon,
    /// This machine's clock, or the server's, is wrong.
    Clock,
    /// The access key or the secret key is wrong.
    Key,
    /// A balancer or gateway changes `Host` on the way, which the signature covers.
    HostRewritten,
    /// The server wants the other query line dialect.
    QueryLine,
    /// The server has locked this address after bad signatures.
    AddressLocked,
    /// A gateway in front answers, not the CC-FS.
    Gateway,
    /// The endpoint's path prefix is wrong.
    BasePath,
    /// The server redirects to another address.
    Redirected,
    /// The server is busy.
    Busy,
    /// The server fails.
    ServerFailing,
    /// The server receives the request and does not answer.
    Silent,
    /// The server that answers is not CC-FS.
    NotCcfs,
}

impl Cause {
    /// Returns what to do about it, in one or two sentences that name settings by the flags of the `ccfs` command. For
    /// [`AddressLocked`](Self::AddressLocked) it is to send nothing.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NameNotFound => {
                "Check the endpoint's spelling and this machine's DNS, or give the address instead of the name."
            }
            Self::NothingListening => "Check the endpoint's port, and whether the server runs.",
            Self::Unreachable => {
                "Check the address, and whether a firewall blocks this port. The network may require a proxy (HTTPS_PROXY)."
            }
            Self::ProxyUnreachable => {
                "Check the proxy's address in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or exclude the host with NO_PROXY."
            }
            Self::ProxyRefused => {
                "Ask the operators of the proxy to allow CONNECT to this host and port (407: it requires a login, http://user:password@proxy), or exclude the host with NO_PROXY."
            }
            Self::PlainInsteadOfTls => {
                "Check the port. If a proxy in front terminates TLS and the network behind it is trusted, use http:// in the endpoint."
            }
            Self::TlsInsteadOfPlain => "Write https:// in the endpoint, or check the port.",
            Self::UnknownIssuer => {
                "Get the CA's certificate from the operators of the server and give it with --ca. Or compare the pin above with theirs by phone or another channel, and give it with --pin-sha256."
            }
            Self::WrongName => {
                "Use one of the names above in the endpoint. If the server is addressed by IP, verify the pin above with its operators and give it with --pin-sha256."
            }
            Self::CertificateExpired => "The operators of the server must renew its certificate.",
            Self::CertificateNotYetValid => {
                "Check this machine's clock; if it is right, the operators of the server must fix its certificate."
            }
            Self::CaCertificate => {
                "Compare the pin above with that of the operators of the server by phone or another channel, and give it with --pin-sha256. Giving the certificate with --ca does not help."
            }
            Self::BadCertificate => {
                "The operators of the server must fix its certificate. If that is not possible, compare the pin above with theirs and give it with --pin-sha256."
            }
            Self::WeakKey => {
                "Ask the operators of the server for a certificate with an RSA key of at least 2048 bits, or an ECDSA key. A pin does not help, because the TLS library here (rustls) refuses shorter RSA keys."
            }
            Self::OldCertificate => {
                "Ask the operators of the server for an X.509 version 3 certificate with the server's name in subjectAltName. A pin does not help, because the TLS library here (rustls) refuses older versions."
            }
            Self::PinDiffers => {
                "Ask the operators of the server, by phone or another channel, whether it has a new certificate. Use the new pin only if they confirm it; otherwise the connection may be intercepted."
            }
            Self::ClientCertificateMissing => {
                "Get a client certificate from the operators of the server and give it with --client-cert and --client-key."
            }
            Self::ClientCertificateRefused => {
                "Check that the client certificate is the one for this server, and has not expired."
            }
            Self::TlsOther => {
                "Ask the operators of the server which TLS versions and ciphers it supports; this client supports TLS 1.2 and 1.3 with the usual ciphers."
            }
            Self::CertificateEndsSoon => {
                "Inform the operators of the server. If the certificate is pinned, set the new pin before the change."
            }
            Self::Clock => {
                "Synchronize this machine's clock (NTP). If it is right already, the server's clock is wrong."
            }
            Self::Key => {
                "Compare access key and secret key with the developer account, character by character, including blanks and line ends at the end of a key file."
            }
            Self::HostRewritten => {
                "Ask the operators of the load balancer to forward Host unchanged (nginx: proxy_set_header Host $http_host), or use the server's own address as endpoint."
            }
            Self::QueryLine => {
                "Set the other dialect (--query-line empty, or omit). Or try it once with --try-dialects; if it is not the cause, that is one more bad signature, and those lock the address."
            }
            Self::AddressLocked => {
                "Stop all programs that send signed requests from this address, and send nothing for a while. CC-FS does not document how long a lock lasts, and each bad signature may extend it. Meanwhile compare the keys with those of the developer account, and check the clock."
            }
            Self::Gateway => {
                "Ask the operators of the gateway what it requires: a login, an allow-list, another path. The request may not have reached the CC-FS."
            }
            Self::BasePath => {
                "Check the path of the endpoint: it ends before /CCFS. Gateways usually require a prefix before that."
            }
            Self::Redirected => {
                "If the target is your server, use it as the endpoint. Signed requests do not follow redirects."
            }
            Self::Busy => "Try again later; nothing has to be changed.",
            Self::ServerFailing => "Inform the operators of the server.",
            Self::Silent => {
                "Check whether a firewall or proxy drops the answer; otherwise inform the operators of the server."
            }
            Self::NotCcfs => "Check the endpoint's host, port and path.",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameNotFound => "the name is not found",
            Self::NothingListening => "nothing listens at that port",
            Self::Unreachable => "the server is unreachable",
            Self::ProxyUnreachable => "the proxy is unreachable",
            Self::ProxyRefused => "the proxy does not let the connection through",
            Self::PlainInsteadOfTls => "the port does not speak TLS",
            Self::TlsInsteadOfPlain => "the port speaks TLS, but the endpoint is http",
            Self::UnknownIssuer => "the certificate's CA is not trusted here",
            Self::WrongName => "the certificate names another host",
            Self::CertificateExpired => "the certificate has expired",
            Self::CertificateNotYetValid => "the certificate is not valid yet",
            Self::CaCertificate => {
                "the certificate is a CA certificate, which is not valid for a server"
            }
            Self::BadCertificate => "the certificate is broken, revoked, or not one for servers",
            Self::WeakKey => "the RSA key of the certificate is too short",
            Self::OldCertificate => "the certificate is older than X.509 version 3",
            Self::PinDiffers => "the certificate is not the pinned one",
            Self::ClientCertificateMissing => "the server wants a client certificate",
            Self::ClientCertificateRefused => "the server does not accept the client certificate",
            Self::TlsOther => {
                "the two sides share no version or cipher of TLS, or the server ended the handshake"
            }
            Self::CertificateEndsSoon => "the certificate ends soon",
            Self::Clock => "the clock is wrong",
            Self::Key => "a key is wrong",
            Self::HostRewritten => "Host is rewritten on the way",
            Self::QueryLine => "the server wants the other query line dialect",
            Self::AddressLocked => "the server has locked this address after bad signatures",
            Self::Gateway => "a gateway in front answers",
            Self::BasePath => "the base path is wrong",
            Self::Redirected => "the server redirects to another address",
            Self::Busy => "the server is busy",
            Self::ServerFailing => "the server fails",
            Self::Silent => "the server does not answer",
            Self::NotCcfs => "the server that answers is not CC-FS",
        })
    }
}
