//! A small HTTP server that receives callbacks.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use ccfs::proto::{Freshness, ReceiveError, RecentSignatures, Reception, RequestView, Verifier, decode_query};
use ccfs::{Callback, Credentials, Timestamp};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Bytes of a callback's body that are read.
const BODY_LIMIT: usize = 64 * 1024;
/// Connections that are served at once; others wait.
const CONNECTION_LIMIT: usize = 64;
/// How long a caller may take to send its headers, and how long its body.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a request was.
pub(crate) type Event = Result<Callback, ReceiveError>;

/// A receiver on its own thread. It answers first; the events come out of the channel after.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    pub(crate) events: mpsc::Receiver<Event>,
}

impl Receiver {
    /// Listens on `address`, and accepts callbacks that are signed with these keys, each once, and not older than a quarter of an hour.
    pub(crate) fn start(address: SocketAddr, credentials: &Credentials) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (sender, events) = mpsc::channel();
        let state =
            Arc::new(State { verifier: Verifier::new(credentials).freshness(Freshness::default()), seen: Mutex::default(), sender });
        thread::Builder::new().name("ccfs-receiver".into()).spawn(move || runtime.block_on(serve(listener, state)))?;
        Ok(Self { address, events })
    }
}

struct State {
    verifier: Verifier,
    seen: Mutex<RecentSignatures>,
    sender: mpsc::Sender<Event>,
}

async fn serve(listener: std::net::TcpListener, state: Arc<State>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let room = Arc::new(Semaphore::new(CONNECTION_LIMIT));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, Arc::clone(&state)));
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(PATIENCE).keep_alive(false);
            // A caller that breaks off is its own trouble; it calls again.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
            drop(place);
        });
    }
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let collected = tokio::time::timeout(PATIENCE, Limited::new(body, BODY_LIMIT).collect()).await;
    let Ok(Ok(body)) = collected else {
        return Ok(respond(StatusCode::BAD_REQUEST, r#"{"error":"the body is too slow or too large"}"#));
    };
    let body = body.to_bytes();
    // A header whose value is no text cannot be among those that were signed.
    let headers: Vec<(&str, &str)> =
        head.headers.iter().filter_map(|(name, value)| value.to_str().ok().map(|value| (name.as_str(), value))).collect();
    let query = head.uri.query().map(decode_query).unwrap_or_default();
    let query: Vec<(&str, &str)> = query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let view = RequestView { method: head.method.as_str(), path: head.uri.path(), query: &query, headers: &headers, body: &body };
    let now = Timestamp::from(SystemTime::now());
    let reception = {
        let mut seen = state.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Reception::of(view, &state.verifier, &mut *seen, now)
    };
    let response = respond(reception.status, reception.body);
    // Nobody listens any more once the command has what it wanted.
    let _ = state.sender.send(reception.callback);
    Ok(response)
}

fn respond(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json;charset=UTF-8"));
    response
}
