use std::fmt;

use super::credentials::{AccessKey, KeyError};
use super::request::{HEADERS_LIMIT, is_header_name};
use super::sign::{SCHEME, SIGNATURE_LEN};
use crate::time::{CalendarError, Timestamp};

/// Maximum length of an `Authorization` header in bytes.
const HEADER_LIMIT: usize = 4096;

/// A parsed `Authorization` header: `auth-v2/AK/timestamp/signed-headers/signature`.
///
/// Keeps each part as received, because the signature covers these bytes.
/// See [Algorithm](crate::protocol#algorithm).
///
/// ```
/// use ccfs_proto::auth::AuthorizationHeader;
///
/// let signature = "0".repeat(64);
/// let value = format!("auth-v2/ak/2021-08-31T09:38:50.872Z/content-length;host/{signature}");
/// let header = AuthorizationHeader::parse(&value)?;
/// assert_eq!(header.access_key().as_str(), "ak");
/// assert_eq!(header.signed_headers().collect::<Vec<_>>(), ["content-length", "host"]);
/// # Ok::<(), ccfs_proto::auth::AuthorizationHeaderError>(())
/// ```
#[derive(Clone)]
pub struct AuthorizationHeader<'a> {
    access_key: AccessKey,
    timestamp: Timestamp,
    prefix: &'a str,
    /// The list of signed headers as received.
    pub(super) list: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> AuthorizationHeader<'a> {
    /// Parses the value of the header. Checks its form only, not the signature.
    ///
    /// # Errors
    ///
    /// Returns an [`AuthorizationHeaderError`] if the value is malformed.
    pub fn parse(value: &'a str) -> Result<Self, AuthorizationHeaderError> {
        if value.len() > HEADER_LIMIT {
            return Err(AuthorizationHeaderError::TooLong { len: value.len() });
        }
        let parts: Vec<&str> = value.split('/').collect();
        let [scheme, access_key, timestamp, list, signature] = parts[..] else {
            return Err(AuthorizationHeaderError::Parts);
        };
        if scheme != SCHEME {
            return Err(AuthorizationHeaderError::Scheme);
        }
        let access_key = AccessKey::new(access_key)?;
        let timestamp = timestamp.parse::<Timestamp>()?;
        check_list(list)?;
        let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if signature.len() != SIGNATURE_LEN || !signature.bytes().all(hex) {
            return Err(AuthorizationHeaderError::Signature);
        }
        let prefix = &value[..value.len() - SIGNATURE_LEN - 1];
        Ok(Self { access_key, timestamp, prefix, list, signature })
    }

    /// Returns the access key of the signer.
    pub fn access_key(&self) -> &AccessKey {
        &self.access_key
    }

    /// Returns the time of the signature.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Returns the names of the signed headers, lower-case, in the order received.
    pub fn signed_headers(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.list.split(';')
    }

    /// Returns everything before the signature: the message of the first HMAC.
    pub fn prefix(&self) -> &'a str {
        self.prefix
    }
}

impl fmt::Debug for AuthorizationHeader<'_> {
    /// Omits the signature, which would let the reader replay the request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationHeader").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

fn check_list(list: &str) -> Result<(), AuthorizationHeaderError> {
    let names: Vec<&str> = list.split(';').collect();
    if names.len() > HEADERS_LIMIT {
        return Err(AuthorizationHeaderError::TooManyHeaders { count: names.len() });
    }
    let is_valid = |(index, name): (usize, &&str)| {
        is_header_name(name)
            && !name.bytes().any(|byte| byte.is_ascii_uppercase())
            && !names[..index].contains(name)
    };
    if !names.iter().enumerate().all(is_valid) {
        return Err(AuthorizationHeaderError::SignedHeaders);
    }
    if names.contains(&"host") { Ok(()) } else { Err(AuthorizationHeaderError::HostNotSigned) }
}

/// A text is not a valid auth-v2 `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationHeaderError {
    /// The header is longer than 4096 bytes.
    #[error("Authorization header is {len} bytes long, limit {HEADER_LIMIT}")]
    TooLong {
        /// Length in bytes.
        len: usize,
    },
    /// The header does not have five parts.
    #[error("Authorization header is not auth-v2/AK/timestamp/signed-headers/signature")]
    Parts,
    /// The header has another scheme.
    #[error("Authorization header does not start with auth-v2/; sign with auth-v2")]
    Scheme,
    /// The second part is not a valid access key.
    #[error("malformed access key in the Authorization header: {0}")]
    AccessKey(#[from] KeyError),
    /// The third part is not a valid timestamp.
    #[error("malformed timestamp in the Authorization header: {0}")]
    Timestamp(#[from] CalendarError),
    /// The fourth part is not a list of header names.
    #[error("malformed signed headers; list lower-case names, each once, joined by ';'")]
    SignedHeaders,
    /// `host` is not signed.
    #[error("header `host` is not signed; add it to the signed headers")]
    HostNotSigned,
    /// The header lists more than 32 names.
    #[error("{count} headers are signed, limit {HEADERS_LIMIT}")]
    TooManyHeaders {
        /// Number of headers listed.
        count: usize,
    },
    /// The last part is not a signature.
    #[error("malformed signature; it must be 64 lower-case hex digits")]
    Signature,
}
