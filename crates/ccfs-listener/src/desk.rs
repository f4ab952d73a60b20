//! What becomes of a request once all of it is there.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccfs_driver::Clock;
use ccfs_proto::{Callback, Reception, ReplayGuard, RequestView, Timestamp, Verifier};
use hyper::StatusCode;

use crate::event::Refusal;
use crate::queue::Queue;

/// Callbacks that are remembered, so that one that is signed anew is known again. The oldest is forgotten first.
const KNOWN: usize = 65_536;

/// Decides on requests: everything that connections have in common.
pub(crate) struct Desk {
    pub(crate) queue: Arc<Queue>,
    pub(crate) path: Option<String>,
    pub(crate) body_limit: usize,
    pub(crate) patience: Duration,
    pub(crate) clock: Box<dyn Clock>,
    verifier: Verifier,
    memory: Mutex<Memory>,
}

/// What was accepted so far.
struct Memory {
    guard: Box<dyn ReplayGuard + Send>,
    known: Known,
}

/// What to answer, and what was learned: `None` when the server is to call again.
pub(crate) struct Decision {
    pub(crate) status: StatusCode,
    pub(crate) body: &'static str,
    pub(crate) callback: Option<Result<Callback, Refusal>>,
}

impl Desk {
    pub(crate) fn new(
        verifier: Verifier,
        guard: Box<dyn ReplayGuard + Send>,
        clock: Box<dyn Clock>,
        queue: Arc<Queue>,
    ) -> Self {
        let memory = Mutex::new(Memory { guard, known: Known::default() });
        Self { queue, path: None, body_limit: 0, patience: Duration::ZERO, clock, verifier, memory }
    }

    /// Checks a request. A callback that is accepted has a place in the queue.
    pub(crate) fn decide(&self, request: RequestView<'_>, now: Timestamp) -> Decision {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let Memory { guard, known } = &mut *memory;
        let mut door = Door { guard: &mut **guard, queue: &self.queue, full: false };
        let reception = Reception::of(request, &self.verifier, &mut door, now);
        if door.full {
            let body = r#"{"error":"Service Unavailable"}"#;
            return Decision { status: StatusCode::SERVICE_UNAVAILABLE, body, callback: None };
        }
        let callback = match reception.callback {
            Ok(callback) if known.is_new(&callback) => Ok(callback),
            Ok(_) => {
                self.queue.release();
                Err(Refusal::Duplicate)
            }
            Err(error) => Err(Refusal::Received(error)),
        };
        Decision { status: reception.status, body: reception.body, callback: Some(callback) }
    }
}

/// Stands before the guard: only valid callbacks come to it, and without a free place none is remembered, so that the server's next call is new.
struct Door<'a> {
    guard: &'a mut (dyn ReplayGuard + Send),
    queue: &'a Queue,
    full: bool,
}

impl ReplayGuard for Door<'_> {
    fn is_new(&mut self, signature: &str, signed_at: Timestamp) -> bool {
        if !self.queue.reserve() {
            self.full = true;
            return false;
        }
        let is_new = self.guard.is_new(signature, signed_at);
        if !is_new {
            self.queue.release();
        }
        is_new
    }
}

/// The latest callbacks, by job and file.
#[derive(Default)]
struct Known {
    names: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl Known {
    fn is_new(&mut self, callback: &Callback) -> bool {
        let name: Arc<str> =
            format!("{}/{}", callback.response_id.as_str(), callback.file_name.as_str()).into();
        if !self.names.insert(Arc::clone(&name)) {
            return false;
        }
        self.order.push_back(name);
        if self.order.len() > KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
        true
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("path", &self.path)
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}
