//! A client and a callback receiver over plain sockets.
#![allow(unreachable_pub)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use ccfs_emulator::{Builder, Emulator};
use ccfs_proto::auth::QueryLine;
use ccfs_proto::{Credentials, RequestView, Signer, Timestamp};
use serde_json::{Value, json};

/// 2023-04-06T02:30:00.123Z: on the tenant's clock, 8 hours ahead, 10:30.
pub const NOW: i64 = 1_680_748_200_123;
pub const QUERY: &str = "queryAgentSkillInfoData";
pub const DOWNLOAD: &str = "downloadAgentSkillInfoFile";

pub fn now() -> Timestamp {
    Timestamp::from_unix_millis(NOW)
}

/// An emulator without TLS, with a fixed clock.
pub fn fixed() -> Builder {
    Emulator::builder().plain().clock(now).rows(50)
}

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body came as its head promised.
    pub whole: bool,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn code(&self) -> String {
        self.json()["resultCode"].as_str().unwrap().to_owned()
    }
}

pub struct Client {
    pub address: SocketAddr,
    pub prefix: String,
    pub credentials: Credentials,
    pub query_line: QueryLine,
    pub at: Timestamp,
}

impl Client {
    pub fn new(emulator: &Emulator) -> Self {
        Self {
            address: emulator.address(),
            prefix: emulator.endpoint().prefix().to_owned(),
            credentials: emulator.credentials(),
            query_line: QueryLine::Omit,
            at: now(),
        }
    }

    pub fn with_keys(mut self, access_key: &str, secret_key: &str) -> Self {
        self.credentials = Credentials::from_text(access_key, secret_key.into()).unwrap();
        self
    }

    /// The whole request as bytes.
    pub fn request(&self, interface: &str, body: &[u8]) -> Vec<u8> {
        self.request_with(interface, &[], body)
    }

    /// The whole request, with these raw parameters in its query.
    pub fn request_with(&self, interface: &str, query: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let path = format!("{}/CCFS/resource/ccfs/{interface}", self.prefix);
        let host = self.address.to_string();
        let length = body.len().to_string();
        let headers = [
            ("host", host.as_str()),
            ("content-type", "application/json; charset=UTF-8"),
            ("content-length", length.as_str()),
        ];
        let view = RequestView { method: "POST", path: &path, query, headers: &headers, body };
        let authorization =
            Signer::new(&self.credentials).query_line(self.query_line).sign(view, self.at).unwrap();
        let mut bytes = format!("POST {path}{} HTTP/1.1\r\n", encoded(query)).into_bytes();
        for (name, value) in headers {
            write!(bytes, "{name}: {value}\r\n").unwrap();
        }
        write!(
            bytes,
            "authorization: {}\r\nconnection: close\r\n\r\n",
            authorization.to_str().unwrap()
        )
        .unwrap();
        bytes.extend_from_slice(body);
        bytes
    }

