//! Connections: reads requests within limits, answers them, and queues their events.

use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
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
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::connection::{ConnectionFault, FirstBytes};
use crate::connections::{Closed, ConnectionLimits, Connections, Place, Progress};
use crate::event::{Event, Refusal};
use crate::handler::{Handler, Reply};
use crate::queue::Queue;

/// Largest request head, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;
/// Pause after an error, such as too many open files, until connections have ended.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until the future is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    handler: Arc<Handler>,
    tls: Option<Arc<ServerConfig>>,
    limits: ConnectionLimits,
) {
    let tls = tls.map(TlsAcceptor::from);
    let connections = Connections::new(limits);
    let report = |closed: Closed| handler.report(closed.peer, Some(closed.fault));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            // The client closed the connection before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            // Too many open files, most likely.
            Err(_) => {
                match connections.close_oldest() {
                    Some(closed) => report(closed),
                    None => tokio::time::sleep(ACCEPT_PAUSE).await,
                }
                tokio::task::yield_now().await;
                continue;
            }
        };
        let (opened, closed) = connections.open(peer);
        closed.into_iter().for_each(report);
        if let Some((place, closed)) = opened {
            let (handler, tls) = (Arc::clone(&handler), tls.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = serve_stream(stream, tls, &place, &handler) => {}
                    _ = closed => {}
                }
            });
        }
        // Requests that have arrived are read before the next connection may close theirs.
        tokio::task::yield_now().await;
    }
}

async fn serve_stream(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    place: &Place,
    handler: &Arc<Handler>,
) {
    let Some(acceptor) = tls else { return serve_connection(stream, place, handler).await };
    let first = FirstBytes::default();
    match timeout(handler.head_timeout, acceptor.accept(first.of(stream))).await {
        Ok(Ok(stream)) => serve_connection(stream, place, handler).await,
        Ok(Err(error)) => {
            handler.report(place.peer(), ConnectionFault::of_handshake(&error, &first.get()));
        }
        Err(_) => {
            let fault = (!first.get().is_empty()).then_some(ConnectionFault::TooSlow);
            handler.report(place.peer(), fault);
        }
    }
}

/// Reads one request, answers it, and then queues its event.
async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    place: &Place,
    handler: &Arc<Handler>,
) {
    let peer = place.peer();
    let event = PushOnDrop { queue: &handler.queue, event: Mutex::default() };
    let event = &event;
    let has_request = AtomicBool::new(false);
    let service = service_fn(|request| {
        has_request.store(true, Ordering::Relaxed);
        async move { Ok::<_, Infallible>(answer(request, place, handler, &event.event).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(handler.head_timeout)
        .keep_alive(false)
        .max_buf_size(HEAD_LIMIT);
    // Head, body and answer have a timeout each. After an error the server calls again.
    let time = handler.head_timeout + handler.body_timeout * 2;
    let first = FirstBytes::default();
    let stream = TokioIo::new(first.of(stream));
    let result = timeout(time, http.serve_connection(stream, service)).await;
    if let (Ok(Err(error)), false) = (result, has_request.load(Ordering::Relaxed)) {
        handler.report(peer, ConnectionFault::of_request(&error, &first.get()));
    }
}

/// Queues an event when the connection ends, even by an error: the answer is sent first, and no
/// accepted callback is lost.
struct PushOnDrop<'a> {
    queue: &'a Queue,
    event: Mutex<Option<Event>>,
}

impl Drop for PushOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(event) = self.event.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            self.queue.push(event);
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    place: &Place,
    handler: &Handler,
    event_slot: &Mutex<Option<Event>>,
) -> Response<Full<Bytes>> {
    place.reached(Progress::Head);
    let (head, body) = request.into_parts();
    let body = read(&head, body, handler).await;
    place.reached(Progress::Request);
    let Reply { status, body, event } = match body {
        Ok(body) => handler.handle(&head, &body),
        Err(reply) => reply,
    };
    let event = event.map(|callback| handler.event(place.peer(), callback));
    *event_slot.lock().unwrap_or_else(PoisonError::into_inner) = event;

    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    response
}

/// Reads the body within its limits if the path is right.
async fn read(head: &Parts, body: Incoming, handler: &Handler) -> Result<Bytes, Reply> {
    if handler.path.as_deref().is_some_and(|path| path != head.uri.path()) {
        return Err(refuse(StatusCode::NOT_FOUND, r#"{"error":"Not Found"}"#, Refusal::Path));
    }
    let limit = handler.body_limit;
    let too_large = || {
        let refusal = Refusal::TooLarge { limit };
        refuse(StatusCode::PAYLOAD_TOO_LARGE, r#"{"error":"Payload Too Large"}"#, refusal)
    };
    // Refuse a declared length before reading.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    match timeout(handler.body_timeout, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => {
            Err(refuse(StatusCode::BAD_REQUEST, r#"{"error":"Bad Request"}"#, Refusal::Broken))
        }
        Err(_) => {
            let refusal = Refusal::TooSlow { limit: handler.body_timeout };
            Err(refuse(StatusCode::REQUEST_TIMEOUT, r#"{"error":"Request Timeout"}"#, refusal))
        }
    }
}

fn refuse(status: StatusCode, body: &'static str, refusal: Refusal) -> Reply {
    Reply { status, body, event: Some(Err(refusal)) }
}
