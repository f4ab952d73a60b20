use crate::words::hex;

/// Why a TLS handshake failed, if it is known.
///
/// This crate has no TLS; a driver translates the error of its library (`ccfs_tls::classify_error`
/// does so for rustls).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFailure {
    /// No trusted CA signed the server's certificate.
    #[error("server certificate is not signed by a trusted CA; add its CA, or pin the certificate")]
    UnknownIssuer,
    /// The server's certificate names another host.
    #[error(
        "server certificate names another host; use a name in it, or pin it if it is the right one"
    )]
    WrongName,
    /// The server's certificate has expired, according to the local clock.
    #[error("server certificate has expired; check the local clock, or have it renewed")]
    Expired,
    /// The server's certificate is not valid yet, according to the local clock.
    #[error("server certificate is not valid yet; check the local clock, or ask the operators")]
    NotYetValid,
    /// The server presents a CA certificate as its own, as `openssl req -x509` creates it. It can
    /// be pinned, but not trusted as a CA.
    #[error(
        "server certificate is a CA certificate (as openssl req -x509 creates it); pin it, or \
         have a server certificate issued"
    )]
    CaCertificate,
    /// The server's certificate is malformed, revoked, or not made for servers.
    #[error("server certificate is malformed, revoked or not made for servers; replace it")]
    BadCertificate,
    /// The server's certificate is not a pinned one. Pins are public.
    #[error(
        "server certificate has the pin {}, expected {}{}; if the server has a new certificate, \
         ask its operators for the new pin", hex(presented), hex(pinned),
        if *others > 0 { format!(" (or one of {others} more)") } else { String::new() }
    )]
    PinDiffers {
        /// SHA-256 of the certificate that the server presented.
        presented: [u8; 32],
        /// The first of the pins.
        pinned: [u8; 32],
        /// The number of further pins.
        others: usize,
    },
    /// The server requires a client certificate, and none is configured.
    #[error("server requires a client certificate, and none is set; ask its operators for one")]
    ClientCertificateMissing,
    /// The server rejected the client certificate.
    #[error("the server rejected the client certificate; ask its operators which CA they accept")]
    ClientCertificateRefused,
    /// The server ended the handshake, mostly because the two sides share no protocol version or
    /// cipher suite, or because it requires a client certificate.
    #[error("no common protocol version or cipher suite, or a client certificate is required")]
    NothingInCommon,
    /// The server does not speak TLS.
    #[error("the server does not speak TLS; check the port, or use an http:// endpoint")]
    NotTls,
    /// Any other reason.
    #[error("unexpected error; see the source of this error")]
    #[default]
    Other,
}
