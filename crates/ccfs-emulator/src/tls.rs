//! The emulator's own CA, its certificate, and the two sides of TLS.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use crate::BoxError;

/// The names of this machine for itself.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Which versions of TLS an emulator speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsVersions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// Only 1.2, as older servers do.
    Only12,
    /// Only 1.3.
    Only13,
}

impl TlsVersions {
    fn list(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Self::Both => vec![&TLS13, &TLS12],
            Self::Only12 => vec![&TLS12],
            Self::Only13 => vec![&TLS13],
        }
    }
}

/// A certificate of the emulator's CA, and its key: for a client, or for a receiver of callbacks.
#[derive(Clone)]
#[non_exhaustive]
pub struct Identity {
    /// The certificate as PEM.
    pub certificate_pem: String,
    /// Its private key as PEM (PKCS #8).
    pub key_pem: String,
}

impl Identity {
    fn new(params: &CertificateParams, issuer: &Issuer<'_, KeyPair>) -> Result<Self, BoxError> {
        let key = KeyPair::generate()?;
        let certificate_pem = params.signed_by(&key, issuer)?.pem();
        Ok(Self { certificate_pem, key_pem: key.serialize_pem() })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("certificate_pem", &self.certificate_pem)
            .finish_non_exhaustive()
    }
}

/// A CA, a server certificate and one for a client, made at start.
pub(crate) struct Authority {
    pub(crate) ca_pem: String,
    pub(crate) ca: CertificateDer<'static>,
    pub(crate) certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
    pub(crate) client: Identity,
    pub(crate) receiver: Identity,
}

impl Authority {
    /// A certificate for loopback and the address of `bind`; for `names` instead, where some are given.
    pub(crate) fn new(bind: SocketAddr, names: &[String], expired: bool) -> Result<Self, BoxError> {
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::new(Vec::new())?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        ca.distinguished_name.push(DnType::CommonName, "ccfs-emulator CA");
        let ca_certificate = ca.self_signed(&ca_key)?;
        let issuer = Issuer::new(ca, ca_key);

        let names = if names.is_empty() {
            let mut names = LOOPBACK.map(str::to_owned).to_vec();
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
        if expired {
            server.not_after = date_time_ymd(2020, 12, 31);
        }
        let certificate = server.signed_by(&key, &issuer)?;

        let mut client = CertificateParams::new(vec!["client.ccfs-emulator".to_owned()])?;
        client.distinguished_name.push(DnType::CommonName, "a client of ccfs-emulator");
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let receiver = CertificateParams::new(LOOPBACK.map(str::to_owned))?;
        Ok(Self {
            ca_pem: ca_certificate.pem(),
            ca: ca_certificate.der().clone(),
            certificate: certificate.der().clone(),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()),
            client: Identity::new(&client, &issuer)?,
            receiver: Identity::new(&receiver, &issuer)?,
        })
    }

    /// The server's side: in these versions, and with clients that show a certificate of this CA where that is asked for.
    pub(crate) fn server(
        &self,
        versions: TlsVersions,
        client_certificates: bool,
    ) -> Result<Arc<ServerConfig>, BoxError> {
        let chain = vec![self.certificate.clone(), self.ca.clone()];
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&versions.list())?;
        let builder = if client_certificates {
            let mut roots = RootCertStore::empty();
            roots.add(self.ca.clone())?;
            builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build()?,
            )
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_single_cert(chain, self.key.clone_key().into())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// TLS for calling receivers: the given roots, and those in `pem`.
pub(crate) fn client(
    own: Option<&Authority>,
    pem: &[String],
) -> Result<Arc<ClientConfig>, BoxError> {
    let mut roots = RootCertStore::empty();
    if let Some(own) = own {
        roots.add(own.ca.clone())?;
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
