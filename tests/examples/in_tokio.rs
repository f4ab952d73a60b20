//! The protocol core in tokio, over a connection of hyper's.
//!
//! Run it with `cargo run -p ccfs-tests --example in_tokio`. It prints:
//!
//! ```text
//! server https://…
//! job …
//! …_….zip: … bytes after 2 requests
//! ```
//!
//! A program that has a pool of connections puts it where `send` is. hyper follows no redirect, unpacks no body and adds no header that
//! could change what was signed, which is all that the exchange asks of a client.

use std::error::Error;
use std::future::Future;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use ccfs_emulator::{Emulator, Fault};
use ccfs_proto::exchange::{Target, TlsFailure, TransportFailure};
use ccfs_proto::{
    DownloadAgentSkillInfoFile, Exchange, FailureKind, Now, Operation, Policy,
    QueryAgentSkillInfoData, SinkKind, Step, Timestamp,
};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
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
    let trust =
        ccfs_tls::Trust::none().add_pem(emulator.ca_pem().unwrap_or_default().as_bytes())?;
    let tls = TlsConnector::from(std::sync::Arc::new(trust.client_config()?));

    // Nothing receives the callback here; the file is generated all the same.
    let query = QueryAgentSkillInfoData::new(
        "2023-04-05 00:00:00".parse()?,
        "2023-04-06 00:00:00".parse()?,
        "http://127.0.0.1:9/callback",
    );
    let job = drive(Exchange::new(query, endpoint, &credentials, &policy)?, &tls, &mut Vec::new())
        .await?;
    println!("job {}", job.response_id);

    let name = emulator.files().pop().ok_or("the emulator has no file")?;
    let mut file = Vec::new();
    let exchange = Exchange::new(
        DownloadAgentSkillInfoFile::new(name.clone()),
        endpoint,
        &credentials,
        &policy,
    )?;
    let receipt = drive(exchange.sink(SinkKind::Rewinds), &tls, &mut file).await?;
    println!("{name}: {} bytes after {} requests", receipt.bytes, emulator.received().len() - 1);
    assert!(Some(file) == emulator.file(&name), "what came is what the server has");
    Ok(())
}

/// The driver: does what the exchange says. Dropping its future cancels the call.
async fn drive<O: Operation>(
    mut exchange: Exchange<O>,
    tls: &TlsConnector,
    file: &mut Vec<u8>,
) -> Result<O::Answer, Box<dyn Error>> {
    let started = Instant::now();
    let now = || Now { wall: Timestamp::from(SystemTime::now()), monotonic: started.elapsed() };
    let mut body = None;
    loop {
        match exchange.poll(now())? {
            Step::Send { request, target, idle_timeout, .. } => {
                match in_time(idle_timeout, send(request, &target, tls)).await {
                    Ok(response) => {
                        exchange.on_head(now(), response.status(), response.headers())?;
                        body = Some(response.into_body());
                    }
                    Err(failure) => exchange.on_failure(now(), failure)?,
                }
            }
            Step::Receive { idle_timeout } => {
                match in_time(idle_timeout, read(body.as_mut())).await {
                    Ok(None) => exchange.on_end(now())?,
                    Ok(Some(chunk)) => exchange.on_body(now(), chunk)?,
                    Err(failure) => exchange.on_failure(now(), failure)?,
                }
            }
            Step::Write(bytes) => file.extend_from_slice(&bytes),
            Step::Rewind => file.clear(),
            Step::Wait(duration) => tokio::time::sleep(duration).await,
            Step::Done(result) => return Ok(result?),
        }
    }
}

/// Fails when the work takes longer than the exchange allows.
async fn in_time<T>(
    idle_timeout: Duration,
    work: impl Future<Output = Result<T, TransportFailure>>,
) -> Result<T, TransportFailure> {
    tokio::time::timeout(idle_timeout, work)
        .await
        .unwrap_or_else(|_| Err(FailureKind::IdleTimeout.into()))
}

async fn send(
    request: Request<Bytes>,
    target: &Target,
    tls: &TlsConnector,
) -> Result<Response<Incoming>, TransportFailure> {
    let socket = TcpStream::connect((&*target.host, target.port))
        .await
        .map_err(|error| TransportFailure::caused_by(FailureKind::Connect, error))?;
    let name = ServerName::try_from(target.host.to_string())
        .map_err(|_| FailureKind::Tls(TlsFailure::Other))?;
    let stream = tls.connect(name, socket).await.map_err(|error| {
        FailureKind::Tls(ccfs_tls::classify_io_error(&error).unwrap_or_default())
    })?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| FailureKind::Connect)?;
    // It moves the bytes, until the answer is read or dropped.
    tokio::spawn(connection);

    // HTTP/1.1 sends the path alone; everything else stays as the exchange made it.
    let (mut parts, body) = request.into_parts();
    parts.uri = parts.uri.path_and_query().cloned().map(Uri::from).unwrap_or_default();
    let answer = sender.send_request(Request::from_parts(parts, Full::new(body))).await;
    // The request may have arrived, so `Broken` unless the response shows that it did.
    answer.map_err(|error| {
        let kind = if error.is_parse() { FailureKind::InvalidHttp } else { FailureKind::Broken };
        TransportFailure::caused_by(kind, error)
    })
}

/// The next bytes of the body; none at its end.
async fn read(body: Option<&mut Incoming>) -> Result<Option<Bytes>, TransportFailure> {
    let Some(body) = body else { return Ok(None) };
    while let Some(frame) = body.frame().await {
        // Trailers are not data.
        if let Ok(data) = frame.map_err(|_| FailureKind::BodyBroken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
