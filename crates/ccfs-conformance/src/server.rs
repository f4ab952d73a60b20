//! A server that plays a script of bytes.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ccfs_proto::auth::{Verified, VerifyError, decode_query};
use ccfs_proto::{RequestView, Timestamp, Verifier};

/// How long the server waits for a client that neither closes the connection nor sends anything, so that a client without timeouts ends, too. A good client on
/// a slow machine must end well before that.
pub(crate) const SERVER_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a request's body that are read.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// What the server does with one request: it sends bytes, head included, and then closes or keeps the connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Behaviour {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The size of the pieces in which they are sent.
    pub piece: usize,
    /// The pause before each piece.
    pub pause: Duration,
    /// What follows.
    pub then: Then,
}

/// What the server does after the bytes of a [`Behaviour`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Then {
    /// Closes the connection.
    Close,
    /// Keeps the connection for another request.
    Keep,
    /// Sends nothing until the client gives up; after half a minute it closes.
    Stall,
}

/// How the end of a body is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// By `Content-Length`.
    Length,
    /// In chunks.
    Chunked,
    /// By the end of the connection.
    Close,
}

impl Behaviour {
    /// Sends these bytes, then closes the connection.
    #[must_use]
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        let (piece, pause) = (usize::MAX, Duration::ZERO);
        Self { bytes: bytes.into(), piece, pause, then: Then::Close }
    }

    /// Closes the connection without an answer.
    #[must_use]
    pub fn close() -> Self {
        Self::bytes([])
    }

    /// 200 with this body, whose length is declared.
    #[must_use]
    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::status(200, body)
    }

    /// This status with this body, whose length is declared.
    #[must_use]
    pub fn status(status: u16, body: impl AsRef<[u8]>) -> Self {
        Self::answer(status, &[], body.as_ref(), Framing::Length, None, usize::MAX)
    }

    /// This status with these header lines in addition to those of the framing, and this body in pieces of this size.
    /// With `cut_after`, the connection breaks after that many bytes of the body.
    #[must_use]
    pub fn answer(
        status: u16,
        headers: &[&str],
        body: &[u8],
        framing: Framing,
        cut_after: Option<usize>,
        piece: usize,
    ) -> Self {
        let status = format!("HTTP/1.1 {status} Status");
        let length = format!("content-length: {}", body.len());
        let mut head = vec![status.as_str(), "connection: close"];
        head.extend(headers);
        match framing {
            Framing::Length => head.push(&length),
            Framing::Chunked => head.push("transfer-encoding: chunked"),
            Framing::Close => {}
        }
        let mut behaviour = Self { piece, ..Self::raw(&head, b"", false) };
        let sent = &body[..cut_after.unwrap_or(body.len()).min(body.len())];
        if framing == Framing::Chunked {
            for piece in sent.chunks(piece.max(1)) {
                behaviour.bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                behaviour.bytes.extend_from_slice(piece);
                behaviour.bytes.extend_from_slice(b"\r\n");
            }
            if cut_after.is_none() {
                behaviour.bytes.extend_from_slice(b"0\r\n\r\n");
            }
        } else {
            behaviour.bytes.extend_from_slice(sent);
        }
        behaviour
    }

    /// An answer whose head is only these lines, without a `Connection` field.
    #[must_use]
    pub fn raw(head: &[&str], body: &[u8], keep: bool) -> Self {
        let bytes = [format!("{}\r\n\r\n", head.join("\r\n")).as_bytes(), body].concat();
        Self { then: if keep { Then::Keep } else { Then::Close }, ..Self::bytes(bytes) }
    }

    /// Sends the head and some bytes of the body, and then nothing; with `None`, nothing from the start.
    #[must_use]
    pub fn stall(after: Option<usize>, body: &[u8]) -> Self {
        let length = format!("content-length: {}", body.len());
        let begin = |after| Self::raw(&["HTTP/1.1 200 OK", &length], &body[..after], false);
        Self { then: Then::Stall, ..after.map_or_else(Self::close, begin) }
    }
}

/// A request as received. `Debug` shows only the header names and the length of the body, because the suite's verdicts end up in logs.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// The number of its connection, from 0.
    pub connection: usize,
    /// The first line.
    pub line: String,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.line.split('?').next().unwrap_or_default();
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        let mut shown = f.debug_struct("Seen");
        shown
            .field("connection", &self.connection)
            .field("line", &path)
            .field("headers", &names)
            .field("body_len", &self.body.len());
        shown.finish()
    }
}

