//! A custom transport, over a plain `std::net` socket, and the suite's report about it.
//!
//! It opens a connection for each request, supports the three ways to mark the end of a body, and does nothing beyond the exchange. A TLS stream
//! around the socket would make it fit for real servers.
//!
//! Run it with `cargo run -p ccfs-conformance --example own_transport`. It prints:
//!
//! ```text
//! a job is started and its file comes to disk                             passed
//! …
//! a certificate of an unknown CA is refused                               not played: the transport does not speak TLS
//! …
//! 58 scenarios: 57 passed, 0 failed, 1 not played
//! ```
#![allow(unreachable_pub)] // A test takes parts of it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ccfs_conformance::{Backend, Client, ManualClock, Setup};
use ccfs_driver::{Clock, Error, Overwrite, Session, WholeFile};
use ccfs_proto::answer::FileReceipt;
use ccfs_proto::exchange::Target;
use ccfs_proto::operation::GenerationJob;
use ccfs_proto::{
    DownloadAgentSkillInfoFile, FailureKind, Operation, QueryAgentSkillInfoData, SinkKind, Step,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};

fn main() -> ExitCode {
    let verdicts = ccfs_conformance::run(&OwnTransport);
    println!("{verdicts}");
    if verdicts.all_passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The transport, as the suite takes it.
#[derive(Debug, Default)]
pub struct OwnTransport;

impl Backend for OwnTransport {
    fn client(&self, setup: &Setup) -> Box<dyn Client> {
        Box::new(OwnClient { session: setup.config().into(), clock: setup.clock.clone() })
    }

    fn speaks_tls(&self) -> bool {
        false
    }
}

struct OwnClient {
    session: Session,
    clock: ManualClock,
}

/// What takes a file's bytes.
enum Sink<'a> {
    Nothing,
    File(&'a mut WholeFile),
    Writer(&'a mut (dyn Write + Send)),
}

impl Client for OwnClient {
    fn query(&self, operation: QueryAgentSkillInfoData) -> Result<GenerationJob, Error> {
        self.drive(operation, Sink::Nothing, false)
    }

    fn to_file(
        &self,
        operation: DownloadAgentSkillInfoFile,
        path: &Path,
        overwrite: Overwrite,
    ) -> Result<FileReceipt, Error> {
        let mut file = WholeFile::create(path, overwrite)?;
        let receipt = self.drive(operation, Sink::File(&mut file), false)?;
        file.commit(receipt.bytes)?;
        Ok(receipt)
    }

    fn to_writer(
        &self,
        operation: DownloadAgentSkillInfoFile,
        writer: &mut (dyn Write + Send),
    ) -> Result<FileReceipt, Error> {
        self.drive(operation, Sink::Writer(writer), false)
    }

    fn cancel(&self, operation: DownloadAgentSkillInfoFile, path: &Path) -> bool {
        let stopped = WholeFile::create(path, Overwrite::Refuse)
            .map_err(Error::from)
            .and_then(|mut file| self.drive(operation, Sink::File(&mut file), true));
        matches!(stopped, Err(Error::Stopped))
    }
}

impl OwnClient {
    /// The loop: does what the exchange says. `stop`: gives up as soon as bytes have come.
    fn drive<O: Operation>(
        &self,
        operation: O,
        mut sink: Sink<'_>,
        stop: bool,
    ) -> Result<O::Answer, Error> {
        let kind = if matches!(sink, Sink::Writer(_)) { SinkKind::Once } else { SinkKind::Rewinds };
        let (mut call, mut exchange) = self.session.call(operation, kind)?;
        let mut body: Option<Answer> = None;
        loop {
            if stop && exchange.progress().0 > 0 {
                return Err(Error::Stopped);
            }
            match call.poll(&mut exchange)? {
                Step::Send { request, target, idle_timeout, .. } => {
                    match send(&request, &target, idle_timeout) {
                        Ok(answer) => {
                            exchange.on_head(self.clock.now(), answer.status, &answer.headers)?;
                            body = Some(answer);
                        }
                        Err(failure) => exchange.on_failure(self.clock.now(), failure)?,
                    }
                }
                Step::Receive { idle_timeout } => {
                    match body.as_mut().map_or(Ok(Bytes::new()), |body| body.read(idle_timeout)) {
                        Ok(chunk) if chunk.is_empty() => exchange.on_end(self.clock.now())?,
                        Ok(chunk) => exchange.on_body(self.clock.now(), chunk)?,
                        Err(failure) => exchange.on_failure(self.clock.now(), failure)?,
                    }
                }
                Step::Write(bytes) => match &mut sink {
                    Sink::Nothing => {}
                    Sink::File(file) => file.write_all(&bytes).map_err(Error::Write)?,
                    Sink::Writer(writer) => writer.write_all(&bytes).map_err(Error::Write)?,
                },
                Step::Rewind => match &mut sink {
                    Sink::File(file) => file.truncate().map_err(Error::Write)?,
                    // Only a file is announced as one that rewinds.
                    Sink::Nothing | Sink::Writer(_) => {}
                },
                Step::Wait(duration) => {
                    if !self.clock.wait(duration) {
                        thread::sleep(duration);
                    }
                }
                Step::Done(result) => {
                    let result = result.map_err(Error::from);
                    call.end(&exchange, &result);
                    return result;
                }
            }
        }
    }
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    body: Body,
    stream: Wire,
}

/// How the end of the body is marked, and how much is left.
#[derive(Debug)]
enum Body {
    /// By the end of the connection.
    Open,
    Length(u64),
    /// In chunks: what is left of this one, and whether it is the first.
    Chunk(u64, bool),
    Over,
}

/// Opens a connection, sends the request unchanged, and reads the response's head.
pub fn send(
    request: &Request<Bytes>,
    target: &Target,
    idle_timeout: Duration,
) -> Result<Answer, FailureKind> {
    let mut addresses =
        (&*target.host, target.port).to_socket_addrs().map_err(|_| FailureKind::Resolve)?;
    let address = addresses.next().ok_or(FailureKind::Resolve)?;
    let stream =
        TcpStream::connect_timeout(&address, idle_timeout).map_err(|_| FailureKind::Connect)?;
    let mut stream = Wire { stream: BufReader::new(stream), until: Instant::now() };

    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut bytes =
        format!("{} {target} HTTP/1.1\r\nconnection: close\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(request.body());
    stream.set(idle_timeout).map_err(|_| FailureKind::Broken)?;
    stream.stream.get_mut().write_all(&bytes).map_err(|error| told(&error, FailureKind::Broken))?;

    let (mut status, mut headers) = stream.head()?;
    while status.is_informational() {
        (status, headers) = stream.head()?;
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let body = match (text("transfer-encoding"), text("content-length")) {
        (Some("chunked"), _) => Body::Chunk(0, true),
        (Some(_), _) => return Err(FailureKind::InvalidHttp),
        (None, Some(length)) => Body::Length(length.parse().map_err(|_| FailureKind::InvalidHttp)?),
        (None, None) => Body::Open,
    };
    Ok(Answer { status, headers, body, stream })
}

impl Answer {
    /// The next bytes of the body; none at its end.
    pub fn read(&mut self, idle_timeout: Duration) -> Result<Bytes, FailureKind> {
        let broken = |error: io::Error| told(&error, FailureKind::BodyBroken);
        self.stream.set(idle_timeout).map_err(broken)?;
        if let Body::Chunk(0, first) = self.body {
            self.body = self.stream.chunk(first).map_err(broken)?;
        }
        let left = match self.body {
            Body::Open => u64::MAX,
            Body::Length(left) | Body::Chunk(left, _) => left,
            Body::Over => 0,
        };
        let mut buffer = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(64 * 1024)];
        let len = self.stream.read(&mut buffer).map_err(broken)?;
        buffer.truncate(len);
        match &mut self.body {
            // Only who reads the chunks knows that the last one was not there. Whether a body of a declared length ends early is the exchange's to say.
            Body::Chunk(..) if len == 0 => return Err(FailureKind::BodyBroken),
            Body::Length(left) | Body::Chunk(left, _) => *left -= len as u64,
            Body::Open | Body::Over => {}
        }
        Ok(buffer.into())
    }
}

/// A connection on which every read ends at a point in time.
#[derive(Debug)]
struct Wire {
    stream: BufReader<TcpStream>,
    until: Instant,
}

impl Wire {
    /// From now on so long, for all reads together.
    fn set(&mut self, idle_timeout: Duration) -> io::Result<()> {
        // A time that no clock can show is as good as a day.
        self.until = Instant::now()
            .checked_add(idle_timeout)
            .unwrap_or_else(|| Instant::now() + Duration::from_secs(24 * 3600));
        self.stream.get_ref().set_write_timeout(Some(idle_timeout))
    }

    fn head(&mut self) -> Result<(StatusCode, HeaderMap), FailureKind> {
        let line = self.line().map_err(|error| told(&error, FailureKind::Broken))?;
        let status =
            line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
        let status = status.ok_or(FailureKind::InvalidHttp)?;
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line().map_err(|error| told(&error, FailureKind::Broken))?;
            let Some((name, value)) = line.split_once(':') else { return Ok((status, headers)) };
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| FailureKind::InvalidHttp)?;
            headers.append(
                name,
                HeaderValue::from_str(value.trim()).map_err(|_| FailureKind::InvalidHttp)?,
            );
        }
    }

    /// The size of the next chunk; after the last one, trailers, which are discarded.
    fn chunk(&mut self, first: bool) -> io::Result<Body> {
        if !first && !self.line()?.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let line = self.line()?;
        let size = line.split(';').next().unwrap_or_default().trim();
        match u64::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)? {
            0 => {
                while !self.line()?.is_empty() {}
                Ok(Body::Over)
            }
            size => Ok(Body::Chunk(size, false)),
        }
    }

    /// A line without its end; at most 8 KiB.
    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.by_ref().take(8192).read_until(b'\n', &mut line)?;
        let line = line.strip_suffix(b"\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        String::from_utf8(line.to_vec()).map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Nothing is left to read, and nothing may be waited for.
        if buffer.is_empty() {
            return Ok(0);
        }
        let available = self.fill_buf()?;
        let len = available.len().min(buffer.len());
        buffer[..len].copy_from_slice(&available[..len]);
        self.consume(len);
        Ok(len)
    }
}

impl BufRead for Wire {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.stream.buffer().is_empty() {
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.stream.get_ref().set_read_timeout(Some(left))?;
        }
        self.stream.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        self.stream.consume(len);
    }
}

fn told(error: &io::Error, otherwise: FailureKind) -> FailureKind {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => FailureKind::IdleTimeout,
        _ => otherwise,
    }
}
