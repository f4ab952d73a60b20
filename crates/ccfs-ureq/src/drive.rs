//! The driver: a loop that executes the steps of an exchange.

use std::thread;

use bytes::{Bytes, BytesMut};
use ccfs_driver::{Call, Error, Progress, ProgressFn};
use ccfs_proto::{Exchange, Operation, Step};

use crate::failure::{read_failure, send_failure};
use crate::sink::Sink;
use crate::wire::{ResponseBody, Wire};

pub(crate) fn drive<O: Operation>(
    exchange: &mut Exchange<O>,
    wire: &Wire,
    call: &mut Call<'_>,
    mut sink: Sink<'_>,
    mut progress: Option<ProgressFn<'_>>,
) -> Result<O::Answer, Error> {
    let clock = call.clock();
    let mut body: Option<ResponseBody> = None;
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
                        body = Some(ResponseBody::new(&head.headers, rest));
                    }
                    Err(error) => exchange.on_failure(clock.now(), send_failure(error))?,
                }
            }
            Step::Receive { .. } => {
                match body.as_mut().map_or(Ok(Bytes::new()), |body| body.read(&mut buffer)) {
                    Ok(chunk) if chunk.is_empty() => exchange.on_end(clock.now())?,
                    Ok(chunk) => exchange.on_body(clock.now(), chunk)?,
                    Err(error) => exchange.on_failure(clock.now(), read_failure(error))?,
                }
            }
            Step::Write(bytes) => sink.write(&bytes).map_err(Error::Write)?,
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
