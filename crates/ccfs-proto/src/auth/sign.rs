//! Making the `Authorization` header.

use std::fmt;

use http::HeaderValue;

use super::canonical::{Canonical, QueryLine, RequestView, ViewError};
use super::credentials::Credentials;
use super::encode::Writer;
use super::mac::{HEX_LEN, signature_of};
use crate::timestamp::{Precision, Timestamp, TimestampText};

/// The scheme's name, the first part of the header.
pub(super) const SCHEME: &str = "auth-v2";
/// Characters of a signature: a SHA-256 in hex.
pub(super) const SIGNATURE_LEN: usize = HEX_LEN;

/// Signs requests: the request's parts and a time in, one header value out. Pure: no clock, nothing kept.
///
/// A signature costs four SHA-256 compressions plus one for every 64 bytes begun of the prefix and of the canonical request, padding
/// included, and one allocation: the value that is returned. [`sign_into`](Self::sign_into) a buffer with room costs none.
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
        Self {
            credentials: credentials.clone(),
            query_line: QueryLine::default(),
            precision: Precision::default(),
        }
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
        let timestamp = at.text(self.precision);
        let mut text = Vec::with_capacity(self.header_len(&canonical, &timestamp));
        self.write_header(&canonical, &timestamp, &mut text);
        let Ok(mut value) = HeaderValue::try_from(text) else {
            unreachable!("all its parts were checked to be visible ASCII");
        };
        value.set_sensitive(true);
        Ok(value)
    }

    /// Writes the value of the `Authorization` header behind what is in `out`, for clients that are not built on `http`. Where `out` has
    /// the room, nothing is allocated. After an error `out` is as it was. Keep the text out of logs: who reads it can repeat the request.
    ///
    /// ```
    /// use ccfs_proto::{Credentials, RequestView, Signer, Timestamp};
    ///
    /// let signer = Signer::new(&Credentials::from_text("ak", String::from("sk"))?);
    /// let view = RequestView { method: "POST", path: "/path", query: &[], headers: &[("host", "10.1.2.3:8443")], body: b"{}" };
    /// let at = Timestamp::from_unix_millis(1_630_402_730_872);
    ///
    /// let mut head = b"POST /path HTTP/1.1\r\nhost: 10.1.2.3:8443\r\nauthorization: ".to_vec();
    /// let start = head.len();
    /// signer.sign_into(view, at, &mut head)?;
    /// assert_eq!(head[start..], *signer.sign(view, at)?.as_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign_into(
        &self,
        request: RequestView<'_>,
        at: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), ViewError> {
        let canonical = Canonical::new(request)?;
        let timestamp = at.text(self.precision);
        out.reserve(self.header_len(&canonical, &timestamp));
        self.write_header(&canonical, &timestamp, out);
        Ok(())
    }

    /// The same signature step by step, to see where two sides differ. Never shows a key.
    pub fn explain(
        &self,
        request: RequestView<'_>,
        at: Timestamp,
    ) -> Result<SigningSteps, ViewError> {
        let canonical = Canonical::new(request)?;
        let mut prefix = Vec::new();
        let list = self.write_prefix(&canonical, &at.text(self.precision), &mut prefix);
        let mut text = Vec::new();
        let mut writer = Writer::new(&mut text);
        canonical.write(&prefix[list..], self.query_line, &mut writer);
        writer.finish();
        let signature =
            signature(&self.credentials, &prefix, &canonical, &prefix[list..], self.query_line);
        Ok(SigningSteps {
            signed_headers: String::from_utf8_lossy(&prefix[list..]).into_owned(),
            prefix: String::from_utf8_lossy(&prefix).into_owned(),
            canonical_request: String::from_utf8_lossy(&text).into_owned(),
            signature: String::from_utf8_lossy(&signature).into_owned(),
        })
    }

    /// Bytes that [`Self::write_header`] writes.
    fn header_len(&self, canonical: &Canonical<'_>, timestamp: &TimestampText) -> usize {
        let parts = self.credentials.scope().len()
            + timestamp.as_bytes().len()
            + canonical.signed_headers_len();
        parts + SIGNATURE_LEN + 2
    }

    /// Writes `auth-v2/AK/timestamp/signed-headers/signature`.
    #[inline(always)]
    #[allow(clippy::inline_always)] // Measured.
    fn write_header(
        &self,
        canonical: &Canonical<'_>,
        timestamp: &TimestampText,
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        let list = self.write_prefix(canonical, timestamp, out);
        let end = out.len();
        out.extend_from_slice(&[b'/'; 1 + SIGNATURE_LEN]);
        let (prefix, rest) = out.split_at_mut(end);
        let Some(signature) = rest.last_chunk_mut() else { unreachable!("there is room for it") };
        write_signature(
            &self.credentials,
            &prefix[start..],
            canonical,
            &prefix[list..],
            self.query_line,
            signature,
        );
    }

    /// Writes `auth-v2/AK/timestamp/signed-headers` and returns where the list begins.
    #[inline(always)]
    #[allow(clippy::inline_always)] // Measured.
    fn write_prefix(
        &self,
        canonical: &Canonical<'_>,
        timestamp: &TimestampText,
        out: &mut Vec<u8>,
    ) -> usize {
        out.extend_from_slice(self.credentials.scope());
        out.extend_from_slice(timestamp.as_bytes());
        out.push(b'/');
        let list = out.len();
        canonical.write_signed_headers(out);
        list
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
    let mut out = [0; SIGNATURE_LEN];
    write_signature(credentials, prefix, canonical, signed_headers, dialect, &mut out);
    out
}

/// Writes it to where it stays: each time that it is copied somebody waits for it.
fn write_signature(
    credentials: &Credentials,
    prefix: &[u8],
    canonical: &Canonical<'_>,
    signed_headers: &[u8],
    dialect: QueryLine,
    out: &mut [u8; SIGNATURE_LEN],
) {
    signature_of(
        credentials.secret_mac(),
        prefix,
        |writer| canonical.write(signed_headers, dialect, writer),
        out,
    );
}
