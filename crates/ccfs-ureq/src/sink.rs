//! Where a download's bytes go.

use std::io::{self, Write};

use ccfs_driver::WholeFile;
use ccfs_proto::SinkKind;

/// Takes a file's bytes, and may be able to start over.
pub(crate) trait Sink: Write {
    fn kind(&self) -> SinkKind;
    fn rewind(&mut self) -> io::Result<()>;
}

/// A caller's writer: what it took it has.
pub(crate) struct Once<W>(pub(crate) W);

impl<W: Write> Write for Once<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> Sink for Once<W> {
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

/// For calls that answer with an envelope: no byte of it is a file's.
pub(crate) struct Discard;

impl Write for Discard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Discard {
    fn kind(&self) -> SinkKind {
        SinkKind::Rewinds
    }

    fn rewind(&mut self) -> io::Result<()> {
        Ok(())
    }
}
