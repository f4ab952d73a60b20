//! Archives in files.

use std::fmt;
use std::io::{Read, Seek, SeekFrom};

use crate::ahead::{AHEAD_FROM, Ahead};
use crate::error::Error;
use crate::options::ReadOptions;
use crate::record::{AnyRecordRef, Record};
use crate::records::Records;
use crate::report::Report;
use crate::source::{Source, member_kind};
use crate::zip::{Machine, Member, Reader, Seeking};

/// An index archive in a file, or in anything else that seeks.
///
/// Opening it reads and checks the directory and the header of every member. Data is inflated when records are read.
pub struct Archive<R> {
    reader: R,
    options: ReadOptions,
    members: Vec<Member>,
}

impl<R: Read + Seek + Send> Archive<R> {
    /// Opens an archive with the default [`ReadOptions`].
    ///
    /// # Errors
    ///
    /// [`Error::Zip`] if the input is not a ZIP archive, is damaged, or is built to mislead readers; [`Error::Limit`] if
    /// it has too many members or too large a directory; [`Error::Io`] if the reader fails.
    pub fn open(reader: R) -> Result<Self, Error> {
        Self::open_with(reader, &ReadOptions::new())
    }

    /// Opens an archive with other options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(mut reader: R, options: &ReadOptions) -> Result<Self, Error> {
        let length = reader.seek(SeekFrom::End(0))?;
        let members = Reader::open(Seeking(&mut reader), &options.limits, length)?;
        Ok(Self { reader, options: options.clone(), members })
    }

    /// The members, in the order of the file.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Reads all records of type `T`, one member after another.
    ///
    /// Members of other kinds are not inflated; [`Records::skipped_members`] names them.
    pub fn records<T: Record>(&mut self) -> Records<'_, T> {
        let (members, skipped) = self.read_as::<T>();
        let source = reader(&mut self.reader, members, &self.options);
        Records::of_members(Box::new(source), &skipped, &self.options)
    }

    /// Reads the same records as [`records`](Self::records), inflated ahead on a second thread.
    ///
    /// If the members to read have less than 8 MiB together, no thread is started.
    pub fn into_records_ahead<T: Record>(self) -> Records<'static, T>
    where
        R: 'static,
    {
        let (members, skipped) = self.read_as::<T>();
        let options = self.options;
        Records::of_members(ahead(self.reader, members, &options), &skipped, &options)
    }

    /// Reads all members to their ends and returns a report.
    ///
    /// # Errors
    ///
    /// [`Error::Zip`] for a damaged archive, [`Error::Limit`] for one that exceeds a limit, [`Error::Io`] if the reader fails.
    pub fn inspect(&mut self) -> Result<Report, Error> {
        self.inspect_each(|_| Ok(()))
    }

    /// Returns the same report as [`inspect`](Self::inspect), and passes each good row to `on_record`: an archive is
    /// checked and converted in one pass.
    ///
    /// # Errors
    ///
    /// As [`inspect`](Self::inspect), and the errors of `on_record`.
    pub fn inspect_each<E: From<Error>>(
        &mut self,
        on_record: impl FnMut(AnyRecordRef<'_>) -> Result<(), E>,
    ) -> Result<Report, E> {
        let mut source = reader(&mut self.reader, self.members.clone(), &self.options);
        Report::of_members(&self.members, &mut source, &self.options, on_record)
    }

    /// Returns the same report as [`inspect`](Self::inspect), with the members inflated ahead on a second thread.
    ///
    /// If they have less than 8 MiB together, no thread is started.
    ///
    /// # Errors
    ///
    /// As [`inspect`](Self::inspect).
    pub fn inspect_ahead(self) -> Result<Report, Error>
    where
        R: 'static,
    {
        let mut source = ahead(self.reader, self.members.clone(), &self.options);
        Report::of_members(&self.members, &mut *source, &self.options, |_| Ok(()))
    }

    /// The members that are read as a `T`, and the others.
    fn read_as<T: Record>(&self) -> (Vec<Member>, Vec<Member>) {
        let is_read = |member: &Member| member_kind::<T>(member.name(), &self.options).is_some();
        self.members.iter().cloned().partition(is_read)
    }
}

/// Reads the data of members.
fn reader<R: Read + Seek + Send>(
    reader: R,
    members: Vec<Member>,
    options: &ReadOptions,
) -> Reader<Seeking<R>> {
    Reader::new(Seeking(reader), Machine::members(members, &options.limits))
}

/// Reads the data of members, on a second thread if it is large.
fn ahead<R: Read + Seek + Send + 'static>(
    archive: R,
    members: Vec<Member>,
    options: &ReadOptions,
) -> Box<dyn Source> {
    // The sizes are declared by the archive: any sum is possible.
    let size = members.iter().map(Member::size).fold(0, u64::saturating_add);
    let source = reader(archive, members, options);
    if size < AHEAD_FROM { Box::new(source) } else { Box::new(Ahead::new(source)) }
}

impl<R> fmt::Debug for Archive<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("members", &self.members).finish_non_exhaustive()
    }
}
