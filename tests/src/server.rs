//! A server that plays a script of bytes.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// What the server does with one request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Closes the connection without a word.
    Close,
    /// Says something that is no HTTP.
    Babble,
    /// Sends the head and some bytes, and then nothing until the client gives up.
    Stall {
        /// The bytes of the body before the silence; `None` for silence from the start.
        after: Option<usize>,
        /// The body.
        body: Vec<u8>,
    },
    /// Answers.
    Answer {
        /// The status.
        status: u16,
        /// Headers beside those of the framing.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
        /// How the body's end is told.
        framing: Framing,
        /// Bytes of the body after which the connection breaks.
        cut_after: Option<usize>,
        /// The size of the pieces in which the body goes out.
        piece: usize,
    },
}

/// How a body's end is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By `Content-Length`.
    Length,
    /// In chunks.
    Chunked,
    /// By the end of the connection.
    Close,
}

impl Behaviour {
    /// A good answer.
    #[must_use]
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    /// An answer with a status.
    #[must_use]
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into(), framing: Framing::Length, cut_after: None, piece: usize::MAX }
    }
}

/// A request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The first line.
    pub line: String,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Seen {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// A plain HTTP server on loopback that plays one behaviour a request; when the script is over, it closes.
#[derive(Debug)]
pub struct ScriptedServer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ScriptedServer {
    /// Starts it.
    #[must_use]
    pub fn play(script: impl IntoIterator<Item = Behaviour>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let script: VecDeque<Behaviour> = script.into_iter().collect();
        let thread = thread::spawn({
            let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
            move || serve(&listener, script, &seen, &stop)
        });
        Self { address, seen, stop, thread: Some(thread) }
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came in.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread out of `accept`.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: &TcpListener, mut script: VecDeque<Behaviour>, seen: &Mutex<Vec<Seen>>, stop: &AtomicBool) {
    while let Ok((stream, _)) = listener.accept() {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let Some(request) = read_request(&stream) else { continue };
        seen.lock().unwrap().push(request);
        // A client that gives up in the middle of an answer breaks the pipe; that is its right.
        let _ = behave(stream, script.pop_front().unwrap_or(Behaviour::Close));
    }
}

fn read_request(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&len| len > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
            None => break,
        }
    }
    let len = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; len];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { line: line.trim_end().to_owned(), headers, body })
}

fn behave(mut stream: TcpStream, behaviour: Behaviour) -> std::io::Result<()> {
    match behaviour {
        Behaviour::Close => Ok(()),
        Behaviour::Babble => stream.write_all(b"220 mail.example.com ESMTP ready\r\n"),
        Behaviour::Stall { after, body } => {
            if let Some(after) = after {
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len())?;
                stream.write_all(&body[..after.min(body.len())])?;
            }
            // Ends when the client goes away.
            let _ = stream.read(&mut [0])?;
            Ok(())
        }
        Behaviour::Answer { status, headers, body, framing, cut_after, piece } => {
            let mut head = vec![format!("HTTP/1.1 {status} Status"), "connection: close".to_owned()];
            head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
            match framing {
                Framing::Length => head.push(format!("content-length: {}", body.len())),
                Framing::Chunked => head.push("transfer-encoding: chunked".to_owned()),
                Framing::Close => {}
            }
            stream.write_all(format!("{}\r\n\r\n", head.join("\r\n")).as_bytes())?;
            let sent = &body[..cut_after.unwrap_or(body.len()).min(body.len())];
            for piece in sent.chunks(piece.max(1)) {
                match framing {
                    Framing::Chunked => stream.write_all(&[format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat())?,
                    _ => stream.write_all(piece)?,
                }
            }
            if framing == Framing::Chunked && cut_after.is_none() {
                stream.write_all(b"0\r\n\r\n")?;
            }
            Ok(())
        }
    }
}
