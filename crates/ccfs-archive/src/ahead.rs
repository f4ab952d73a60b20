//! A source that runs ahead on a second thread, so that inflating and parsing overlap.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, Scope};

use crate::error::Error;
use crate::source::{Event, Source};

/// With fewer bytes, starting the thread takes longer than it saves.
pub(crate) const AHEAD_FROM: u64 = 8 << 20;

/// Chunks in the queue. Two keep both threads busy; more only use memory.
const WAITING: usize = 2;

/// An event and the buffer that its bytes are in.
type Message = Result<(Event, Vec<u8>), Error>;

/// Another source, which runs ahead of the caller by a few chunks.
pub(crate) struct Ahead {
    messages: Receiver<Message>,
    /// Returns buffers to the thread.
    used: Sender<Vec<u8>>,
}

impl Ahead {
    /// Starts the thread. It ends with the source, with an error, or when this is dropped.
    pub(crate) fn new(source: impl Source + 'static) -> Self {
        let (ahead, work) = Self::with_work(source);
        // If the thread cannot be started, the first receive fails.
        let _ = builder().spawn(work);
        ahead
    }

    /// Starts the thread in a scope, so that the source can borrow.
    pub(crate) fn scoped<'a>(source: impl Source + 'a, scope: &'a Scope<'a, '_>) -> Self {
        let (ahead, work) = Self::with_work(source);
        let _ = builder().spawn_scoped(scope, work);
        ahead
    }

    fn with_work<S: Source>(source: S) -> (Self, impl FnOnce() + Send) {
        let (sender, messages) = sync_channel(WAITING);
        let (used, buffers) = channel();
        let work = move || run(source, &sender, &buffers);
        (Self { messages, used }, work)
    }
}

fn builder() -> thread::Builder {
    thread::Builder::new().name("ccfs-inflate".to_owned())
}

fn run(mut source: impl Source, messages: &SyncSender<Message>, buffers: &Receiver<Vec<u8>>) {
    loop {
        let mut buffer = buffers.try_recv().unwrap_or_default();
        let message = source.next(&mut buffer).map(|event| (event, buffer));
        let ends = matches!(message, Err(_) | Ok((Event::End, _)));
        // Sending fails when the caller has dropped the records.
        if messages.send(message).is_err() || ends {
            return;
        }
    }
}

impl Source for Ahead {
    fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Event, Error> {
        // The thread ends after its last message, and callers do not read past it.
        let message = self.messages.recv().map_err(|_| {
            std::io::Error::other("the inflating thread could not be started, or it panicked")
        })?;
        let (event, filled) = message?;
        // The thread may have ended.
        let _ = self.used.send(std::mem::replace(buffer, filled));
        Ok(event)
    }
}
