use std::fmt;
use std::time::Duration;

use ctutils::CtEq;

use super::credentials::Credentials;
use super::header::{AuthorizationHeader, AuthorizationHeaderError};
use super::request::{QueryLine, RequestView, ViewError};
use super::sign::signature;
use crate::time::Timestamp;
use crate::words::{InWords, shown};

/// Verifies signatures made with one pair of keys: those of callbacks from CC-FS, or in a server
/// those of a developer's requests.
///
/// Uses the header list, timestamp, headers and body as received, and compares signatures in
/// constant time.
///
/// ```
/// use ccfs_proto::auth::Freshness;
/// use ccfs_proto::{Credentials, RequestView, Signer, Timestamp, Verifier};
///
/// let credentials = Credentials::from_text("ak", String::from("sk"))?;
/// let now = Timestamp::from_unix_millis(1_630_402_730_872);
/// let headers = &[("host", "10.1.2.3")];
/// let request = RequestView { method: "POST", path: "/p", query: &[], headers, body: b"{}" };
/// let authorization = Signer::new(&credentials).sign(request, now)?;
///
/// let verifier = Verifier::new(&credentials).freshness(Freshness::default());
/// let verified = verifier.verify(authorization.to_str()?, request, now)?;
/// assert_eq!(verified.timestamp, now);
///
/// let forged = RequestView { body: b"", ..request };
/// assert!(verifier.verify(authorization.to_str()?, forged, now).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Verifier {
    credentials: Credentials,
    pub(super) dialects: Vec<QueryLine>,
    freshness: Option<Freshness>,
}

/// How far the time of a signature may be from the verifier's. Default: 15 minutes both ways.
///
/// CC-FS publishes no limit; see [Lockout and clock](crate::protocol#lockout-and-clock).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Maximum age of a signature.
    pub past: Duration,
    /// How far a signature may be ahead of the verifier's clock.
    pub future: Duration,
}

impl Default for Freshness {
    fn default() -> Self {
        Self { past: Duration::from_secs(15 * 60), future: Duration::from_secs(15 * 60) }
    }
}

/// Result of a successful verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Time of the signature.
    pub timestamp: Timestamp,
    /// Dialect of the signer; the first one accepted if the request has a query.
    pub query_line: QueryLine,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "valid, signed at {}, query line {}", self.timestamp, self.query_line.as_str())
    }
}

impl Verifier {
    /// Creates a verifier that accepts both query line dialects and signatures of any age.
    pub fn new(credentials: &Credentials) -> Self {
        Self {
            credentials: credentials.clone(),
            dialects: QueryLine::ALL.to_vec(),
            freshness: None,
        }
    }

    /// Accepts only one query line dialect. Default: both.
    pub fn query_line(mut self, query_line: QueryLine) -> Self {
        self.dialects = vec![query_line];
        self
    }

    /// Rejects signatures whose time is too far from the time of verification. Default: no limit.
    pub fn freshness(mut self, freshness: Freshness) -> Self {
        self.freshness = Some(freshness);
        self
    }

    /// Verifies `authorization`, the value of the header, for `request` at the time `now`.
    ///
    /// `request.headers` may contain headers that are not signed; they are ignored.
    ///
    /// # Errors
    ///
    /// Returns the first [`VerifyError`] in the order of its variants. In particular,
    /// [`NotFresh`](VerifyError::NotFresh) means that the signature itself is valid.
    pub fn verify(
        &self,
        authorization: &str,
        request: RequestView<'_>,
        now: Timestamp,
    ) -> Result<Verified, VerifyError> {
        let header = AuthorizationHeader::parse(authorization)?;
        let headers = self.signed_headers(&header, request)?;
        let request = RequestView { headers: &headers, ..request }.check()?;
        let matching = |dialect: &&QueryLine| self.matches(&header, request, **dialect);
        let query_line = *self.dialects.iter().find(matching).ok_or(VerifyError::Mismatch)?;

        // Only now, because the time of a forged signature means nothing.
        let timestamp = header.timestamp();
        if let Some(Freshness { past, future }) = self.freshness {
            let age_millis = now.millis_since(timestamp);
            let allowed = if age_millis >= 0 { past } else { future };
            if Duration::from_millis(age_millis.unsigned_abs()) > allowed {
                return Err(VerifyError::NotFresh { age_millis, allowed });
            }
        }
        Ok(Verified { timestamp, query_line })
    }

    /// Checks the access key and returns the headers of `request` that `header` lists.
    pub(super) fn signed_headers<'a>(
        &self,
        header: &AuthorizationHeader<'_>,
        request: RequestView<'a>,
    ) -> Result<Vec<(&'a str, &'a str)>, VerifyError> {
        if header.access_key() != self.credentials.access_key() {
            return Err(VerifyError::AccessKey);
        }
        let find = |name: &str| {
            let mut found = request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
            match (found.next(), found.next()) {
                (Some(header), None) => Ok(*header),
                (None, _) => Err(VerifyError::HeaderMissing { name: shown(name) }),
                _ => Err(ViewError::DuplicateHeader { name: name.to_owned() }.into()),
            }
        };
        header.signed_headers().map(find).collect()
    }

    pub(super) fn matches(
        &self,
        header: &AuthorizationHeader<'_>,
        request: RequestView<'_>,
        query_line: QueryLine,
    ) -> bool {
        let (prefix, list) = (header.prefix().as_bytes(), header.list.as_bytes());
        let expected = signature(&self.credentials, prefix, request, list, query_line);
        expected.as_slice().ct_eq(header.signature.as_bytes()).to_bool()
    }
}

/// A signature is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The `Authorization` header is malformed.
    #[error(transparent)]
    Header(#[from] AuthorizationHeaderError),
    /// The request was signed with another access key.
    #[error("request was signed with another access key; compare the appId on both sides")]
    AccessKey,
    /// A signed header is missing.
    #[error("signed header `{name}` is missing from the request; do not remove it on the way")]
    HeaderMissing {
        /// Name of the header.
        name: String,
    },
    /// The request cannot be brought into canonical form.
    #[error(transparent)]
    Request(#[from] ViewError),
    /// The signature does not match the request.
    #[error("signature does not match; compare the secret key and each signed part")]
    Mismatch,
    /// The signature is valid, but its time is too far from the verifier's.
    #[error(
        "valid signature is {} {} the verifier's clock, limit {}; compare the clocks",
        InWords(Duration::from_millis(age_millis.unsigned_abs())),
        if *age_millis >= 0 { "behind" } else { "ahead of" },
        InWords(*allowed)
    )]
    NotFresh {
        /// Age of the signature in milliseconds; negative if it is ahead of the clock.
        age_millis: i64,
        /// Limit in that direction.
        allowed: Duration,
    },
}
