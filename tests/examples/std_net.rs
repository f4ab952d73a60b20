//! The protocol core over a plain `std::net` socket and rustls.
//!
//! Run it with `cargo run -p ccfs-tests --example std_net`. It prints:
//!
//! ```text
//! server https://…
//! job …
//! …_….zip: … bytes after 2 requests
//! ```
//! The functions below `drive` are a minimal HTTP/1.1 client: one request a connection. For a complete
//! one, see `own_transport.rs` of `ccfs-conformance`.

use std::error::Error;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use ccfs_emulator::{Emulator, Fault};
use ccfs_proto::exchange::{Target, TlsFailure, TransportFailure};
use ccfs_proto::{
    DownloadAgentSkillInfoFile, Exchange, FailureKind, Now, Operation, Policy,
    QueryAgentSkillInfoData, SinkKind, Step, Timestamp,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use rustls::{ClientConfig, ClientConnection, StreamOwned};

fn main() -> Result<(), Box<dyn Error>> {
    // An IPv6 address, where there is one: it has brackets in the URL, but not for the socket.
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    let address = if has_ipv6 { "[::1]:0" } else { "127.0.0.1:0" }.parse()?;
    let emulator = Emulator::builder().bind(address).rows(500).start()?;
    println!("server {}", emulator.endpoint());
    // The first download breaks off; the exchange retries it.
    emulator.faults().add(Fault::CutAfter(1000).at("downloadAgentSkillInfoFile").times(1));
    let (endpoint, credentials, policy) =
        (emulator.endpoint(), emulator.credentials(), Policy::default());
    // Any configuration of rustls will do; this one trusts the emulator's CA alone.
    let tls = ccfs_tls::Trust::none()
        .add_pem(emulator.ca_pem().unwrap_or_default().as_bytes())?
        .client_config()?;

    // Nothing receives the callback here; the file is generated all the same.
    let (begin, end) = ("2023-04-05 00:00:00".parse()?, "2023-04-06 00:00:00".parse()?);
    let query = QueryAgentSkillInfoData::new(begin, end, "http://127.0.0.1:9/callback");
    let job = drive(Exchange::new(query, endpoint, &credentials, &policy)?, &tls, &mut Vec::new())?;
    println!("job {}", job.response_id);

    let name = emulator.files().pop().ok_or("the emulator has no file")?;
    let mut file = Vec::new();
    let exchange = Exchange::new(
        DownloadAgentSkillInfoFile::new(name.clone()),
        endpoint,
        &credentials,
        &policy,
    )?;
    let receipt = drive(exchange.sink(SinkKind::Rewinds), &tls, &mut file)?;
    println!("{name}: {} bytes after {} requests", receipt.bytes, emulator.received().len() - 1);
    Ok(())
}

/// The driver: does what the exchange says.
fn drive<O: Operation>(
    mut exchange: Exchange<O>,
    tls: &ClientConfig,
    file: &mut Vec<u8>,
) -> Result<O::Answer, Box<dyn Error>> {
    let started = Instant::now();
    let now = || Now { wall: Timestamp::from(SystemTime::now()), monotonic: started.elapsed() };
    let mut body = None;
    loop {
        match exchange.poll(now())? {
            Step::Send { request, target, idle_timeout, .. } => {
                match send(&request, &target, tls, idle_timeout) {
                    Ok((status, headers, rest)) => {
                        exchange.on_head(now(), status, &headers)?;
                        body = Some(rest);
                    }
                    Err(failure) => exchange.on_failure(now(), failure)?,
                }
            }
            Step::Receive { idle_timeout } => {
                match body.as_mut().map_or(Ok(Bytes::new()), |body| read(body, idle_timeout)) {
                    Ok(chunk) if chunk.is_empty() => exchange.on_end(now())?,
                    Ok(chunk) => exchange.on_body(now(), chunk)?,
                    Err(failure) => exchange.on_failure(now(), failure)?,
                }
            }
            Step::Write(bytes) => file.extend_from_slice(&bytes),
            Step::Rewind => file.clear(),
            Step::Wait(duration) => std::thread::sleep(duration),
            Step::Done(result) => return Ok(result?),
        }
    }
}

/// A body that ends where its declared length or the connection does.
type Body = std::io::Take<BufReader<StreamOwned<ClientConnection, TcpStream>>>;

fn send(
    request: &Request<Bytes>,
    target: &Target,
    tls: &ClientConfig,
    idle_timeout: Duration,
) -> Result<(StatusCode, HeaderMap, Body), TransportFailure> {
    let address = (&*target.host, target.port)
        .to_socket_addrs()
        .ok()
        .and_then(|mut found| found.next())
        .ok_or(FailureKind::Resolve)?;
    let mut socket = TcpStream::connect_timeout(&address, idle_timeout)
        .map_err(|error| TransportFailure::caused_by(FailureKind::Connect, error))?;
    socket.set_read_timeout(Some(idle_timeout)).map_err(|_| FailureKind::Connect)?;
    let name =
        target.host.to_string().try_into().map_err(|_| FailureKind::Tls(TlsFailure::Other))?;
    let mut session = ClientConnection::new(tls.clone().into(), name)
        .map_err(|error| FailureKind::Tls(ccfs_tls::classify_error(&error)))?;
    session.complete_io(&mut socket).map_err(|error| {
        FailureKind::Tls(ccfs_tls::classify_io_error(&error).unwrap_or_default())
    })?;

    // Just what the exchange made: what is signed is what is sent.
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut head =
        format!("{} {target} HTTP/1.1\r\nconnection: close\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let mut stream = BufReader::new(StreamOwned::new(session, socket));
    stream
        .get_mut()
        .write_all(&[&head[..], b"\r\n", request.body()].concat())
        .map_err(|_| FailureKind::Broken)?;

    let (status, headers) = loop {
        let (status, headers) = response_head(&mut stream)?;
        // An interim response precedes the final one.
        if !status.is_informational() {
            break (status, headers);
        }
    };
    let length =
        headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    // One way of framing is enough for an example; a client library knows the others.
    let chunked = headers.contains_key("transfer-encoding");
    if chunked {
        Err(FailureKind::InvalidHttp.into())
    } else {
        Ok((status, headers, stream.take(length.unwrap_or(u64::MAX))))
    }
}

fn response_head(stream: &mut impl BufRead) -> Result<(StatusCode, HeaderMap), TransportFailure> {
    let status = line(stream)?
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .ok_or(FailureKind::InvalidHttp)?;
    let mut headers = HeaderMap::new();
    while let Some((name, value)) = line(stream)?.split_once(':') {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| FailureKind::InvalidHttp)?;
        headers.append(
            name,
            HeaderValue::from_str(value.trim()).map_err(|_| FailureKind::InvalidHttp)?,
        );
    }
    Ok((status, headers))
}

/// A line of the head, without its end; at most 8 KiB.
fn line(stream: &mut impl BufRead) -> Result<String, TransportFailure> {
    let mut line = String::new();
    let len = stream
        .take(8192)
        .read_line(&mut line)
        .map_err(|error| failure(error, FailureKind::Broken))?;
    if len == 0 { Err(FailureKind::Broken.into()) } else { Ok(line.trim_end().to_owned()) }
}

/// The next bytes of the body; none at its end. The exchange compares the length with the declared
/// one.
fn read(body: &mut Body, idle_timeout: Duration) -> Result<Bytes, TransportFailure> {
    body.get_ref()
        .get_ref()
        .sock
        .set_read_timeout(Some(idle_timeout))
        .map_err(|_| FailureKind::BodyBroken)?;
    let mut buffer = vec![0; 64 * 1024];
    let len = body.read(&mut buffer).map_err(|error| failure(error, FailureKind::BodyBroken))?;
    buffer.truncate(len);
    Ok(buffer.into())
}

fn failure(error: std::io::Error, otherwise: FailureKind) -> TransportFailure {
    let late = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
    let kind = if late { FailureKind::IdleTimeout } else { otherwise };
    TransportFailure::caused_by(kind, error)
}
