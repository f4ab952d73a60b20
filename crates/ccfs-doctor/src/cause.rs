//! The causes, and what to do about each.

use std::fmt;

use serde::Serialize;

/// Writes the causes and what follows from their list: each has its name, a description, and advice.
macro_rules! causes {
    ($($variant:ident, $description:literal, $advice:literal;)+) => {
        /// Why a call to CC-FS does not work. `Display` writes the description.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum Cause {
            $(
                #[doc = concat!("\"", $description, "\"")]
                $variant,
            )+
        }

        impl Cause {
            /// Returns what to do about it, in one or two sentences that name settings by the flags of the `ccfs` command. For
            /// [`AddressLocked`](Self::AddressLocked) it is to send nothing.
            pub fn advice(self) -> &'static str {
                match self {
                    $(Self::$variant => $advice,)+
                }
            }
        }

        impl fmt::Display for Cause {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $description,)+
                })
            }
        }
    };
}

causes! {
    NameNotFound, "the name is not found",
        "Check the endpoint's spelling and this machine's DNS, or give the address instead of the name.";
    NothingListening, "nothing listens at that port",
        "Check the endpoint's port, and whether the server runs.";
    Unreachable, "the server is unreachable",
        "Check the address, and whether a firewall blocks this port. The network may require a proxy (HTTPS_PROXY).";
    ProxyUnreachable, "the proxy is unreachable",
        "Check the proxy's address in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, or exclude the host with NO_PROXY.";
    ProxyRefused, "the proxy refuses the connection to the server",
        "Ask the operators of the proxy to allow CONNECT to this host and port (407: it requires a login, http://user:password@proxy), or exclude the host with NO_PROXY.";
    PlainInsteadOfTls, "the port does not speak TLS",
        "Check the port. If a proxy in front terminates TLS and the network behind it is trusted, use http:// in the endpoint.";
    TlsInsteadOfPlain, "the port speaks TLS, but the endpoint is http",
        "Write https:// in the endpoint, or check the port.";
    UnknownIssuer, "the certificate's CA is not trusted here",
        "Get the CA's certificate from the operators of the server and give it with --ca. Or compare the pin above with theirs by phone or another channel, and give it with --pin-sha256.";
    WrongName, "the certificate names another host",
        "Use one of the names above in the endpoint. If the server is addressed by IP, verify the pin above with its operators and give it with --pin-sha256.";
    CertificateExpired, "the certificate has expired",
        "The operators of the server must renew its certificate.";
    CertificateNotYetValid, "the certificate is not valid yet",
        "Check this machine's clock; if it is right, the operators of the server must fix its certificate.";
    CaCertificate, "the certificate is a CA certificate, which is not valid for a server",
        "Compare the pin above with that of the operators of the server by phone or another channel, and give it with --pin-sha256. Giving the certificate with --ca does not help.";
    BadCertificate, "the certificate is broken, revoked, or not one for servers",
        "The operators of the server must fix its certificate. If that is not possible, compare the pin above with theirs and give it with --pin-sha256.";
    WeakKey, "the RSA key of the certificate is too short",
        "Ask the operators of the server for a certificate with an RSA key of at least 2048 bits, or an ECDSA key. A pin does not help, because the TLS library here (rustls) refuses shorter RSA keys.";
    OldCertificate, "the certificate is older than X.509 version 3",
        "Ask the operators of the server for an X.509 version 3 certificate with the server's name in subjectAltName. A pin does not help, because the TLS library here (rustls) refuses older versions.";
    PinDiffers, "the certificate is not the pinned one",
        "Ask the operators of the server, by phone or another channel, whether it has a new certificate. Use the new pin only if they confirm it; otherwise the connection may be intercepted.";
    ClientCertificateMissing, "the server wants a client certificate",
        "Get a client certificate from the operators of the server and give it with --client-cert and --client-key.";
    ClientCertificateRefused, "the server does not accept the client certificate",
        "Check that the client certificate is the one for this server, and has not expired.";
    TlsOther, "the two sides share no version or cipher of TLS, or the server ended the handshake",
        "Ask the operators of the server which TLS versions and ciphers it supports; this client supports TLS 1.2 and 1.3 with the usual ciphers.";
    CertificateEndsSoon, "the certificate expires soon",
        "Inform the operators of the server. If the certificate is pinned, set the new pin before the change.";
    Clock, "the clock is wrong",
        "Synchronize this machine's clock (NTP). If it is right already, the server's clock is wrong.";
    Key, "a key is wrong",
        "Compare access key and secret key with the developer account, character by character, including blanks and line ends at the end of a key file.";
    HostRewritten, "Host is rewritten on the way",
        "Ask the operators of the load balancer to forward Host unchanged (nginx: proxy_set_header Host $http_host), or use the server's own address as endpoint.";
    QueryLine, "the server expects the other query line dialect",
        "Set the other dialect (--query-line empty, or omit). Or try it once with --try-dialects; if it is not the cause, that is one more bad signature, and those lock the address.";
    AddressLocked, "the server has locked this address after bad signatures",
        "Stop all programs that send signed requests from this address, and send nothing for a while. CC-FS does not document how long a lock lasts, and each bad signature may extend it. Meanwhile compare the keys with those of the developer account, and check the clock.";
    Gateway, "a gateway answers instead of CC-FS",
        "Ask the operators of the gateway what it requires: a login, an allow-list, another path. The request may not have reached the CC-FS.";
    BasePath, "the base path is wrong",
        "Check the path of the endpoint: it ends before /CCFS. Gateways usually require a prefix before that.";
    Redirected, "the server redirects to another address",
        "If the target is your server, use it as the endpoint. Signed requests do not follow redirects.";
    Busy, "the server is busy",
        "Try again later; nothing has to be changed.";
    ServerFailing, "the server fails",
        "Inform the operators of the server.";
    Silent, "the server does not answer",
        "Check whether a firewall or proxy drops the answer; otherwise inform the operators of the server.";
    NotCcfs, "the server that answers is not CC-FS",
        "Check the endpoint's host, port and path.";
}
