//! The example's transport, with one thing wrong.

use std::fs::File;
use std::io::Write;
use std::mem;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use ccfs_conformance::{Backend, Client, ManualClock, Setup};
use ccfs_driver::{Clock, Error, Overwrite, Session, WholeFile};
use ccfs_proto::answer::FileReceipt;
use ccfs_proto::auth::QueryLine;
use ccfs_proto::exchange::Target;
use ccfs_proto::operation::GenerationJob;
use ccfs_proto::{
    DownloadAgentSkillInfoFile, Endpoint, FailureKind, Operation, QueryAgentSkillInfoData,
    SinkKind, Step,
};
use http::{HeaderValue, Request, header};

use crate::own_transport::{Answer, OwnTransport, send};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    Nothing,
    RetriesByItself,
    RetriesRefusals,
    FollowsRedirects,
    AddsHeaders,
    ChangesHost,
    ChangesBody,
    Unpacks,
    ForgetsTime,
    ForgetsTimeInBodies,
    TimeStands,
    GathersBodies,
    TakesCutsForEnds,
    SaysConnectOfAll,
    SaysBrokenOfAll,
    SaysConnectAsBroken,
    NeverRewinds,
    SaysWritersRewind,
    SleepsForReal,
    ForgetsCorrections,
    WritesInPlace,
    Overwrites,
    LeavesParts,
    OneDialect,
    Panics,
}

#[derive(Debug)]
pub(crate) struct Flawed(pub(crate) Flaw);

struct FlawedClient {
    flaw: Flaw,
    session: Session,
    clock: ManualClock,
}

impl Backend for Flawed {
    fn client(&self, setup: &Setup) -> Box<dyn Client> {
        let mut setup = setup.clone();
        if self.0 == Flaw::OneDialect {
            setup.policy.query_line = QueryLine::default();
        }
        Box::new(FlawedClient { flaw: self.0, session: setup.config().into(), clock: setup.clock })
    }

    fn speaks_tls(&self) -> bool {
        false
    }

    /// Some flaws go on until the server ends it. The others have as much time as a transport without any.
    fn server_timeout(&self) -> Duration {
        match self.0 {
            Flaw::ForgetsTime
            | Flaw::ForgetsTimeInBodies
            | Flaw::TimeStands
            | Flaw::GathersBodies => Duration::from_secs(3),
            _ => OwnTransport.server_timeout(),
        }
    }
}

/// A sink that can be rewound to the start, if it supports that.
trait Sink {
    fn take(&mut self, bytes: &[u8]) -> std::io::Result<()>;
    fn begin_anew(&mut self) -> std::io::Result<()>;
}

impl Sink for WholeFile {
    fn take(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.write_all(bytes)
    }

    fn begin_anew(&mut self) -> std::io::Result<()> {
        self.truncate()
    }
}

struct Writer<'a>(&'a mut dyn Write);

