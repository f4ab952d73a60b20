use std::fmt;

use hmac::digest::Output;
use hmac::{KeyInit, Mac};
use http::HeaderValue;
use zeroize::Zeroizing;

use super::canonical::{write_canonical, write_signed_headers};
use super::credentials::{Credentials, HmacSha256};
use super::percent::Writer;
use super::request::{QueryLine, RequestView, ViewError};
use crate::time::{Precision, Timestamp};

/// Name of the scheme, the first part of the header.
pub(super) const SCHEME: &str = "auth-v2";
/// Length of a signature: SHA-256 in hex.
pub(super) const SIGNATURE_LEN: usize = 64;

/// Signs requests: returns the `Authorization` value for a request and a time.
///
/// Keeps no state and reads no clock.
///
/// ```
/// use ccfs_proto::{Credentials, RequestView, Signer, Timestamp};
///
/// let credentials = Credentials::from_text("ak", String::from("sk"))?;
/// let headers = &[("Host", "10.1.2.3:8443")];
/// let request = RequestView { method: "POST", path: "/p", query: &[], headers, body: b"{}" };
/// let now = Timestamp::from_unix_millis(1_630_402_730_872);
///
/// let value = Signer::new(&credentials).sign(request, now)?;
/// assert!(value.to_str()?.starts_with("auth-v2/ak/2021-08-31T09:38:50.872Z/host/"));
/// assert!(value.is_sensitive());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Signer {
    credentials: Credentials,
    query_line: QueryLine,
    precision: Precision,
}

impl Signer {
    /// Creates a signer with the default query line dialect and timestamps in milliseconds.
    pub fn new(credentials: &Credentials) -> Self {
        Self {
            credentials: credentials.clone(),
            query_line: QueryLine::default(),
            precision: Precision::default(),
        }
    }

    /// Sets the query line dialect. Default: [`QueryLine::Omit`].
    pub fn query_line(mut self, query_line: QueryLine) -> Self {
        self.query_line = query_line;
        self
    }

    /// Sets the precision of the timestamp. Default: [`Precision::Millis`].
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Signs `request` at the time `at`.
    ///
    /// Returns the value of the `Authorization` header, marked as sensitive, in one allocation.
    ///
    /// # Errors
    ///
    /// Returns a [`ViewError`] if the request exceeds a limit or its headers cannot be signed.
    pub fn sign(&self, request: RequestView<'_>, at: Timestamp) -> Result<HeaderValue, ViewError> {
        let mut text = Vec::new();
        self.sign_into(request, at, &mut text)?;
        let Ok(mut value) = HeaderValue::try_from(text) else {
            unreachable!("all parts of the value are visible ASCII");
        };
        value.set_sensitive(true);
        Ok(value)
    }

    /// Signs like [`sign`](Self::sign) and appends the value to `out`, for clients that do not
    /// use `http`.
    ///
    /// Does not allocate if the capacity of `out` suffices. Keep the text out of logs: its reader
    /// can replay the request.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign); `out` is then unchanged.
    pub fn sign_into(
        &self,
        request: RequestView<'_>,
        at: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), ViewError> {
        let request = request.check()?;
        let (access_key, timestamp) = (self.credentials.access_key(), at.text(self.precision));
        let parts = [SCHEME.as_bytes(), access_key.as_str().as_bytes(), timestamp.as_bytes()];
        let parts_len: usize = parts.iter().map(|part| part.len() + 1).sum();
        let list_len: usize = request.headers.iter().map(|(name, _)| name.len() + 1).sum();
        out.reserve(parts_len + list_len + SIGNATURE_LEN);

        let start = out.len();
        for part in parts {
            out.extend_from_slice(part);
            out.push(b'/');
        }
        let list = out.len();
        write_signed_headers(request.headers, out);
        let (prefix, signed_headers) = (&out[start..], &out[list..]);
        let signature =
            signature(&self.credentials, prefix, request, signed_headers, self.query_line);
        out.push(b'/');
        out.extend_from_slice(&signature);
        Ok(())
    }