    /// An unsigned `GET`.
    pub fn get(&self, interface: &str, query: &[(&str, &str)]) -> Answer {
        let target = format!("{}/CCFS/resource/ccfs/{interface}{}", self.prefix, encoded(query));
        let request =
            format!("GET {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        send(self.address, request.as_bytes()).unwrap()
    }

    /// A call of any interface, in its method and signed where it wants it; there must be an answer.
    pub fn any(&self, interface: &str, body: &[u8]) -> Answer {
        if interface == "playVoice" {
            self.get(interface, &[])
        } else {
            self.post(interface, body).unwrap()
        }
    }

    pub fn post(&self, interface: &str, body: &[u8]) -> Option<Answer> {
        send(self.address, &self.request(interface, body))
    }

    /// A call with this `msgBody`; there must be an answer.
    pub fn call(&self, interface: &str, msg_body: &Value) -> Answer {
        let body = json!({"request": {"version": "2.0"}, "msgBody": msg_body}).to_string();
        self.post(interface, body.as_bytes()).unwrap()
    }

    /// A call with parameters in its query, too.
    pub fn call_with(&self, interface: &str, query: &[(&str, &str)], msg_body: &Value) -> Answer {
        let body = json!({"request": {"version": "2.0"}, "msgBody": msg_body}).to_string();
        send(self.address, &self.request_with(interface, query, body.as_bytes())).unwrap()
    }

    /// Starts a job and gives the name of its file.
    pub fn generate(&self, callback: &str) -> String {
        let answer = self.call(QUERY, &window(callback));
        assert_eq!(answer.code(), "0");
        let id = answer.json()["resultData"]["responseId"].as_str().unwrap().to_owned();
        format!("20230406_{id}.zip")
    }

    pub fn download(&self, name: &str) -> Answer {
        self.call(DOWNLOAD, &json!({"agentSkillInfoFileName": name}))
    }
}

/// A query string with its `?`, or nothing.
fn encoded(query: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect()
    };
    let pairs: Vec<String> =
        query.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// A good `msgBody` of a query.
pub fn window(callback: &str) -> Value {
    json!({"beginTime": "2023-04-05 00:00:00", "endTime": "2023-04-06 10:30:00", "accountId": "", "agentId": "", "callBackURL": callback})
}

/// A URL at which no server listens; for tests that do not look at the callback.
pub const NOWHERE: &str = "http://127.0.0.1:9/callback";

/// Sends bytes and reads what comes until the connection ends; `None` without an answer.
pub fn send(address: SocketAddr, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    read_answer(&mut stream)
}

pub fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut reader = BufReader::new(stream);
    let (start, headers) = read_head(&mut reader)?;
    let status = start.split(' ').nth(1).unwrap().parse().unwrap();
    let declared: Option<usize> = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map(|(_, value)| value.parse().unwrap());
    let mut rest = Vec::new();
    // A reset in the middle counts as an end.
    let _ = reader.read_to_end(&mut rest);
    let (body, whole) = match declared {
        Some(length) => {
            let whole = rest.len() == length;
            (rest, whole)
        }
        None => unchunked(&rest),
    };
    Some(Answer { status, headers, body, whole })
}

fn read_head(reader: &mut impl BufRead) -> Option<(String, Vec<(String, String)>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let start = lines.remove(0);
    let headers = lines.iter().map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_lowercase(), value.trim().to_owned())
    });
    Some((start, headers.collect()))
}

fn unchunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|two| two == b"\r\n") else {
            return (body, false);
        };
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return (body, true);
        }
        let data = &rest[end + 2..];
        if data.len() < size + 2 {
            body.extend_from_slice(&data[..data.len().min(size)]);
            return (body, false);
        }
        body.extend_from_slice(&data[..size]);
        rest = &data[size + 2..];
    }
}

/// A receiver of callbacks over plain HTTP.
pub struct Receiver {
    listener: TcpListener,
}

/// A callback as received.
pub struct Call {
    pub start: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    stream: TcpStream,
}

impl Receiver {
    pub fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks/ready?tenant=a%2Fb", self.listener.local_addr().unwrap())
    }

    /// Waits for a connection; a call that never comes fails the test instead of hanging it.
    fn accept(&self) -> TcpStream {
        let start = Instant::now();
        self.listener.set_nonblocking(true).unwrap();
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => return stream,
                Err(error) => {
                    assert!(start.elapsed() < Duration::from_secs(20), "no call came: {error}");
                }
            }
            std::thread::yield_now();
        }
    }

    /// Waits for the next call.
    pub fn next(&self) -> Call {
        let stream = self.accept();
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (start, headers) = read_head(&mut reader).unwrap();
        let length =
            headers.iter().find(|(name, _)| name == "content-length").unwrap().1.parse().unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        Call { start, headers, body, stream }
    }
}

impl Call {
    /// Answers 200 with this body.
    pub fn answer(mut self, body: &str) {
        write!(self.stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            .unwrap();
    }

    pub fn msg_body(&self) -> Value {
        serde_json::from_slice::<Value>(&self.body).unwrap()["msgBody"].take()
    }

    /// Whether the signature is that of these keys.
    pub fn is_signed_by(&self, credentials: &Credentials) -> bool {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let target = self.start.split(' ').nth(1).unwrap();
        assert_eq!(target, "/hooks/ready?tenant=a%2Fb");
        let view = RequestView {
            method: "POST",
            path: "/hooks/ready",
            query: &[("tenant", "a/b")],
            headers: &headers,
            body: &self.body,
        };
        let authorization =
            &self.headers.iter().find(|(name, _)| name == "authorization").unwrap().1;
        ccfs_proto::Verifier::new(credentials).verify(authorization, view, now()).is_ok()
    }
}
