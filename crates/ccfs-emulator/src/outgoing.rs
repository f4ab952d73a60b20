//! Sends the body of an answer: at once, in pieces, or incompletely.

use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::unfold;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::sleep;

/// Size of the pieces of a body by default.
const PIECE: usize = 64 * 1024;
/// How long to wait before a cut, so that the last piece leaves the process.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// The speed of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Maximum size of a piece.
    pub(crate) size: usize,
    /// The pause between two pieces, if any.
    pub(crate) pause: Option<Duration>,
}

impl Pace {
    pub(crate) const FULL: Self = Self { size: PIECE, pause: None };
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
pub(crate) type Outgoing = UnsyncBoxBody<Bytes, CutOff>;

/// The connection is to be closed in the middle of the body.
#[derive(Debug, thiserror::Error)]
#[error("the answer is cut off on purpose")]
pub(crate) struct CutOff;

/// A body that drops `done` when it is sent, or the client went away.
pub(crate) fn outgoing(
    body: Bytes,
    pace: Pace,
    end: End,
    done: Option<oneshot::Sender<()>>,
) -> Outgoing {
    let pieces = unfold((body, None, done), move |(mut rest, pause, done)| async move {
        match pause {
            // Lets earlier bytes leave the process.
            Some(Duration::ZERO) => yield_now().await,
            Some(pause) if !rest.is_empty() => sleep(pause).await,
            _ => {}
        }
        let piece = match end {
            _ if !rest.is_empty() => Ok(Frame::data(rest.split_to(pace.size.min(rest.len())))),
            End::Clean => return None,
            End::Stall => pending().await,
            End::Cut => {
                sleep(BEFORE_CUT).await;
                Err(CutOff)
            }
        };
        Some((piece, (rest, pace.pause, done)))
    });
    StreamBody::new(pieces).boxed_unsync()
}
