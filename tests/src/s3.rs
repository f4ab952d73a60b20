//! An emulated S3 store, with faults.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Keys in a page of a listing: few, so that every listing has several.
const PAGE: usize = 3;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreFault {
    /// Nothing.
    None,
    /// The answer comes late.
    Slow,
    /// The connection stays open without an answer.
    Silent,
    /// 503 with the code `SlowDown`.
    Unavailable,
    /// The request is obeyed, and the connection closed without an answer.
    LostAnswer,
    /// The connection is closed before the request is obeyed.
    Cut,
    /// 400 with the code `ExpiredToken`.
    Expired,
    /// 403 with the code `RequestTimeTooSkewed`.
    Skewed,
    /// 409 with the code `ConditionalRequestConflict`.
    Conflict,
    /// A condition of a request that writes is ignored.
    ConditionIgnored,
    /// 501, if the request writes on a condition.
    ConditionUnsupported,
    /// A listing has a page without objects that is not the last one.
    EmptyPage,
}

/// A request to the store.
#[derive(Clone, Debug)]
pub struct StoreRequest {
    /// The number of earlier requests.
    pub number: usize,
    /// The method.
    pub method: Method,
    /// The key, without the bucket.
    pub key: String,
    /// The query.
    pub query: String,
    /// The header fields.
    pub headers: HeaderMap,
}

type Hook = Box<dyn Fn(&StoreRequest) -> StoreFault + Send + Sync>;

#[derive(Default)]
struct State {
    objects: Mutex<BTreeMap<String, Object>>,
    uploads: Mutex<BTreeMap<String, Upload>>,
    hook: Mutex<Option<Hook>>,
    requests: AtomicUsize,
}

#[derive(Clone)]
struct Object {
    content: Bytes,
    version: usize,
    metadata: HeaderMap,
}

struct Upload {
    key: String,
    metadata: HeaderMap,
    parts: BTreeMap<usize, Bytes>,
}

