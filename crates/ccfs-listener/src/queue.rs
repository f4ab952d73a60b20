//! Events between the server's thread and whoever takes them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::event::Event;

/// Refusals that wait to be taken. They have places of their own, so that strangers cannot take those of callbacks; what is past it is counted only.
const REFUSALS: usize = 1024;

/// A bounded queue of events.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug)]
struct State {
    events: VecDeque<Event>,
    /// Places for callbacks that nobody has yet.
    free: usize,
    refusals: usize,
    untold: u64,
    wakers: Vec<Waker>,
    closed: bool,
}

impl Queue {
    /// A queue for so many callbacks; at least one.
    pub(crate) fn new(places: usize) -> Arc<Self> {
        let (events, wakers) = (VecDeque::new(), Vec::new());
        let state =
            State { events, free: places.max(1), refusals: 0, untold: 0, wakers, closed: false };
        Arc::new(Self { state: Mutex::new(state), arrived: Condvar::new() })
    }

    /// Takes a place for a callback, if one is free. It comes back when the callback is taken out.
    pub(crate) fn reserve(&self) -> bool {
        let mut state = self.lock();
        let free = state.free.checked_sub(1);
        state.free = free.unwrap_or(0);
        free.is_some()
    }

    /// Gives a place back that no callback came to use.
    pub(crate) fn release(&self) {
        self.lock().free += 1;
    }

    /// Puts an event in; a callback has reserved its place before.
    pub(crate) fn push(&self, event: Event) {
        let mut state = self.lock();
        if event.callback.is_err() {
            if state.refusals == REFUSALS {
                state.untold += 1;
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

    /// The next event, waited for at most `patience` (`None`: as long as it takes). Nothing after the time, or when the queue is closed and empty.
    pub(crate) fn recv(&self, patience: Option<Duration>) -> Option<Event> {
        // A deadline that no clock can show is none.
        let deadline = patience.and_then(|patience| Instant::now().checked_add(patience));
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

    /// The same for a future.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<Option<Event>> {
        let mut state = self.lock();
        if let Some(event) = state.pop() {
            return Poll::Ready(Some(event));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        // One waker of a task is enough, however many futures it polls and drops.
        if !state.wakers.iter().any(|known| known.will_wake(waker)) {
            state.wakers.push(waker.clone());
        }
        Poll::Pending
    }

    /// Says that nothing more comes.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.arrived.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Refusals that found no place.
    pub(crate) fn untold(&self) -> u64 {
        self.lock().untold
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