impl Seen {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Verifies its signature over the received line, headers and body.
    pub fn verify(&self, verifier: &Verifier, now: Timestamp) -> Result<Verified, VerifyError> {
        let mut parts = self.line.split(' ');
        let (method, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = decode_query(query);
        let query: Vec<(&str, &str)> =
            query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let view = RequestView { method, path, query: &query, headers: &headers, body: &self.body };
        verifier.verify(self.header("authorization").unwrap_or_default(), view, now)
    }
}

/// A plain HTTP server on loopback that plays one behaviour per request; after the end of the script, it closes connections.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    stage: Arc<Stage>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Stage {
    server_timeout: Duration,
    script: Mutex<VecDeque<Behaviour>>,
    seen: Mutex<Vec<Seen>>,
    stop: AtomicBool,
}

impl ScriptedServer {
    /// Starts the server, for tests that need it.
    ///
    /// # Panics
    ///
    /// If loopback has no free port.
    #[must_use]
    pub fn play(script: impl IntoIterator<Item = Behaviour>) -> Self {
        Self::bearing(SERVER_TIMEOUT, script)
            .unwrap_or_else(|error| panic!("the scripted server cannot start: {error}"))
    }

    /// Starts the server with a custom timeout; fails if loopback has no free port.
    pub(crate) fn bearing(
        server_timeout: Duration,
        script: impl IntoIterator<Item = Behaviour>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let stage = Arc::new(Stage {
            server_timeout,
            script: Mutex::new(script.into_iter().collect()),
            seen: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let thread = thread::spawn({
            let stage = Arc::clone(&stage);
            move || serve(&listener, &stage)
        });
        Ok(Self { address, stage, thread: Some(thread) })
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests received so far. A request is added after it was read completely and before it is answered, so the list may still grow after a timeout.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.stage.seen).clone()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.stage.stop.store(true, Ordering::SeqCst);
        // Wakes the thread out of `accept`. Threads of connections end when the client closes them.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(listener: &TcpListener, stage: &Arc<Stage>) {
    for connection in 0.. {
        let Ok((stream, _)) = listener.accept() else { return };
        if stage.stop.load(Ordering::SeqCst) {
            return;
        }
        let stage = Arc::clone(stage);
        thread::spawn(move || drop(serve_connection(stream, connection, &stage)));
    }
}

fn serve_connection(mut stream: TcpStream, connection: usize, stage: &Stage) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut keep = true;
    while keep && let Some(request) = read_request(&stream, connection) {
        let last =
            request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        lock(&stage.seen).push(request);
        let behaviour = lock(&stage.script).pop_front().unwrap_or_else(Behaviour::close);
        // A client that gives up in the middle of an answer breaks the pipe, which is allowed.
        keep = behave(&mut stream, &behaviour, stage.server_timeout).unwrap_or(false) && !last;
    }
    Ok(())
}

fn read_request(stream: &TcpStream, connection: usize) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&len| len > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim_end().split_once(':') {
            Some((name, value)) => {
                headers.push((name.to_ascii_lowercase(), value.trim_start().to_owned()));
            }
            None => break,
        }
    }
    let len = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; len.min(BODY_LIMIT)];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { connection, line: line.trim_end().to_owned(), headers, body })
}

/// Plays one behaviour, and returns whether the connection is kept.
fn behave(
    stream: &mut TcpStream,
    behaviour: &Behaviour,
    server_timeout: Duration,
) -> io::Result<bool> {
    let begin = Instant::now();
    for piece in behaviour.bytes.chunks(behaviour.piece.max(1)) {
        if begin.elapsed() > server_timeout {
            return Ok(false);
        }
        thread::sleep(behaviour.pause);
        stream.write_all(piece)?;
    }
    if behaviour.then == Then::Stall {
        // Reading ends when the client goes away. The client does not cause EINTR.
        stream.set_read_timeout(Some(server_timeout))?;
        while matches!(stream.read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::Interrupted)
        {
        }
    }
    Ok(behaviour.then == Then::Keep)
}
