//! A proxy in a separate process.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;

use crate::skipped;
use crate::wait::TEST_TIMEOUT;

/// A small HTTP proxy in Python (`tests/fixtures/proxy.py`) that reports what it received. Dropping it kills the process.
#[derive(Debug)]
pub struct ProxyProcess {
    child: Child,
    port: u16,
    lines: Receiver<String>,
}

impl ProxyProcess {
    /// Starts a proxy, with or without a required `user:password`. Returns `None`, and prints the reason, if Python is missing.
    #[must_use]
    pub fn start(login: Option<&str>) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/proxy.py");
        let spawned = Command::new("python3")
            .arg(script)
            .args(login)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = spawned else {
            skipped("python3 is not on this machine");
            return None;
        };
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        output.read_line(&mut first).unwrap();
        let port = first.trim().parse().unwrap();
        let (line, lines) = channel();
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|text| line.send(text))
        });
        Some(Self { child, port, lines })
    }

    /// Its `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Waits for the next request that it received.
    ///
    /// # Panics
    ///
    /// If no request arrives.
    #[must_use]
    pub fn next(&self) -> Value {
        serde_json::from_str(&self.lines.recv_timeout(TEST_TIMEOUT).unwrap()).unwrap()
    }

    /// Returns whether it received nothing more: it reports before it answers, so the next report is the one of a further request, which it refuses.
    #[must_use]
    pub fn saw_nothing_more(&self) -> bool {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.write_all(b"GET nothing://more/ HTTP/1.0\r\n\r\n").unwrap();
        self.next()["target"] == "nothing://more/"
    }
}

impl Drop for ProxyProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
