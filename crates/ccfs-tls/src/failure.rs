//! rustls' errors in the exchange's words.

use std::io;

use ccfs_proto::exchange::TlsFailure;
use rustls::{AlertDescription, CertificateError, Error};

use crate::verifier::PinDiffers;

/// Why a handshake failed.
///
/// In TLS 1.3 a server judges the client's certificate after the client's side of the handshake is over, so its refusal comes where an answer
/// was expected; it means the same there.
pub fn failure(error: &Error) -> TlsFailure {
    match error {
        Error::InvalidCertificate(reason) => certificate(reason),
        Error::NoCertificatesPresented => TlsFailure::BadCertificate,
        Error::AlertReceived(alert) => alert_received(*alert),
        Error::PeerIncompatible(_) => TlsFailure::NothingInCommon,
        // What comes first from a server that speaks plain HTTP is no TLS record.
        Error::InvalidMessage(_) => TlsFailure::NotTls,
        _ => TlsFailure::Other,
    }
}

/// The same for an I/O error, in which the errors of a handshake come wrapped; `None` when TLS is not its cause.
pub fn io_failure(error: &io::Error) -> Option<TlsFailure> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).map(failure)
}

fn certificate(reason: &CertificateError) -> TlsFailure {
    match reason {
        // A CA of the right name with another key is as unknown as any other.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            TlsFailure::UnknownIssuer
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFailure::WrongName
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFailure::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsFailure::NotYetValid
        }
        CertificateError::Other(other) => match other.0.downcast_ref::<PinDiffers>() {
            Some(PinDiffers { presented, pins }) => TlsFailure::PinDiffers {
                presented: *presented.as_bytes(),
                pinned: pins.first().map_or([0; 32], |pin| *pin.as_bytes()),
                others: pins.len().saturating_sub(1),
            },
            None if matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity)) => {
                TlsFailure::CaCertificate
            }
            None => TlsFailure::BadCertificate,
        },
        _ => TlsFailure::BadCertificate,
    }
}

fn alert_received(alert: AlertDescription) -> TlsFailure {
    match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            TlsFailure::ClientCertificateMissing
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => TlsFailure::ClientCertificateRefused,
        AlertDescription::HandshakeFailure
        | AlertDescription::ProtocolVersion
        | AlertDescription::InsufficientSecurity => TlsFailure::NothingInCommon,
        _ => TlsFailure::Other,
    }
}