    /// Signs like [`sign`](Self::sign) and returns the result of each step, to find out where two
    /// implementations differ.
    ///
    /// # Errors
    ///
    /// As for [`sign`](Self::sign).
    pub fn explain(
        &self,
        request: RequestView<'_>,
        at: Timestamp,
    ) -> Result<SigningSteps, ViewError> {
        let mut authorization = Vec::new();
        self.sign_into(request, at, &mut authorization)?;
        let authorization = String::from_utf8_lossy(&authorization);
        let (prefix, signature) = authorization.rsplit_once('/').unwrap_or_default();
        let (_, signed_headers) = prefix.rsplit_once('/').unwrap_or_default();
        let mut canonical = Vec::new();
        let mut writer = Writer::new(|text: &[u8]| canonical.extend_from_slice(text));
        write_canonical(request, signed_headers.as_bytes(), self.query_line, &mut writer);
        writer.flush();
        Ok(SigningSteps {
            signed_headers: signed_headers.to_owned(),
            prefix: prefix.to_owned(),
            canonical_request: String::from_utf8_lossy(&canonical).into_owned(),
            signature: signature.to_owned(),
        })
    }
}

/// The steps of one signature. See [Algorithm](crate::protocol#algorithm).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningSteps {
    /// Names of the signed headers, joined by `;`.
    pub signed_headers: String,
    /// `auth-v2/AK/timestamp/signed-headers`, the message of the first HMAC.
    pub prefix: String,
    /// Canonical request, the message of the second HMAC. It contains the encoded body.
    pub canonical_request: String,
    /// Signature, 64 lower-case hex digits.
    pub signature: String,
}

impl SigningSteps {
    /// Returns the value of the `Authorization` header.
    pub fn authorization(&self) -> String {
        format!("{}/{}", self.prefix, self.signature)
    }
}

impl fmt::Debug for SigningSteps {
    /// Omits the signature and the request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningSteps").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Returns the signature of a checked request.
pub(super) fn signature(
    credentials: &Credentials,
    prefix: &[u8],
    request: RequestView<'_>,
    signed_headers: &[u8],
    query_line: QueryLine,
) -> [u8; SIGNATURE_LEN] {
    let key = signing_key(credentials, prefix);
    let mut mac = HmacSha256::new((&*key).into());
    let mut writer = Writer::new(|text: &[u8]| mac.update(text));
    write_canonical(request, signed_headers, query_line, &mut writer);
    writer.flush();
    hex(&mac.finalize().into_bytes())
}

/// Returns the key of the second HMAC: the hex text of the first one, not its raw bytes.
fn signing_key(credentials: &Credentials, prefix: &[u8]) -> Zeroizing<[u8; SIGNATURE_LEN]> {
    let mac = credentials.mac().clone().chain_update(prefix);
    Zeroizing::new(hex(&mac.finalize().into_bytes()))
}

/// Returns lower-case hex. Uses no table: reads of a table depend on the key and show in the cache.
fn hex(hash: &Output<HmacSha256>) -> [u8; SIGNATURE_LEN] {
    let digit = |nibble: u8| b'0' + nibble + u8::from(nibble > 9) * (b'a' - b'9' - 1);
    let mut text = [0; SIGNATURE_LEN];
    for (digits, byte) in text.chunks_exact_mut(2).zip(hash) {
        digits.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// No public function returns this step, because it is a key.
    #[test]
    fn signing_keys_match_the_vectors() {
        let vectors = include_str!("../../tests/vectors/auth-v2.jsonl");
        for line in vectors.lines().step_by(if cfg!(miri) { 25 } else { 1 }) {
            let vector: serde_json::Value = serde_json::from_str(line).unwrap();
            let part = |name: &str| vector[name].as_str().unwrap();
            let credentials =
                Credentials::from_text(part("access_key"), part("secret_key").to_owned()).unwrap();
            let key = signing_key(&credentials, part("prefix").as_bytes());
            assert_eq!(*key, part("signing_key").as_bytes());
        }
    }
}
