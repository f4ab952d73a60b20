//! Where a download's bytes go.

use std::fs;
use std::future::Future;
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::path::PathBuf;

use bytes::Bytes;
use ccfs_driver::{Error, WholeFile};
use ccfs_proto::SinkKind;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::task::{JoinError, spawn_blocking};

use crate::client::CheckFn;

/// Takes a file's bytes, and may be able to start over.
pub(crate) trait Sink: Send {
    fn kind(&self) -> SinkKind;
    fn write(&mut self, bytes: Bytes) -> impl Future<Output = io::Result<()>> + Send;
    fn rewind(&mut self) -> impl Future<Output = io::Result<()>> + Send;
    fn flush(&mut self) -> impl Future<Output = io::Result<()>> + Send;
}

/// A caller's writer: what it took it has.
pub(crate) struct Once<W>(pub(crate) W);

impl<W: AsyncWrite + Unpin + Send> Sink for Once<W> {
    fn kind(&self) -> SinkKind {
        SinkKind::Once
    }

    async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        self.0.write_all(&bytes).await
    }

    async fn rewind(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.0.flush().await
    }
}

/// A file on disk. Writes go to the threads that tokio keeps for blocking work.
pub(crate) struct Replaceable {
    /// `None` while a thread has it.
    file: Option<WholeFile>,
    hidden: PathBuf,
}

impl Replaceable {
    pub(crate) fn new(file: WholeFile) -> Self {
        Self { hidden: file.temp_path().to_owned(), file: Some(file) }
    }

    /// Has the file checked and puts it in place.
    pub(crate) async fn commit(mut self, len: u64, check: Option<CheckFn>) -> Result<(), Error> {
        let file = self.file.take().ok_or_else(|| Error::Write(lost()))?;
        spawn_blocking(move || {
            if let Some(check) = check {
                check(file.reopen().map_err(Error::Write)?).map_err(Error::Rejected)?;
            }
            file.commit(len)?;
            Ok(())
        })
        .await
        .map_err(|error| Error::Write(gone(error)))?
    }

    async fn with(
        &mut self,
        work: impl FnOnce(&mut WholeFile) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let mut file = self.file.take().ok_or_else(lost)?;
        let (file, result) = spawn_blocking(move || {
            let result = work(&mut file);
            (file, result)
        })
        .await
        .map_err(gone)?;
        self.file = Some(file);
        result
    }
}

impl Drop for Replaceable {
    /// A future that is dropped while a thread writes leaves the file with that thread. Who dropped it finds nothing all the same, and not only later.
    fn drop(&mut self) {
        if self.file.is_none() {
            let _ = fs::remove_file(&self.hidden);
        }
    }
}

/// The thread did not come to its end. A panic there is the caller's, from the check of the file.
fn gone(error: JoinError) -> io::Error {
    match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => lost(),
    }
}

fn lost() -> io::Error {
    io::Error::other("the file was given up because the runtime stopped")
}

impl Sink for Replaceable {
    fn kind(&self) -> SinkKind {
        SinkKind::Rewinds
    }

    async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        self.with(move |file| file.write_all(&bytes)).await
    }

    async fn rewind(&mut self) -> io::Result<()> {
        self.with(WholeFile::truncate).await
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.with(Write::flush).await
    }
}

/// For calls that answer with an envelope: no byte of it is a file's.
pub(crate) struct Discard;

impl Sink for Discard {
    fn kind(&self) -> SinkKind {
        SinkKind::Rewinds
    }

    async fn write(&mut self, _bytes: Bytes) -> io::Result<()> {
        Ok(())
    }

    async fn rewind(&mut self) -> io::Result<()> {
        Ok(())
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
