use std::time::Duration;

use http::StatusCode;
use http::request::Parts;

use super::guard::{Begin, JobKey, ReplayGuard};
use super::message::{Callback, CallbackError};
use crate::auth::{Credentials, Freshness, RequestView, Verifier, VerifyError, decode_query};
use crate::time::Timestamp;

/// Checks requests to the callback URL. It does no I/O and keeps no state; see the
/// [module](super) for an example.
#[derive(Clone, Debug)]
#[must_use]
pub struct Receiver {
    verifier: Verifier,
    window: Duration,
}

impl Receiver {
    /// Creates a receiver of callbacks that are signed with `credentials`.
    pub fn new(credentials: &Credentials) -> Self {
        let receiver = Self { verifier: Verifier::new(credentials), window: Duration::ZERO };
        receiver.freshness(Freshness::default())
    }

    /// Sets how old or how far in the future a signature may be. Default: 15 minutes each.
    pub fn freshness(mut self, freshness: Freshness) -> Self {
        self.window = freshness.past.saturating_add(freshness.future);
        self.verifier = self.verifier.freshness(freshness);
        self
    }

    /// Checks the method, the signature and its age at `now`, and then reads the body.
    ///
    /// Verifying the signature hashes the whole body, so limit its size to [`Callback::BODY_LIMIT`]
    /// while you receive it. The body is parsed only if the signature is valid.
    ///
    /// # Errors
    ///
    /// The request is not a valid callback; send [`ReceiveError::answer`].
    pub fn check(
        &self,
        request: RequestView<'_>,
        now: Timestamp,
    ) -> Result<Delivery, ReceiveError> {
        if request.method != "POST" {
            return Err(ReceiveError::Method);
        }
        let mut values =
            request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let (Some((_, authorization)), None) = (values.next(), values.next()) else {
            return Err(ReceiveError::Unsigned);
        };
        self.verifier.verify(authorization, request, now)?;
        let callback = Callback::parse(request.body)?;
        let key = JobKey::new(&callback, self.window);
        Ok(Delivery { callback, key })
    }

    /// Checks a request and calls the guard and `store`: steps 1 to 4 of the [module](super).
    ///
    /// `store` stores a new callback, or reserves a place for it, and returns whether it succeeded.
    /// If it returned `true` and the outcome is not [`Outcome::Accepted`], release that place; a
    /// stored callback can stay.
    pub fn receive<G: ReplayGuard + ?Sized>(
        &self,
        request: RequestView<'_>,
        guard: &mut G,
        now: Timestamp,
        store: impl FnOnce(&Callback) -> bool,
    ) -> Outcome<G::Error> {
        let Delivery { callback, key } = match self.check(request, now) {
            Ok(delivery) => delivery,
            Err(error) => return Outcome::Refused(error),
        };
        let result = guard.begin(&key, now).and_then(|begin| match begin {
            Begin::First if store(&callback) => guard.commit(&key, now).map(|is_first| {
                if is_first { Outcome::Accepted(callback) } else { Outcome::Repeated }
            }),
            Begin::First => guard.roll_back(&key).map(|()| Outcome::Busy),
            Begin::Pending => Ok(Outcome::Busy),
            Begin::Done => Ok(Outcome::Repeated),
        });
        result.unwrap_or_else(Outcome::GuardFailed)
    }
}

/// A valid callback, which may be a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The callback.
    pub callback: Callback,
    /// Identifies the job for a [`ReplayGuard`].
    pub key: JobKey,
}

/// Result of [`Receiver::receive`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a server must handle every outcome")]
pub enum Outcome<E> {
    /// The callback is new and committed: send the answer, then process it.
    Accepted(Callback),
    /// The job was committed before.
    Repeated,
    /// The callback was not stored, or another delivery of it is pending.
    Busy,
    /// The request is not a valid callback.
    Refused(ReceiveError),
    /// The replay guard failed.
    GuardFailed(E),
}

impl<E> Outcome<E> {
    /// Returns the answer to send.
    pub fn answer(&self) -> Answer {
        match self {
            Self::Accepted(_) | Self::Repeated => Answer::RECEIVED,
            Self::Busy | Self::GuardFailed(_) => Answer::BUSY,
            Self::Refused(error) => error.answer(),
        }
    }
}

/// Answer to a request to the callback URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// Status code.
    pub status: StatusCode,
    /// Body, of type `application/json`. Never empty.
    pub body: &'static str,
}

impl Answer {
    /// 200 with [`Callback::RECEIPT`]: the job is committed.
    pub const RECEIVED: Self = Self { status: StatusCode::OK, body: Callback::RECEIPT };
    /// 503: the server calls again.
    pub const BUSY: Self = Self {
        status: StatusCode::SERVICE_UNAVAILABLE,
        body: r#"{"error":"Service Unavailable"}"#,
    };
}

/// Why a request is not a valid callback.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The method is not POST.
    #[error("request is not a POST")]
    Method,
    /// There is no `Authorization` header, or more than one.
    #[error("request is not signed")]
    Unsigned,
    /// The signature is not valid or not fresh.
    #[error(transparent)]
    Signature(#[from] VerifyError),
    /// The signature is valid, but the body is not a callback.
    #[error(transparent)]
    Body(#[from] CallbackError),
}

impl ReceiveError {
    /// Returns the answer to send: 405 for the method, 401 for the signature, 400 for the body.
    pub fn answer(&self) -> Answer {
        let (status, body) = match self {
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, r#"{"error":"Method Not Allowed"}"#),
            Self::Unsigned | Self::Signature(_) => {
                (StatusCode::UNAUTHORIZED, r#"{"error":"Unauthorized"}"#)
            }
            Self::Body(_) => (StatusCode::BAD_REQUEST, r#"{"error":"Bad Request"}"#),
        };
        Answer { status, body }
    }
}

/// Calls `f` with a request that axum, hyper or another server received.
///
/// Leaves out headers whose value is not visible ASCII; they are never signed.
pub fn with_request<R>(head: &Parts, body: &[u8], f: impl FnOnce(RequestView<'_>) -> R) -> R {
    let headers: Vec<(&str, &str)> = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let query = head.uri.query().map(decode_query).unwrap_or_default();
    let query: Vec<(&str, &str)> =
        query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let (method, path) = (head.method.as_str(), head.uri.path());
    f(RequestView { method, path, query: &query, headers: &headers, body })
}
