//! Connections that end before a request.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use ccfs_proto::Timestamp;
use rustls::{AlertDescription, Error};
use tokio::io::AsyncRead;
use tokio_util::io::InspectReader;

/// A connection that ended before a complete request head, or was closed in favour of another, and why. Contains no text of the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionError {
    /// Address of the client, or of the proxy in front of the listener.
    pub peer: SocketAddr,
    /// When the connection ended, by the listener's clock.
    pub at: Timestamp,
    /// Why it ended.
    pub fault: ConnectionFault,
    /// Number of connections with the same fault that were not reported since the last report.
    pub suppressed: u64,
}

/// Why a connection ended before a whole request head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionFault {
    /// The client sent a TLS alert about the listener's certificate.
    #[error(
        "the client rejected the certificate of this listener; the server must trust its CA, and \
         the certificate must name the host of the callback URL"
    )]
    CertificateRejected,
    /// The two sides share no TLS version or cipher suite.
    #[error("no common TLS version or cipher suite")]
    NothingInCommon,
    /// The client ended the TLS handshake, without an alert about the certificate.
    #[error(
        "the client ended the TLS handshake; it may not trust the certificate of this listener"
    )]
    HandshakeEnded,
    /// The client sent plain HTTP to a listener with TLS.
    #[error("plain HTTP was sent to the TLS port; use https:// in the callback URL")]
    PlainHttp,
    /// The client sent TLS to a listener without TLS.
    #[error(
        "TLS was sent to the plain HTTP port; use http:// in the callback URL, or serve TLS here"
    )]
    Tls,
    /// The connection begins with a header of the PROXY protocol, version 1 or 2.
    #[error("the connection begins with a PROXY protocol header; turn it off in the load balancer")]
    ProxyProtocol,
    /// The first bytes are neither TLS nor HTTP.
    #[error("the first bytes are neither TLS nor HTTP")]
    Unknown,
    /// The request head is larger than 64 KiB or has too many fields.
    #[error("the request head is too large, limit 64 KiB and 100 header fields")]
    HeadTooLarge,
    /// The TLS handshake or the request head did not arrive in time.
    #[error("the TLS handshake or the request head did not arrive in time")]
    TooSlow,
    /// The connection ended within the request head.
    #[error("the connection ended within the request head")]
    Incomplete,
    /// The client's address has too many connections
    /// ([`peer_connection_limit`](crate::ListenerBuilder::peer_connection_limit)), so its oldest
    /// one without a whole request was closed.
    #[error("too many connections from this address at the same time")]
    PeerLimit,
    /// There are too many connections
    /// ([`connection_limit`](crate::ListenerBuilder::connection_limit)) or open files, so the oldest
    /// connection without a whole request was closed.
    #[error("too many connections or open files at the same time")]
    ConnectionLimit,
}

impl ConnectionFault {
    /// Classifies a failed TLS handshake of a connection that began with the bytes `first`. Returns
    /// `None` if the client sent nothing, as health checks do.
    pub(crate) fn of_handshake(error: &io::Error, first: &[u8]) -> Option<Self> {
        if first.is_empty() {
            return None;
        }
        if is_proxy_protocol(first) {
            return Some(Self::ProxyProtocol);
        }
        Some(match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::AlertReceived(alert)) => Self::of_alert(*alert),
            Some(Error::PeerIncompatible(_)) => Self::NothingInCommon,
            Some(Error::InvalidMessage(_)) if first[0].is_ascii_uppercase() => Self::PlainHttp,
            Some(Error::InvalidMessage(_)) => Self::Unknown,
            _ => Self::HandshakeEnded,
        })
    }

    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            // A CA with the name of the trusted one, but another key.
            | AlertDescription::DecryptError
            | AlertDescription::UnrecognisedName => Self::CertificateRejected,
            AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity => Self::NothingInCommon,
            _ => Self::HandshakeEnded,
        }
    }

    /// Classifies a connection that began with the bytes `first` and ended without a request.
    /// Returns `None` if the client sent nothing.
    pub(crate) fn of_request(error: &hyper::Error, first: &[u8]) -> Option<Self> {
        let is_tls_record = matches!(first, [0x16, 3, ..]);
        Some(if first.is_empty() {
            return None;
        } else if is_tls_record {
            Self::Tls
        } else if is_proxy_protocol(first) {
            Self::ProxyProtocol
        } else if error.is_parse_too_large() {
            Self::HeadTooLarge
        } else if error.is_parse() {
            Self::Unknown
        } else if error.is_timeout() {
            Self::TooSlow
        } else {
            Self::Incomplete
        })
    }
}

/// Whether a connection begins with a header of the PROXY protocol: `PROXY TCP4 …`, or the
/// signature of version 2.
fn is_proxy_protocol(first: &[u8]) -> bool {
    first.starts_with(b"PROXY ") || first.starts_with(b"\r\n\r\n\0\r\nQUIT\n")
}

/// The first bytes that were read from a connection.
#[derive(Debug, Default)]
pub(crate) struct FirstBytes(Arc<Mutex<Vec<u8>>>);

impl FirstBytes {
    const LIMIT: usize = 16;

    pub(crate) fn get(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records the first bytes that are read from this stream.
    pub(crate) fn of<S: AsyncRead>(
        &self,
        stream: S,
    ) -> InspectReader<S, impl FnMut(&[u8]) + use<S>> {
        let first = Arc::clone(&self.0);
        InspectReader::new(stream, move |bytes| {
            let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
            let room = Self::LIMIT.saturating_sub(first.len());
            first.extend_from_slice(&bytes[..bytes.len().min(room)]);
        })
    }
}
