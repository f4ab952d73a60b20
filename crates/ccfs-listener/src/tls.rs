//! TLS of the listener.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Largest PEM text, in bytes.
const PEM_LIMIT: usize = 1024 * 1024;

/// Creates a configuration for TLS 1.2 and 1.3 with this certificate chain and its key.
pub(crate) fn server(certificates: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, TlsError> {
    if let Some(len) = [certificates.len(), key.len()].into_iter().find(|len| *len > PEM_LIMIT) {
        return Err(TlsError::TooLarge { limit: PEM_LIMIT, len });
    }
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(TlsError::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::Key)?;
    let mut config = ServerConfig::builder_with_provider(ccfs_tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|_| unreachable!("ring has suites for TLS 1.2 and 1.3"))
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|_| TlsError::Mismatch)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Why a certificate and its key cannot be used. Contains nothing of either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The certificate or the key is larger than the limit.
    #[error("listener certificate or key has {len} bytes, limit {limit}")]
    TooLarge {
        /// Limit in bytes.
        limit: usize,
        /// Actual length in bytes.
        len: usize,
    },
    /// The certificate is missing or malformed.
    #[error(
        "listener certificate is not valid PEM; it must contain a line -----BEGIN CERTIFICATE-----"
    )]
    Certificate,
    /// The private key is missing or malformed.
    #[error(
        "listener key is not valid PEM; it must be an unencrypted private key (PKCS #8, PKCS #1 or SEC 1)"
    )]
    Key,
    /// The key cannot sign, or does not belong to the certificate.
    #[error(
        "listener key does not match the certificate; the server's own certificate must be the first in its file"
    )]
    Mismatch,
}
