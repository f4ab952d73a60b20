//! What every backend is held to, written once.
//!
//! A [`Backend`] is a client under test. [`scenarios`] is the list of things that a server does and how a client must take them, played by
//! the emulator; [`laws`] are the properties, played by a [`ScriptedServer`] that knows nothing but bytes. Time comes from a [`ManualClock`],
//! so nobody sleeps.
#![forbid(unsafe_code)]
// Everything here runs in tests, where a panic is the verdict.
#![allow(clippy::missing_panics_doc, clippy::unwrap_used)]

mod backend;
mod both;
mod clock;
mod collector;
mod house;
pub mod laws;
mod leaks;
mod proxy;
pub mod scenarios;
mod server;

pub use backend::{Backend, Setup, archive_bytes, file_name, zip_of};
pub use both::{Outcome, ask_both};
pub use clock::ManualClock;
pub use collector::{Collector, Logged};
pub use house::{Async, Blocking};
pub use leaks::{Rendered, SECRET_KEYS, Secrets};
pub use proxy::ProxyProcess;
pub use server::{Behaviour, Framing, ScriptedServer, Seen};

/// Compiles and runs the examples of the documents.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/choosing-a-layer.md")]
    struct ChoosingALayer;
}
