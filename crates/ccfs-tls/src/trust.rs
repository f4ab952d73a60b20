//! Whom to trust, and as whom to come.

use std::fmt;
use std::sync::Arc;

use ccfs_proto::{Endpoint, Scheme};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::identity::Identity;
use crate::pin::Pin;
use crate::verifier::{Nobody, Pinned, Recording, Shown};

/// Bytes of a PEM text that are read.
pub(crate) const PEM_LIMIT: usize = 4 * 1024 * 1024;

/// Which servers are believed, and what is shown to those that ask who comes.
///
/// Without pins a server's certificate must be signed by a trusted CA, name the endpoint's host, and be valid now. With pins it must be one of
/// the pinned ones, and nothing else counts: neither names, nor dates, nor roots. That is for servers that are addressed by IP and have a
/// certificate for something else. Either way the server must prove in the handshake that it has the certificate's key.
#[derive(Clone, Default)]
pub struct Trust {
    system: bool,
    extra: Vec<CertificateDer<'static>>,
    pins: Vec<Pin>,
    identity: Option<Identity>,
    oldest: TlsVersion,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// 1.2.
    #[default]
    V1_2,
    /// 1.3.
    V1_3,
}

impl Trust {
    /// The system's roots.
    #[must_use]
    pub fn system() -> Self {
        Self { system: true, ..Self::default() }
    }

    /// None yet: only what is added counts.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Trusts the certificates of a PEM text, too: at least one, each a well-formed CA certificate.
    pub fn add_pem(mut self, pem: &[u8]) -> Result<Self, TrustError> {
        if pem.len() > PEM_LIMIT {
            return Err(TrustError::TooLarge { limit: PEM_LIMIT, len: pem.len() });
        }
        let before = self.extra.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| TrustError::Pem { number: self.extra.len() - before + 1 })?;
            let number = self.extra.len() - before + 1;
            RootCertStore::empty().add(certificate.clone()).map_err(|_| TrustError::Certificate { number })?;
            self.extra.push(certificate);
        }
        if self.extra.len() == before { Err(TrustError::NoCertificate) } else { Ok(self) }
    }

    /// Accepts exactly the certificate with this pin, whatever its names, dates and issuer. Several may be given, for the days around a
    /// renewal: each of them is accepted. As soon as there is one, roots do not count any more.
    #[must_use]
    pub fn pin(mut self, pin: Pin) -> Self {
        self.pins.push(pin);
        self
    }

    /// Shows this certificate to servers that ask for one. Default: none.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Speaks this version of TLS or a newer one. Default: 1.2.
    #[must_use]
    pub fn oldest_version(mut self, version: TlsVersion) -> Self {
        self.oldest = version;
        self
    }

    /// The pins.
    pub fn pins(&self) -> &[Pin] {
        &self.pins
    }

    /// All trusted root certificates. Reads the system's store when it counts; certificates there that cannot be used are passed over, as
    /// other programs do.
    pub fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TrustError> {
        let mut all = self.extra.clone();
        if self.system {
            let found = rustls_native_certs::load_native_certs();
            all.extend(found.certs);
        }
        if all.is_empty() { Err(TrustError::Nothing) } else { Ok(all) }
    }

    /// A client's rustls configuration: this trust, TLS 1.2 and 1.3, the ring provider.
    pub fn client_config(&self) -> Result<ClientConfig, TrustError> {
        Ok(self.config(self.verifier()?))
    }

    /// The configuration for calls to `endpoint`. Over http no certificate counts, so a machine that trusts nobody must do.
    pub fn client_config_for(&self, endpoint: &Endpoint) -> Result<ClientConfig, TrustError> {
        match endpoint.scheme() {
            Scheme::Http => Ok(trusting_nobody()),
            _ => self.client_config(),
        }
    }

    /// The same configuration, and the place where the certificates are written down that a server shows, accepted or not: for telling a
    /// person what is wrong with them. Where nobody is trusted, every server is refused, which is no error here.
    pub fn recording_config(&self) -> (ClientConfig, Shown) {
        let shown = Shown::default();
        let inner = self.verifier().unwrap_or_else(|_| Arc::new(Nobody));
        (self.config(Arc::new(Recording { inner, shown: shown.clone() })), shown)
    }

    fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, TrustError> {
        if !self.pins.is_empty() {
            return Ok(Arc::new(Pinned::new(self.pins.clone())));
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.certificates()?);
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        verifier.map(|verifier| verifier as Arc<dyn ServerCertVerifier>).map_err(|_| TrustError::Nothing)
    }

    fn config(&self, verifier: Arc<dyn ServerCertVerifier>) -> ClientConfig {
        let versions: &[&SupportedProtocolVersion] = match self.oldest {
            TlsVersion::V1_2 => &[&TLS13, &TLS12],
            TlsVersion::V1_3 => &[&TLS13],
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap_or_else(|_| unreachable!("ring has suites for TLS 1.2 and 1.3"))
            // rustls calls every verifier of one's own dangerous. The ones here are its own one, and stricter ones.
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        match &self.identity {
            Some(Identity(key)) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(key)))),
            None => builder.with_no_client_auth(),
        }
    }
}

/// A configuration that trusts nobody, for clients that only speak plain HTTP but want one all the same.
#[must_use]
pub fn trusting_nobody() -> ClientConfig {
    Trust::none().config(Arc::new(Nobody))
}

/// The cryptography that all of ccfs uses: ring.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("system", &self.system)
            .field("extra", &self.extra.len())
            .field("pins", &self.pins)
            .field("identity", &self.identity)
            .field("oldest", &self.oldest)
            .finish()
    }
}

/// Why certificates cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Longer than the bound.
    #[error("the CA file has {len} bytes, and at most {limit} are read")]
    TooLarge {
        /// The bound in bytes.
        limit: usize,
        /// The bytes given.
        len: usize,
    },
    /// No PEM certificate in it.
    #[error("the CA file has no certificate: it must be PEM, with a line -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    /// Broken PEM.
    #[error("certificate number {number} of the CA file is not proper PEM")]
    Pem {
        /// Which one, from 1.
        number: usize,
    },
    /// Proper PEM around something that is no certificate.
    #[error("certificate number {number} of the CA file is not a certificate that can be trusted")]
    Certificate {
        /// Which one, from 1.
        number: usize,
    },
    /// No certificates at all.
    #[error("no trusted certificate is there: the system has none; add the server's CA as a PEM file, or pin the server's certificate")]
    Nothing,
}
