//! A small HTTP server that receives the callbacks of CC-FS.
//!
//! CC-FS calls a URL of the developer's when a file is ready, signed with the developer's own keys. A [`Listener`] takes these calls on a thread of its
//! own: it checks each signature, answers first, and hands an [`Event`] out after. Callers that block take events with [`Listener::recv`], others with
//! [`Listener::next`], in whatever runtime they have.
//!
//! It downloads nothing, keeps nothing on disk, and hands out no callback twice: not one that is repeated byte by byte, and not one that the server
//! signed anew because it missed the answer. It is made for a hostile network: every size and every wait has a bound ([`ListenerBuilder`]), and
//! whoever has not the keys gets no further than a status.
//!
//! ```
//! use std::time::Duration;
//! use ccfs_listener::Listener;
//! use ccfs_proto::Credentials;
//!
//! let credentials = Credentials::from_text("my-app-id", String::from("my secret key"))?;
//! let listener = Listener::builder(&credentials).path("/callback").bind(([127, 0, 0, 1], 0).into())?;
//! println!("CC-FS may call http://{}/callback", listener.address());
//! match listener.recv_timeout(Duration::from_millis(10)) {
//!     Some(event) => println!("{} said {:?}", event.peer, event.callback),
//!     None => println!("nobody called yet"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it answers
//!
//! | what came | status | event |
//! |---|---|---|
//! | a callback, signed, in time, new | 200 with [`Callback::RECEIPT`](ccfs_proto::Callback::RECEIPT) | the callback |
//! | the same again, repeated or signed anew | the same, so that the server stops calling | a refusal |
//! | one that is signed, but no place is free ([`ListenerBuilder::queue_limit`]) | 503; the server calls again | none |
//! | unsigned, forged, of another key, too old | 401 | a refusal |
//! | signed, but no callback | 400 | a refusal |
//! | another path, another method | 404, 405 | a refusal |
//! | a body too large, too slow, or broken off | 413, 408, 400 | a refusal |
//! | not HTTP, or a head that is too slow | 400, or none | none |
#![forbid(unsafe_code)]

mod builder;
mod desk;
mod event;
mod listener;
mod queue;
mod server;
mod tls;

pub use builder::ListenerBuilder;
pub use event::{Event, Refusal};
pub use listener::{Listener, Next};
pub use tls::TlsError;
