//! A small HTTP server that receives the callbacks of CC-FS.
//!
//! CC-FS calls a URL of the developer when a file is ready, and signs the request with the
//! developer's own keys. A [`Listener`] runs on its own thread. It verifies each request, answers
//! it, and then queues an [`Event`]. Blocking callers get events with [`Listener::recv`], async
//! callers with [`Listener::next`], in any runtime.
//!
//! A listener downloads nothing and stores nothing on disk. It hands out each callback once, even
//! if the server signs it again because it did not get the answer. It is made for a hostile
//! network: every size and every time has a limit ([`ListenerBuilder`]).
//!
//! To receive callbacks with another server, such as axum, use [`ccfs_proto::callback`].
//!
//! ```
//! use std::time::Duration;
//! use ccfs_listener::Listener;
//! use ccfs_proto::Credentials;
//!
//! let credentials = Credentials::from_text("my-app-id", String::from("my secret key"))?;
//! let builder = Listener::builder(&credentials).path("/callback");
//! let listener = builder.bind(([127, 0, 0, 1], 0).into())?;
//! println!("listening on http://{}/callback", listener.address());
//! match listener.recv_timeout(Duration::from_millis(10)) {
//!     Some(event) => println!("{}: {:?}", event.peer, event.callback),
//!     None => println!("no callback yet"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Answers
//!
//! | request | status | event |
//! |---|---|---|
//! | a valid callback | 200 with [`Callback::RECEIPT`](ccfs_proto::callback::Callback::RECEIPT) | the callback |
//! | the same callback again, replayed or signed again | 200, so that the server stops calling | a refusal |
//! | a valid callback, but the queue is full ([`ListenerBuilder::queue_limit`]), or after [`Listener::stop_accepting`] | 503; the server calls again | no event |
//! | a valid callback, but the replay guard failed | 503; the server calls again | a refusal |
//! | signature missing, invalid, too old, or of another key | 401 | a refusal |
//! | a valid signature, but not a callback | 400 | a refusal |
//! | another path, another method | 404, 405 | a refusal |
//! | a body that is too large, too slow, or incomplete | 413, 408, 400 | a refusal |
//! | not HTTP, or a head that is too slow | 400, or no answer | no event |
//! | not complete when the listener closes its connection for a newer one ([`ListenerBuilder::connection_limit`]) | no answer | no event |
//!
//! Connections without an event, such as those whose TLS handshake failed, are reported to the
//! function of [`ListenerBuilder::on_connection_error`].
#![forbid(unsafe_code)]

mod builder;
mod connection;
mod connections;
mod event;
mod handler;
mod listener;
mod queue;
mod rate_limit;
mod server;
mod tls;

pub use builder::ListenerBuilder;
pub use connection::{ConnectionError, ConnectionFault};
pub use event::{Event, Refusal};
pub use listener::Listener;
pub use tls::TlsError;
