//! Checking a signature that somebody sent.

use std::fmt;
use std::time::Duration;

use ctutils::CtEq;

use super::canonical::{Canonical, QueryLine, RequestView, ViewError};
use super::credentials::Credentials;
use super::diagnose::{Difference, diagnose};
use super::header::{AuthorizationHeader, AuthorizationHeaderError};
use super::sign::signature;
use crate::timestamp::Timestamp;
use crate::words::InWords;

/// Checks signatures made with one pair of keys: the callbacks of CC-FS, or, in a server, the requests of a developer.
///
/// It works on what was received (header list, timestamp text, headers, raw body), compares in constant time, and accepts both
/// query line dialects unless told otherwise.
///
/// ```
/// use ccfs_proto::{Credentials, Freshness, RequestView, Signer, Timestamp, Verifier};
///
/// let credentials = Credentials::from_text("ak", String::from("sk"))?;
/// let now = Timestamp::from_unix_millis(1_630_402_730_872);
/// let request = RequestView {
///     method: "POST",
///     path: "/callback",
///     query: &[],
///     headers: &[("host", "10.1.2.3")],
///     body: br#"{"request":{"version":"2.0"}}"#,
/// };
/// let authorization = Signer::new(&credentials).sign(request, now)?;
///
/// let verifier = Verifier::new(&credentials).freshness(Freshness::default());
/// let verified = verifier.verify(authorization.to_str()?, request, now)?;
/// assert_eq!(verified.timestamp, now);
///
/// let forged = RequestView { body: b"{}", ..request };
/// assert!(verifier.verify(authorization.to_str()?, forged, now).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    credentials: Credentials,
    dialects: Vec<QueryLine>,
    freshness: Option<Freshness>,
}

/// How far a signature's time may be from the verifier's.
///
/// CC-FS publishes no window; the default of 15 minutes either way is our choice for receivers.
/// See `docs/protocol.md`, "Lockout and clock".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// How old a signature may be.
    pub past: Duration,
    /// How far ahead of the verifier's clock it may be.
    pub future: Duration,
}

impl Default for Freshness {
    fn default() -> Self {
        Self { past: Duration::from_secs(15 * 60), future: Duration::from_secs(15 * 60) }
    }
}

/// What a valid signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// When it was signed.
    pub timestamp: Timestamp,
    /// In which dialect. With a query the dialects do not differ, and this is the first that was tried.
    pub query_line: QueryLine,
}

impl Verifier {
    /// A verifier for signatures of these keys, in both dialects, of any age.
    #[must_use]
    pub fn new(credentials: &Credentials) -> Self {
        Self {
            credentials: credentials.clone(),
            dialects: QueryLine::ALL.to_vec(),
            freshness: None,
        }
    }

    /// Accepts signatures in one query line dialect only. Default: both. See `docs/protocol.md`, "Query line dialects".
    #[must_use]
    pub fn query_line(mut self, query_line: QueryLine) -> Self {
        self.dialects = vec![query_line];
        self
    }

    /// Refuses signatures whose time is outside the window around the time passed to [`verify`](Self::verify). Default: any time is
    /// taken, because CC-FS publishes no window.
    #[must_use]
    pub fn freshness(mut self, window: Freshness) -> Self {
        self.freshness = Some(window);
        self
    }

    /// Checks `authorization`, the header's value, against the request as received.
    ///
    /// Of `request.headers`, those that the header lists count, and others may stand there too. What is wrong with the header itself is
    /// told first, then whose key it is, then what the request lacks; [`Mismatch`](VerifyError::Mismatch) comes last but for the time,
    /// so [`NotFresh`](VerifyError::NotFresh) means that the signature is right.
    pub fn verify(
        &self,
        authorization: &str,
        request: RequestView<'_>,
        now: Timestamp,
    ) -> Result<Verified, VerifyError> {
        let header = AuthorizationHeader::parse(authorization)?;
        if header.access_key() != self.credentials.access_key() {
            return Err(VerifyError::AccessKey);
        }
        let signed = select(&header, request)?;
        let canonical = Canonical::new(RequestView { headers: &signed, ..request })?;
        let query_line = self
            .dialects
            .iter()
            .copied()
            .find(|&dialect| self.matches(&header, &canonical, dialect))
            .ok_or(VerifyError::Mismatch)?;
        // Freshness comes after the signature: the age of a forged timestamp says nothing.
        self.check_age(header.timestamp(), now)?;
        Ok(Verified { timestamp: header.timestamp(), query_line })
    }

