//! Tests that involve several crates. `leaks` and `spans` have programs of their own, since each records what its process logs.
#![allow(clippy::unwrap_used)]

mod conformance;
mod edges;
mod errors;
mod facts;
mod operations;
mod own_clients;
mod proxies;
mod tls;
mod traces;
