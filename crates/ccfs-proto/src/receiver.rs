//! Receiving callbacks, without a server.

use http::StatusCode;

use crate::auth::{ReplayGuard, RequestView, Verifier, VerifyError};
use crate::operation::{Callback, CallbackError};
use crate::timestamp::Timestamp;

/// What a receiver of callbacks answers to a request, and what it learned from it.
///
/// Put it behind any HTTP server: hand over what came, send back `status` and `body`, then use the callback. Answer first and download
/// after, because a server that gets no body calls again. See `docs/protocol.md`, "Callback".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reception {
    /// The status to answer with: 200, or 401 for a signature that is not accepted, 400 for a body that is no callback, 405 for another
    /// method than `POST`.
    pub status: StatusCode,
    /// The body to answer with, `application/json`. Never empty.
    pub body: &'static str,
    /// The callback, or why the request is none.
    pub callback: Result<Callback, ReceiveError>,
}

impl Reception {
    /// Checks a request that came to the callback URL: its signature, that it is new, and its body.
    ///
    /// A repetition of a callback that was accepted gets the same answer as the first, so that the server stops calling; its
    /// `callback` is [`VerifyError::Replayed`].
    ///
    /// ```
    /// use ccfs_proto::{Credentials, RecentSignatures, Reception, RequestView, Timestamp, Verifier};
    ///
    /// let verifier = Verifier::new(&Credentials::from_text("ak", String::from("sk"))?);
    /// let unsigned = RequestView { method: "POST", path: "/callback", query: &[], headers: &[("host", "10.9.8.7")], body: b"{}" };
    /// let reception = Reception::of(unsigned, &verifier, &mut RecentSignatures::default(), Timestamp::from_unix_millis(0));
    /// assert_eq!(reception.status, 401);
    /// # Ok::<(), ccfs_proto::KeyError>(())
    /// ```
    pub fn of(
        request: RequestView<'_>,
        verifier: &Verifier,
        guard: &mut dyn ReplayGuard,
        now: Timestamp,
    ) -> Self {
        let callback = receive(request, verifier, guard, now);
        let (status, body) = match &callback {
            Ok(_) | Err(ReceiveError::Signature(VerifyError::Replayed)) => {
                (StatusCode::OK, Callback::RECEIPT)
            }
            Err(ReceiveError::Method) => {
                (StatusCode::METHOD_NOT_ALLOWED, r#"{"error":"Method Not Allowed"}"#)
            }
            Err(ReceiveError::Unsigned | ReceiveError::Signature(_)) => {
                (StatusCode::UNAUTHORIZED, r#"{"error":"Unauthorized"}"#)
            }
            Err(ReceiveError::Body(_)) => (StatusCode::BAD_REQUEST, r#"{"error":"Bad Request"}"#),
        };
        Self { status, body, callback }
    }
}

fn receive(
    request: RequestView<'_>,
    verifier: &Verifier,
    guard: &mut dyn ReplayGuard,
    now: Timestamp,
) -> Result<Callback, ReceiveError> {
    if request.method != "POST" {
        return Err(ReceiveError::Method);
    }
    let mut values =
        request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let (Some((_, authorization)), None) = (values.next(), values.next()) else {
        return Err(ReceiveError::Unsigned);
    };
    // The signature first: nothing of a stranger's body is looked at. Only then is it remembered, when the body is a callback, too.
    verifier.verify(authorization, request, now)?;
    let callback = Callback::parse(request.body)?;
    verifier.verify_once(authorization, request, now, guard)?;
    Ok(callback)
}

/// Why a request is no callback.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// Not a `POST`.
    #[error("the request is not a POST")]
    Method,
    /// It has no `Authorization` header, or several.
    #[error("the request is not signed")]
    Unsigned,
    /// Its signature is not accepted.
    #[error(transparent)]
    Signature(#[from] VerifyError),
    /// It is signed, but its body is no callback.
    #[error(transparent)]
    Body(#[from] CallbackError),
}
