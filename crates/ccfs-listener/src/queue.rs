//! The queue of events between the server's thread and the receiving threads and tasks.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::event::Event;

/// Limit of refusals in the queue. It is separate from that of callbacks, so that requests without
/// a valid signature cannot keep callbacks out. Further refusals are only counted.
const REFUSAL_LIMIT: usize = 1024;

/// A bounded queue of events.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug)]
struct State {
    events: VecDeque<Event>,
    /// Places for callbacks that are not reserved.
    free: usize,
    refusals: usize,
    dropped_refusals: u64,
    wakers: Vec<Waker>,
    /// Whether places may be reserved.
    accepting: bool,
    closed: bool,
}

impl Queue {
    /// Creates a queue for `places` callbacks, at least 1.
    pub(crate) fn new(places: usize) -> Arc<Self> {
        let (events, wakers) = (VecDeque::new(), Vec::new());
        let free = places.max(1);
        let state = State {
            events,
            free,
            refusals: 0,
            dropped_refusals: 0,
            wakers,
            accepting: true,
            closed: false,
        };
        Arc::new(Self { state: Mutex::new(state), arrived: Condvar::new() })
    }

    /// Reserves a place for a callback, if one is free.
    pub(crate) fn reserve(&self) -> Option<Place<'_>> {
        let mut state = self.lock();
        if !state.accepting {
            return None;
        }
        state.free = state.free.checked_sub(1)?;
        Some(Place(self))
    }

    /// Reserves no more places.
    pub(crate) fn stop_accepting(&self) {
        self.lock().accepting = false;
    }

    /// Appends an event. The place of a callback must be reserved.
    pub(crate) fn push(&self, event: Event) {
        let mut state = self.lock();
        if event.callback.is_err() {
            if state.refusals == REFUSAL_LIMIT {
                state.dropped_refusals += 1;
                return;
            }
            state.refusals += 1;
        }
        state.events.push_back(event);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.arrived.notify_one();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Waits for the next event, for at most `timeout` if there is one. Returns `None` after that
    /// time, or if the queue is closed and empty.
    pub(crate) fn recv(&self, timeout: Option<Duration>) -> Option<Event> {
        // A deadline that overflows is never reached.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        loop {
            if let Some(event) = state.pop() {
                return Some(event);
            }
            if state.closed {
                return None;
            }
            state = match deadline {
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Polls for the next event; see [`recv`](Self::recv).
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<Option<Event>> {
        let mut state = self.lock();
        if let Some(event) = state.pop() {
            return Poll::Ready(Some(event));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        // A task may poll and drop many futures; it needs one waker.
        if !state.wakers.iter().any(|known| known.will_wake(waker)) {
            state.wakers.push(waker.clone());
        }
        Poll::Pending
    }

    /// Ends the queue: no event will be appended.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.arrived.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Returns the number of refusals that were over the limit.
    pub(crate) fn dropped_refusals(&self) -> u64 {
        self.lock().dropped_refusals
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reserved place for a callback. It is free again when this is dropped, also by a panic.
pub(crate) struct Place<'a>(&'a Queue);

impl Place<'_> {
    /// Keeps the place for a callback that is pushed next. Receiving the callback frees it.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.lock().free += 1;
    }
}

impl State {
    fn pop(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        match event.callback {
            Ok(_) => self.free += 1,
            Err(_) => self.refusals -= 1,
        }
        Some(event)
    }
}
