//! Blocking work beside the emulator's thread.

use std::io;
use std::thread::Builder;

use tokio::sync::oneshot;

/// Runs `work` on a new thread. `tokio::task::spawn_blocking` panics if the system refuses a thread.
pub(crate) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (done, result) = oneshot::channel();
    let run = move || {
        let _ = done.send(work());
    };
    Builder::new().name("ccfs-emulator-work".into()).spawn(run)?;
    result.await.map_err(|_| io::Error::other("the thread ended without a result"))
}
