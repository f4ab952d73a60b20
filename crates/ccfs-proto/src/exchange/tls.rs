//! Why a TLS handshake failed, in words.

use std::fmt;

/// Why a TLS handshake failed, as far as it can be told.
///
/// The core knows no TLS; a driver turns its library's error into one of these (`ccfs_tls::failure` does it for rustls).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsFailure {
    /// No trusted CA signed the server's certificate.
    UnknownIssuer,
    /// The server's certificate names another host.
    WrongName,
    /// The server's certificate is past its end, by this machine's clock.
    Expired,
    /// The server's certificate is not valid yet, by this machine's clock.
    NotYetValid,
    /// The server shows a CA's certificate as its own, as `openssl req -x509` makes it. That can be pinned, and not trusted as a CA is.
    CaCertificate,
    /// The server's certificate is broken, revoked, or not made for servers.
    BadCertificate,
    /// The server's certificate is not the one that was pinned. Pins are public.
    PinDiffers {
        /// SHA-256 of the certificate that the server showed.
        presented: [u8; 32],
        /// The first of the pins.
        pinned: [u8; 32],
        /// Pins beside the first.
        others: usize,
    },
    /// The server asks for a client certificate, and none was given.
    ClientCertificateMissing,
    /// The server does not accept the client certificate.
    ClientCertificateRefused,
    /// The server ended the handshake: mostly, there is no version of TLS or no cipher that both sides speak, or it wants a client
    /// certificate.
    NothingInCommon,
    /// The other side does not speak TLS.
    NotTls,
    /// Any other reason.
    #[default]
    Other,
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::UnknownIssuer => {
                "the server's certificate is not signed by a CA that is trusted here; add its CA, or pin the certificate"
            }
            Self::WrongName => {
                "the server's certificate names another host than the endpoint; use a name that it has, or pin it where it is the right one"
            }
            Self::Expired => {
                "the server's certificate has expired, if this machine's clock is right; whoever runs the server must renew it"
            }
            Self::NotYetValid => {
                "the server's certificate is not valid yet, if this machine's clock is right; set the clock, or ask whoever runs the server"
            }
            Self::CaCertificate => {
                "the server's certificate is a CA's own (openssl req -x509 makes such), which cannot be trusted as a server's; pin it, or have one made for the server"
            }
            Self::BadCertificate => {
                "the server's certificate is broken, revoked, or not made for servers; whoever runs the server must have another made"
            }
            Self::PinDiffers { presented, pinned, others } => {
                write!(
                    f,
                    "the server's certificate has the pin {}, and accepted is {}",
                    Hex(presented),
                    Hex(pinned)
                )?;
                if *others > 0 {
                    write!(f, " (or one of {others} more)")?;
                }
                "; when the server got a new certificate, ask whoever runs it for the new pin"
            }
            Self::ClientCertificateMissing => {
                "the server wants a client certificate, and none is set; ask whoever runs the server for one"
            }
            Self::ClientCertificateRefused => {
                "the server does not accept the client certificate; ask whoever runs the server which CA it takes"
            }
            Self::NothingInCommon => {
                "the server ended the handshake: it wants another version of TLS, another cipher, or a client certificate"
            }
            Self::NotTls => {
                "the other side does not speak TLS; is the port right, or the endpoint a http:// one?"
            }
            Self::Other => "the server and this client did not come to terms",
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
