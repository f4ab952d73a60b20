//! The driver: a loop that executes the steps of an exchange.

use std::io::Read;
use std::thread;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ccfs_driver::{Call, Error, Progress};
use ccfs_proto::{Exchange, Operation, Step};
use ureq::http::{Request, Response};
use ureq::{Agent, AsSendBody, Body, BodyReader};

use crate::client::ProgressFn;
use crate::failure::{read_failure, send_failure};
use crate::sink::Sink;

/// Size of the read buffer in bytes.
const CHUNK: usize = 64 * 1024;

/// How requests are sent.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) agent: Agent,
    pub(crate) connect_timeout: Duration,
}

pub(crate) fn drive<O: Operation>(
    exchange: &mut Exchange<O>,
    wire: &Wire,
    call: &mut Call<'_>,
    sink: &mut dyn Sink,
    mut progress: Option<ProgressFn<'_>>,
) -> Result<O::Answer, Error> {
    let clock = call.clock();
    let mut body: Option<BodyReader<'static>> = None;
    let mut buffer = BytesMut::new();
    loop {
        if progress.as_mut().is_some_and(|report| report(Progress::of(exchange)).is_break()) {
            return Err(Error::Stopped);
        }
        match call.poll(exchange)? {
            Step::Send { request, idle_timeout, remaining, .. } => {
                match wire.send(request, idle_timeout, remaining) {
                    Ok(response) => {
                        let (head, rest) = response.into_parts();
                        call.on_head(head.status, &head.headers);
                        exchange.on_head(clock.now(), head.status, &head.headers)?;
                        body = Some(rest.into_with_config().limit(u64::MAX).reader());
                    }
                    Err(error) => exchange.on_failure(clock.now(), send_failure(error))?,
                }
            }
            Step::Receive { .. } => {
                match body.as_mut().map_or(Ok(Bytes::new()), |body| read(body, &mut buffer)) {
                    Ok(chunk) if chunk.is_empty() => exchange.on_end(clock.now())?,
                    Ok(chunk) => exchange.on_body(clock.now(), chunk)?,
                    Err(error) => exchange.on_failure(clock.now(), read_failure(error))?,
                }
            }
            Step::Write(bytes) => sink.write_all(&bytes).map_err(Error::Write)?,
            Step::Rewind => sink.rewind().map_err(Error::Write)?,
            Step::Wait(duration) => {
                if !clock.wait(duration) {
                    thread::sleep(duration);
                }
            }
            Step::Done(result) => {
                let answer = result?;
                sink.flush().map_err(Error::Write)?;
                return Ok(answer);
            }
        }
    }
}

impl Wire {
    /// Sends the request unchanged. Does not follow redirects or decompress.
    fn send(
        &self,
        request: Request<Bytes>,
        idle_timeout: Duration,
        remaining: Duration,
    ) -> Result<Response<Body>, ureq::Error> {
        let (head, body) = request.into_parts();
        // A body of no bytes would add `content-length: 0`.
        if body.is_empty() {
            self.run(Request::from_parts(head, ()), idle_timeout, remaining)
        } else {
            self.run(Request::from_parts(head, body.to_vec()), idle_timeout, remaining)
        }
    }

    fn run(
        &self,
        request: Request<impl AsSendBody>,
        idle_timeout: Duration,
        remaining: Duration,
    ) -> Result<Response<Body>, ureq::Error> {
        let request = self
            .agent
            .configure_request(request)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent("")
            .accept_encoding("")
            .allow_non_standard_methods(true)
            .timeout_connect(Some(bounded(self.connect_timeout.min(remaining))))
            .timeout_recv_response(Some(bounded(idle_timeout)))
            .timeout_per_read(Some(bounded(idle_timeout)))
            .timeout_per_write(Some(bounded(idle_timeout)))
            .timeout_global(Some(bounded(remaining)))
            .build();
        self.agent.run(request)
    }
}

/// At most a year: ureq adds it to the current time, which must not overflow.
fn bounded(timeout: Duration) -> Duration {
    timeout.min(Duration::from_secs(365 * 24 * 60 * 60))
}

fn read(body: &mut BodyReader<'static>, buffer: &mut BytesMut) -> std::io::Result<Bytes> {
    buffer.resize(CHUNK, 0);
    let len = body.read(buffer)?;
    Ok(buffer.split_to(len).freeze())
}
