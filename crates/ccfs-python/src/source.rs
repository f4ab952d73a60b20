//! Where an archive is read from: a path, bytes, or a file object of Python.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes};

/// A source, which can be opened several times.
#[derive(Clone)]
pub(crate) enum Source {
    Path(PathBuf),
    Bytes(Arc<PyBackedBytes>),
    File(Arc<FileObject>),
}

/// A binary file object. Readers share it, so each call seeks and reads under the lock.
pub(crate) struct FileObject {
    file: Py<PyAny>,
    lock: Mutex<()>,
}

impl<'py> FromPyObject<'_, 'py> for Source {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if value.is_instance_of::<PyBytes>() || value.is_instance_of::<PyByteArray>() {
            return Ok(Self::Bytes(Arc::new(value.extract()?)));
        }
        if value.hasattr("read")? && value.hasattr("seek")? {
            let file = value.to_owned().unbind();
            return Ok(Self::File(Arc::new(FileObject { file, lock: Mutex::new(()) })));
        }
        value.extract().map(Self::Path).map_err(|_| {
            PyTypeError::new_err("expected a path, bytes, or a binary file object that seeks")
        })
    }
}

impl Source {
    /// Opens the source at its start.
    pub(crate) fn open(&self) -> io::Result<Input> {
        Ok(match self {
            Self::Path(path) => Input::File(File::open(path).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            })?),
            Self::Bytes(bytes) => Input::Bytes(Cursor::new(Shared(Arc::clone(bytes)))),
            Self::File(file) => Input::Object { file: Arc::clone(file), position: 0 },
        })
    }
}

/// An opened source.
pub(crate) enum Input {
    File(File),
    Bytes(Cursor<Shared>),
    Object { file: Arc<FileObject>, position: u64 },
}

pub(crate) struct Shared(Arc<PyBackedBytes>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Bytes(bytes) => bytes.read(buffer),
            Self::Object { file, position } => {
                let length = file.read_at(*position, buffer)?;
                *position += length as u64;
                Ok(length)
            }
        }
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Bytes(bytes) => bytes.seek(to),
            Self::Object { file, position } => {
                let (start, by) = match to {
                    SeekFrom::Start(offset) => (offset, 0),
                    SeekFrom::Current(by) => (*position, by),
                    SeekFrom::End(by) => (file.length()?, by),
                };
                let target = start.checked_add_signed(by);
                *position = target.ok_or(io::ErrorKind::InvalidInput)?;
                Ok(*position)
            }
        }
    }
}

impl FileObject {
    /// Reads at most as many bytes as `buffer` has. The caller is detached from the interpreter:
    /// it may wait for another reader that needs it.
    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        attached(|py| {
            let file = self.file.bind(py);
            file.call_method1("seek", (position,))?;
            let read = file.call_method1("read", (buffer.len(),))?;
            let bytes = read.cast::<PyBytes>().map_err(|_| {
                PyTypeError::new_err(
                    "read() of the file object did not return bytes; open it in mode \"rb\"",
                )
            })?;
            let bytes = bytes.as_bytes();
            let length = bytes.len().min(buffer.len());
            buffer[..length].copy_from_slice(&bytes[..length]);
            Ok(length)
        })
    }

    fn length(&self) -> io::Result<u64> {
        let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        attached(|py| self.file.bind(py).call_method1("seek", (0, 2))?.extract())
    }
}

/// Runs `work` with the interpreter. A thread that reads ahead may outlive it.
fn attached<T>(work: impl FnOnce(Python<'_>) -> PyResult<T>) -> io::Result<T> {
    match Python::try_attach(work) {
        Some(result) => Ok(result?),
        None => Err(io::Error::other("the interpreter has ended")),
    }
}
