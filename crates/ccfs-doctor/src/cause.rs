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
    /// The machine is there, and no program listens at the port.
    NothingListening,
    /// There is no way to the machine: a firewall, a network, a wrong address.
    Unreachable,
    /// There is no way to the proxy.
    ProxyUnreachable,
    /// The proxy does not let the connection through.
    ProxyRefused,
    /// The endpoint says https, and the port does not speak TLS.
    PlainInsteadOfTls,
    /// The endpoint says http, and the port seems to speak TLS.
    TlsInsteadOfPlain,
    /// The certificate's CA is not trusted here.
    UnknownIssuer,
    /// The certificate names another host.
    WrongName,
    /// The certificate has expired.
    CertificateExpired,
    /// The certificate is not valid yet.
    CertificateNotYetValid,
    /// The certificate is a CA's own.
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
    /// The address sends callers elsewhere.
    Redirected,
    /// The server is busy.
    Busy,
    /// The server fails.
    ServerFailing,
    /// The server takes the request and does not answer.
    Silent,
    /// What answers is no CC-FS.
    NotCcfs,
}

impl Cause {
    /// What to do about it, a sentence or two; settings are called as the flags of the `ccfs` command are. For
    /// [`AddressLocked`](Self::AddressLocked) it is to send nothing.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NameNotFound => {
                "Check the endpoint's spelling and this machine's DNS, or give the address instead of the name."
            }
            Self::NothingListening => "Check the endpoint's port, and whether the server runs.",
            Self::Unreachable => {
                "Check the address, and whether a firewall on the way lets this port through; a proxy may be the only way out (HTTPS_PROXY)."
            }
            Self::ProxyUnreachable => {
                "Check the proxy's address in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or exclude the host with NO_PROXY."
            }
            Self::ProxyRefused => {
                "Ask the operators of the proxy to allow CONNECT to this host and port (407: it requires a login, http://user:password@proxy), or exclude the host with NO_PROXY."
            }
            Self::PlainInsteadOfTls => {
                "Check the port. Where TLS ends earlier and the network between is trusted, the endpoint is a http:// one."
            }
            Self::TlsInsteadOfPlain => "Write https:// in the endpoint, or check the port.",
            Self::UnknownIssuer => {
                "Get the CA's certificate from the operators of the server and give it with --ca. Or compare the pin above with theirs, over another way than this connection, and give it with --pin-sha256."
            }
            Self::WrongName => {
                "Use one of the names above in the endpoint. Where the server is addressed by IP, verify the pin above with its operators and give it with --pin-sha256."
            }
            Self::CertificateExpired => "The operators of the server must renew its certificate.",
            Self::CertificateNotYetValid => {
                "Check this machine's clock; if it is right, the operators of the server must fix its certificate."
            }
            Self::CaCertificate => {
                "Compare the pin above with that of the operators of the server, over another way than this connection, and give it with --pin-sha256. Giving the certificate with --ca does not help."
            }
            Self::BadCertificate => {
                "The operators of the server must mend its certificate; where it cannot be mended, compare the pin above with theirs and give it with --pin-sha256."
            }
            Self::WeakKey => {
                "Ask the operators of the server for a certificate with an RSA key of at least 2048 bits, or an ECDSA key. A pin does not help, because the TLS library here (rustls) refuses shorter RSA keys."
            }
            Self::OldCertificate => {
                "Ask the operators of the server for an X.509 version 3 certificate with the server's name in subjectAltName. A pin does not help, because the TLS library here (rustls) refuses older versions."
            }
            Self::PinDiffers => {
                "Ask the operators of the server whether it has a new certificate, over another way than this connection, and take the new pin only when they confirm it: otherwise somebody is in between."
            }
            Self::ClientCertificateMissing => {
                "Get a client certificate from the operators of the server and give it with --client-cert and --client-key."
            }
            Self::ClientCertificateRefused => {
                "Check that the client certificate is the one for this server, and has not expired."
            }
            Self::TlsOther => {
                "Ask the operators of the server which versions and ciphers of TLS it speaks; here it is 1.2 and 1.3 with the usual ones."
            }
            Self::CertificateEndsSoon => {
                "Tell the operators of the server; where it is pinned, have the new pin in place before."
            }
            Self::Clock => {
                "Let this machine take its time from the network (NTP); when its clock is right, the server's is wrong."
            }
            Self::Key => {
                "Compare access key and secret key with the developer account, character by character: blanks and line ends at the end of a key file count."
            }
            Self::HostRewritten => {
                "Ask the operators of the load balancer to forward Host unchanged (nginx: proxy_set_header Host $http_host), or use the server's own address as endpoint."
            }
            Self::QueryLine => {
                "Set the other dialect (--query-line empty, or omit). Or have it tried once with --try-dialects: when it is not the cause, that is one more bad signature, and those lock the address."
            }
            Self::AddressLocked => {
                "Stop everything that signs from this address and send nothing for a while: CC-FS publishes no times, and each bad signature may begin it anew. Meanwhile compare the keys and the clock with those of the developer account."
            }
            Self::Gateway => {
                "Ask the operators of the gateway what it requires: a login, an allow-list, another path. The request may not have reached the CC-FS."
            }
            Self::BasePath => {
                "Check the path of the endpoint: it ends before /CCFS, and gateways mostly put a prefix before that."
            }
            Self::Redirected => {
                "Use the address that it names as endpoint, if it is yours: a signed request must not follow."
            }
            Self::Busy => "Come back later; nothing is wrong here.",
            Self::ServerFailing => "Tell the operators of the server.",
            Self::Silent => {
                "Check whether something on the way holds the answer back; otherwise tell the operators of the server."
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
            Self::TlsInsteadOfPlain => "the port speaks TLS, and the endpoint says http",
            Self::UnknownIssuer => "the certificate's CA is not trusted here",
            Self::WrongName => "the certificate names another host",
            Self::CertificateExpired => "the certificate has expired",
            Self::CertificateNotYetValid => "the certificate is not valid yet",
            Self::CaCertificate => {
                "the certificate is a CA's own, which cannot be trusted as a server's"
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
            Self::Redirected => "the address sends callers elsewhere",
            Self::Busy => "the server is busy",
            Self::ServerFailing => "the server fails",
            Self::Silent => "the server does not answer",
            Self::NotCcfs => "the server that answers is not CC-FS",
        })
    }
}
