//! A server that sends callbacks over plain sockets, and a manual clock.
#![allow(unreachable_pub)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ccfs_driver::Clock;
use ccfs_listener::{Event, Listener, ListenerBuilder};
use ccfs_proto::callback::Callback;
use ccfs_proto::{Credentials, Now, RequestView, Signer, Timestamp};

/// 2023-04-06T08:00:00Z.
pub const NOW: Timestamp = Timestamp::from_unix_millis(1_680_768_000_000);
pub const ANY_PORT: ([u8; 4], u16) = ([127, 0, 0, 1], 0);
/// Limit of a wait that ends earlier in a successful test.
pub const LONG: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Now {
        Now { wall: NOW, monotonic: Duration::ZERO }
    }
}

/// A clock that begins at [`NOW`] and is advanced by the test.
#[derive(Clone, Debug, Default)]
pub struct MovingClock(Arc<AtomicU64>);

impl MovingClock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for MovingClock {
    fn now(&self) -> Now {
        let passed = self.0.load(Ordering::Relaxed);
        let wall = NOW.plus_millis(i64::try_from(passed).unwrap());
        Now { wall, monotonic: Duration::from_millis(passed) }
    }
}

pub fn keys(secret: &str) -> Credentials {
    Credentials::from_text("ak", secret.into()).unwrap()
}

/// Options of a listener at the fixed time.
pub fn builder() -> ListenerBuilder {
    Listener::builder(&keys("sk")).clock(FixedClock)
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
        let length = self.body.len().to_string();
        let mut headers =
            vec![("host", "10.9.8.7:9080"), ("content-type", "application/json;charset=UTF-8")];
        if !self.chunked {
            headers.push(("content-length", &length));
        }
        let view = RequestView {
            method: "POST",
            path: self.path,
            query: &[],
            headers: &headers,
            body: &self.body,
        };
        let authorization = Signer::new(&keys(self.secret)).sign(view, self.at).unwrap();
        let mut bytes = format!("POST {} HTTP/1.1\r\n", self.path).into_bytes();
        for (name, value) in headers {
            write!(bytes, "{name}: {value}\r\n").unwrap();
        }
        write!(bytes, "authorization: {}\r\n", authorization.to_str().unwrap()).unwrap();
        if self.chunked {
            write!(bytes, "transfer-encoding: chunked\r\n\r\n").unwrap();
            for chunk in self.body.chunks(37) {
                write!(bytes, "{:x}\r\n", chunk.len()).unwrap();
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

/// Sends a request in these pieces, and returns status and body of the answer. Status 0 means that
/// no answer arrived.
pub fn send_in(address: SocketAddr, pieces: &[&[u8]]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    for piece in pieces {
        // The listener may have answered and closed already.
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status, body)
}

pub fn send(address: SocketAddr, request: &[u8]) -> (u16, String) {
    send_in(address, &[request])
}

/// The next event.
pub fn event(listener: &Listener) -> Event {
    listener.recv_timeout(LONG).expect("an event")
}