    /// Finds out why a signature does not match, by trying the known mistakes one at a time.
    ///
    /// For developing and for `ccfs verify`, not for a server's answer: who may ask why learns more than who is only told no.
    /// `None` when nothing that is tried explains it (a wrong secret key, mostly), or when the signature is valid.
    ///
    /// ```
    /// use ccfs_proto::{Credentials, Difference, RequestView, Signer, Timestamp, Verifier};
    ///
    /// let credentials = Credentials::from_text("ak", String::from("sk"))?;
    /// let sent = RequestView { method: "POST", path: "/callback", query: &[], headers: &[("host", "10.1.2.3:8443")], body: b"{}" };
    /// let signed = RequestView { headers: &[("host", "10.1.2.3")], ..sent };
    /// let authorization = Signer::new(&credentials).sign(signed, Timestamp::from_unix_millis(1_630_402_730_872))?;
    ///
    /// let difference = Verifier::new(&credentials).diagnose(authorization.to_str()?, sent)?;
    /// assert_eq!(difference, Some(Difference::HostWithoutPort));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diagnose(
        &self,
        authorization: &str,
        request: RequestView<'_>,
    ) -> Result<Option<Difference>, VerifyError> {
        let header = AuthorizationHeader::parse(authorization)?;
        if header.access_key() != self.credentials.access_key() {
            return Err(VerifyError::AccessKey);
        }
        let signed = select(&header, request)?;
        Ok(diagnose(
            RequestView { headers: &signed, ..request },
            &self.dialects,
            |view, dialect| {
                Canonical::new(view)
                    .is_ok_and(|canonical| self.matches(&header, &canonical, dialect))
            },
        ))
    }

    fn matches(
        &self,
        header: &AuthorizationHeader<'_>,
        canonical: &Canonical<'_>,
        dialect: QueryLine,
    ) -> bool {
        let expected = signature(
            &self.credentials,
            header.prefix().as_bytes(),
            canonical,
            header.list().as_bytes(),
            dialect,
        );
        expected.as_slice().ct_eq(header.signature().as_bytes()).to_bool()
    }

    fn check_age(&self, signed: Timestamp, now: Timestamp) -> Result<(), VerifyError> {
        let Some(window) = self.freshness else { return Ok(()) };
        let age = now.millis_since(signed);
        let distance = Duration::from_millis(age.unsigned_abs());
        let allowed = if age >= 0 { window.past } else { window.future };
        if distance > allowed {
            Err(VerifyError::NotFresh { age_millis: age, allowed })
        } else {
            Ok(())
        }
    }
}

/// The listed headers, in the list's order, out of all that came.
fn select<'a>(
    header: &AuthorizationHeader<'_>,
    request: RequestView<'a>,
) -> Result<Vec<(&'a str, &'a str)>, VerifyError> {
    header
        .signed_headers()
        .map(|name| {
            let mut found =
                request.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
            match (found.next(), found.next()) {
                (Some(one), None) => Ok(*one),
                (None, _) => Err(VerifyError::HeaderMissing { name: name.to_owned() }),
                (Some(_), Some(_)) => {
                    Err(ViewError::DuplicateHeader { name: name.to_owned() }.into())
                }
            }
        })
        .collect()
}

/// Why a signature is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The header is not an auth-v2 one.
    #[error(transparent)]
    Header(#[from] AuthorizationHeaderError),
    /// It was made with another account's key.
    #[error(
        "the signature is of another access key than the one expected: compare the appId on both sides"
    )]
    AccessKey,
    /// A header in the list did not come with the request.
    #[error("the signature covers the header `{name}`, which the request does not have")]
    HeaderMissing {
        /// The header's name.
        name: String,
    },
    /// The request cannot be brought into canonical form.
    #[error(transparent)]
    Request(#[from] ViewError),
    /// The signature does not fit the request.
    #[error("the signature does not match: the secret key, or something that was signed, differs")]
    Mismatch,
    /// The signature is right, but of another time.
    #[error("the signature is right but its time is {} {} the receiver's clock, and {} are allowed: compare the clocks",
        InWords(Duration::from_millis(age_millis.unsigned_abs())), if *age_millis >= 0 { "behind" } else { "ahead of" }, InWords(*allowed))]
    NotFresh {
        /// How old the signature is, in milliseconds; negative when it is ahead of the clock.
        age_millis: i64,
        /// What is allowed in that direction.
        allowed: Duration,
    },
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "valid, signed at {}, query line {}", self.timestamp, self.query_line.as_str())
    }
}
