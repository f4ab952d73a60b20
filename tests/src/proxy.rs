//! A proxy that is a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A small HTTP proxy in Python (`tests/fixtures/proxy.py`) that tells what it saw. It is killed when this is dropped.
#[derive(Debug)]
pub struct ProxyProcess {
    child: Child,
    port: u16,
    lines: Receiver<String>,
}

impl ProxyProcess {
    /// Starts one, with a `user:password` that it wants or without; `None`, with a printed reason, where there is no Python.
    #[must_use]
    pub fn start(login: Option<&str>) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/proxy.py");
        let spawned = Command::new("python3").arg(script).args(login).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = spawned else {
            println!("skipped: python3 is not on this machine");
            return None;
        };
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        output.read_line(&mut first).unwrap();
        let port = first.trim().parse().unwrap();
        let (line, lines) = channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        Some(Self { child, port, lines })
    }

    /// Its `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The next request that it saw, waited for; `None` when there is none for a second.
    #[must_use]
    pub fn next(&self) -> Option<Value> {
        self.lines.recv_timeout(Duration::from_secs(1)).ok().map(|line| serde_json::from_str(&line).unwrap())
    }

    /// Whether it saw nothing more. Does not wait: what it does is told before the client gets its answer.
    #[must_use]
    pub fn saw_nothing_more(&self) -> bool {
        self.lines.try_recv().is_err()
    }
}

impl Drop for ProxyProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