impl Sink for Writer<'_> {
    fn take(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes)
    }

    fn begin_anew(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Client for FlawedClient {
    fn query(&self, operation: QueryAgentSkillInfoData) -> Result<GenerationJob, Error> {
        if self.flaw == Flaw::Panics {
            // A panic like any other, but for the noise on stderr.
            resume_unwind(Box::new("out of luck"));
        }
        self.drive(operation, &mut Writer(&mut std::io::sink()), SinkKind::Rewinds, false)
    }

    fn to_file(
        &self,
        operation: DownloadAgentSkillInfoFile,
        path: &Path,
        overwrite: Overwrite,
    ) -> Result<FileReceipt, Error> {
        if self.flaw == Flaw::WritesInPlace {
            let mut file = File::create(path).map_err(Error::Write)?;
            return self.drive(operation, &mut Writer(&mut file), SinkKind::Rewinds, false);
        }
        let overwrite = if self.flaw == Flaw::Overwrites { Overwrite::Replace } else { overwrite };
        let mut file = WholeFile::create(path, overwrite)?;
        let receipt = self.drive(operation, &mut file, SinkKind::Rewinds, false)?;
        let written = file.written();
        file.commit(if self.flaw == Flaw::NeverRewinds { written } else { receipt.bytes })?;
        Ok(receipt)
    }

    fn to_writer(
        &self,
        operation: DownloadAgentSkillInfoFile,
        writer: &mut (dyn Write + Send),
    ) -> Result<FileReceipt, Error> {
        let kind =
            if self.flaw == Flaw::SaysWritersRewind { SinkKind::Rewinds } else { SinkKind::Once };
        self.drive(operation, &mut Writer(writer), kind, false)
    }

    fn cancel(&self, operation: DownloadAgentSkillInfoFile, path: &Path) -> bool {
        let Ok(mut file) = WholeFile::create(path, Overwrite::Refuse) else { return true };
        let _ = self.drive(operation, &mut file, SinkKind::Rewinds, true);
        if self.flaw == Flaw::LeavesParts {
            mem::forget(file);
        }
        true
    }
}

impl FlawedClient {
    fn drive<O: Operation>(
        &self,
        operation: O,
        sink: &mut dyn Sink,
        kind: SinkKind,
        stop: bool,
    ) -> Result<O::Answer, Error> {
        let (call, mut exchange) = self.session.call(operation, kind)?;
        let begin = self.clock.now();
        let now = || if self.flaw == Flaw::TimeStands { begin } else { self.clock.now() };
        let mut body: Option<Answer> = None;
        loop {
            if stop && exchange.progress().0 > 0 {
                return Err(Error::Stopped);
            }
            match exchange.poll(now())? {
                Step::Send { request, target, idle_timeout, .. } => {
                    match self.send(&request, &target, idle_timeout) {
                        Ok(answer) => {
                            exchange.on_head(now(), answer.status, &answer.headers)?;
                            body = Some(answer);
                        }
                        Err(failure) => exchange.on_failure(now(), self.told(failure))?,
                    }
                }
                Step::Receive { idle_timeout } => {
                    match body
                        .as_mut()
                        .map_or(Ok(Bytes::new()), |body| self.read(body, idle_timeout))
                    {
                        Ok(chunk) if chunk.is_empty() => exchange.on_end(now())?,
                        Ok(chunk) => exchange.on_body(now(), chunk)?,
                        Err(FailureKind::BodyBroken) if self.flaw == Flaw::TakesCutsForEnds => {
                            exchange.on_end(now())?;
                        }
                        Err(failure) => exchange.on_failure(now(), self.told(failure))?,
                    }
                }
                Step::Write(bytes) => sink.take(&bytes).map_err(Error::Write)?,
                Step::Rewind if self.flaw == Flaw::NeverRewinds => {}
                Step::Rewind => sink.begin_anew().map_err(Error::Write)?,
                Step::Wait(duration) if self.flaw == Flaw::SleepsForReal => {
                    thread::sleep(duration);
                    // It must end all the same.
                    self.clock.wait(Duration::ZERO);
                    self.clock.wait(duration);
                }
                Step::Wait(duration) if self.flaw == Flaw::TimeStands => {
                    self.clock.wait(duration);
                    return Err(Error::Stopped);
                }
                Step::Wait(duration) => drop(self.clock.wait(duration)),
                Step::Done(result) => {
                    let result = result.map_err(Error::from);
                    if self.flaw != Flaw::ForgetsCorrections {
                        call.end(&exchange, &result);
                    }
                    return result;
                }
            }
        }
    }

    fn send(
        &self,
        request: &Request<Bytes>,
        target: &Target,
        idle_timeout: Duration,
    ) -> Result<Answer, FailureKind> {
        let mut request = request.clone();
        let headers = request.headers_mut();
        match self.flaw {
            Flaw::AddsHeaders => {
                headers.insert(header::USER_AGENT, HeaderValue::from_static("own/1.0"));
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            }
            Flaw::ChangesHost => {
                drop(headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1")));
            }
            Flaw::ChangesBody => {
                let body = [&request.body()[..], b"\n"].concat();
                request.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
                *request.body_mut() = body.into();
            }
            _ => {}
        }
        let idle_timeout =
            if self.flaw == Flaw::ForgetsTime { Duration::from_secs(3600) } else { idle_timeout };
        let mut answer = match send(&request, target, idle_timeout) {
            Err(_) if self.flaw == Flaw::RetriesByItself => send(&request, target, idle_timeout)?,
            answer => answer?,
        };
        if self.flaw == Flaw::RetriesRefusals && answer.status.is_client_error() {
            answer = send(&request, target, idle_timeout)?;
        }
        let location =
            answer.headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        if let Some(location) = location
            .filter(|_| self.flaw == Flaw::FollowsRedirects && answer.status.is_redirection())
        {
            let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
            let location = if location.starts_with('/') {
                format!("http://{authority}{location}")
            } else {
                location.to_owned()
            };
            *request.uri_mut() = location.parse().unwrap();
            let authority = request.uri().authority().unwrap();
            let other: Endpoint = format!("http://{authority}").parse().unwrap();
            let target = &Target::new(&other);
            return send(&request, target, idle_timeout);
        }
        Ok(answer)
    }

    fn read(&self, body: &mut Answer, idle_timeout: Duration) -> Result<Bytes, FailureKind> {
        match self.flaw {
            Flaw::Unpacks if body.headers.contains_key(header::CONTENT_ENCODING) => {
                Err(FailureKind::BodyBroken)
            }
            Flaw::ForgetsTime | Flaw::ForgetsTimeInBodies => body.read(Duration::from_secs(3600)),
            Flaw::GathersBodies => {
                let mut all = Vec::new();
                loop {
                    match body.read(idle_timeout)? {
                        chunk if chunk.is_empty() => return Ok(all.into()),
                        chunk => all.extend_from_slice(&chunk),
                    }
                }
            }
            _ => body.read(idle_timeout),
        }
    }

    fn told(&self, failure: FailureKind) -> FailureKind {
        match (self.flaw, failure) {
            (Flaw::SaysConnectOfAll, _) => FailureKind::Connect,
            (Flaw::SaysBrokenOfAll, _) | (Flaw::SaysConnectAsBroken, FailureKind::Connect) => {
                FailureKind::Broken
            }
            (_, failure) => failure,
        }
    }
}
