//! The HTTP side of the listener and of the emulator, over a real connection on loopback.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::LazyLock;
use std::time::Duration;

use ccfs_driver::Clock;
use ccfs_emulator::Emulator;
use ccfs_listener::Listener;
use ccfs_proto::callback::Callback;
use ccfs_proto::{Credentials, Now, RequestView, Signer, Timestamp};

use crate::tape::{Cuts, Tape};

const NOW: Timestamp = Timestamp::from_unix_millis(1_680_000_000_000);
/// A server that takes longer for an answer to a request that is over is a finding.
const PATIENCE: Duration = Duration::from_secs(8);

static LISTENER: LazyLock<Listener> = LazyLock::new(|| {
    let builder = Listener::builder(&credentials()).clock(Fixed);
    builder.bind(([127, 0, 0, 1], 0).into()).expect("a listener")
});

static EMULATOR: LazyLock<Emulator> = LazyLock::new(|| {
    let builder = Emulator::builder().plain().seed(1).lockout(None).clock(|| NOW);
    builder.start().expect("an emulator")
});

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Now {
        Now { wall: NOW, monotonic: Duration::ZERO }
    }
}

fn credentials() -> Credentials {
    Credentials::from_text("ak", "a secret".to_owned()).expect("good keys")
}

/// The bytes are one for the server and the mode, four for the cuts, then what a stranger sends or the body of a signed
/// request.
///
/// A server answers or closes the connection, goes on, and takes nothing that is not signed. The listener answers a signed
/// body as the receiver does.
pub fn servers(input: &[u8]) {
    let mut tape = Tape::new(input);
    let choice = tape.byte();
    let cuts = Cuts::of(&mut tape).times(16);
    let bytes = tape.rest();
    let (address, path) = match choice & 1 {
        0 => (LISTENER.address(), "/callback"),
        _ => (EMULATOR.address(), "/CCFS/resource/ccfs/downloadAgentSkillInfoFile"),
    };
    if choice & 2 == 0 {
        let answer = exchange(address, bytes, cuts, true);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{}", answer.escape_ascii());
        let accepted = answer.windows(13).any(|line| line == b"HTTP/1.1 200 ");
        assert!(!accepted, "{}", answer.escape_ascii());
    } else {
        let keys = if choice & 1 == 0 { credentials() } else { EMULATOR.credentials() };
        let host = address.to_string();
        let headers = [("host", host.as_str())];
        let view = RequestView { method: "POST", path, query: &[], headers: &headers, body: bytes };
        let authorization = Signer::new(&keys).sign(view, NOW).expect("a good request");
        let authorization = authorization.to_str().expect("visible ASCII");
        let length = bytes.len();
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(bytes);
        let answer = exchange(address, &request, cuts, false);
        let status = answer.strip_prefix(b"HTTP/1.1 ").and_then(|rest| rest.get(..3));
        let status = status.and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or("none");
        if choice & 1 == 0 {
            let expected = if Callback::parse(bytes).is_ok() { "200" } else { "400" };
            assert_eq!(status, expected, "{}", answer.escape_ascii());
        } else {
            assert!(matches!(status, "200" | "400"), "{}", answer.escape_ascii());
        }
    }
    // Nothing is kept for the next input, except what the guard remembers.
    while LISTENER.try_recv().is_some() {}
}

/// Sends the bytes in pieces and returns all that comes back. A server may close the connection before it has read all, or,
/// if the other side has closed its half, before it has answered.
fn exchange(address: SocketAddr, bytes: &[u8], cuts: Cuts, close: bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("the server goes on");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_nodelay(true).expect("an option");
    let sent = cuts.pieces(bytes).try_for_each(|piece| stream.write_all(piece));
    if sent.is_err() || close {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            ) =>
        {
            panic!("no answer to {}", bytes.escape_ascii())
        }
        _ => answer,
    }
}
