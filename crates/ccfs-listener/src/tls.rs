//! The listener's own certificate.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Bytes of a PEM text that are read.
const PEM_LIMIT: usize = 1024 * 1024;

/// TLS 1.2 and 1.3 with this certificate and the chain behind it, and its key.
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

/// Why a certificate and its key cannot be used. It holds nothing of either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// Longer than the bound.
    #[error("the listener's certificate or key has {len} bytes, and at most {limit} are read")]
    TooLarge {
        /// The bound in bytes.
        limit: usize,
        /// The bytes given.
        len: usize,
    },
    /// No certificate in it, or a broken one.
    #[error(
        "the listener's certificate is not proper PEM: it must have a line -----BEGIN CERTIFICATE-----"
    )]
    Certificate,
    /// No private key in it, or a broken one.
    #[error(
        "the listener's key is not proper PEM: it must be an unencrypted private key (PKCS #8, PKCS #1 or SEC 1)"
    )]
    Key,
    /// The key is of a kind that cannot sign, or is not the certificate's.
    #[error(
        "the listener's key does not fit its certificate: give the two that were made together, the server's own certificate first in its file"
    )]
    Mismatch,
}
