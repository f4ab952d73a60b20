//! The emulator's own CA, its certificate, and the two sides of TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A CA and a server certificate, made at start.
pub(crate) struct Authority {
    pub(crate) ca_pem: String,
    ca: CertificateDer<'static>,
    pub(crate) certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Authority {
    /// A certificate for loopback and the address of `bind`; for `names` instead, where some are given.
    pub(crate) fn new(bind: SocketAddr, names: &[String]) -> Result<Self, BoxError> {
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::new(Vec::new())?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        ca.distinguished_name.push(DnType::CommonName, "ccfs-emulator CA");
        let ca_certificate = ca.self_signed(&ca_key)?;

        let names = if names.is_empty() {
            let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
            let own = bind.ip().to_string();
            if !names.contains(&own) {
                names.push(own);
            }
            names
        } else {
            names.to_vec()
        };
        let key = KeyPair::generate()?;
        let mut server = CertificateParams::new(names)?;
        server.distinguished_name.push(DnType::CommonName, "ccfs-emulator");
        server.use_authority_key_identifier_extension = true;
        let certificate = server.signed_by(&key, &Issuer::new(ca, ca_key))?;
        Ok(Self {
            ca_pem: ca_certificate.pem(),
            ca: ca_certificate.der().clone(),
            certificate: certificate.der().clone(),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()),
        })
    }

    pub(crate) fn server(&self) -> Result<Arc<ServerConfig>, BoxError> {
        let chain = vec![self.certificate.clone(), self.ca.clone()];
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, self.key.clone_key().into())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// SHA-256 of the server certificate's DER, as hex: what a pin is compared with.
    pub(crate) fn certificate_sha256(&self) -> String {
        Sha256::digest(&self.certificate).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    }

    /// A root that callback receivers may be signed by.
    pub(crate) fn root(&self) -> CertificateDer<'static> {
        self.ca.clone()
    }
}

/// TLS for calling receivers: the given roots, and those in `pem`.
pub(crate) fn client(own: Option<CertificateDer<'static>>, pem: &[String]) -> Result<Arc<ClientConfig>, BoxError> {
    let mut roots = RootCertStore::empty();
    if let Some(root) = own {
        roots.add(root)?;
    }
    for text in pem {
        for root in CertificateDer::pem_slice_iter(text.as_bytes()) {
            roots.add(root?)?;
        }
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
