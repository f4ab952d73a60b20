//! Sends the body of an answer: at once, in pieces, or incompletely.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::sync::oneshot;
use tokio::time::Sleep;

/// Size of the pieces of a body by default.
const PIECE: usize = 64 * 1024;
/// How long to wait before a cut, so that the last piece leaves the process.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// The speed of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Full,
    Pieces { size: usize, pause: Duration },
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Clean,
    /// The connection is closed.
    Cut,
    /// No further bytes are sent, and the connection stays open.
    Stall,
}

/// The body of an answer.
pub(crate) struct Outgoing {
    rest: Bytes,
    pace: Pace,
    end: End,
    started: bool,
    /// The current piece has been waited for.
    waited: bool,
    timer: Option<Pin<Box<Sleep>>>,
    _done: Option<oneshot::Sender<()>>,
}

impl Outgoing {
    pub(crate) fn new(
        rest: Bytes,
        pace: Pace,
        end: End,
        done: Option<oneshot::Sender<()>>,
    ) -> Self {
        Self { rest, pace, end, started: false, waited: false, timer: None, _done: done }
    }

    /// Lets earlier bytes leave the process: waits for a pause, or for one round of the event loop.
    fn poll_pause(&mut self, pause: Duration, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(timer) = &mut self.timer {
            ready!(timer.as_mut().poll(cx));
            self.timer = None;
            self.waited = true;
        }
        if self.waited {
            self.waited = false;
            return Poll::Ready(());
        }
        if pause.is_zero() {
            self.waited = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut timer = Box::pin(tokio::time::sleep(pause));
        // A new timer registers the waker when it is first polled.
        let _ = timer.as_mut().poll(cx);
        self.timer = Some(timer);
        Poll::Pending
    }
}

/// The connection is to be closed in the middle of the body.
#[derive(Debug)]
pub(crate) struct CutOff;

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is cut off on purpose")
    }
}

impl std::error::Error for CutOff {}

impl From<Infallible> for CutOff {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            return match this.end {
                End::Clean => Poll::Ready(None),
                End::Stall => Poll::Pending,
                End::Cut => {
                    ready!(this.poll_pause(BEFORE_CUT, cx));
                    Poll::Ready(Some(Err(CutOff)))
                }
            };
        }
        let size = match this.pace {
            Pace::Full => PIECE,
            Pace::Pieces { size, pause } => {
                if this.started {
                    ready!(this.poll_pause(pause, cx));
                }
                size
            }
        };
        this.started = true;
        let piece = this.rest.split_to(size.min(this.rest.len()));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.end == End::Clean
    }
}
