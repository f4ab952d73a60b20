//! The certificates that a client trusts and presents.

use std::fmt;
use std::sync::{Arc, Mutex};

use ccfs_proto::Endpoint;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::identity::{Identity, PEM_LIMIT};
use crate::pin::Pin;
use crate::verifier::{NoClientCertificate, Recorded, Rule, Verifier, provider};

/// Certificates that a client trusts, and the client certificate that it presents, if any.
///
/// Without pins, the server's certificate must be signed by a trusted CA, name the endpoint's host
/// and be valid now by the system clock. With pins, it must be one of the pinned certificates, and
/// its names, dates and issuer are ignored. Pins are for servers whose certificate does not name
/// the host or IP address that clients use. In both cases the server must prove in the handshake
/// that it has the certificate's private key.
///
/// ```no_run
/// use ccfs_tls::{TlsVersion, Trust};
///
/// let trust = Trust::system().add_pem(&std::fs::read("ca.pem")?)?.min_version(TlsVersion::V1_3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Trust {
    system: bool,
    added: Vec<CertificateDer<'static>>,
    pins: Vec<Pin>,
    identity: Option<Identity>,
    min_version: TlsVersion,
}

/// TLS version. Default: 1.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    V1_2,
    /// TLS 1.3.
    V1_3,
}

impl Trust {
    /// Trusts the system's root certificates, which are read when a configuration is created, and
    /// requires TLS 1.2 or newer. This is the default.
    #[must_use]
    pub fn system() -> Self {
        Self {
            system: true,
            added: Vec::new(),
            pins: Vec::new(),
            identity: None,
            min_version: TlsVersion::default(),
        }
    }

    /// Trusts no certificates until some are added.
    #[must_use]
    pub fn none() -> Self {
        Self { system: false, ..Self::system() }
    }

    /// Also trusts the CA certificates in `pem`, which must be at most 4 MiB long. Other text and
    /// PEM sections are ignored.
    ///
    /// # Errors
    ///
    /// [`TrustError`] if `pem` is too large, has no certificate, or has a malformed one.
    pub fn add_pem(mut self, pem: &[u8]) -> Result<Self, TrustError> {
        if pem.len() > PEM_LIMIT {
            return Err(TrustError::TooLarge { limit: PEM_LIMIT, len: pem.len() });
        }
        let before = self.added.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate
                .map_err(|_| TrustError::Pem { number: self.added.len() - before + 1 })?;
            let number = self.added.len() - before + 1;
            RootCertStore::empty()
                .add(certificate.clone())
                .map_err(|_| TrustError::Certificate { number })?;
            self.added.push(certificate);
        }
        if self.added.len() == before { Err(TrustError::NoCertificate) } else { Ok(self) }
    }

    /// Accepts only the certificate with this pin, regardless of its names, dates and issuer. With
    /// several pins, each of them is accepted, for example while a certificate is renewed. Root
    /// certificates are ignored if there is a pin.
    #[must_use]
    pub fn pin(mut self, pin: Pin) -> Self {
        self.pins.push(pin);
        self
    }

    /// Sets the client certificate for servers that ask for one. Default: none.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Sets the minimum TLS version. Default: 1.2.
    #[must_use]
    pub fn min_version(mut self, version: TlsVersion) -> Self {
        self.min_version = version;
        self
    }

    /// Returns the pins.
    pub fn pins(&self) -> &[Pin] {
        &self.pins
    }

    /// Returns all trusted root certificates. Reads the system's store, unless this was created
    /// with [`Trust::none`]; certificates there that cannot be read are skipped.
    ///
    /// # Errors
    ///
    /// [`TrustError::NoRoots`] if there are none.
    pub fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TrustError> {
        let mut all = self.added.clone();
        if self.system {
            let found = rustls_native_certs::load_native_certs();
            all.extend(found.certs);
        }
        if all.is_empty() { Err(TrustError::NoRoots) } else { Ok(all) }
    }

    /// Creates a rustls client configuration with these certificates, TLS versions and the ring
    /// provider.
    ///
    /// # Errors
    ///
    /// [`TrustError::NoRoots`] if there are neither root certificates nor pins.
    pub fn client_config(&self) -> Result<ClientConfig, TrustError> {
        Ok(self.config(self.verifier()?))
    }

    /// Creates the rustls client configuration for `endpoint`. For an `http` endpoint, which needs
    /// no certificates, it rejects every server: HTTP clients require one also for plain HTTP.
    ///
    /// # Errors
    ///
    /// [`TrustError::NoRoots`] if the endpoint is `https` and there are neither root certificates
    /// nor pins.
    pub fn client_config_for(&self, endpoint: &Endpoint) -> Result<ClientConfig, TrustError> {
        if endpoint.is_https() {
            return self.client_config();
        }
        Ok(Self::none().config(Arc::new(Verifier::new(Rule::RejectAll))))
    }

    /// Creates a configuration like [`client_config`](Self::client_config) for diagnosis. It also
    /// records the certificates that servers present, accepted or not, and whether a server asks
    /// for a client certificate that is not set. Without root certificates and pins, it rejects
    /// every server.
    pub fn recording_config(&self) -> (ClientConfig, Arc<Mutex<Recorded>>) {
        let recorded = Arc::<Mutex<Recorded>>::default();
        let verifier = self.verifier().unwrap_or_else(|_| Arc::new(Verifier::new(Rule::RejectAll)));
        let rule = Rule::Record(verifier, Arc::clone(&recorded));
        let mut config = self.config(Arc::new(Verifier::new(rule)));
        if self.identity.is_none() {
            config.client_auth_cert_resolver = Arc::new(NoClientCertificate(Arc::clone(&recorded)));
        }
        (config, recorded)
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
            .map_err(|_| TrustError::NoRoots)
    }

    fn config(&self, verifier: Arc<dyn ServerCertVerifier>) -> ClientConfig {
        let versions: &[&SupportedProtocolVersion] = match self.min_version {
            TlsVersion::V1_2 => &[&TLS13, &TLS12],
            TlsVersion::V1_3 => &[&TLS13],
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap_or_else(|_| unreachable!("ring has suites for TLS 1.2 and 1.3"))
            // rustls calls every custom verifier dangerous. Those here are its own one and stricter
            // ones.
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

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("system", &self.system)
            .field("added", &self.added.len())
            .field("pins", &self.pins)
            .field("identity", &self.identity)
            .field("min_version", &self.min_version)
            .finish()
    }
}

/// Why the trusted certificates cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The PEM text exceeds the size limit.
    #[error("CA file is {len} bytes long, limit {limit}; check that it is the right file")]
    TooLarge {
        /// Limit in bytes.
        limit: usize,
        /// Actual length in bytes.
        len: usize,
    },
    /// The text contains no PEM certificate.
    #[error(
        "CA file contains no certificate; give a PEM file with a line -----BEGIN CERTIFICATE-----"
    )]
    NoCertificate,
    /// The PEM encoding of a certificate is malformed.
    #[error(
        "certificate {number} of the CA file is malformed PEM; copy it again, from its BEGIN line to its END line"
    )]
    Pem {
        /// Position of the certificate in the file, from 1.
        number: usize,
    },
    /// A PEM section is not a valid X.509 certificate.
    #[error(
        "certificate {number} of the CA file is not a valid X.509 certificate; inspect it with openssl x509 -in FILE -text"
    )]
    Certificate {
        /// Position of the certificate in the file, from 1.
        number: usize,
    },
    /// There are neither root certificates nor pins.
    #[error(
        "no root certificates and no pins; add the server's CA as a PEM file, or pin the server's certificate"
    )]
    NoRoots,
}
