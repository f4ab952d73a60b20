//! A client's certificate and key.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use zeroize::Zeroizing;

use crate::trust::PEM_LIMIT;

/// The kinds of key that are read, by the words in their first line.
const KINDS: [(&str, Wrap); 3] = [
    ("PRIVATE KEY", |der| PrivatePkcs8KeyDer::from(der).into()),
    ("RSA PRIVATE KEY", |der| PrivatePkcs1KeyDer::from(der).into()),
    ("EC PRIVATE KEY", |der| PrivateSec1KeyDer::from(der).into()),
];

type Wrap = fn(&[u8]) -> PrivateKeyDer<'_>;

/// A certificate that a client shows to servers that ask for one (mutual TLS), with its key.
///
/// The key's text and DER are wiped once they are read. What stays is the parsed key inside ring, which wipes nothing; it is in no `Debug` and
/// no error.
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
    /// Reads a certificate, with those between it and its CA behind it, and the key of the first one: PKCS #8, PKCS #1 or SEC 1, without a
    /// password. Both are PEM in at most 4 MiB, and may be the same file. The caller wipes `key`, and `certificates` where it has the key too.
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
        let (wrap, der) = key_der(key)?;
        let certified = CertifiedKey::new(
            chain,
            any_supported_type(&wrap(&der)).map_err(|_| IdentityError::Key)?,
        );
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
                Ok(Self(Arc::new(certified)))
            }
            Err(Error::InconsistentKeys(_)) => Err(IdentityError::KeyDiffers),
            Err(_) => Err(IdentityError::Certificate),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.0.cert.len()).finish_non_exhaustive()
    }
}

/// The certificates of a PEM text. What stands beside them is not given to `rustls-pki-types`, because it may be the key; see below.
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

/// The first private key of a PEM text. `rustls-pki-types` reads PEM as well, but leaves what it read in memory that it gives back unwiped.
fn key_der(pem: &[u8]) -> Result<(Wrap, Zeroizing<Vec<u8>>), IdentityError> {
    let text = std::str::from_utf8(pem).map_err(|_| IdentityError::NoKey)?;
    let mut lines = text.lines().map(str::trim);
    let (label, wrap) = loop {
        let line = lines.next().ok_or(IdentityError::NoKey)?;
        let Some(label) =
            line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"))
        else {
            continue;
        };
        if label == "ENCRYPTED PRIVATE KEY" {
            return Err(IdentityError::Encrypted);
        }
        if let Some((label, wrap)) = KINDS.iter().find(|(kind, _)| *kind == label) {
            break (*label, *wrap);
        }
    };
    // Room for all of it: a buffer that grows leaves its old bytes behind.
    let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
    loop {
        let line = lines.next().ok_or(IdentityError::Key)?;
        if line.strip_prefix("-----END ").and_then(|rest| rest.strip_suffix("-----")) == Some(label)
        {
            break;
        }
        // The old form of a password: `Proc-Type: 4,ENCRYPTED`.
        if line.starts_with("Proc-Type:") && line.contains("ENCRYPTED") {
            return Err(IdentityError::Encrypted);
        }
        base64.push_str(line);
    }
    let mut der = Zeroizing::new(vec![0; base64.len()]);
    let len = STANDARD.decode_slice(base64.as_bytes(), &mut der).map_err(|_| IdentityError::Key)?;
    der.truncate(len);
    Ok((wrap, der))
}

/// Why a client certificate and its key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Longer than the bound.
    #[error(
        "a client certificate or key has {len} bytes, and at most {limit} are read: is it the right file?"
    )]
    TooLarge {
        /// The bound in bytes.
        limit: usize,
        /// The bytes given.
        len: usize,
    },
    /// No PEM certificate in it.
    #[error(
        "the client certificate is missing: it must be PEM, with a line -----BEGIN CERTIFICATE-----"
    )]
    NoCertificate,
    /// A broken certificate.
    #[error(
        "the client certificate is not proper PEM around an X.509 certificate: openssl x509 -in CERT -out PEM writes it anew"
    )]
    Certificate,
    /// No PEM private key in it.
    #[error(
        "the client key is missing: it must be PEM, with a line -----BEGIN PRIVATE KEY----- (or RSA PRIVATE KEY, or EC PRIVATE KEY)"
    )]
    NoKey,
    /// The key has a password.
    #[error(
        "the client key is encrypted with a password; take it off with: openssl pkey -in KEY -out PLAIN-KEY"
    )]
    Encrypted,
    /// A broken key, or of a kind that TLS does not use here.
    #[error(
        "the client key cannot be used: it must be RSA, ECDSA (P-256, P-384) or Ed25519 in proper PEM"
    )]
    Key,
    /// The key belongs to another certificate.
    #[error(
        "the client key is not the one of the client certificate: of a pair, openssl x509 -noout -pubkey -in CERT and openssl pkey -pubout -in KEY print the same"
    )]
    KeyDiffers,
}
