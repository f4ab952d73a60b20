//! Connections: reading requests within bounds, answering, and then telling.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::{RequestView, decode_query};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::desk::{Decision, Desk};
use crate::event::{Event, Refusal};
use crate::queue::Queue;

/// Bytes of a request's head that are read.
const HEAD_LIMIT: usize = 64 * 1024;
/// Out of file descriptors, say: connections must get the chance to give theirs back.
const AFTER_ERROR: Duration = Duration::from_millis(50);

/// Serves until the future is dropped.
pub(crate) async fn serve(
    listener: std::net::TcpListener,
    desk: Arc<Desk>,
    tls: Option<Arc<ServerConfig>>,
    connections: usize,
) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let tls = tls.map(TlsAcceptor::from);
    let room = Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS)));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(AFTER_ERROR).await;
            continue;
        };
        let (desk, tls) = (Arc::clone(&desk), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => connection(stream, peer, &desk).await,
                Some(acceptor) => {
                    if let Ok(Ok(stream)) = timeout(desk.patience, acceptor.accept(stream)).await {
                        connection(stream, peer, &desk).await;
                    }
                }
            }
            drop(place);
        });
    }
}

/// One request and its answer; then its event.
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    desk: &Arc<Desk>,
) {
    let told = Arc::new(Mutex::new(None));
    let service = service_fn(|request| {
        let (desk, told) = (Arc::clone(desk), Arc::clone(&told));
        async move { Ok::<_, Infallible>(answer(request, peer, &desk, &told).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(desk.patience)
        .keep_alive(false)
        .max_buf_size(HEAD_LIMIT);
    // A caller that breaks off is its own trouble; it calls again. Head, body and answer have a patience each, and together three.
    let _ = timeout(
        desk.patience.saturating_mul(3),
        http.serve_connection(TokioIo::new(stream), service),
    )
    .await;
}

/// An event that is told when the connection is done with, however it ends: so the answer goes first, and nothing that was accepted is lost.
struct Told {
    queue: Arc<Queue>,
    event: Option<Event>,
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            self.queue.push(event);
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    desk: &Desk,
    told: &Mutex<Option<Told>>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Decision { status, body, callback } = match read(&head, body, desk).await {
        Ok(body) => decide(&head, &body, desk),
        Err((status, body, refusal)) => Decision { status, body, callback: Some(Err(refusal)) },
    };
    let event = callback.map(|callback| Event { peer, at: desk.clock.now().wall, callback });
    *told.lock().unwrap_or_else(PoisonError::into_inner) =
        Some(Told { queue: Arc::clone(&desk.queue), event });

    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    response
}

/// The body, within its bounds, of a request that goes to the right place.
async fn read(
    head: &Parts,
    body: Incoming,
    desk: &Desk,
) -> Result<Bytes, (StatusCode, &'static str, Refusal)> {
    if desk.path.as_deref().is_some_and(|path| path != head.uri.path()) {
        return Err((StatusCode::NOT_FOUND, r#"{"error":"Not Found"}"#, Refusal::Path));
    }
    let limit = desk.body_limit;
    let too_large = (
        StatusCode::PAYLOAD_TOO_LARGE,
        r#"{"error":"Payload Too Large"}"#,
        Refusal::TooLarge { limit },
    );
    // One that says so itself is refused before anything is read.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large);
    }
    match timeout(desk.patience, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large),
        Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, r#"{"error":"Bad Request"}"#, Refusal::Broken)),
        Err(_) => Err((
            StatusCode::REQUEST_TIMEOUT,
            r#"{"error":"Request Timeout"}"#,
            Refusal::TooSlow { limit: desk.patience },
        )),
    }
}

fn decide(head: &Parts, body: &[u8], desk: &Desk) -> Decision {
    // A header whose value is no text cannot be among those that were signed.
    let headers: Vec<(&str, &str)> = head
        .headers
        .iter()
        .filter_map(|(name, value)| value.to_str().ok().map(|value| (name.as_str(), value)))
        .collect();
    let query = head.uri.query().map(decode_query).unwrap_or_default();
    let query: Vec<(&str, &str)> =
        query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let request = RequestView {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: &query,
        headers: &headers,
        body,
    };
    desk.decide(request, desk.clock.now().wall)
}
