//! A running listener.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

use crate::connections::ConnectionLimits;
use crate::event::Event;
use crate::handler::Handler;
use crate::queue::Queue;
use crate::server;

/// Connections that wait to be accepted. The system may have a lower limit.
const ACCEPT_QUEUE: u32 = 1024;

/// Receives callbacks on its own thread. Dropping it stops the thread and closes the port.
///
/// Several threads and tasks may receive from one listener; each event goes to one of them.
pub struct Listener {
    address: SocketAddr,
    queue: Arc<Queue>,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Listener {
    pub(crate) fn start(
        address: SocketAddr,
        handler: Arc<Handler>,
        tls: Option<Arc<ServerConfig>>,
        limits: ConnectionLimits,
    ) -> io::Result<Self> {
        let queue = Arc::clone(&handler.queue);
        let (stop, stopped) = oneshot::channel::<()>();
        let close = CloseOnDrop(Arc::clone(&queue));
        let (ready, started) = mpsc::channel();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let listener = {
                let _guard = runtime.enter();
                bind(address)?
            };
            let _ = ready.send(listener.local_addr()?);
            runtime.block_on(async move {
                tokio::select! {
                    () = server::serve(listener, handler, tls, limits) => {}
                    _ = stopped => {}
                }
            });
            // Dropping the connections queues their events; the queue must still be open.
            drop(runtime);
            drop(close);
            Ok(())
        };
        let thread = thread::Builder::new().name("ccfs-listener".into()).spawn(run);
        let thread = thread.map_err(|error| {
            io::Error::new(error.kind(), format!("cannot start a thread: {error}"))
        })?;
        let Ok(address) = started.recv() else {
            thread.join().unwrap_or(Ok(()))?;
            return Err(io::Error::other("the thread ended before it listened"));
        };
        Ok(Self { address, queue, running: Mutex::new(Some(Running { stop, thread })) })
    }

    /// Returns the address of the listener.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the next event. Returns `None` if the listener was [stopped](Self::stop) and no
    /// event is left.
    pub fn recv(&self) -> Option<Event> {
        self.queue.recv(None)
    }

    /// Returns the next event without waiting, or `None` if the queue is empty.
    pub fn try_recv(&self) -> Option<Event> {
        self.queue.recv(Some(Duration::ZERO))
    }

    /// Waits for the next event for at most `timeout`. Returns `None` after that time, or if the
    /// listener was stopped and no event is left.
    pub fn recv_timeout(&self, timeout: Duration) -> Option<Event> {
        self.queue.recv(Some(timeout))
    }

    /// Waits for the next event asynchronously, in any runtime. Dropping the future loses no event.
    pub async fn next(&self) -> Option<Event> {
        self.queue.next().await
    }

    /// Accepts no more callbacks: from now on, new ones are answered with 503, so that the server
    /// calls again. Use it when callbacks cannot be processed any more, for example because a disk
    /// is full. Events in the queue, and those of requests that are being answered, can still be
    /// received; after [`stop`](Self::stop), all of them are in the queue.
    pub fn stop_accepting(&self) {
        self.queue.stop_accepting();
    }

    /// Closes the port and waits for the thread to end. Events in the queue can still be received.
    pub fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { stop, thread }) = running {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }

    /// Returns the number of events that were dropped because too many refusals (1,024) were in the
    /// queue. Callbacks are never dropped.
    pub fn dropped_refusals(&self) -> u64 {
        self.queue.dropped_refusals()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Binds as the standard library does, but with a longer queue of connections to accept: if it is
/// full, clients wait for a second or more.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // On Windows, this would allow another process to take over the port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(ACCEPT_QUEUE)
}

/// Closes the queue when the thread ends, even by a panic.
struct CloseOnDrop(Arc<Queue>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}
