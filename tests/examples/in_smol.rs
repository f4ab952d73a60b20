//! The protocol core in smol, with futures-rustls and hyper's HTTP/1.1: no tokio anywhere.
//!
//! Run it with `cargo run -p ccfs-tests --example in_smol`. It prints:
//!
//! ```text
//! job …
//! …_….zip: … bytes after 2 requests
//! ```
//! The loop is that of `in_tokio.rs`, word for word; only the timer, the socket and the TLS stream are another runtime's.

use std::error::Error;
use std::future::Future;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use ccfs_emulator::{Emulator, Fault};
use ccfs_proto::{
    DownloadAgentSkillInfoFile, Exchange, Now, Operation, Policy, QueryAgentSkillInfoData,
    SinkKind, Step, Timestamp, TlsFailure, TransportFailure,
};
use futures_rustls::TlsConnector;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, Uri};
use smol::Timer;
use smol::future::FutureExt;
use smol::net::TcpStream;
use smol_hyper::rt::FuturesIo;

fn main() -> Result<(), Box<dyn Error>> {
    smol::block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder().rows(500).start()?;
    // The first download breaks off; the exchange has it tried again.
    emulator.faults().add(Fault::CutAfter(1000).at("downloadAgentSkillInfoFile").times(1));
    let (endpoint, credentials, policy) =
        (emulator.endpoint(), emulator.credentials(), Policy::default());
    // Any configuration of rustls will do; this one trusts the emulator's CA alone.
    let trust =
        ccfs_tls::Trust::none().add_pem(emulator.ca_pem().unwrap_or_default().as_bytes())?;
    let tls = TlsConnector::from(std::sync::Arc::new(trust.client_config()?));

    // Nobody listens for the callback here; the file is there all the same.
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

/// The loop: does what the exchange says. Dropping its future cancels the call.
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
            Step::Send { request, within, .. } => match in_time(within, send(request, tls)).await {
                Ok(response) => {
                    exchange.on_head(now(), response.status(), response.headers())?;
                    body = Some(response.into_body());
                }
                Err(failure) => exchange.on_failure(now(), failure)?,
            },
            Step::Receive { within } => match in_time(within, read(body.as_mut())).await {
                Ok(None) => exchange.on_end(now())?,
                Ok(Some(chunk)) => exchange.on_body(now(), chunk)?,
                Err(failure) => exchange.on_failure(now(), failure)?,
            },
            Step::Write(bytes) => file.extend_from_slice(&bytes),
            Step::Rewind => file.clear(),
            Step::Wait(duration) => drop(Timer::after(duration).await),
            Step::Done(result) => return Ok(result?),
            _ => unreachable!("a step that this driver was not written for"),
        }
    }
}

/// What takes longer than the exchange allows is silence.
async fn in_time<T>(
    within: Duration,
    work: impl Future<Output = Result<T, TransportFailure>>,
) -> Result<T, TransportFailure> {
    let late = async {
        Timer::after(within).await;
        Err(TransportFailure::Stall)
    };
    work.or(late).await
}

async fn send(
    request: Request<Bytes>,
    tls: &TlsConnector,
) -> Result<Response<Incoming>, TransportFailure> {
    let (host, port) = (
        request.uri().host().unwrap_or_default().to_owned(),
        request.uri().port_u16().unwrap_or(443),
    );
    let socket =
        TcpStream::connect((host.as_str(), port)).await.map_err(|_| TransportFailure::Connect)?;
    let name = host.try_into().map_err(|_| TransportFailure::Tls(TlsFailure::Other))?;
    let stream = tls
        .connect(name, socket)
        .await
        .map_err(|error| TransportFailure::Tls(ccfs_tls::io_failure(&error).unwrap_or_default()))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(FuturesIo::new(stream))
        .await
        .map_err(|_| TransportFailure::Connect)?;
    // It moves the bytes, until the answer is read or dropped.
    smol::spawn(connection).detach();

    // HTTP/1.1 sends the path alone; everything else stays as the exchange made it.
    let (mut parts, body) = request.into_parts();
    parts.uri = parts.uri.path_and_query().cloned().map(Uri::from).unwrap_or_default();
    let answer = sender.send_request(Request::from_parts(parts, Full::new(body))).await;
    // In doubt it may have arrived, and then what starts a job is not repeated.
    answer.map_err(|error| {
        if error.is_parse() { TransportFailure::Protocol } else { TransportFailure::Broken }
    })
}

/// The next bytes of the body; none at its end.
async fn read(body: Option<&mut Incoming>) -> Result<Option<Bytes>, TransportFailure> {
    let Some(body) = body else { return Ok(None) };
    while let Some(frame) = body.frame().await {
        // Trailers are no data.
        if let Ok(data) = frame.map_err(|_| TransportFailure::BodyBroken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
