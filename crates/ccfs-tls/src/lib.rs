//! Which certificates a CC-FS client trusts.
//!
//! CC-FS servers mostly stand behind a private CA. A [`Trust`] holds the system's roots and the CAs that the caller adds, and gives them to
//! a backend as rustls takes them, with the ring provider. It opens no connection, and there is no switch that turns verification off.
//!
//! ```
//! use ccfs_tls::{Trust, TrustError};
//!
//! let refused = Trust::system().add_pem(b"not a certificate").unwrap_err();
//! assert!(matches!(refused, TrustError::NoCertificate));
//! ```
#![forbid(unsafe_code)]

use std::fmt;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Bytes of a PEM text that are read.
const PEM_LIMIT: usize = 4 * 1024 * 1024;

/// The certificates that a server's certificate may be signed with.
#[derive(Clone, Default)]
pub struct Trust {
    system: bool,
    extra: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// The system's roots.
    #[must_use]
    pub fn system() -> Self {
        Self { system: true, extra: Vec::new() }
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

    /// All trusted certificates. Reads the system's store when it counts; certificates there that cannot be used are passed over, as
    /// other programs do.
    pub fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TrustError> {
        let mut all = self.extra.clone();
        if self.system {
            let found = rustls_native_certs::load_native_certs();
            all.extend(found.certs);
        }
        if all.is_empty() { Err(TrustError::Nothing) } else { Ok(all) }
    }

    /// A client's rustls configuration: these roots, TLS 1.2 and 1.3, the ring provider.
    pub fn client_config(&self) -> Result<ClientConfig, TrustError> {
        let mut roots = RootCertStore::empty();
        let (usable, _) = roots.add_parsable_certificates(self.certificates()?);
        if usable == 0 { Err(TrustError::Nothing) } else { Ok(config(roots)) }
    }
}

/// A configuration that trusts nobody, for clients that only speak plain HTTP but want one all the same.
#[must_use]
pub fn trusting_nobody() -> ClientConfig {
    config(RootCertStore::empty())
}

fn config(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|_| unreachable!("ring has suites for TLS 1.2 and 1.3"))
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The cryptography that all of ccfs uses: ring.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("system", &self.system).field("extra", &self.extra.len()).finish()
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
    #[error("no trusted certificate is there: the system has none; add the server's CA as a PEM file")]
    Nothing,
}
