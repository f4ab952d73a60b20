//! Tests of the listener over its sockets.
#![allow(clippy::unwrap_used)]

mod connections;
mod listener;
mod properties;
mod support;
