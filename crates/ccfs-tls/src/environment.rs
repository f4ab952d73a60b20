//! Trust from environment variables.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::identity::{Identity, IdentityError};
use crate::pin::PinError;
use crate::trust::{PEM_LIMIT, Trust, TrustError};

impl Trust {
    /// Creates the trust that the environment variables of the `ccfs` command describe. A variable
    /// that is empty counts as absent.
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `CCFS_CA` | PEM file of root certificates that are trusted beside the system's |
    /// | `CCFS_PIN_SHA256` | accept exactly these certificates: SHA-256 in hex, separated by commas |
    /// | `CCFS_CLIENT_CERT`, `CCFS_CLIENT_KEY` | PEM files of the client certificate and its key |
    ///
    /// # Errors
    ///
    /// [`TrustEnvError`] if a file cannot be read, or a value is not valid.
    pub fn from_env() -> Result<Self, TrustEnvError> {
        let mut trust = Self::system();
        if let Some(path) = path("CCFS_CA") {
            trust = trust.add_pem(&read(&path)?)?;
        }
        let pins = env::var_os("CCFS_PIN_SHA256").unwrap_or_default();
        for pin in pins.to_string_lossy().split(',').filter(|pin| !pin.is_empty()) {
            trust = trust.pin(pin.parse()?);
        }
        match (path("CCFS_CLIENT_CERT"), path("CCFS_CLIENT_KEY")) {
            (Some(certificate), Some(key)) => {
                Ok(trust.identity(Identity::from_pem(&read(&certificate)?, &read(&key)?)?))
            }
            (None, None) => Ok(trust),
            _ => Err(TrustEnvError::HalfIdentity),
        }
    }
}

fn path(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Reads one byte more than the limit, so that the limit is noticed. The file may hold a key.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TrustEnvError> {
    let failed = |source| TrustEnvError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    // With room for all of it, so that no copy is left where the buffer grew.
    let mut bytes = Zeroizing::new(Vec::with_capacity(PEM_LIMIT + 2));
    file.take(PEM_LIMIT as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Why [`Trust::from_env`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustEnvError {
    /// A file cannot be read.
    #[error("could not read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `CCFS_CA` has no usable certificates.
    #[error("CCFS_CA: {0}")]
    Trust(#[from] TrustError),
    /// `CCFS_PIN_SHA256` has a malformed pin.
    #[error("CCFS_PIN_SHA256: {0}")]
    Pin(#[from] PinError),
    /// The client certificate cannot be used.
    #[error("CCFS_CLIENT_CERT, CCFS_CLIENT_KEY: {0}")]
    Identity(#[from] IdentityError),
    /// Only one of certificate and key is set.
    #[error("CCFS_CLIENT_CERT and CCFS_CLIENT_KEY must be set together")]
    HalfIdentity,
}
