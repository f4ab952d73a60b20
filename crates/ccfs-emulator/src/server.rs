//! Accepts connections and answers requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::answer::RawJson;
use ccfs_proto::auth::decode_query;
use ccfs_proto::operation::OperationRequest;
use ccfs_proto::{Envelope, RequestView, ResultCode, Timestamp};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::answer::Answer;
use crate::borrowed;
use crate::callback;
use crate::fault::Fault;
use crate::interface::{self, Call, Interface, Kind, Outcome, UPLOAD};
use crate::jobs::{Job, Jobs};
use crate::log::{ReceivedRequest, SignatureVerdict, redacted};
use crate::outgoing::{CutOff, Outgoing};
use crate::state::State;
use crate::thread::on_thread;

/// Maximum size of a request body, in bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// Maximum size of the body of an upload, in bytes: enough for 5 MB in base64.
const UPLOAD_LIMIT: usize = 8 * 1024 * 1024;
/// Maximum number of uploads that are read at the same time; others wait, at most for the body timeout.
static UPLOADS: Semaphore = Semaphore::const_new(8);

/// Pause after an error such as too many open files, so that other connections can end.
const AFTER_ERROR: Duration = Duration::from_millis(10);

/// How long to wait until a client whose handshake failed closes the connection.
const LINGER: Duration = Duration::from_secs(2);

/// How long a TLS handshake or a request head may take, and a connection may wait for its next
/// request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves until the future is dropped.
pub(crate) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    let limit = state.settings.connection_limit.clamp(1, Semaphore::MAX_PERMITS);
    let places = Arc::new(Semaphore::new(limit));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        // The error may be that of a single connection, so continue to accept.
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(AFTER_ERROR).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (tls, state) = (tls.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            match tls {
                Some(acceptor) => {
                    let handshake = acceptor.accept(stream).into_fallible();
                    match timeout(HEAD_TIMEOUT, handshake).await {
                        Ok(Ok(stream)) => serve_connection(stream, peer, state).await,
                        Ok(Err((_, stream))) => linger(stream).await,
                        Err(_) => {}
                    }
                }
                None => serve_connection(stream, peer, state).await,
            }
            drop(place);
        });
    }
}

/// Lets the client read why its handshake failed: closing with unread bytes would reset the connection, and the alert would be lost.
async fn linger(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    let mut rest = [0; 4096];
    let drain = async { while matches!(stream.read(&mut rest).await, Ok(len) if len > 0) {} };
    let _ = timeout(LINGER, drain).await;
}

async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    state: Arc<State>,
) {
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { answer(&state, peer, request).await }
    });
    // Broken connections are expected: clients and faults cause them.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Handles one request: reads, decides, logs, answers. An error closes the connection without an answer.
