//! The two keys of a developer account.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::mac::MacKey;
use super::sign::SCHEME;

/// Bytes that an access key may have. Published ones are around 20 to 32 characters long.
const ACCESS_KEY_LIMIT: usize = 128;
/// Bytes that a secret key may have.
const SECRET_KEY_LIMIT: usize = 1024;

/// The access key (AK, `appId`) of a developer account. It travels in clear in the `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccessKey(Box<str>);

impl AccessKey {
    /// Takes an access key: 1 to 128 visible ASCII characters, none of them `/`, which separates the parts of the header.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() {
            return Err(KeyError::AccessKeyEmpty);
        }
        if text.len() > ACCESS_KEY_LIMIT {
            return Err(KeyError::AccessKeyTooLong { limit: ACCESS_KEY_LIMIT, len: text.len() });
        }
        match text.bytes().position(|b| b == b'/' || !b.is_ascii_graphic()) {
            Some(at) => Err(KeyError::AccessKeyCharacter { at }),
            None => Ok(Self(text.into())),
        }
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AccessKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

/// The secret key (SK) of a developer account. It never travels.
///
/// It is wiped from memory when dropped, cannot be compared, serialised or printed, and leaves only as
/// [`Credentials`], which keep the state of an HMAC instead of the key.
pub struct SecretKey(Zeroizing<String>);

impl SecretKey {
    /// Takes a secret key: 1 to 1024 bytes of any text.
    ///
    /// The argument is taken by value so that this copy of it is wiped; copies that were made of it before are the caller's.
    pub fn new(text: String) -> Result<Self, KeyError> {
        let text = Zeroizing::new(text);
        if text.is_empty() {
            return Err(KeyError::SecretKeyEmpty);
        }
        if text.len() > SECRET_KEY_LIMIT {
            return Err(KeyError::SecretKeyTooLong { limit: SECRET_KEY_LIMIT });
        }
        Ok(Self(text))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}

/// An access key together with its secret key, ready to sign and to verify. Clones share one copy.
///
/// The secret key itself is gone (wiped) once this is made: what stays is the HMAC state after its two pads, which saves two of the
/// SHA-256 compressions of every signature and is wiped when the last clone is dropped.
///
/// ```
/// use ccfs_proto::Credentials;
///
/// let credentials = Credentials::from_text("my-app-id", String::from("my secret"))?;
/// assert_eq!(credentials.access_key().as_str(), "my-app-id");
/// assert!(!format!("{credentials:?}").contains("my secret"));
/// # Ok::<(), ccfs_proto::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Credentials(Arc<Keys>);

struct Keys {
    access_key: AccessKey,
    /// `auth-v2/AK/`, with which every header begins.
    scope: Box<[u8]>,
    secret: MacKey,
}

impl Credentials {
    /// Binds the two keys.
    #[must_use]
    #[allow(clippy::needless_pass_by_value)] // Taken by value so that it is wiped here.
    pub fn new(access_key: AccessKey, secret_key: SecretKey) -> Self {
        let scope = format!("{SCHEME}/{access_key}/").into_bytes().into();
        let mut keys = Arc::new(Keys { access_key, scope, secret: MacKey::blank() });
        let Some(own) = Arc::get_mut(&mut keys) else { unreachable!("it was made here") };
        own.secret.set(secret_key.0.as_bytes());
        Self(keys)
    }

    /// Binds the two keys given as text. The secret's text is wiped.
    pub fn from_text(access_key: &str, secret_key: String) -> Result<Self, KeyError> {
        let secret_key = SecretKey::new(secret_key)?;
        Ok(Self::new(AccessKey::new(access_key)?, secret_key))
    }

    /// The access key.
    pub fn access_key(&self) -> &AccessKey {
        &self.0.access_key
    }

    /// `auth-v2/AK/`.
    pub(super) fn scope(&self) -> &[u8] {
        &self.0.scope
    }

    /// The secret key, as the MAC wants it.
    pub(super) fn secret_mac(&self) -> &MacKey {
        &self.0.secret
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key", &self.0.access_key)
            .finish_non_exhaustive()
    }
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The access key is empty.
    #[error("the access key is empty: set it to the appId of your developer account")]
    AccessKeyEmpty,
    /// The access key is longer than the bound.
    #[error("the access key has {len} bytes, and at most {limit} are taken")]
    AccessKeyTooLong {
        /// The bound in bytes.
        limit: usize,
        /// The bytes given.
        len: usize,
    },
    /// The access key holds a byte that cannot stand in the header.
    #[error(
        "the access key's byte {at} (from 0) is a '/', a blank or not visible ASCII: copy the appId exactly"
    )]
    AccessKeyCharacter {
        /// The byte's place, from 0.
        at: usize,
    },
    /// The secret key is empty.
    #[error("the secret key is empty: set it to the secret of your developer account")]
    SecretKeyEmpty,
    /// The secret key is longer than the bound.
    #[error("the secret key is longer than {limit} bytes: is it the right file?")]
    SecretKeyTooLong {
        /// The bound in bytes.
        limit: usize,
    },
}
