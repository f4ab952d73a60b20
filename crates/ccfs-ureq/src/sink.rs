//! Destinations of a response's file.

use std::io::{self, Write};

use ccfs_driver::WholeFile;
use ccfs_proto::SinkKind;

/// Destination of a file's bytes, which can be rewound if its kind is [`SinkKind::Rewinds`].
pub(crate) trait Sink: Write {
    fn kind(&self) -> SinkKind;
    fn rewind(&mut self) -> io::Result<()>;
}

/// The caller's writer, which cannot be rewound.
pub(crate) struct WriterSink<W>(pub(crate) W);

impl<W: Write> Write for WriterSink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> Sink for WriterSink<W> {
    fn kind(&self) -> SinkKind {
        SinkKind::Once
    }

    fn rewind(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Sink for WholeFile {
    fn kind(&self) -> SinkKind {
        SinkKind::Rewinds
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.truncate()
    }
}

/// Discards all bytes, for interfaces that do not answer with a file.
pub(crate) struct DiscardSink;

impl Write for DiscardSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for DiscardSink {
    fn kind(&self) -> SinkKind {
        SinkKind::Rewinds
    }

    fn rewind(&mut self) -> io::Result<()> {
        Ok(())
    }
}
