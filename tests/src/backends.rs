//! The two backends.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use ccfs_conformance::{Backend, Client, Setup};
use ccfs_driver::{Config, Error, Overwrite};
use ccfs_proto::answer::FileReceipt;
use ccfs_proto::operation::GenerationJob;
use ccfs_proto::{DownloadAgentSkillInfoFile, QueryAgentSkillInfoData};
use ccfs_tls::Trust;
use tokio::io::AsyncWrite;

use crate::calls::runtime;

fn trust(setup: &Setup) -> Trust {
    let none = Trust::none();
    setup.ca_pem.as_ref().map_or(none.clone(), |pem| none.add_pem(pem.as_bytes()).unwrap())
}

/// Without jitter, so that waits can be compared.
fn session(setup: &Setup) -> Config {
    Config::new(setup.endpoint.clone(), setup.credentials.clone())
        .proxy(None)
        .policy(setup.policy.clone())
        .clock(setup.clock.clone())
        .jitter(|| u64::MAX)
}

/// `ccfs-ureq`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blocking;

impl Backend for Blocking {
    fn client(&self, setup: &Setup) -> Box<dyn Client> {
        Box::new(BlockingClient(
            ccfs_ureq::Client::with_trust(session(setup), &trust(setup)).unwrap(),
        ))
    }
}

struct BlockingClient(ccfs_ureq::Client);

impl Client for BlockingClient {
    fn query(&self, operation: QueryAgentSkillInfoData) -> Result<GenerationJob, Error> {
        self.0.call(operation)
    }

    fn to_file(
        &self,
        operation: DownloadAgentSkillInfoFile,
        path: &Path,
        overwrite: Overwrite,
    ) -> Result<FileReceipt, Error> {
        self.0.download(operation).overwrite(overwrite).to_file(path)
    }

    fn to_writer(
        &self,
        operation: DownloadAgentSkillInfoFile,
        writer: &mut (dyn Write + Send),
    ) -> Result<FileReceipt, Error> {
        self.0.download(operation).to_writer(writer)
    }

    fn cancel(&self, operation: DownloadAgentSkillInfoFile, path: &Path) -> bool {
        let stop = |progress: ccfs_driver::Progress| match progress.received {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        };
        let stopped = self.0.download(operation).progress(stop).to_file(path);
        assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
        true
    }
}

/// `ccfs-reqwest`, with a separate runtime for each client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Async;

impl Backend for Async {
    fn client(&self, setup: &Setup) -> Box<dyn Client> {
        let client = ccfs_reqwest::Client::with_trust(session(setup), &trust(setup)).unwrap();
        Box::new(AsyncClient { client, runtime: runtime() })
    }
}

struct AsyncClient {
    client: ccfs_reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Client for AsyncClient {
    fn query(&self, operation: QueryAgentSkillInfoData) -> Result<GenerationJob, Error> {
        self.runtime.block_on(self.client.call(operation))
    }

    fn to_file(
        &self,
        operation: DownloadAgentSkillInfoFile,
        path: &Path,
        overwrite: Overwrite,
    ) -> Result<FileReceipt, Error> {
        self.runtime.block_on(self.client.download(operation).overwrite(overwrite).to_file(path))
    }

    fn to_writer(
        &self,
        operation: DownloadAgentSkillInfoFile,
        writer: &mut (dyn Write + Send),
    ) -> Result<FileReceipt, Error> {
        self.runtime.block_on(self.client.download(operation).to_writer(AtOnce(writer)))
    }

    /// Drops the future after the first bytes have arrived.
    fn cancel(&self, operation: DownloadAgentSkillInfoFile, path: &Path) -> bool {
        let (begun, begins) = tokio::sync::oneshot::channel();
        let mut begun = Some(begun);
        let progress = move |progress: ccfs_driver::Progress| {
            if progress.received > 0 {
                begun.take().map(|begun| begun.send(()));
            }
            ControlFlow::Continue(())
        };
        self.runtime.block_on(async {
            tokio::select! {
                result = self.client.download(operation).progress(progress).to_file(path) => panic!("{result:?}"),
                begun = begins => begun.unwrap(),
            }
        });
        true
    }
}

/// Adapts a blocking writer to `AsyncWrite`: it is always ready.
struct AtOnce<'a>(&'a mut (dyn Write + Send));

impl AsyncWrite for AtOnce<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.write(bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
