//! What an exchange asks of a driver.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Request;

use super::error::ExchangeError;
use crate::timestamp::Timestamp;

/// The time, as a driver passes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The wall clock: what signatures carry. It may be wrong, and it may jump.
    pub wall: Timestamp,
    /// Time since any fixed point, on a clock that never goes back: what deadlines are measured with.
    pub monotonic: Duration,
}

/// What an exchange wants done next.
#[non_exhaustive]
pub enum Step<A> {
    /// Send this request, just as it is, over a client that follows no redirect and decompresses nothing. Then
    /// [`on_head`](crate::Exchange::on_head), or [`on_failure`](crate::Exchange::on_failure), with
    /// [`Stall`](crate::TransportFailure::Stall) when `within` passes before the head is there.
    Send {
        /// The request, freshly signed.
        request: Request<Bytes>,
        /// How long the head may take.
        within: Duration,
        /// What is left of the whole call's time: for clients whose reads cannot be interrupted later.
        left: Duration,
    },
    /// Read a piece of the body. Then [`on_body`](crate::Exchange::on_body), [`on_end`](crate::Exchange::on_end) or
    /// [`on_failure`](crate::Exchange::on_failure), with [`Stall`](crate::TransportFailure::Stall) when `within` passes in silence.
    Receive {
        /// How long the silence may be.
        within: Duration,
    },
    /// Write these bytes of the file.
    Write(Bytes),
    /// Throw away what was written so far; the file begins anew. Only asked of a sink that said it can.
    Rewind,
    /// Wait this long.
    Wait(Duration),
    /// The call is over.
    Done(Result<A, ExchangeError>),
}

impl<A: fmt::Debug> fmt::Debug for Step<A> {
    /// Without the query, which may hold a token, and without any body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send { request, within, left } => {
                let mut shown = f.debug_struct("Send");
                shown
                    .field("method", request.method())
                    .field("path", &request.uri().path())
                    .field("body_bytes", &request.body().len());
                shown.field("within", within).field("left", left).finish()
            }
            Self::Receive { within } => f.debug_struct("Receive").field("within", within).finish(),
            Self::Write(bytes) => write!(f, "Write({} bytes)", bytes.len()),
            Self::Rewind => f.write_str("Rewind"),
            Self::Wait(duration) => f.debug_tuple("Wait").field(duration).finish(),
            Self::Done(result) => f.debug_tuple("Done").field(result).finish(),
        }
    }
}

/// Whether what takes a file's bytes can start over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SinkKind {
    /// It takes bytes once: a pipe, a socket, somebody's `Write`. A download that breaks after the first byte fails.
    #[default]
    Once,
    /// It can be emptied: a file. A download that breaks is tried again.
    Rewinds,
}
