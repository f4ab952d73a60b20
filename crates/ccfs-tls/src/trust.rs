//! Whom to trust, and as whom to come.

use std::fmt;
use std::sync::Arc;

use ccfs_proto::Endpoint;
use ccfs_proto::exchange::Scheme;
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
use crate::verifier::{Rule, Shown, Verifier};

/// Bytes of a PEM text that are read.
pub(crate) const PEM_LIMIT: usize = 4 * 1024 * 1024;

/// Which servers are believed, and what is shown to those that ask who comes.
///
/// Without pins a server's certificate must be signed by a trusted CA, name the endpoint's host, and be valid by the machine's clock. With pins it must be one of
/// the pinned ones, and nothing else counts: neither names, nor dates, nor roots. That is for servers that are addressed by IP and have a
/// certificate for something else. Either way the server must prove in the handshake that it has the certificate's key.
///
/// ```no_run
/// use ccfs_tls::{TlsVersion, Trust};
///
/// let trust = Trust::system().add_pem(&std::fs::read("ca.pem")?)?.oldest_version(TlsVersion::V1_3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
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
    /// The system's roots, which are read when a configuration is made, and TLS 1.2 or newer. It is the default.
    #[must_use]
    pub fn system() -> Self {
        Self {
            system: true,
            extra: Vec::new(),
            pins: Vec::new(),
            identity: None,
            oldest: TlsVersion::default(),
        }
    }

    /// Nobody yet: only what is added counts.
    #[must_use]
    pub fn none() -> Self {
        Self { system: false, ..Self::system() }
    }

    /// Trusts the certificates of a PEM text, too: at least one, each well-formed, in at most 4 MiB. Everything else in the text is passed over.
    pub fn add_pem(mut self, pem: &[u8]) -> Result<Self, TrustError> {
        if pem.len() > PEM_LIMIT {
            return Err(TrustError::TooLarge { limit: PEM_LIMIT, len: pem.len() });
        }
        let before = self.extra.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate
                .map_err(|_| TrustError::Pem { number: self.extra.len() - before + 1 })?;
            let number = self.extra.len() - before + 1;
            RootCertStore::empty()
                .add(certificate.clone())
                .map_err(|_| TrustError::Certificate { number })?;
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

    /// All trusted root certificates; [`TrustError::Nothing`] when there are none. Reads the system's store when it counts; certificates there that
    /// cannot be used are passed over, as other programs do.
    pub fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TrustError> {
        let mut all = self.extra.clone();
        if self.system {
            let found = rustls_native_certs::load_native_certs();
            all.extend(found.certs);
        }
        if all.is_empty() { Err(TrustError::Nothing) } else { Ok(all) }
    }

    /// A client's rustls configuration: this trust and identity, TLS from the oldest version on, the ring provider. [`TrustError::Nothing`] when there is
    /// neither a root nor a pin.
    pub fn client_config(&self) -> Result<ClientConfig, TrustError> {
        Ok(self.config(self.verifier()?))
    }

    /// The configuration for calls to `endpoint`. Over http no certificate counts, so it never fails and trusts nobody.
    pub fn client_config_for(&self, endpoint: &Endpoint) -> Result<ClientConfig, TrustError> {
        match endpoint.scheme() {
            Scheme::Http => Ok(trusting_nobody()),
            _ => self.client_config(),
        }
    }

    /// The same configuration, and the place where the certificates are written down that a server shows, accepted or not: for telling a
    /// person what is wrong with them. Where nobody is trusted, every server is refused, which is no error here.
    pub fn recording_config(&self) -> (ClientConfig, Shown) {
        let shown = Shown::new();
        let decides = self.verifier().unwrap_or_else(|_| Arc::new(Verifier::new(Rule::Nobody)));
        (self.config(Arc::new(Verifier::new(Rule::Recorded(decides, shown.clone())))), shown)
    }

    fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, TrustError> {
        if !self.pins.is_empty() {
            return Ok(Arc::new(Verifier::new(Rule::Pins(self.pins.clone()))));
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.certificates()?);
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        verifier
            .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
            .map_err(|_| TrustError::Nothing)
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
            Some(Identity(key)) => {
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(key))))
            }
            None => builder.with_no_client_auth(),
        }
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self::system()
    }
}

/// A configuration that trusts nobody, for clients that only speak plain HTTP but want one all the same.
#[must_use]
pub fn trusting_nobody() -> ClientConfig {
    Trust::none().config(Arc::new(Verifier::new(Rule::Nobody)))
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
    #[error("the CA file has {len} bytes, and at most {limit} are read: is it the right file?")]
    TooLarge {
        /// The bound in bytes.
        limit: usize,
        /// The bytes given.
        len: usize,
    },
    /// No PEM certificate in it.
    #[error(
        "the CA file has no certificate: it must be PEM, with a line -----BEGIN CERTIFICATE-----"
    )]
    NoCertificate,
    /// Broken PEM.
    #[error(
        "certificate number {number} of the CA file is not proper PEM: copy it again, from its BEGIN line to its END line"
    )]
    Pem {
        /// Which one, from 1.
        number: usize,
    },
    /// Proper PEM around something that is no certificate.
    #[error(
        "certificate number {number} of the CA file is damaged, or no X.509 certificate: openssl x509 -in FILE -text shows what it is"
    )]
    Certificate {
        /// Which one, from 1.
        number: usize,
    },
    /// No certificates at all.
    #[error(
        "nobody is trusted: there is no root certificate and no pin; add the server's CA as a PEM file, or pin the server's certificate"
    )]
    Nothing,
}
