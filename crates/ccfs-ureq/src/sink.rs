//! Destinations of a response's file.

use std::io::{self, Write};

use ccfs_driver::WholeFile;
use ccfs_proto::SinkKind;

/// Destination of a file's bytes.
pub(crate) enum Sink<'a> {
    /// Discards all bytes, for interfaces that do not answer with a file.
    Discard,
    File(&'a mut WholeFile),
    /// The caller's writer, which cannot be rewound.
    Writer(&'a mut dyn Write),
}

impl Sink<'_> {
    pub(crate) fn kind(&self) -> SinkKind {
        match self {
            Self::Discard | Self::File(_) => SinkKind::Rewinds,
            Self::Writer(_) => SinkKind::Once,
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Discard => Ok(()),
            Self::File(file) => file.write_all(bytes),
            Self::Writer(writer) => writer.write_all(bytes),
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Discard => Ok(()),
            Self::File(file) => file.flush(),
            Self::Writer(writer) => writer.flush(),
        }
    }

    pub(crate) fn rewind(&mut self) -> io::Result<()> {
        match self {
            Self::Discard => Ok(()),
            Self::File(file) => file.truncate(),
            Self::Writer(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}
