//! Requests and responses of ureq.

use std::io::{self, Cursor, Read};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ureq::http::{HeaderMap, HeaderValue, Request, Response, header};
use ureq::{Agent, Body, BodyReader, SendBody};

use crate::connect::watch_close;

/// Size of the read buffer in bytes.
const CHUNK: usize = 64 * 1024;

/// How requests are sent.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) agent: Agent,
    pub(crate) connect_timeout: Duration,
}

impl Wire {
    /// Sends the request unchanged. Does not follow redirects or decompress.
    pub(crate) fn send(
        &self,
        request: Request<Bytes>,
        idle_timeout: Duration,
        remaining: Duration,
    ) -> Result<Response<Body>, ureq::Error> {
        let (head, body) = request.into_parts();
        // Its length is in the head. A body of no bytes would add `content-length: 0`.
        let body = if body.is_empty() {
            SendBody::none()
        } else {
            SendBody::from_owned_reader(Cursor::new(body))
        };
        let request = self
            .agent
            .configure_request(Request::from_parts(head, body))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent("")
            .accept_encoding("")
            .allow_non_standard_methods(true)
            .timeout_connect(Some(bounded(self.connect_timeout.min(remaining))))
            .timeout_recv_response(Some(bounded(idle_timeout)))
            .timeout_per_read(Some(bounded(idle_timeout)))
            .timeout_per_write(Some(bounded(idle_timeout)))
            .timeout_global(Some(bounded(remaining)))
            .build();
        self.agent.run(request)
    }
}

/// The body of a response.
pub(crate) struct ResponseBody {
    reader: BodyReader<'static>,
    is_chunked: bool,
    /// Whether a read found the connection closed.
    is_closed: bool,
}

impl ResponseBody {
    pub(crate) fn new(headers: &HeaderMap, body: Body) -> Self {
        let encoding = headers.get(header::TRANSFER_ENCODING).map(HeaderValue::as_bytes);
        Self {
            reader: body.into_with_config().limit(u64::MAX).reader(),
            is_chunked: encoding
                .is_some_and(|text| text.to_ascii_lowercase().ends_with(b"chunked")),
            is_closed: false,
        }
    }

    /// Reads a piece of the body; an empty one at its end.
    pub(crate) fn read(&mut self, buffer: &mut BytesMut) -> io::Result<Bytes> {
        buffer.resize(CHUNK, 0);
        let (len, found_closed) = watch_close(|| self.reader.read(buffer));
        self.is_closed |= found_closed;
        let len = len?;
        if len == 0 && self.is_chunked && self.is_closed {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "chunked body without its end",
            ));
        }
        Ok(buffer.split_to(len).freeze())
    }
}

/// At most a year: ureq adds it to the current time, which must not overflow.
fn bounded(timeout: Duration) -> Duration {
    timeout.min(Duration::from_secs(365 * 24 * 60 * 60))
}
