//! Who decides about a server's certificate.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::pin::Pin;
use crate::trust::provider;

/// Decides by a rule of the house. Whatever the rule, whoever shows a certificate must prove in the handshake that it has the certificate's key, and that is
/// rustls' to check.
#[derive(Debug)]
pub(crate) struct Verifier {
    rule: Rule,
    algorithms: WebPkiSupportedAlgorithms,
}

/// What is asked of a certificate.
#[derive(Debug)]
pub(crate) enum Rule {
    /// That it is one of the pinned ones, and nothing else.
    Pins(Vec<Pin>),
    /// What nobody has: for clients that only speak plain HTTP, and for looking at a certificate where nobody is trusted.
    Nobody,
    /// What the other verifier asks. The certificates are written down before, accepted or not.
    Recorded(Arc<dyn ServerCertVerifier>, Shown),
}

impl Verifier {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, algorithms: provider().signature_verification_algorithms }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.rule {
            Rule::Pins(pins) => pinned(pins, Pin::of(end_entity)),
            Rule::Nobody => Err(CertificateError::UnknownIssuer.into()),
            Rule::Recorded(other, shown) => {
                shown.record(std::iter::once(end_entity).chain(intermediates));
                other.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn pinned(pins: &[Pin], presented: Pin) -> Result<ServerCertVerified, Error> {
    // All are compared, so that the time does not tell which one it was.
    if pins.iter().filter(|pin| pin.matches(&presented)).count() > 0 {
        return Ok(ServerCertVerified::assertion());
    }
    let refused = PinDiffers { presented, pins: pins.to_vec() };
    Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refused)))))
}

/// The server showed another certificate.
#[derive(Debug)]
pub(crate) struct PinDiffers {
    pub(crate) presented: Pin,
    pub(crate) pins: Vec<Pin>,
}

impl fmt::Display for PinDiffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the certificate's pin is {}, and it is none of the accepted ones",
            self.presented
        )
    }
}

impl std::error::Error for PinDiffers {}

/// The certificates that a server showed, its own first, whatever was decided about them. Clones share them.
#[derive(Clone, Debug)]
pub struct Shown(Arc<Mutex<Vec<Vec<u8>>>>);

impl Shown {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// The DER of each, as the last server showed them. Empty before one showed any.
    pub fn certificates(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn record<'a>(&self, certificates: impl Iterator<Item = &'a CertificateDer<'a>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            certificates.map(|certificate| certificate.to_vec()).collect();
    }
}
