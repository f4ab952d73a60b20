//! Destinations of a response's file.

use std::fs;
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::path::PathBuf;

use bytes::Bytes;
use ccfs_driver::{CheckFn, Error, WholeFile};
use ccfs_proto::SinkKind;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::task::{JoinError, spawn_blocking};

/// Destination of a file's bytes.
pub(crate) enum Sink<'a> {
    /// Discards all bytes, for interfaces that do not answer with a file.
    Discard,
    File(&'a mut FileSink),
    /// The caller's writer, which cannot be rewound.
    Writer(&'a mut (dyn AsyncWrite + Unpin + Send)),
}

impl Sink<'_> {
    pub(crate) fn kind(&self) -> SinkKind {
        match self {
            Self::Discard | Self::File(_) => SinkKind::Rewinds,
            Self::Writer(_) => SinkKind::Once,
        }
    }

    pub(crate) async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        match self {
            Self::Discard => Ok(()),
            Self::File(file) => file.with(move |file| file.write_all(&bytes)).await,
            Self::Writer(writer) => writer.write_all(&bytes).await,
        }
    }

    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Discard => Ok(()),
            Self::File(file) => file.with(Write::flush).await,
            Self::Writer(writer) => writer.flush().await,
        }
    }

    pub(crate) async fn rewind(&mut self) -> io::Result<()> {
        match self {
            Self::Discard => Ok(()),
            Self::File(file) => file.with(WholeFile::truncate).await,
            Self::Writer(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// A file on disk, which is written on tokio's threads for blocking work.
pub(crate) struct FileSink {
    /// `None` while a thread writes to it.
    file: Option<WholeFile>,
    temp_path: PathBuf,
}

impl FileSink {
    pub(crate) fn new(file: WholeFile) -> Self {
        Self { temp_path: file.temp_path().to_owned(), file: Some(file) }
    }

    /// Calls `check` with the file, then commits it.
    pub(crate) async fn commit(
        mut self,
        len: u64,
        check: Option<CheckFn<'static>>,
    ) -> Result<(), Error> {
        let file = self.file.take().ok_or_else(|| Error::Write(runtime_stopped()))?;
        spawn_blocking(move || file.commit_checked(len, check))
            .await
            .map_err(|error| Error::Write(join_error(error)))?
    }

    async fn with(
        &mut self,
        work: impl FnOnce(&mut WholeFile) -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let mut file = self.file.take().ok_or_else(runtime_stopped)?;
        let (file, result) = spawn_blocking(move || {
            let result = work(&mut file);
            (file, result)
        })
        .await
        .map_err(join_error)?;
        self.file = Some(file);
        result
    }
}

impl Drop for FileSink {
    /// Removes the file at once if the future is dropped while a thread still writes to it.
    fn drop(&mut self) {
        if self.file.is_none() {
            let _ = fs::remove_file(&self.temp_path);
        }
    }
}

/// Resumes a panic of the caller's `check`; otherwise the runtime stopped before the thread ended.
fn join_error(error: JoinError) -> io::Error {
    match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => runtime_stopped(),
    }
}

fn runtime_stopped() -> io::Error {
    io::Error::other("the tokio runtime stopped before the file was written")
}
