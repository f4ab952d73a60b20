//! Writes the records of a window in one format.

use std::io::{self, BufWriter, IntoInnerError, Write};

use ccfs_archive::{AnyRecordRef, ExportFormat, RecordWriter};
use ccfs_driver::WholeFile;
use sha2::{Digest, Sha256};

use crate::format::Format;
use crate::plan::Plan;
use crate::scheduler::Fingerprint;
use crate::window::Window;

const BUFFER: usize = 256 * 1024;

/// A converted file that is being written.
pub(crate) struct Output<'a> {
    format: Format,
    writer: Writer<'a>,
}

type Out = BufWriter<Hashed<WholeFile>>;

enum Writer<'a> {
    Text(Box<RecordWriter<'a, Out>>),
    #[cfg(feature = "parquet")]
    Parquet(Box<parquet::Writer>),
}

impl<'a> Output<'a> {
    /// Begins a file with the records of a window, whose ZIP is `zip`.
    pub(crate) fn new(
        plan: &'a Plan,
        window: Window,
        zip: Fingerprint,
        format: Format,
        file: WholeFile,
    ) -> io::Result<Self> {
        let out = BufWriter::with_capacity(BUFFER, Hashed::new(file));
        let writer = match format.text() {
            Some(text) => {
                let mut writer = RecordWriter::new(text, out);
                // CSV keeps the texts of its source.
                if text == ExportFormat::Jsonl {
                    writer = writer.offset(|time| plan.zone.offset(time));
                }
                writer.write_header(plan.kind)?;
                Writer::Text(Box::new(writer))
            }
            #[cfg(feature = "parquet")]
            None => Writer::Parquet(Box::new(parquet::Writer::new(plan, window, zip, out)?)),
            #[cfg(not(feature = "parquet"))]
            None => {
                let _ = (window, zip);
                return Err(io::Error::other(crate::plan::PlanError::NoParquet));
            }
        };
        Ok(Self { format, writer })
    }

    pub(crate) fn write(&mut self, record: AnyRecordRef<'_>) -> io::Result<()> {
        match &mut self.writer {
            Writer::Text(writer) => writer.write(record),
            #[cfg(feature = "parquet")]
            Writer::Parquet(writer) => writer.write(record),
        }
    }

    pub(crate) fn finish(self) -> io::Result<Converted> {
        let out = match self.writer {
            Writer::Text(writer) => writer.into_inner()?,
            #[cfg(feature = "parquet")]
            Writer::Parquet(writer) => writer.finish()?,
        };
        let (file, fingerprint) = out.into_inner().map_err(IntoInnerError::into_error)?.finish();
        Ok(Converted { format: self.format, file, fingerprint })
    }
}

/// A converted file that is not in place yet.
#[derive(Debug)]
pub(crate) struct Converted {
    pub(crate) format: Format,
    pub(crate) file: WholeFile,
    pub(crate) fingerprint: Fingerprint,
}

/// A writer whose bytes are hashed.
pub(crate) struct Hashed<W> {
    inner: W,
    bytes: u64,
    hash: Sha256,
}

impl<W> Hashed<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, bytes: 0, hash: Sha256::new() }
    }

    pub(crate) fn finish(self) -> (W, Fingerprint) {
        (self.inner, Fingerprint::new(self.bytes, self.hash.finalize().into()))
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(feature = "parquet")]
mod parquet {
    use std::io;

    use ccfs_archive::AnyRecordRef;
    use ccfs_arrow::arrow_schema::ArrowError;
    use ccfs_arrow::{BatchBuilder, Options, ParquetOptions, ParquetWriter};

    use super::Out;
    use crate::plan::Plan;
    use crate::scheduler::Fingerprint;
    use crate::window::Window;

    pub(super) struct Writer {
        batches: BatchBuilder,
        writer: ParquetWriter<Out>,
    }

    impl Writer {
        pub(super) fn new(
            plan: &Plan,
            window: Window,
            zip: Fingerprint,
            out: Out,
        ) -> io::Result<Self> {
            let zone = plan.zone.clone();
            let options = Options::new().time_zone(plan.zone.name(), move |time| zone.offset(time));
            let batches = BatchBuilder::new(plan.kind, &options).map_err(io_error)?;
            let options = ParquetOptions::new()
                .period(window.begin(), window.end())
                .source_sha256(zip.sha256);
            let writer = ParquetWriter::new(out, &batches.schema(), &options).map_err(io_error)?;
            Ok(Self { batches, writer })
        }

        pub(super) fn write(&mut self, record: AnyRecordRef<'_>) -> io::Result<()> {
            match self.batches.append(record).map_err(io_error)? {
                Some(batch) => self.writer.write(&batch).map_err(io_error),
                None => Ok(()),
            }
        }

        pub(super) fn finish(mut self) -> io::Result<Out> {
            if let Some(batch) = self.batches.finish().map_err(io_error)? {
                self.writer.write(&batch).map_err(io_error)?;
            }
            self.writer.into_inner().map_err(io_error)
        }
    }

    /// The error of the output, if it is one.
    fn io_error(error: ArrowError) -> io::Error {
        match error {
            ArrowError::ExternalError(source) => match source.downcast::<io::Error>() {
                Ok(error) => *error,
                Err(source) => io::Error::other(source),
            },
            error => io::Error::other(error),
        }
    }
}
