//! A third driver: the exchange over a plain `std::net` socket, with nothing between it and the wire.
//!
//! It shows what embedding the core takes: the loop of the crate's page, and as much HTTP/1.1 as one request a connection needs. The
//! server is the emulator without TLS; wrap the `TcpStream` into a TLS stream for a real one.
//!
//! Run it with `cargo run -p ccfs-proto --example std_net`.

use std::error::Error;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use ccfs_emulator::{Emulator, Fault};
use ccfs_proto::{
    DownloadAgentSkillInfoFile, Exchange, Now, Operation, Policy, QueryAgentSkillInfoData, SinkKind, Step, Timestamp, TransportFailure,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};

fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder().plain().rows(500).start()?;
    // The first download breaks off; the exchange has it tried again.
    emulator.faults().add(Fault::CutAfter(1000).at("downloadAgentSkillInfoFile").times(1));
    let (endpoint, credentials, policy) = (emulator.endpoint(), emulator.credentials(), Policy::default());

    // Nobody listens for the callback here; the file is there all the same.
    let query = QueryAgentSkillInfoData::new("2023-04-05 00:00:00".parse()?, "2023-04-06 00:00:00".parse()?, "http://127.0.0.1:9/callback");
    let job = drive(Exchange::new(query, endpoint, &credentials, &policy)?, &mut Vec::new())?;
    println!("job {}", job.response_id);

    let name = emulator.files().pop().ok_or("the emulator has no file")?;
    let mut file = Vec::new();
    let exchange = Exchange::new(DownloadAgentSkillInfoFile::new(name.clone()), endpoint, &credentials, &policy)?;
    let receipt = drive(exchange.sink(SinkKind::Rewinds), &mut file)?;
    println!("{name}: {} bytes after {} requests", receipt.bytes, emulator.received().len() - 1);
    assert!(Some(file) == emulator.file(&name), "what came is what the server has");
    Ok(())
}

/// The loop: does what the exchange says.
fn drive<O: Operation>(mut exchange: Exchange<O>, file: &mut Vec<u8>) -> Result<O::Answer, Box<dyn Error>> {
    let started = Instant::now();
    let now = || Now { wall: Timestamp::from(SystemTime::now()), monotonic: started.elapsed() };
    let mut body = None;
    loop {
        match exchange.poll(now())? {
            Step::Send { request, within, .. } => match send(&request, within) {
                Ok(answer) => {
                    exchange.on_head(now(), answer.status, &answer.headers)?;
                    body = Some(answer);
                }
                Err(failure) => exchange.on_failure(now(), failure)?,
            },
            Step::Receive { within } => match body.as_mut().map_or(Ok(Bytes::new()), |body| body.read(within)) {
                Ok(chunk) if chunk.is_empty() => exchange.on_end(now())?,
                Ok(chunk) => exchange.on_body(now(), chunk)?,
                Err(failure) => exchange.on_failure(now(), failure)?,
            },
            Step::Write(bytes) => file.extend_from_slice(&bytes),
            Step::Rewind => file.clear(),
            Step::Wait(duration) => std::thread::sleep(duration),
            Step::Done(result) => return Ok(result?),
            _ => unreachable!("a step that this driver was not written for"),
        }
    }
}

/// An answer whose body is still to be read.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// What is left of the body; `None` up to the end of the connection.
    left: Option<usize>,
    stream: BufReader<TcpStream>,
}

fn send(request: &Request<Bytes>, within: Duration) -> Result<Answer, TransportFailure> {
    let authority = request.uri().authority().ok_or(TransportFailure::Resolve)?;
    let mut stream = TcpStream::connect((authority.host(), authority.port_u16().unwrap_or(80))).map_err(|_| TransportFailure::Connect)?;
    stream.set_read_timeout(Some(within)).map_err(|_| TransportFailure::Broken)?;
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\nconnection: close\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    head.extend_from_slice(b"\r\n");
    stream.write_all(&[&head[..], request.body()].concat()).map_err(|_| TransportFailure::Broken)?;

    let mut stream = BufReader::new(stream);
    let status = line(&mut stream)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(TransportFailure::Protocol)?;
    let mut headers = HeaderMap::new();
    loop {
        let line = line(&mut stream)?;
        let Some((name, value)) = line.split_once(':') else { break };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| TransportFailure::Protocol)?;
        headers.append(name, HeaderValue::from_str(value.trim()).map_err(|_| TransportFailure::Protocol)?);
    }
    let left = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    // One way of framing is enough for an example; a client library knows the others.
    if headers.contains_key("transfer-encoding") {
        return Err(TransportFailure::Protocol);
    }
    Ok(Answer { status, headers, left, stream })
}

/// A line of the head, without its end; at most 8 KiB.
fn line(stream: &mut BufReader<TcpStream>) -> Result<String, TransportFailure> {
    let mut line = String::new();
    match stream.take(8192).read_line(&mut line) {
        Ok(0) => Err(TransportFailure::Broken),
        Ok(_) => Ok(line.trim_end().to_owned()),
        Err(error) => Err(failure(&error, TransportFailure::Broken)),
    }
}

impl Answer {
    /// The next bytes of the body; none at its end.
    fn read(&mut self, within: Duration) -> Result<Bytes, TransportFailure> {
        self.stream.get_ref().set_read_timeout(Some(within)).map_err(|_| TransportFailure::BodyBroken)?;
        let mut buffer = vec![0; self.left.unwrap_or(usize::MAX).min(64 * 1024)];
        let len = self.stream.read(&mut buffer).map_err(|error| failure(&error, TransportFailure::BodyBroken))?;
        buffer.truncate(len);
        // Whether a body that ends early is truncated is the exchange's to say: it knows the declared length.
        self.left = self.left.map(|left| left - len);
        Ok(buffer.into())
    }
}

fn failure(error: &std::io::Error, otherwise: TransportFailure) -> TransportFailure {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => TransportFailure::Stall,
        _ => otherwise,
    }
}
