//! Developer accounts.

use std::fmt;

use ccfs_proto::Credentials;
use ccfs_proto::auth::KeyError;

use crate::data::Random;

/// A developer account of the emulator: its keys, and the tenant spaces that belong to it.
///
/// The secret key of an emulator is not confidential: users of the emulator need it, so it can be read. `Debug` still leaves it out,
/// so that logs never contain a secret key.
#[derive(Clone)]
pub struct Developer {
    /// The access key.
    pub access_key: String,
    /// The secret key.
    pub secret_key: String,
    /// The tenant spaces. An account without one may name any `accountId` that does not belong to another account.
    pub accounts: Vec<String>,
}

impl Developer {
    /// An account with these keys. They are checked when the emulator starts.
    #[must_use]
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self { access_key: access_key.into(), secret_key: secret_key.into(), accounts: Vec::new() }
    }

    /// Adds a tenant space.
    #[must_use]
    pub fn account(mut self, account_id: impl Into<String>) -> Self {
        self.accounts.push(account_id.into());
        self
    }

    /// Creates an account with keys generated from the seed.
    pub(crate) fn from_seed(seed: u64) -> Self {
        let mut random = Random::new(seed, "keys");
        Self::new(random.hex32(), random.hex32())
    }

    /// The keys, ready to sign and to verify.
    pub fn credentials(&self) -> Result<Credentials, KeyError> {
        Credentials::from_text(&self.access_key, self.secret_key.clone())
    }
}

impl fmt::Debug for Developer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Developer")
            .field("access_key", &self.access_key)
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}
