//! Delivers callbacks to the developer when a file is ready.

use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ccfs_proto::auth::decode_query;
use ccfs_proto::callback::Callback;
use ccfs_proto::{Credentials, IndexFileName, RequestView, ResponseId, Signer};
use http::{HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::data::{Random, Records};
use crate::fault::Fault;
use crate::jobs::Job;
use crate::log::CallbackAttempt;
use crate::state::State;
use crate::thread::on_thread;
use crate::{BoxError, borrowed};

/// How long a receiver's answer may take, in real time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of a receiver's answer that are read.
const ANSWER_LIMIT: usize = 64 * 1024;
/// Shortest and longest interval at which the clock is checked while a file is not ready. The clock may be a test's, so waiting
/// for a time is not possible.
const LOOK: Duration = Duration::from_millis(5);
const LOOK_SELDOM: Duration = Duration::from_millis(100);
const CONTENT_TYPE: &str = "application/json; charset=UTF-8";

/// Calls `url` when the file is ready and the returned sender is dropped: after the answer to the query.
pub(crate) fn start(
    state: &Arc<State>,
    job: Arc<Job>,
    url: String,
    fault: Option<Fault>,
) -> oneshot::Sender<()> {
    let (sender, dropped) = oneshot::channel();
    let state = Arc::clone(state);
    tokio::spawn(async move {
        // Nothing is sent: the error reports that the sender is dropped.
        let _ = dropped.await;
        let mut pause = LOOK;
        while !job.is_ready(state.now()) {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LOOK_SELDOM);
        }
        run(&state, &job, &url, fault.as_ref()).await;
    });
    sender
}

async fn run(state: &State, job: &Job, url: &str, fault: Option<&Fault>) {
    let Some((_, credentials)) = state.developer(job.owner()) else { return };
    let key = match job.records() {
        Records::AgentSkillInfo => "agentOprSkillFileName",
        other => other.name_field(),
    };
    let callback = Callback::new(job.response_id, job.file_name.clone(), job.account_id.clone());
    match fault {
        Some(Fault::CallbackMissing) => return,
        Some(Fault::CallbackDelayed(wait)) => tokio::time::sleep(*wait).await,
        Some(Fault::CallbackForged) => {
            if let Some((wrong_key, other)) = forged(state, job) {
                let call = Outbound::sign(state, &wrong_key, url, key, &other);
                attempt(state, url, &other.file_name, 1, &call).await;
            }
        }
        _ => {}
    }
    for number in 1..=state.settings.callback_attempts {
        if number > 1 {
            tokio::time::sleep(state.settings.callback_interval).await;
        }
        let call = Outbound::sign(state, credentials, url, key, &callback);
        if attempt(state, url, &callback.file_name, number, &call).await {
            let again = match fault {
                Some(Fault::CallbackReplayed) => call,
                Some(Fault::CallbackDuplicate) => {
                    Outbound::sign(state, credentials, url, key, &callback)
                }
                _ => return,
            };
            attempt(state, url, &callback.file_name, number, &again).await;
            return;
        }
    }
}

/// A forged callback: a wrong secret key, and a file that does not exist.
fn forged(state: &State, job: &Job) -> Option<(Credentials, Callback)> {
    let mut random = Random::new(state.settings.seed, job.response_id.as_str());
    let wrong_key = Credentials::from_text(job.owner(), random.hex32()).ok()?;
    let id = ResponseId::from_server(&random.hex32()).ok()?;
    let name = IndexFileName::new(job.file_name.day()?, id);
    Some((wrong_key, Callback::new(id, name, job.account_id.clone())))
}

/// Makes one call; returns true if the receiver answered 2xx with a body, so that no other call is needed.
async fn attempt(
    state: &State,
    url: &str,
    file_name: &IndexFileName,
    attempt: u32,
    call: &Result<Outbound, BoxError>,
) -> bool {
    let at = state.now();
    let (mut status, mut answer_len, mut error) = (None, 0, None);
    match call {
        Err(invalid) => error = Some(invalid.to_string()),
        Ok(call) => match timeout(ANSWER_TIMEOUT, call.clone().send(state)).await {
            Ok(Ok((answered, len))) => (status, answer_len) = (Some(answered), len),
            Ok(Err(failure)) => error = Some(failure.to_string()),
            Err(_) => error = Some("the receiver did not answer in time".into()),
        },
    }
    let entry = CallbackAttempt {
        at,
        url: url.to_owned(),
        file_name: file_name.clone(),
        attempt,
        status,
        answer_len,
        error,
    };
    state.callbacks.push(entry.memory(), entry);
    status.is_some_and(|status| (200..300).contains(&status)) && answer_len > 0
}

/// A signed request to a receiver.
#[derive(Clone)]
struct Outbound {
    uri: Uri,
    host: String,
    body: Bytes,
    authorization: HeaderValue,
}

impl Outbound {
    fn sign(
        state: &State,
        credentials: &Credentials,
        url: &str,
        name_key: &str,
        callback: &Callback,
    ) -> Result<Self, BoxError> {
        let uri: Uri = url.parse()?;
        let authority = uri.authority().ok_or("the callback URL has no host")?;
        let host = authority.as_str();
        let body = callback.to_body(name_key);
        let query = uri.query().map(decode_query).unwrap_or_default();
        let length = body.len().to_string();
        let request = RequestView {
            method: "POST",
            path: uri.path(),
            query: &borrowed(&query),
            headers: &[("host", host), ("content-type", CONTENT_TYPE), ("content-length", &length)],
            body: &body,
        };
        let signer =
            Signer::new(credentials).query_line(state.settings.dialect.unwrap_or_default());
        let authorization = signer.sign(request, state.now())?;
        Ok(Self { host: host.to_owned(), uri, body, authorization })
    }

    /// The receiver's status and the length of its answer.
    async fn send(self, state: &State) -> Result<(u16, usize), BoxError> {
        let https = self.uri.scheme_str() == Some("https");
        let host = self.uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = self.uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let name = (host.clone(), port);
        let addresses: Vec<_> = on_thread(move || name.to_socket_addrs()).await??.collect();
        let stream = TcpStream::connect(addresses.as_slice()).await?;
        stream.set_nodelay(true)?;
        if https {
            let connector = TlsConnector::from(Arc::clone(&state.tls_client));
            self.exchange(connector.connect(ServerName::try_from(host)?, stream).await?).await
        } else {
            self.exchange(stream).await
        }
    }

    async fn exchange(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<(u16, usize), BoxError> {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let target = self.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let request = Request::post(target)
            .header(header::HOST, self.host)
            .header(header::CONTENT_TYPE, CONTENT_TYPE)
            .header(header::CONTENT_LENGTH, self.body.len())
            .header(header::AUTHORIZATION, self.authorization)
            .body(Full::new(self.body))?;
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_LIMIT).collect().await?.to_bytes();
        connection.abort();
        Ok((status, body.len()))
    }
}
