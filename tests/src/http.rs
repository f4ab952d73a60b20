//! HTTP over a plain socket, for tests of servers: signed requests as bytes, and answers as received.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use ccfs_proto::{RequestView, Signer, Timestamp};
use serde_json::Value;

use crate::wait::TEST_TIMEOUT;

/// A `POST` to sign.
#[derive(Clone, Copy, Debug, Default)]
pub struct Post<'a> {
    /// The field `Host`.
    pub host: &'a str,
    /// The path.
    pub path: &'a str,
    /// The parameters of the query, not encoded.
    pub query: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
    /// Whether the body is sent in chunks, without a declared length.
    pub chunked: bool,
    /// Whether the client asks the server to close the connection after the answer.
    pub close: bool,
}

impl Post<'_> {
    /// The whole request, signed at this time.
    pub fn signed(&self, signer: &Signer, at: Timestamp) -> Vec<u8> {
        let length = self.body.len().to_string();
        let mut headers =
            vec![("host", self.host), ("content-type", "application/json; charset=UTF-8")];
        if !self.chunked {
            headers.push(("content-length", &length));
        }
        let view = RequestView {
            method: "POST",
            path: self.path,
            query: self.query,
            headers: &headers,
            body: self.body,
        };
        let authorization = signer.sign(view, at).unwrap();
        headers.push(("authorization", authorization.to_str().unwrap()));
        if self.close {
            headers.push(("connection", "close"));
        }
        if self.chunked {
            headers.push(("transfer-encoding", "chunked"));
        }
        let mut bytes =
            format!("POST {}{} HTTP/1.1\r\n", self.path, encoded(self.query)).into_bytes();
        for (name, value) in headers {
            write!(bytes, "{name}: {value}\r\n").unwrap();
        }
        bytes.extend_from_slice(b"\r\n");
        if self.chunked {
            for chunk in self.body.chunks(37) {
                write!(bytes, "{:x}\r\n", chunk.len()).unwrap();
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(self.body);
        }
        bytes
    }
}

/// A query string with its `?`, or nothing.
#[must_use]
pub fn encoded(query: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let pairs: Vec<String> =
        query.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// An answer as received.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without the framing of chunks.
    pub body: Vec<u8>,
    /// Whether the body came as its head promised.
    pub whole: bool,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The result code of the envelope.
    pub fn code(&self) -> String {
        self.json()["resultCode"].as_str().unwrap().to_owned()
    }
}

/// Sends a request, and reads until the connection ends; `None` without an answer.
pub fn send(address: SocketAddr, request: &[u8]) -> Option<Answer> {
    send_in(address, [request])
}

/// Sends a request in these pieces, and reads until the connection ends; `None` without an answer.
pub fn send_in<'a>(
    address: SocketAddr,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_nodelay(true).unwrap();
    // The server may have answered and closed already.
    let _ = pieces.into_iter().try_for_each(|piece| stream.write_all(piece));
    read_answer(&stream)
}

/// Reads until the connection ends; `None` without an answer.
pub fn read_answer(stream: &TcpStream) -> Option<Answer> {
    stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let status = lines.first()?.split(' ').nth(1)?.parse().unwrap();
    let headers = lines[1..].iter().map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_lowercase(), value.trim().to_owned())
    });
    let mut answer = Answer { status, headers: headers.collect(), body: Vec::new(), whole: true };
    // A reset in the middle counts as an end.
    let _ = reader.read_to_end(&mut answer.body);
    if let Some(length) = answer.header("content-length") {
        answer.whole = answer.body.len() == length.parse::<usize>().unwrap();
    } else if answer.header("transfer-encoding").is_some() {
        (answer.body, answer.whole) = unchunked(&answer.body);
    }
    Some(answer)
}

/// Decodes a body in chunks, and returns whether its end was marked.
fn unchunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        let data = &rest[end + 2..];
        if size == 0 || data.len() < size + 2 {
            body.extend_from_slice(&data[..data.len().min(size)]);
            return (body, size == 0);
        }
        body.extend_from_slice(&data[..size]);
        rest = &data[size + 2..];
    }
    (body, false)
}
