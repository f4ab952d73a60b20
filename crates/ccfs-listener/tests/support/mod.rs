//! A server that sends callbacks over plain sockets.
#![allow(unreachable_pub)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ccfs_listener::{Event, Listener, ListenerBuilder};
use ccfs_proto::callback::Callback;
use ccfs_proto::{Credentials, Signer, Timestamp};
pub use ccfs_tests::ManualClock;
use ccfs_tests::http::{self, Post};

/// 2023-04-06T08:00:00Z, the default time of [`ManualClock`].
pub const NOW: Timestamp = Timestamp::from_unix_millis(1_680_768_000_000);
pub const ANY_PORT: ([u8; 4], u16) = ([127, 0, 0, 1], 0);
/// Limit of a wait that ends earlier in a successful test.
pub const LONG: Duration = Duration::from_secs(20);

pub fn keys(secret: &str) -> Credentials {
    Credentials::from_text("ak", secret.into()).unwrap()
}

/// Options of a listener at the fixed time.
pub fn builder() -> ListenerBuilder {
    Listener::builder(&keys("sk")).clock(ManualClock::default())
}

/// A callback of a new job.
pub fn fresh() -> Callback {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = format!("{:032x}", NEXT.fetch_add(1, Ordering::Relaxed));
    Callback::new(id.parse().unwrap(), format!("20230406_{id}.zip").parse().unwrap(), None)
}

/// A request as the server sends it.
#[derive(Clone, Debug)]
pub struct Call {
    pub path: &'static str,
    pub body: Vec<u8>,
    pub at: Timestamp,
    pub secret: &'static str,
    pub chunked: bool,
}

impl Call {
    pub fn of(callback: &Callback) -> Self {
        Self {
            path: "/callback",
            body: callback.to_body("fileName").to_vec(),
            at: NOW,
            secret: "sk",
            chunked: false,
        }
    }

    /// The whole request.
    pub fn bytes(&self) -> Vec<u8> {
        let (path, body, chunked) = (self.path, &self.body, self.chunked);
        let post = Post { host: "10.9.8.7:9080", path, body, chunked, ..Post::default() };
        post.signed(&Signer::new(&keys(self.secret)), self.at)
    }
}

/// Sends a request in these pieces, and returns status and body of the answer. Status 0 means that
/// no answer arrived.
pub fn send_in(address: SocketAddr, pieces: &[&[u8]]) -> (u16, String) {
    let answer = http::send_in(address, pieces.iter().copied());
    answer.map_or((0, String::new()), |answer| {
        (answer.status, String::from_utf8(answer.body).unwrap())
    })
}

pub fn send(address: SocketAddr, request: &[u8]) -> (u16, String) {
    send_in(address, &[request])
}

/// The next event.
pub fn event(listener: &Listener) -> Event {
    listener.recv_timeout(LONG).expect("an event")
}