/// A store with one bucket, `lake`, at a port of this machine.
#[expect(missing_debug_implementations, reason = "it holds a function")]
pub struct S3 {
    state: Arc<State>,
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl S3 {
    /// Starts it.
    pub fn start() -> Self {
        let state = Arc::new(State::default());
        let (stop, stopped) = oneshot::channel();
        let (sender, port) = std::sync::mpsc::channel();
        let serving = Arc::clone(&state);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap().port()).unwrap();
                tokio::select! {
                    () = serve(listener, serving) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { state, port: port.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Calls `hook` for each request; it chooses the fault.
    pub fn hook(&self, hook: impl Fn(&StoreRequest) -> StoreFault + Send + Sync + 'static) {
        *lock(&self.state.hook) = Some(Box::new(hook));
    }

    /// Obeys all requests from now on.
    pub fn unhook(&self) {
        *lock(&self.state.hook) = None;
    }

    /// The number of requests so far.
    pub fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// The objects, by key.
    pub fn objects(&self) -> BTreeMap<String, Bytes> {
        let objects = lock(&self.state.objects);
        objects.iter().map(|(key, object)| (key.clone(), object.content.clone())).collect()
    }

    /// Number of uploads in parts that are neither complete nor aborted.
    pub fn uploads(&self) -> usize {
        lock(&self.state.uploads).len()
    }

    /// Changes an object as another process would: its content, without its metadata. `None` removes
    /// it.
    pub fn set(&self, key: &str, content: Option<&[u8]>) {
        let mut objects = lock(&self.state.objects);
        match content {
            Some(content) => {
                let content = Bytes::copy_from_slice(content);
                let object = Object { content, version: 0, metadata: HeaderMap::new() };
                objects.insert(key.to_owned(), object);
            }
            None => drop(objects.remove(key)),
        }
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&state), request));
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(state: Arc<State>, request: Request<Incoming>) -> io::Result<Answer> {
    let number = state.requests.fetch_add(1, Ordering::SeqCst);
    let (head, body) = request.into_parts();
    let content = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = decoded(head.uri.path());
    let key = path.trim_start_matches('/').strip_prefix("lake").unwrap_or(&path);
    let key = key.trim_start_matches('/').to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let mut headers = head.headers;
    let seen = StoreRequest { number, method: head.method, key, query, headers: headers.clone() };
    let fault = lock(&state.hook).as_ref().map_or(StoreFault::None, |hook| hook(&seen));
    let is_conditional = headers.contains_key("if-none-match") || headers.contains_key("if-match");
    match fault {
        StoreFault::Slow => tokio::time::sleep(Duration::from_millis(50)).await,
        StoreFault::Silent => std::future::pending().await,
        StoreFault::Cut => return Err(io::ErrorKind::ConnectionReset.into()),
        StoreFault::Unavailable => return Ok(refused(StatusCode::SERVICE_UNAVAILABLE, "SlowDown")),
        StoreFault::Expired => return Ok(refused(StatusCode::BAD_REQUEST, "ExpiredToken")),
        StoreFault::Skewed => return Ok(refused(StatusCode::FORBIDDEN, "RequestTimeTooSkewed")),
        StoreFault::Conflict => {
            return Ok(refused(StatusCode::CONFLICT, "ConditionalRequestConflict"));
        }
        StoreFault::ConditionUnsupported if is_conditional => {
            return Ok(refused(StatusCode::NOT_IMPLEMENTED, "NotImplemented"));
        }
        StoreFault::EmptyPage if seen.query.contains("list-type") => {
            let xml = format!(
                "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>{number}</NextContinuationToken></ListBucketResult>"
            );
            return Ok(done(StatusCode::OK, "\"\"", xml));
        }
        StoreFault::ConditionIgnored => {
            headers.remove("if-none-match");
            headers.remove("if-match");
        }
        _ => {}
    }
    let answer = obey(&state, &seen, &headers, content);
    if fault == StoreFault::LostAnswer {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    Ok(answer)
}

fn obey(state: &State, request: &StoreRequest, headers: &HeaderMap, content: Bytes) -> Answer {
    let query: BTreeMap<&str, String> = request
        .query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (name, decoded(&value.replace('+', " "))))
        .collect();
    let upload = query.get("uploadId");
    match request.method {
        Method::GET if query.contains_key("list-type") => list(state, &query),
        Method::GET | Method::HEAD => get(state, &request.key, request.method == Method::HEAD),
        Method::PUT if upload.is_some() => {
            let number = query.get("partNumber").and_then(|number| number.parse().ok());
            let mut uploads = lock(&state.uploads);
            match (upload.and_then(|id| uploads.get_mut(id)), number) {
                (Some(upload), Some(number)) => {
                    upload.parts.insert(number, content);
                    done(StatusCode::OK, &format!("\"part-{number}\""), String::new())
                }
                _ => refused(StatusCode::NOT_FOUND, "NoSuchUpload"),
            }
        }
        Method::PUT => put(state, &request.key, headers, content),
        Method::POST if query.contains_key("uploads") => {
            let mut uploads = lock(&state.uploads);
            let id = format!("upload-{}", request.number);
            let (key, metadata) = (request.key.clone(), headers.clone());
            uploads.insert(id.clone(), Upload { key, metadata, parts: BTreeMap::new() });
            let xml = format!(
                "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            );
            done(StatusCode::OK, "\"\"", xml)
        }
        Method::POST => {
            let Some(upload) = upload.and_then(|id| lock(&state.uploads).remove(id)) else {
                return refused(StatusCode::NOT_FOUND, "NoSuchUpload");
            };
            let content: Vec<u8> = upload.parts.values().flatten().copied().collect();
            put(state, &upload.key, &upload.metadata, content.into());
            let xml = "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>";
            done(StatusCode::OK, "\"whole\"", xml.into())
        }
        Method::DELETE => {
            match upload {
                Some(id) => drop(lock(&state.uploads).remove(id)),
                None => drop(lock(&state.objects).remove(&request.key)),
            }
            done(StatusCode::NO_CONTENT, "\"\"", String::new())
        }
        _ => refused(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

fn put(state: &State, key: &str, headers: &HeaderMap, content: Bytes) -> Answer {
    let mut objects = lock(&state.objects);
    let tag = |object: &Object| format!("\"version-{}\"", object.version);
    let existing = objects.get(key);
    if headers.contains_key("if-none-match") && existing.is_some() {
        return refused(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
    }
    let expected = headers.get("if-match").map(|value| value.to_str().unwrap().to_owned());
    if expected.is_some() && expected != existing.map(tag) {
        return refused(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
    }
    let version = state.requests.load(Ordering::SeqCst);
    let own = headers.iter().filter(|(name, _)| name.as_str().starts_with("x-amz-meta-"));
    let metadata = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    let object = Object { content, version, metadata };
    let tag = tag(&object);
    objects.insert(key.to_owned(), object);
    done(StatusCode::OK, &tag, String::new())
}

fn get(state: &State, key: &str, is_head: bool) -> Answer {
    let Some(object) = lock(&state.objects).get(key).cloned() else {
        return refused(StatusCode::NOT_FOUND, "NoSuchKey");
    };
    let Object { content, version, metadata } = object;
    let mut response = done(StatusCode::OK, &format!("\"version-{version}\""), String::new());
    response.headers_mut().extend(metadata);
    response.headers_mut().insert("content-length", content.len().into());
    if !is_head {
        *response.body_mut() = Full::new(content);
    }
    response
}

fn list(state: &State, query: &BTreeMap<&str, String>) -> Answer {
    let of = |name| query.get(name).cloned().unwrap_or_default();
    let (prefix, after) = (of("prefix"), of("continuation-token"));
    let objects = lock(&state.objects);
    let mut found = objects.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after);
    let (mut xml, mut last) = (String::from("<ListBucketResult>"), String::new());
    for (key, object) in found.by_ref().take(PAGE) {
        last.clone_from(key);
        let rest = key.get(prefix.len()..).unwrap_or_default();
        if query.contains_key("delimiter") && rest.contains('/') {
            continue;
        }
        let (size, version) = (object.content.len(), object.version);
        let _ = write!(
            xml,
            "<Contents><Key>{key}</Key><LastModified>2023-04-20T04:00:00.000Z</LastModified><ETag>\"version-{version}\"</ETag><Size>{size}</Size></Contents>"
        );
    }
    if found.next().is_some() {
        let _ = write!(
            xml,
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>"
        );
    } else {
        xml.push_str("<IsTruncated>false</IsTruncated>");
    }
    xml.push_str("</ListBucketResult>");
    done(StatusCode::OK, "\"\"", xml)
}

fn done(status: StatusCode, tag: &str, xml: String) -> Answer {
    let response = Response::builder().status(status).header("etag", tag);
    let response = response.header("last-modified", "Thu, 20 Apr 2023 04:00:00 GMT");
    response.body(Full::new(xml.into())).unwrap()
}

fn refused(status: StatusCode, code: &str) -> Answer {
    let xml = format!("<Error><Code>{code}</Code><Message>the text of the store</Message></Error>");
    done(status, "\"\"", xml)
}

/// Decodes `%XX`.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, others @ ..] = rest {
        rest = others;
        let digits = || u8::from_str_radix(std::str::from_utf8(others.get(..2)?).ok()?, 16).ok();
        match (first, digits()) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
