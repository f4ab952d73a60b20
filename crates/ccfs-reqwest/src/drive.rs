//! The driver: a loop that executes the steps of an exchange.

use std::time::Duration;

use bytes::Bytes;
use ccfs_driver::{Call, Error, Progress, ProgressFn, Proxy, Session};
use ccfs_proto::exchange::TransportFailure;
use ccfs_proto::{Exchange, FailureKind, Operation, Step};
use reqwest::{Request, Response};
use tokio::time::{sleep, timeout};

use crate::failure::{caused_by, read_failure, send_failure};
use crate::sink::Sink;
use crate::tunnel;

/// How requests are sent.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) http: reqwest::Client,
    /// The proxy of `http`; `None` if that is the caller's.
    pub(crate) proxy: Option<Proxy>,
}

pub(crate) async fn drive<O: Operation>(
    exchange: &mut Exchange<O>,
    session: &Session,
    wire: &Wire,
    call: &mut Call<'_>,
    mut sink: Sink<'_>,
    mut progress: Option<ProgressFn<'_>>,
) -> Result<O::Answer, Error> {
    let clock = call.clock();
    let mut body: Option<Response> = None;
    loop {
        if progress.as_mut().is_some_and(|report| report(Progress::of(exchange)).is_break()) {
            return Err(Error::Stopped);
        }
        match call.poll(exchange)? {
            Step::Send { request, idle_timeout, .. } => {
                match send(session, wire, request, idle_timeout).await {
                    Ok(response) => {
                        call.on_head(response.status(), response.headers());
                        exchange.on_head(clock.now(), response.status(), response.headers())?;
                        body = Some(response);
                    }
                    Err(failure) => exchange.on_failure(clock.now(), failure)?,
                }
            }
            Step::Receive { idle_timeout } => match read(body.as_mut(), idle_timeout).await {
                Ok(None) => exchange.on_end(clock.now())?,
                Ok(Some(chunk)) => exchange.on_body(clock.now(), chunk)?,
                Err(failure) => exchange.on_failure(clock.now(), failure)?,
            },
            Step::Write(bytes) => sink.write(bytes).await.map_err(Error::Write)?,
            Step::Rewind => sink.rewind().await.map_err(Error::Write)?,
            Step::Wait(duration) => {
                if !clock.wait(duration) {
                    sleep(duration).await;
                }
            }
            Step::Done(result) => {
                let answer = result?;
                sink.flush().await.map_err(Error::Write)?;
                return Ok(answer);
            }
        }
    }
}

async fn send(
    session: &Session,
    wire: &Wire,
    request: http::Request<Bytes>,
    idle_timeout: Duration,
) -> Result<Response, TransportFailure> {
    let request = Request::try_from(request).map_err(|error| {
        TransportFailure::caused_by(FailureKind::InvalidHttp, error.without_url())
    })?;
    match timeout(idle_timeout, wire.http.execute(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(match tunnel::refusal(session, wire.proxy.as_ref(), &error).await {
            Some(kind) => caused_by(kind, error),
            None => send_failure(error),
        }),
        Err(_) => Err(FailureKind::IdleTimeout.into()),
    }
}

async fn read(
    body: Option<&mut Response>,
    idle_timeout: Duration,
) -> Result<Option<Bytes>, TransportFailure> {
    let Some(body) = body else { return Ok(None) };
    match timeout(idle_timeout, body.chunk()).await {
        Ok(chunk) => chunk.map_err(read_failure),
        Err(_) => Err(FailureKind::IdleTimeout.into()),
    }
}