async fn answer(
    state: &Arc<State>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, CutOff> {
    let (head, body) = request.into_parts();
    let now = state.now();
    let mut entry = ReceivedRequest {
        at: now,
        peer,
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: logged(&head.headers),
        body_len: 0,
        msg_body: None,
        interface: None,
        signature: SignatureVerdict::NotChecked,
        access_key: None,
        fault: None,
        status: None,
        result_code: None,
    };
    let is_upload = route(state, &entry.path).is_some_and(|it| it.name == UPLOAD);
    let (answer, follow_up) = match read(body, is_upload, state.settings.body_timeout).await {
        Ok(body) => decide(state, &head, &body, &mut entry).await,
        Err(status) => (Answer::refusal(status, &entry.path, now), None),
    };
    let now = clock(&entry);
    let fault = entry.fault.clone();
    let is_answered = !matches!(fault, Some(Fault::CloseBeforeAnswer | Fault::Silent));
    if is_answered {
        entry.status = Some(answer.status.as_u16());
        entry.result_code.clone_from(&answer.result_code);
    }
    let done = follow_up.map(|(job, url)| callback::start(state, job, url, fault.clone()));
    state.log(entry);
    if is_answered {
        return Ok(answer.into_response(now, done));
    }
    // A started job continues.
    drop(done);
    if fault == Some(Fault::Silent) { std::future::pending().await } else { Err(CutOff) }
}

/// Reads the body, or returns the status to refuse it with. A declared length above the limit is
/// refused before anything is read.
async fn read(body: Incoming, is_upload: bool, time: Duration) -> Result<Bytes, StatusCode> {
    let limit = if is_upload { UPLOAD_LIMIT } else { BODY_LIMIT };
    if body.size_hint().lower() > limit as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let read = async {
        // The semaphore is never closed.
        let _place = if is_upload { UPLOADS.acquire().await.ok() } else { None };
        Limited::new(body, limit).collect().await
    };
    match timeout(time, read).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// The job whose callback follows an answer, and the callback's URL.
type FollowUp = Option<(Arc<Job>, String)>;

/// The time of a request's answer, which a fault may have shifted.
fn clock(entry: &ReceivedRequest) -> Timestamp {
    match entry.fault {
        Some(Fault::SkewedClock(seconds)) => entry.at.plus_millis(i64::from(seconds) * 1000),
        _ => entry.at,
    }
}

async fn decide(
    state: &Arc<State>,
    head: &http::request::Parts,
    body: &Bytes,
    entry: &mut ReceivedRequest,
) -> (Answer, FollowUp) {
    entry.body_len = body.len();
    let path = entry.path.clone();
    let refuse = |status: StatusCode, now: Timestamp| (Answer::refusal(status, &path, now), None);

    let Some(interface) = route(state, &path) else {
        return refuse(StatusCode::NOT_FOUND, entry.at);
    };
    entry.interface = Some(interface.name);
    if head.method != interface.method {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, entry.at);
    }
    let fault = state.faults.take(interface);
    entry.fault.clone_from(&fault);
    let now = clock(entry);
    // The lockout uses the emulator's clock, not one that a fault has shifted.
    let is_locked = state.gate.is_locked(entry.peer.ip(), entry.at);
    let query = entry.query.as_deref().map(decode_query).unwrap_or_default();
    let signer = if interface.signed && !is_locked {
        signer(state, head, &query, body, entry, now)
    } else {
        None
    };
    // Only the body of a known developer is parsed and kept.
    if signer.is_some() {
        entry.msg_body = serde_json::from_slice::<Value>(body)
            .ok()
            .and_then(|mut json| json.get_mut("msgBody").map(Value::take));
    }
    if let Some(answer) =
        fault.as_ref().and_then(|fault| Answer::instead(fault, interface.kind, &path, now))
    {
        return (answer, None);
    }
    if interface.signed {
        if is_locked {
            entry.signature = SignatureVerdict::Locked;
            return refuse(StatusCode::FORBIDDEN, now);
        }
        if signer.is_none() {
            entry.signature = SignatureVerdict::Refused;
            state.gate.count_failure(entry.peer.ip(), now);
            let answer = Answer::refusal(StatusCode::UNAUTHORIZED, &path, now);
            let rewritten = fault == Some(Fault::HostRewritten);
            return (if rewritten { answer.through_nginx() } else { answer }, None);
        }
        entry.signature = SignatureVerdict::Accepted;
        entry.access_key = signer;
    }

    let access_key = entry.access_key.as_deref().unwrap_or_default();
    let outcome = (interface.call)(&Call { state, now, access_key, query: &query, body });
    let (answer, follow_up) = match outcome {
        Ok(Outcome::Data(data)) => (success(Some(data)), None),
        Ok(Outcome::Job { job, callback_url }) => (
            success(Some(json!({ "responseId": job.response_id.as_str() }))),
            Some((job, callback_url)),
        ),
        Ok(Outcome::JobFile(job)) => (file(Arc::clone(&state.jobs), job).await, None),
        Ok(Outcome::File(bytes)) => (Answer::file(bytes), None),
        Err(refusal) => (Answer::error(refusal, interface.kind), None),
    };
    match &fault {
        Some(fault) => (answer.spoilt(fault), follow_up),
        None => (answer, follow_up),
    }
}

/// Returns the interface that the path names after the prefix.
fn route(state: &State, path: &str) -> Option<&'static Interface> {
    interface::find(path.strip_prefix(&state.prefix)?.strip_prefix(OperationRequest::BASE_PATH)?)
}

/// The access key whose signature the request has.
fn signer(
    state: &State,
    head: &http::request::Parts,
    query: &[(String, String)],
    body: &[u8],
    entry: &ReceivedRequest,
    now: Timestamp,
) -> Option<String> {
    let mut headers = borrowed(&entry.headers);
    if entry.fault == Some(Fault::HostRewritten) {
        headers.retain(|(name, _)| *name != "host");
        headers.push(("host", "10.0.0.9:8080"));
    }
    let request = RequestView {
        method: &entry.method,
        path: &entry.path,
        query: &borrowed(query),
        headers: &headers,
        body,
    };
    let authorization = head.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    state.gate.signer(authorization, request, now)
}

fn success(data: Option<Value>) -> Answer {
    Answer::envelope(&Envelope::new(ResultCode::Success, "success", data.map(RawJson::from)))
}

/// Generates the file on a separate thread, because compressing would block all other connections.
async fn file(jobs: Arc<Jobs>, job: Arc<Job>) -> Answer {
    match on_thread(move || jobs.file(&job)).await {
        Ok(Ok(bytes)) => Answer::file(bytes),
        _ => Answer::error(ResultCode::CompressingFailed, Kind::File),
    }
}

fn logged(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let shown =
                if name == header::AUTHORIZATION { redacted(&text) } else { text.into_owned() };
            (name.as_str().to_owned(), shown)
        })
        .collect()
}
