//! Archives that are read without seeking.

use std::fmt;
use std::io::Read;

use crate::ahead::Ahead;
use crate::options::ReadOptions;
use crate::record::Record;
use crate::records::Records;
use crate::zip::{Forward, Machine, Reader};

/// An index archive that is read sequentially in constant memory, such as a response body.
///
/// It returns the same records as [`Archive`](crate::Archive), but some errors come later: the directory is at the end
/// of an archive, so records may precede the error that rejects it. Do not act on the records before
/// [`next_record`](Records::next_record) has returned `None`.
///
/// ```
/// use ccfs_archive::{AgentSkillChange, ArchiveStream};
///
/// # fn rows(body: &mut (dyn std::io::Read + Send)) -> Result<u64, ccfs_archive::Error> {
/// let mut stream = ArchiveStream::new(body);
/// let mut changes = stream.records::<AgentSkillChange>();
/// while let Some(change) = changes.next_record()? {
///     println!("{:?}", change.agent_id());
/// }
/// # Ok(changes.rows())
/// # }
/// ```
pub struct ArchiveStream<R> {
    reader: R,
    options: ReadOptions,
}

impl<R: Read + Send> ArchiveStream<R> {
    /// Creates a stream with the default [`ReadOptions`]. The reader need not be buffered.
    pub fn new(reader: R) -> Self {
        Self::with_options(reader, &ReadOptions::new())
    }

    /// Creates a stream with other options.
    pub fn with_options(reader: R, options: &ReadOptions) -> Self {
        Self { reader, options: options.clone() }
    }

    /// Reads the records of all members of this kind, one member after another. Other members are inflated and checked.
    ///
    /// The records can be read once: a second call continues where the first one stopped.
    pub fn records<T: Record>(&mut self) -> Records<'_, T> {
        let machine = Machine::forward(&self.options.limits);
        let source = Reader::new(Forward(&mut self.reader), machine);
        Records::of_members(Box::new(source), &[], &self.options)
    }

    /// Reads the same records as [`records`](Self::records), received and inflated ahead on a second thread.
    ///
    /// After the records are dropped, the thread ends when its current read returns: use a reader with a timeout.
    pub fn into_records_ahead<T: Record>(self) -> Records<'static, T>
    where
        R: 'static,
    {
        let machine = Machine::forward(&self.options.limits);
        let source = Reader::new(Forward(self.reader), machine);
        Records::of_members(Box::new(Ahead::new(source)), &[], &self.options)
    }
}

impl<R> fmt::Debug for ArchiveStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArchiveStream").finish_non_exhaustive()
    }
}
