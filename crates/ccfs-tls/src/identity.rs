//! Client certificates and their private keys.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, InconsistentKeys};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use zeroize::Zeroizing;

/// Maximum size of a PEM file in bytes.
pub(crate) const PEM_LIMIT: usize = 4 * 1024 * 1024;

/// PEM labels of private keys.
const KEY_LABELS: [&str; 4] =
    ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];

/// Client certificate and private key for servers that require one (mutual TLS).
///
/// The copies of the key's PEM and DER made here are wiped. The parsed key remains in ring, which
/// does not wipe it. No `Debug` output and no error contains the key.
///
/// ```no_run
/// use ccfs_tls::{Identity, Trust};
/// use zeroize::Zeroizing;
///
/// let certificates = std::fs::read("client.pem")?;
/// let key = Zeroizing::new(std::fs::read("client-key.pem")?);
/// let trust = Trust::system().identity(Identity::from_pem(&certificates, &key)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Identity(pub(crate) Arc<CertifiedKey>);

impl Identity {
    /// Reads a client certificate and its private key from PEM, each at most 4 MiB.
    ///
    /// `certificates` contains the client certificate, followed by the intermediate certificates,
    /// if any. `key` contains its private key in PKCS #8, PKCS #1 or SEC 1, not encrypted. Both may
    /// be the contents of the same file. Other text and PEM sections are ignored.
    ///
    /// The caller is responsible for wiping `key`, and `certificates` if it contains the key.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] if the certificate or the key is missing, malformed or too large, or if
    /// they do not belong together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        for len in [certificates.len(), key.len()] {
            if len > PEM_LIMIT {
                return Err(IdentityError::TooLarge { limit: PEM_LIMIT, len });
            }
        }
        let chain: Vec<_> = certificates_in(certificates).collect::<Result<_, _>>()?;
        if chain.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        let certified = CertifiedKey::new(chain, signing_key(key)?);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
                Ok(Self(Arc::new(certified)))
            }
            Err(Error::InconsistentKeys(_)) => Err(IdentityError::KeyMismatch),
            Err(_) => Err(IdentityError::Certificate),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.0.cert.len()).finish_non_exhaustive()
    }
}

/// Iterates over the certificates in `pem`. Only these sections are passed to `rustls-pki-types`,
/// because the rest may contain the key; see [`signing_key`].
fn certificates_in(
    mut pem: &[u8],
) -> impl Iterator<Item = Result<CertificateDer<'static>, IdentityError>> {
    std::iter::from_fn(move || {
        let begin = find(pem, b"-----BEGIN CERTIFICATE-----")?;
        let rest = &pem[begin..];
        let end = find(rest, b"-----END CERTIFICATE-----")
            .map_or(rest.len(), |at| at + b"-----END CERTIFICATE-----".len());
        pem = &rest[end..];
        Some(CertificateDer::from_pem_slice(&rest[..end]).map_err(|_| IdentityError::Certificate))
    })
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Parses the first private key in `pem`. The PEM decoder of `rustls-pki-types` is not used, because
/// it frees its buffers without wiping them.
fn signing_key(pem: &[u8]) -> Result<Arc<dyn SigningKey>, IdentityError> {
    let text = std::str::from_utf8(pem).map_err(|_| IdentityError::NoKey)?;
    let (label, rest) = text
        .split("-----BEGIN ")
        .skip(1)
        .filter_map(|section| section.split_once("-----"))
        .find(|(label, _)| KEY_LABELS.contains(label))
        .ok_or(IdentityError::NoKey)?;
    let (body, _) =
        rest.split_once(format!("-----END {label}-----").as_str()).ok_or(IdentityError::Key)?;
    // The second is in the header of a traditionally encrypted key: `Proc-Type: 4,ENCRYPTED`.
    if label == "ENCRYPTED PRIVATE KEY" || body.contains(",ENCRYPTED") {
        return Err(IdentityError::Encrypted);
    }
    // The full capacity, because a buffer that grows leaves unwiped copies.
    let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
    base64.extend(body.split_whitespace());
    let mut der = Zeroizing::new(vec![0; base64.len()]);
    let len = STANDARD.decode_slice(base64.as_bytes(), &mut der).map_err(|_| IdentityError::Key)?;
    let key: PrivateKeyDer<'_> = match label {
        "RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(&der[..len]).into(),
        "EC PRIVATE KEY" => PrivateSec1KeyDer::from(&der[..len]).into(),
        _ => PrivatePkcs8KeyDer::from(&der[..len]).into(),
    };
    any_supported_type(&key).map_err(|_| IdentityError::Key)
}

/// Why a client certificate and its key cannot be used. Contains nothing of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The certificate or the key exceeds the size limit.
    #[error(
        "client certificate or key is {len} bytes long, limit {limit}; check that it is the right file"
    )]
    TooLarge {
        /// Limit in bytes.
        limit: usize,
        /// Actual length in bytes.
        len: usize,
    },
    /// The text contains no PEM certificate.
    #[error(
        "client certificate not found; give a PEM file with a line -----BEGIN CERTIFICATE-----"
    )]
    NoCertificate,
    /// A certificate is malformed.
    #[error("client certificate is malformed; write it again with openssl x509 -in CERT -out PEM")]
    Certificate,
    /// The text contains no PEM private key.
    #[error(
        "client key not found; give a PEM file with a line -----BEGIN PRIVATE KEY----- (or RSA PRIVATE KEY, or EC PRIVATE KEY)"
    )]
    NoKey,
    /// The key is encrypted with a password.
    #[error(
        "client key is encrypted with a password; decrypt it with openssl pkey -in KEY -out PLAIN-KEY"
    )]
    Encrypted,
    /// The key is malformed or of an unsupported type.
    #[error(
        "client key is malformed or of an unsupported type; use RSA, ECDSA (P-256, P-384) or Ed25519 in PEM"
    )]
    Key,
    /// The key does not belong to the certificate.
    #[error(
        "client key does not match the client certificate; compare openssl x509 -noout -pubkey -in CERT with openssl pkey -pubout -in KEY"
    )]
    KeyMismatch,
}
