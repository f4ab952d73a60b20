//! Classifies errors of rustls.

use std::io;

use ccfs_proto::exchange::TlsFailure;
use rustls::{AlertDescription, CertificateError, Error};

use crate::verifier::PinMismatch;

/// Classifies an error of rustls.
///
/// In TLS 1.3 the server verifies the client certificate after the client has finished its part of
/// the handshake. Its alert can then arrive in place of the response; it is classified the same
/// way.
pub fn classify_error(error: &Error) -> TlsFailure {
    match error {
        Error::InvalidCertificate(reason) => certificate(reason),
        Error::NoCertificatesPresented => TlsFailure::BadCertificate,
        Error::AlertReceived(alert) => alert_received(*alert),
        Error::PeerIncompatible(_) => TlsFailure::NothingInCommon,
        // The first bytes of a plain HTTP server are not a TLS record.
        Error::InvalidMessage(_) => TlsFailure::NotTls,
        _ => TlsFailure::Other,
    }
}

/// Classifies the error of rustls inside an I/O error, such as that of a failed handshake. Returns
/// `None` if there is none inside.
pub fn classify_io_error(error: &io::Error) -> Option<TlsFailure> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()).map(classify_error)
}

fn certificate(reason: &CertificateError) -> TlsFailure {
    match reason {
        // The signature is bad if a trusted CA has the issuer's name but another key.
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
        CertificateError::Other(other) => match other.0.downcast_ref::<PinMismatch>() {
            Some(PinMismatch { presented, pins }) => TlsFailure::PinDiffers {
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
