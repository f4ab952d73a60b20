//! Certificates from environment variables.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::identity::{Identity, IdentityError, PEM_LIMIT};
use crate::pin::PinError;
use crate::trust::{Trust, TrustError};

impl Trust {
    /// Reads the certificate settings from the environment variables of the `ccfs` command. A
    /// variable that is empty counts as absent.
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `CCFS_CA` | PEM file of root certificates to trust in addition to the system's |
    /// | `CCFS_PIN_SHA256` | pins, separated by commas: SHA-256 of the only certificates to accept, in hex; `CCFS_CA` then has no effect |
    /// | `CCFS_CLIENT_CERT`, `CCFS_CLIENT_KEY` | PEM files of the client certificate and its key |
    ///
    /// # Errors
    ///
    /// [`TrustEnvError`] if a file cannot be read or a value is malformed.
    pub fn from_env() -> Result<Self, TrustEnvError> {
        let mut trust = Self::system();
        if let Some(path) = path("CCFS_CA") {
            trust = trust.add_pem(&read("CCFS_CA", &path)?)?;
        }
        let pins = env::var_os("CCFS_PIN_SHA256").unwrap_or_default();
        for pin in pins.to_string_lossy().split(',').filter(|pin| !pin.is_empty()) {
            trust = trust.pin(pin.parse()?);
        }
        match (path("CCFS_CLIENT_CERT"), path("CCFS_CLIENT_KEY")) {
            (Some(certificate), Some(key)) => {
                let certificate = read("CCFS_CLIENT_CERT", &certificate)?;
                let key = read("CCFS_CLIENT_KEY", &key)?;
                Ok(trust.identity(Identity::from_pem(&certificate, &key)?))
            }
            (None, None) => Ok(trust),
            _ => Err(TrustEnvError::HalfIdentity),
        }
    }
}

fn path(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Reads the file that a variable names. It may contain a key.
fn read(variable: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, TrustEnvError> {
    let failed = |source| TrustEnvError::Read { variable, path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    // One byte more than the limit, so that exceeding it is an error.
    // The full capacity, because a buffer that grows leaves unwiped copies.
    let mut bytes = Zeroizing::new(Vec::with_capacity(PEM_LIMIT + 2));
    file.take(PEM_LIMIT as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Why [`Trust::from_env`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustEnvError {
    /// A file cannot be read.
    #[error("{variable}: could not read {}: {source}", path.display())]
    Read {
        /// The variable that names the file.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// `CCFS_CA` has no usable certificates.
    #[error("CCFS_CA: {0}")]
    Trust(#[from] TrustError),
    /// `CCFS_PIN_SHA256` contains a malformed pin.
    #[error("CCFS_PIN_SHA256: {0}")]
    Pin(#[from] PinError),
    /// The client certificate cannot be used.
    #[error("CCFS_CLIENT_CERT, CCFS_CLIENT_KEY: {0}")]
    Identity(#[from] IdentityError),
    /// Only one of `CCFS_CLIENT_CERT` and `CCFS_CLIENT_KEY` is set.
    #[error("only one of CCFS_CLIENT_CERT and CCFS_CLIENT_KEY is set; set both or neither")]
    HalfIdentity,
}
