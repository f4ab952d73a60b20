//! Tests of the emulator over its sockets.
#![allow(clippy::unwrap_used)]

mod abuse;
mod again;
mod archive;
mod callbacks;
mod data;
mod faults;
mod interfaces;
mod neighbours;
mod properties;
mod support;
mod tls;
