//! Verification of a server's certificate.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::pin::Pin;

/// Returns the cryptography provider that all crates of ccfs use: ring.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Verifies a server's certificate by a [`Rule`]. The signature of the handshake, which proves that
/// the server has the certificate's key, is always verified by rustls.
#[derive(Debug)]
pub(crate) struct Verifier {
    rule: Rule,
    algorithms: WebPkiSupportedAlgorithms,
}

/// How a server's certificate is verified.
#[derive(Debug)]
pub(crate) enum Rule {
    /// Accepts the pinned certificates and no others.
    Pins(Vec<Pin>),
    /// Rejects every certificate.
    RejectAll,
    /// Records the certificates, then calls the other verifier.
    Record(Arc<dyn ServerCertVerifier>, Arc<Mutex<Recorded>>),
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
            Rule::Pins(pins) => verify_pin(pins, Pin::of(end_entity)),
            Rule::RejectAll => Err(CertificateError::UnknownIssuer.into()),
            Rule::Record(other, recorded) => {
                let certificates = std::iter::once(end_entity).chain(intermediates);
                lock(recorded).certificates = certificates.map(|der| der.to_vec()).collect();
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

fn verify_pin(pins: &[Pin], presented: Pin) -> Result<ServerCertVerified, Error> {
    // Compares with all pins, so that the time does not depend on which one matches.
    if pins.iter().filter(|pin| pin.matches(&presented)).count() > 0 {
        return Ok(ServerCertVerified::assertion());
    }
    let mismatch = PinMismatch { presented, pins: pins.to_vec() };
    Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(mismatch)))))
}

/// The server's certificate is not one of the pinned ones.
#[derive(Debug)]
pub(crate) struct PinMismatch {
    pub(crate) presented: Pin,
    pub(crate) pins: Vec<Pin>,
}

impl fmt::Display for PinMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate's pin is {}, which is not one of the pins", self.presented)
    }
}

impl std::error::Error for PinMismatch {}

/// What a server presented in the latest handshake with a
/// [`recording_config`](crate::Trust::recording_config).
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Recorded {
    /// DER of each certificate, the server's own first. Empty before the first handshake.
    pub certificates: Vec<Vec<u8>>,
    /// Whether the server asked for a client certificate, and none is configured. Not every server
    /// that asks for one requires it.
    pub is_client_certificate_missing: bool,
}

/// Whether another thread panicked while it recorded does not matter.
fn lock(recorded: &Mutex<Recorded>) -> MutexGuard<'_, Recorded> {
    recorded.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Presents no client certificate, and records that the server asked for one.
#[derive(Debug)]
pub(crate) struct NoClientCertificate(pub(crate) Arc<Mutex<Recorded>>);

impl ResolvesClientCert for NoClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        lock(&self.0).is_client_certificate_missing = true;
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
