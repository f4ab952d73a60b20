//! Answers before they are sent, and the effects of faults on them.

use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::{Envelope, ResultCode, Timestamp};
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use tokio::sync::oneshot;

use crate::data::Random;
use crate::fault::Fault;
use crate::interface::{Kind, Refusal};
use crate::outgoing::{End, Outgoing, Pace, outgoing};

/// The type of files, with the reference's capitals.
const OCTET_STREAM: &str = "Application/Octet-stream;charset=UTF-8";
const JSON: &str = "application/json;charset=UTF-8";
/// Bytes that [`Fault::WrongLength`] declares and does not send.
const UNSENT: u64 = 100;

/// An answer, and how it is transferred.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) result_code: Option<ResultCode>,
    content_type: &'static str,
    /// The declared length; `None` for chunked encoding.
    content_length: Option<u64>,
    extra: Vec<(header::HeaderName, HeaderValue)>,
    body: Bytes,
    pace: Pace,
    end: End,
}

impl Answer {
    fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self {
            status,
            result_code: None,
            content_type,
            content_length: Some(body.len() as u64),
            extra: Vec::new(),
            body,
            pace: Pace::FULL,
            end: End::Clean,
        }
    }

    /// An envelope with HTTP 200, as all business results come.
    pub(crate) fn envelope(envelope: &Envelope) -> Self {
        Self {
            result_code: Some(envelope.code().clone()),
            ..Self::new(StatusCode::OK, JSON, envelope.to_body())
        }
    }

    /// A result code other than success. Interfaces that return files send it with the content type of a file.
    pub(crate) fn error(refusal: impl Into<Refusal>, kind: Kind) -> Self {
        let answer = Self::envelope(&refusal.into().envelope());
        if kind == Kind::File { Self { content_type: OCTET_STREAM, ..answer } } else { answer }
    }

    /// A file.
    pub(crate) fn file(bytes: Bytes) -> Self {
        Self::new(StatusCode::OK, OCTET_STREAM, bytes)
    }

    /// A refusal below the interfaces, in the shape of Spring's default error page.
    pub(crate) fn refusal(status: StatusCode, path: &str, now: Timestamp) -> Self {
        #[derive(Serialize)]
        struct Body<'a> {
            timestamp: i64,
            status: u16,
            error: &'a str,
            message: &'a str,
            path: &'a str,
        }
        let body = Body {
            timestamp: now.unix_millis(),
            status: status.as_u16(),
            error: status.canonical_reason().unwrap_or_default(),
            message: "No message available",
            path,
        };
        Self::new(status, JSON, serde_json::to_vec(&body).unwrap_or_default())
    }

    /// Adds the headers of an nginx that forwarded the answer.
    pub(crate) fn through_nginx(mut self) -> Self {
        self.extra.push((header::SERVER, HeaderValue::from_static("nginx/1.24.0")));
        self.extra.push((header::VIA, HeaderValue::from_static("1.1 gateway.example.com")));
        self
    }

    /// Returns the answer of a fault that applies before the interface runs; `None` for other faults.
    pub(crate) fn instead(fault: &Fault, kind: Kind, path: &str, now: Timestamp) -> Option<Self> {
        let code = |code: ResultCode| Some(Self::error(code, kind));
        match fault {
            Fault::Unauthorized => Some(Self::refusal(StatusCode::UNAUTHORIZED, path, now)),
            Fault::Locked => Some(Self::refusal(StatusCode::FORBIDDEN, path, now)),
            Fault::ErrorUnder200(given) => code(given.clone()),
            Fault::FlowControl if kind == Kind::File => code(ResultCode::DownloadFlowControl),
            Fault::FlowControl => code(ResultCode::QueryFlowControl),
            Fault::MissingFile => code(ResultCode::FileNotFound),
            Fault::Busy(seconds) => Some(Self {
                extra: vec![(header::RETRY_AFTER, HeaderValue::from(*seconds))],
                ..Self::refusal(StatusCode::SERVICE_UNAVAILABLE, path, now)
            }),
            Fault::Html(status) => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::OK);
                let page = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Please sign in</h1></body></html>\n";
                Some(Self::new(status, "text/html;charset=UTF-8", page))
            }
            Fault::Gateway(status) => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
                let reason = status.canonical_reason().unwrap_or_default();
                let title = format!("{} {reason}", status.as_u16());
                let page = format!(
                    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
                );
                Some(Self::new(status, "text/html", page).through_nginx())
            }
            Fault::Redirect => {
                HeaderValue::from_str(&format!("/elsewhere{path}")).ok().map(|location| Self {
                    extra: vec![(header::LOCATION, location)],
                    ..Self::new(StatusCode::TEMPORARY_REDIRECT, JSON, Bytes::new())
                })
            }
            _ => None,
        }
    }

    /// Applies a fault to the right answer.
    pub(crate) fn spoilt(mut self, fault: &Fault) -> Self {
        let len = self.body.len();
        match fault {
            Fault::Slow(pause) => self.pace = Pace { size: (len / 8).max(1), pause: Some(*pause) },
            Fault::Stall => {
                self.body.truncate(len / 2);
                self.end = End::Stall;
            }
            Fault::CutAfter(bytes) => {
                let bytes = usize::try_from(*bytes).unwrap_or(usize::MAX);
                self.body.truncate(bytes.min(len.saturating_sub(1)));
                self.end = End::Cut;
            }
            Fault::WrongLength => {
                self.content_length = Some(len as u64 + UNSENT);
                self.end = End::Cut;
            }
            Fault::WrongType => self.content_type = "text/plain",
            Fault::Empty => self = Self::new(StatusCode::OK, self.content_type, Bytes::new()),
            Fault::Garbage => self = Self::new(StatusCode::OK, OCTET_STREAM, garbage()),
            Fault::ByteByByte => self.pace = Pace { size: 1, pause: Some(Duration::ZERO) },
            Fault::Chunked => self.content_length = None,
            Fault::CorruptZip => self.body = corrupt(&self.body),
            Fault::TruncatedZip => {
                self.body.truncate(len / 2);
                self.content_length = self.content_length.map(|_| self.body.len() as u64);
            }
            _ => {}
        }
        self
    }

    /// The response, with the date of the request's clock. `done` is dropped when the body is sent, or the client went away.
    pub(crate) fn into_response(
        self,
        now: Timestamp,
        done: Option<oneshot::Sender<()>>,
    ) -> Response<Outgoing> {
        let mut response = Response::new(outgoing(self.body, self.pace, self.end, done));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if let Some(len) = self.content_length {
            headers.insert(header::CONTENT_LENGTH, len.into());
        }
        for (name, value) in self.extra {
            headers.insert(name, value);
        }
        if let Ok(date) = HeaderValue::from_str(&http_date(now)) {
            headers.insert(header::DATE, date);
        }
        response
    }
}

fn http_date(now: Timestamp) -> String {
    let since = Duration::from_millis(now.unix_millis().unsigned_abs());
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
}

/// A kilobyte that looks neither like a file nor like JSON.
fn garbage() -> Vec<u8> {
    let mut random = Random::new(0, "garbage");
    let mut bytes = vec![0x00, 0xFF];
    bytes.extend((0..128).flat_map(|_| random.next().to_le_bytes()));
    bytes
}

/// The file with up to 16 bytes of its middle inverted: its length, beginning and end do not change.
fn corrupt(file: &Bytes) -> Bytes {
    let mut bytes = file.to_vec();
    let middle = bytes.len() / 2;
    for byte in bytes.iter_mut().skip(middle).take(16) {
        *byte = !*byte;
    }
    bytes.into()
}
