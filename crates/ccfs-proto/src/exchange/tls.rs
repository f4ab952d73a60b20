//! Why a TLS handshake failed.

use std::fmt;

/// Why a TLS handshake failed, if it is known.
///
/// The core has no TLS; a driver translates its library's error (`ccfs_tls::classify_error` does so for
/// rustls).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsFailure {
    /// No trusted CA signed the server's certificate.
    UnknownIssuer,
    /// The server's certificate names another host.
    WrongName,
    /// The server's certificate has expired, according to the local clock.
    Expired,
    /// The server's certificate is not valid yet, according to the local clock.
    NotYetValid,
    /// The server presents a CA certificate as its own, as `openssl req -x509` creates it. It can
    /// be pinned, but not trusted as a CA.
    CaCertificate,
    /// The server's certificate is malformed, revoked, or not made for servers.
    BadCertificate,
    /// The server's certificate is not a pinned one. Pins are public.
    PinDiffers {
        /// SHA-256 of the certificate that the server presented.
        presented: [u8; 32],
        /// The first of the pins.
        pinned: [u8; 32],
        /// The number of further pins.
        others: usize,
    },
    /// The server requires a client certificate, and none is configured.
    ClientCertificateMissing,
    /// The server rejected the client certificate.
    ClientCertificateRefused,
    /// The server ended the handshake, mostly because the two sides share no protocol version or
    /// cipher suite, or because it requires a client certificate.
    NothingInCommon,
    /// The server does not speak TLS.
    NotTls,
    /// Any other reason.
    #[default]
    Other,
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::UnknownIssuer => {
                "the server's certificate is not signed by a trusted CA; add its CA, or pin the certificate"
            }
            Self::WrongName => {
                "the server's certificate names another host; use a name from the certificate, or pin it if it is the right one"
            }
            Self::Expired => {
                "the server's certificate has expired; check the local clock, or have the certificate renewed"
            }
            Self::NotYetValid => {
                "the server's certificate is not valid yet; check the local clock, or ask the server's operators"
            }
            Self::CaCertificate => {
                "the server's certificate is a CA certificate (as openssl req -x509 creates it); pin it, or have a server certificate issued"
            }
            Self::BadCertificate => {
                "the server's certificate is malformed, revoked, or not made for servers; have another one issued"
            }
            Self::PinDiffers { presented, pinned, others } => {
                write!(
                    f,
                    "the server's certificate has the pin {}, expected {}",
                    Hex(presented),
                    Hex(pinned)
                )?;
                if *others > 0 {
                    write!(f, " (or one of {others} more)")?;
                }
                "; if the server has a new certificate, ask its operators for the new pin"
            }
            Self::ClientCertificateMissing => {
                "the server requires a client certificate, and none is configured; ask its operators for one"
            }
            Self::ClientCertificateRefused => {
                "the server rejected the client certificate; ask its operators which CA they accept"
            }
            Self::NothingInCommon => {
                "no common protocol version or cipher suite, or the server requires a client certificate"
            }
            Self::NotTls => {
                "the server does not speak TLS; check the port, or use an http:// endpoint"
            }
            Self::Other => "unexpected error; the source of this error may say more",
        };
        f.write_str(words)
    }
}

/// Bytes as hex digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
