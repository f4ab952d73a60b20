//! Reading an `Authorization` header.

use std::fmt;

use super::canonical::{SIGNED_HEADERS_LIMIT, is_header_name};
use super::credentials::{AccessKey, KeyError};
use super::sign::{SCHEME, SIGNATURE_LEN};
use crate::timestamp::{Timestamp, TimestampError};

/// Bytes of an `Authorization` header that are looked at.
const HEADER_LIMIT: usize = 4096;

/// An `Authorization` header taken apart: `auth-v2/AK/timestamp/signed-headers/signature`.
///
/// The texts are kept as received, because the signature is over them: a verifier that wrote the timestamp or the list anew
/// would refuse what another client wrote differently. See `docs/protocol.md`, "Algorithm".
///
/// ```
/// use ccfs_proto::AuthorizationHeader;
///
/// let value = format!("auth-v2/ak/2021-08-31T09:38:50.872Z/content-length;host/{}", "0".repeat(64));
/// let header = AuthorizationHeader::parse(&value)?;
/// assert_eq!(header.access_key().as_str(), "ak");
/// assert_eq!(header.signed_headers().collect::<Vec<_>>(), ["content-length", "host"]);
/// # Ok::<(), ccfs_proto::AuthorizationHeaderError>(())
/// ```
#[derive(Clone)]
pub struct AuthorizationHeader<'a> {
    access_key: AccessKey,
    timestamp: Timestamp,
    prefix: &'a str,
    list: &'a str,
    signature: &'a str,
}

impl<'a> AuthorizationHeader<'a> {
    /// Takes the header's value apart. Nothing is verified yet but the shape.
    pub fn parse(value: &'a str) -> Result<Self, AuthorizationHeaderError> {
        if value.len() > HEADER_LIMIT {
            return Err(AuthorizationHeaderError::TooLong {
                limit: HEADER_LIMIT,
                len: value.len(),
            });
        }
        let mut parts = value.split('/');
        let mut next = || parts.next().ok_or(AuthorizationHeaderError::Parts);
        let (scheme, access_key, timestamp, list, signature) =
            (next()?, next()?, next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(AuthorizationHeaderError::Parts);
        }
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

    /// Whose key is said to have signed.
    pub fn access_key(&self) -> &AccessKey {
        &self.access_key
    }

    /// When it is said to have been signed.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The signed headers' names, lower-case, in the order of the header.
    pub fn signed_headers(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.list.split(';')
    }

    /// Everything before the signature: the message of the first HMAC.
    pub fn prefix(&self) -> &'a str {
        self.prefix
    }

    /// The list as it stands in the header.
    pub(super) fn list(&self) -> &'a str {
        self.list
    }

    pub(super) fn signature(&self) -> &'a str {
        self.signature
    }
}

impl fmt::Debug for AuthorizationHeader<'_> {
    /// Without the signature, which lets its reader repeat the request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationHeader").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

fn check_list(list: &str) -> Result<(), AuthorizationHeaderError> {
    let mut seen: Vec<&str> = Vec::with_capacity(8);
    for name in list.split(';') {
        if !is_header_name(name)
            || name.bytes().any(|b| b.is_ascii_uppercase())
            || seen.contains(&name)
        {
            return Err(AuthorizationHeaderError::SignedHeaders);
        }
        if seen.len() == SIGNED_HEADERS_LIMIT {
            return Err(AuthorizationHeaderError::TooManyHeaders { limit: SIGNED_HEADERS_LIMIT });
        }
        seen.push(name);
    }
    if seen.contains(&"host") { Ok(()) } else { Err(AuthorizationHeaderError::HostNotSigned) }
}

/// Why a text is no auth-v2 `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationHeaderError {
    /// Longer than the bound.
    #[error("the Authorization header has {len} bytes, and at most {limit} are read")]
    TooLong {
        /// The bound in bytes.
        limit: usize,
        /// The bytes given.
        len: usize,
    },
    /// Not five parts.
    #[error(
        "an Authorization header has five parts: auth-v2/access key/timestamp/signed headers/signature"
    )]
    Parts,
    /// Another scheme.
    #[error("the Authorization header does not begin with auth-v2/")]
    Scheme,
    /// The second part is no access key.
    #[error("the Authorization header's access key is not one: {0}")]
    AccessKey(#[from] KeyError),
    /// The third part is no timestamp.
    #[error("the Authorization header's timestamp is not one: {0}")]
    Timestamp(#[from] TimestampError),
    /// The fourth part is no list of names.
    #[error("the signed headers are lower-case names, each once, joined by ';'")]
    SignedHeaders,
    /// `host` is not in the list.
    #[error("the signed headers do not have `host` among them")]
    HostNotSigned,
    /// More names than the bound.
    #[error("more than {limit} headers are signed")]
    TooManyHeaders {
        /// The bound.
        limit: usize,
    },
    /// The last part is no signature.
    #[error("a signature is 64 lower-case hex digits")]
    Signature,
}
