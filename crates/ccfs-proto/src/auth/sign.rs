//! Making the `Authorization` header.

use std::fmt;

use http::HeaderValue;

use super::canonical::{Canonical, QueryLine, RequestView, ViewError};
use super::credentials::Credentials;
use super::encode::Writer;
use super::mac::{HEX_LEN, Mac};
use crate::timestamp::{Precision, Timestamp};

/// The scheme's name, the first part of the header.
pub(super) const SCHEME: &str = "auth-v2";
/// Characters of a signature: a SHA-256 in hex.
pub(super) const SIGNATURE_LEN: usize = HEX_LEN;

/// Signs requests: the request's parts and a time in, one header value out. Pure: no clock, nothing kept.
///
/// A signature costs four SHA-256 compressions plus one for every 64 bytes of canonical request, and one allocation: the
/// value that is returned.
///
/// ```
/// use ccfs_proto::{Credentials, RequestView, Signer, Timestamp};
///
/// let credentials = Credentials::from_text("ak", String::from("sk"))?;
/// let value = Signer::new(&credentials).sign(
///     RequestView {
///         method: "POST",
///         path: "/CCFS/resource/ccfs/downloadAgentSkillInfoFile",
///         query: &[],
///         headers: &[("Host", "10.1.2.3:8443")],
///         body: b"{}",
///     },
///     Timestamp::from_unix_millis(1_630_402_730_872),
/// )?;
/// assert!(value.to_str()?.starts_with("auth-v2/ak/2021-08-31T09:38:50.872Z/host/"));
/// assert!(value.is_sensitive());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Signer {
    credentials: Credentials,
    query_line: QueryLine,
    precision: Precision,
}

impl Signer {
    /// A signer in the default dialect, with milliseconds.
    #[must_use]
    pub fn new(credentials: &Credentials) -> Self {
        Self { credentials: credentials.clone(), query_line: QueryLine::default(), precision: Precision::default() }
    }

    /// Chooses what stands for an absent query. Default: [`QueryLine::Omit`].
    #[must_use]
    pub fn query_line(mut self, query_line: QueryLine) -> Self {
        self.query_line = query_line;
        self
    }

    /// Chooses how fine the timestamp is written. Default: [`Precision::Millis`].
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// The value of the `Authorization` header for `request` at the time `at`, marked sensitive.
    pub fn sign(&self, request: RequestView<'_>, at: Timestamp) -> Result<HeaderValue, ViewError> {
        let canonical = Canonical::new(request)?;
        let prefix = self.prefix(&canonical, at);
        let signature = signature(&self.credentials, &prefix.text, &canonical, prefix.signed_headers(), self.query_line);
        let mut header = prefix.text;
        header.push(b'/');
        header.extend_from_slice(&signature);
        let Ok(mut value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(header)) else {
            unreachable!("all its parts were checked to be visible ASCII");
        };
        value.set_sensitive(true);
        Ok(value)
    }

    /// The same signature step by step, to see where two sides differ. Never shows a key.
    pub fn explain(&self, request: RequestView<'_>, at: Timestamp) -> Result<SigningSteps, ViewError> {
        let canonical = Canonical::new(request)?;
        let prefix = self.prefix(&canonical, at);
        let mut text = Vec::new();
        let mut writer = Writer::new(&mut text);
        canonical.write(prefix.signed_headers(), self.query_line, &mut writer);
        writer.finish();
        let signature = signature(&self.credentials, &prefix.text, &canonical, prefix.signed_headers(), self.query_line);
        Ok(SigningSteps {
            signed_headers: String::from_utf8_lossy(prefix.signed_headers()).into_owned(),
            prefix: String::from_utf8_lossy(&prefix.text).into_owned(),
            canonical_request: String::from_utf8_lossy(&text).into_owned(),
            signature: String::from_utf8_lossy(&signature).into_owned(),
        })
    }

    /// `auth-v2/AK/timestamp/signed-headers`, in a buffer that has room for the signature.
    fn prefix(&self, canonical: &Canonical<'_>, at: Timestamp) -> Prefix {
        let timestamp = at.text(self.precision);
        let parts = [SCHEME.as_bytes(), self.credentials.access_key().as_str().as_bytes(), timestamp.as_bytes()];
        let list_at = parts.iter().map(|part| part.len() + 1).sum();
        let mut text = Vec::with_capacity(list_at + canonical.signed_headers_len() + 1 + SIGNATURE_LEN);
        for part in parts {
            text.extend_from_slice(part);
            text.push(b'/');
        }
        canonical.write_signed_headers(&mut text);
        Prefix { text, list_at }
    }
}

struct Prefix {
    text: Vec<u8>,
    list_at: usize,
}

impl Prefix {
    fn signed_headers(&self) -> &[u8] {
        &self.text[self.list_at..]
    }
}

/// The steps of one signature, for finding out where two sides differ. See `docs/protocol.md`, "Algorithm".
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningSteps {
    /// The header list.
    pub signed_headers: String,
    /// `auth-v2/AK/timestamp/signed-headers`, the message of the first HMAC.
    pub prefix: String,
    /// The canonical request, the message of the second HMAC. It holds the (encoded) body.
    pub canonical_request: String,
    /// The signature, 64 lower-case hex digits.
    pub signature: String,
}

impl SigningSteps {
    /// The value of the `Authorization` header.
    pub fn authorization(&self) -> String {
        format!("{}/{}", self.prefix, self.signature)
    }
}

impl fmt::Debug for SigningSteps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningSteps").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// The signature over a canonical request, in hex.
pub(super) fn signature(
    credentials: &Credentials,
    prefix: &[u8],
    canonical: &Canonical<'_>,
    signed_headers: &[u8],
    dialect: QueryLine,
) -> [u8; SIGNATURE_LEN] {
    // The key of the second HMAC: the first one's 64 hex characters as text, not its 32 bytes.
    let mut signing_key = credentials.secret_mac().hex_of(prefix);
    let mut mac = Mac::new(&mut signing_key);
    let mut writer = Writer::new(&mut mac);
    canonical.write(signed_headers, dialect, &mut writer);
    writer.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The one step that no public call shows, because it is a key.
    #[test]
    fn the_vectors_signing_keys() {
        let vectors = include_str!("../../tests/vectors/auth-v2.jsonl");
        let mut count = 0;
        for line in vectors.lines().step_by(if cfg!(miri) { 25 } else { 1 }) {
            let vector: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| vector[name].as_str().unwrap();
            let credentials = Credentials::from_text(text("access_key"), text("secret_key").to_owned()).unwrap();
            let key = credentials.secret_mac().hex_of(text("prefix").as_bytes());
            assert_eq!(std::str::from_utf8(&key).unwrap(), text("signing_key"));
            count += 1;
        }
        assert_eq!(count, if cfg!(miri) { 2 } else { 50 });
    }
}
