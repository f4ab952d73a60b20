//! The queue of events between the server's thread and the receiving threads and tasks.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::event::Event;

/// Limit of refusals in the queue. It is separate from that of callbacks, so that requests without
/// a valid signature cannot keep callbacks out. Further refusals are only counted.
const REFUSAL_LIMIT: usize = 1024;

/// A bounded queue of events.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// For callbacks.
    places: Semaphore,
    /// Wakes a blocking caller.
    arrived: Condvar,
    /// Wakes async callers, in any runtime.
    notify: Notify,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    refusals: usize,
    dropped_refusals: u64,
    closed: bool,
}

impl Queue {
    /// Creates a queue for `places` callbacks, at least 1.
    pub(crate) fn new(places: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            places: Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS)),
            arrived: Condvar::new(),
            notify: Notify::new(),
        })
    }

    /// Reserves a place for a callback, if one is free. Forget the permit to keep the place for a
    /// callback that is pushed next; receiving the callback frees it. Dropping it, also by a panic,
    /// frees it immediately.
    pub(crate) fn reserve(&self) -> Option<SemaphorePermit<'_>> {
        self.places.try_acquire().ok()
    }

    /// Reserves no more places.
    pub(crate) fn stop_accepting(&self) {
        self.places.close();
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
        drop(state);
        self.arrived.notify_one();
        self.notify.notify_waiters();
    }

    /// Waits for the next event, for at most `timeout` if there is one. Returns `None` after that
    /// time, or if the queue is closed and empty.
    pub(crate) fn recv(&self, timeout: Option<Duration>) -> Option<Event> {
        let is_empty = |state: &mut State| state.events.is_empty() && !state.closed;
        let (arrived, state) = (&self.arrived, self.lock());
        let mut state = match timeout {
            None => arrived.wait_while(state, is_empty).unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => {
                let waited = arrived.wait_timeout_while(state, timeout, is_empty);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        self.pop(&mut state)
    }

    /// Waits for the next event; see [`recv`](Self::recv).
    pub(crate) async fn next(&self) -> Option<Event> {
        loop {
            // Created before the look at the queue, so that no event in between is missed.
            let arrived = self.notify.notified();
            {
                let mut state = self.lock();
                if !state.events.is_empty() || state.closed {
                    return self.pop(&mut state);
                }
            }
            arrived.await;
        }
    }

    /// Ends the queue: no event will be appended.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
        self.notify.notify_waiters();
    }

    /// Returns the number of refusals that were over the limit.
    pub(crate) fn dropped_refusals(&self) -> u64 {
        self.lock().dropped_refusals
    }

    fn pop(&self, state: &mut State) -> Option<Event> {
        let event = state.events.pop_front()?;
        match event.callback {
            Ok(_) => self.places.add_permits(1),
            Err(_) => state.refusals -= 1,
        }
        Some(event)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
