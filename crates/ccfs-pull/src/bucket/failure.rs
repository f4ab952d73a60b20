//! Errors of a store, without its answers' texts.

use std::io;

use object_store::Error;

/// Whether the store refused a request because of its condition.
pub(super) fn is_condition(error: &Error) -> bool {
    matches!(error, Error::AlreadyExists { .. } | Error::Precondition { .. })
}

/// Whether the store does not know conditions of requests.
pub(super) fn is_unsupported(error: &Error) -> bool {
    let text = error.to_string();
    matches!(error, Error::NotImplemented { .. } | Error::NotSupported { .. })
        || matches!(code(&text), Some("NotImplemented" | "InvalidArgument" | "InvalidRequest"))
        || text.contains("status code: 501")
}

/// Returns what the store answered; `None` if the object does not exist.
pub(super) fn if_found<T>(result: Result<T, Error>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(io_error(&error)),
    }
}

/// Returns an error with what to do. Texts of the store are left out, except its code.
pub(super) fn io_error(error: &Error) -> io::Error {
    let text = error.to_string();
    let code = code(&text);
    let kind = match error {
        Error::NotFound { .. } => io::ErrorKind::NotFound,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            io::ErrorKind::PermissionDenied
        }
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, explanation(&text, code).unwrap_or_else(|| cause(error, &text, code)))
}

fn explanation(text: &str, code: Option<&str>) -> Option<String> {
    let advice = match code? {
        "NoSuchBucket" => {
            "the bucket does not exist; create it, or check its name and the endpoint"
        }
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => {
            "the credentials do not allow this; check the policy of the bucket"
        }
        "ExpiredToken" | "TokenRefreshRequired" | "RequestExpired" => {
            "the credentials have expired; renew them, and run the same pull again"
        }
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "AuthFailure" => {
            "the credentials are not valid; check the access key and its secret"
        }
        "RequestTimeTooSkewed" => {
            "the clocks of this machine and of the store differ too much; set the clock"
        }
        "PermanentRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => "the bucket is in another region; set AWS_REGION",
        "SlowDown" | "InternalError" | "ServiceUnavailable" | "RequestTimeout" => {
            "the store is overloaded or failed, also when asked again; run the same pull again later"
        }
        "QuotaExceeded" | "XMinioStorageFull" => "the store is full",
        _ => return None,
    };
    let status = status(text).map(|status| format!("{status} ")).unwrap_or_default();
    Some(format!("{advice} ({status}{})", code?))
}

/// What is known of an error without a known code.
fn cause(error: &Error, text: &str, code: Option<&str>) -> String {
    if text.contains("169.254.169.254") || text.contains("/latest/api/token") {
        return "there are no credentials for the store; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE".into();
    }
    let attempts = if text.contains("retries") { ", also when asked again" } else { "" };
    match (status(text), code) {
        (Some(status), Some(code)) => format!("the store answered {status} {code}{attempts}"),
        (Some(status), None) => format!("the store answered {status}{attempts}"),
        (None, _) => {
            let mut cause: &dyn std::error::Error = error;
            let mut is_answer = true;
            while let Some(source) = cause.source() {
                cause = source;
                is_answer &= !cause.is::<reqwest::Error>() && !cause.is::<io::Error>();
            }
            if is_answer {
                return "the answer is not that of an S3 store; check the endpoint".into();
            }
            format!("the store cannot be reached{attempts}: {cause}")
        }
    }
}

/// The code in the XML of an S3 error.
fn code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_code =
        (1..=64).contains(&code.len()) && code.bytes().all(|it| it.is_ascii_alphanumeric());
    is_code.then_some(code)
}

fn status(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3).filter(|status| status.bytes().all(|byte| byte.is_ascii_digit()))
}
