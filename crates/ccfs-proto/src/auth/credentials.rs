use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit};
use sha2::Sha256;
use zeroize::Zeroizing;

pub(super) type HmacSha256 = Hmac<Sha256>;

/// Maximum length of an access key in bytes. Published ones have 20 to 32.
const ACCESS_KEY_LIMIT: usize = 128;
/// Maximum length of a secret key in bytes.
const SECRET_KEY_LIMIT: usize = 1024;

/// Access key (AK, `appId`) of a developer account. It is not a secret: requests contain it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccessKey(Box<str>);

impl AccessKey {
    /// Creates an access key from 1 to 128 visible ASCII characters except `/`.
    ///
    /// # Errors
    ///
    /// Returns a [`KeyError`] if `text` is empty, too long or has another character.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let is_allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
        match (text.len(), text.bytes().position(|byte| !is_allowed(byte))) {
            (0, _) => Err(KeyError::AccessKeyEmpty),
            (1..=ACCESS_KEY_LIMIT, None) => Ok(Self(text.into())),
            (1..=ACCESS_KEY_LIMIT, Some(at)) => Err(KeyError::AccessKeyCharacter { at }),
            (len, _) => Err(KeyError::AccessKeyTooLong { len }),
        }
    }

    /// Returns the text of the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An access key and its secret key, ready to sign and to verify. Clones share one copy.
///
/// Contains the state of an HMAC keyed with the secret key instead of the key itself. The state is
/// wiped when the last clone is dropped.
///
/// ```
/// use ccfs_proto::Credentials;
///
/// let credentials = Credentials::from_text("my-app-id", String::from("my secret"))?;
/// assert_eq!(credentials.access_key().as_str(), "my-app-id");
/// # Ok::<(), ccfs_proto::auth::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Credentials(Arc<Keys>);

struct Keys {
    access_key: AccessKey,
    mac: HmacSha256,
}

impl Credentials {
    /// Creates credentials from an access key and its secret key (SK): 1 to 1024 bytes in one line.
    ///
    /// Takes the secret key by value and wipes it; the caller must wipe any other copies.
    ///
    /// # Errors
    ///
    /// Returns a [`KeyError`] if the access key is not valid, or the secret key is empty, too long,
    /// or has a line break, as text from a file often has.
    pub fn from_text(access_key: &str, secret_key: String) -> Result<Self, KeyError> {
        let secret_key = Zeroizing::new(secret_key);
        let access_key = AccessKey::new(access_key)?;
        match secret_key.len() {
            0 => return Err(KeyError::SecretKeyEmpty),
            len if len > SECRET_KEY_LIMIT => return Err(KeyError::SecretKeyTooLong { len }),
            _ if secret_key.contains(['\n', '\r']) => return Err(KeyError::SecretKeyLineBreak),
            _ => {}
        }
        let Ok(mac) = HmacSha256::new_from_slice(secret_key.as_bytes()) else {
            unreachable!("HMAC accepts keys of any length");
        };
        Ok(Self(Arc::new(Keys { access_key, mac })))
    }

    /// Returns the access key.
    pub fn access_key(&self) -> &AccessKey {
        &self.0.access_key
    }

    /// Returns an HMAC keyed with the secret key.
    pub(super) fn mac(&self) -> &HmacSha256 {
        &self.0.mac
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key", &self.0.access_key)
            .finish_non_exhaustive()
    }
}

/// A text is not a valid key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The access key is empty.
    #[error("access key is empty; set it to the appId of the developer account")]
    AccessKeyEmpty,
    /// The access key is longer than 128 bytes.
    #[error("access key is {len} bytes long, limit {ACCESS_KEY_LIMIT}; copy the appId exactly")]
    AccessKeyTooLong {
        /// Length in bytes.
        len: usize,
    },
    /// The access key has a character that is not allowed in the header.
    #[error("byte {at} of the access key is '/' or not visible ASCII; copy the appId exactly")]
    AccessKeyCharacter {
        /// Index of the byte, from 0.
        at: usize,
    },
    /// The secret key is empty.
    #[error("secret key is empty; set it to the secret of the developer account")]
    SecretKeyEmpty,
    /// The secret key has a line break. The server would refuse its signatures, and lock the
    /// client's address after a few.
    #[error("secret key contains a line break; remove it")]
    SecretKeyLineBreak,
    /// The secret key is longer than 1024 bytes.
    #[error(
        "secret key is {len} bytes long, limit {SECRET_KEY_LIMIT}; check that it is the right file"
    )]
    SecretKeyTooLong {
        /// Length in bytes.
        len: usize,
    },
}
