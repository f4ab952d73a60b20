//! A listener that is listening.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ccfs_proto::Credentials;
use rustls::ServerConfig;
use tokio::sync::oneshot;

use crate::builder::ListenerBuilder;
use crate::desk::Desk;
use crate::event::Event;
use crate::queue::Queue;
use crate::server;

/// A receiver of callbacks, on a thread of its own. Dropping it stops the thread and closes the port.
///
/// Several threads and tasks may take from one listener; each event goes to one of them.
pub struct Listener {
    address: SocketAddr,
    queue: Arc<Queue>,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Listener {
    /// Options of a listener that accepts callbacks signed with these keys.
    pub fn builder(credentials: &Credentials) -> ListenerBuilder {
        ListenerBuilder::new(credentials)
    }

    pub(crate) fn start(
        address: SocketAddr,
        desk: Arc<Desk>,
        tls: Option<Arc<ServerConfig>>,
        connections: usize,
    ) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let queue = Arc::clone(&desk.queue);
        let (stop, stopped) = oneshot::channel::<()>();
        let open = Open(Arc::clone(&queue));
        let thread = thread::Builder::new().name("ccfs-listener".into()).spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    () = server::serve(listener, desk, tls, connections) => {}
                    _ = stopped => {}
                }
            });
            // Connections go first, and with them what they have to tell; then the queue closes.
            drop(runtime);
            drop(open);
        })?;
        Ok(Self { address, queue, running: Mutex::new(Some(Running { stop, thread })) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next event. Blocks until one is there; `None` when the listener was [stopped](Self::stop) and all events are taken.
    pub fn recv(&self) -> Option<Event> {
        self.queue.recv(None)
    }

    /// The next event, if one is there now.
    pub fn try_recv(&self) -> Option<Event> {
        self.queue.recv(Some(Duration::ZERO))
    }

    /// The next event, waited for at most so long; `None` also when the listener was stopped and all events are taken.
    pub fn recv_timeout(&self, patience: Duration) -> Option<Event> {
        self.queue.recv(Some(patience))
    }

    /// The next event, for async callers of any runtime. Dropping the future loses nothing.
    pub fn next(&self) -> Next<'_> {
        Next { queue: &self.queue }
    }

    /// Closes the port and waits for the thread. Events that are there can still be taken; who waits for more gets `None`.
    pub fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { stop, thread }) = running {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }

    /// How many refusals were not handed out, because too many of them waited. Callbacks are never among them.
    pub fn untold_refusals(&self) -> u64 {
        self.queue.untold()
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

/// Closes the queue when the thread ends, however it ends.
struct Open(Arc<Queue>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Waits for the next event; made by [`Listener::next`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Next<'a> {
    queue: &'a Queue,
}

impl Future for Next<'_> {
    type Output = Option<Event>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.queue.poll(context.waker())
    }
}
