//! Archives in files.

use std::fmt;
use std::io::{Read, Seek, SeekFrom};
use std::thread::Scope;

use crate::ahead::{AHEAD_FROM, Ahead};
use crate::error::Error;
use crate::options::ReadOptions;
use crate::record::Record;
use crate::records::Records;
use crate::source::{CHUNK, Source, ZipSource, member_kind};
use crate::zip::{Bytes, Machine, Member, Meter, Next, Reader, Seeking};

/// Bytes read at a time to find and check the directory and the headers.
const HEADERS: usize = 8 << 10;

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
        let machine = Machine::open(&options.limits, length);
        let machine = read_through(Seeking(&mut reader), machine, HEADERS, |_| {})?;
        Ok(Self { reader, options: options.clone(), members: machine.into_members()? })
    }

    /// The members, in the order of the file.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The options with which the archive was opened.
    pub const fn options(&self) -> &ReadOptions {
        &self.options
    }

    /// Reads the records of all members of this kind, one member after another.
    ///
    /// Other members are not inflated; [`Records::skipped_members`] names them.
    pub fn records<T: Record>(&mut self) -> Records<'_, T> {
        let meter = Meter::new(self.options.limits);
        let (members, options) = (self.members.clone(), self.options.clone());
        self.read(members, &options, meter, None)
    }

    /// Reads the same records as [`records`](Self::records), inflated ahead on a second thread.
    ///
    /// If the members to read have less than 8 MiB together, no thread is started.
    pub fn into_records_ahead<T: Record>(self) -> Records<'static, T>
    where
        R: 'static,
    {
        let read = |member: &&Member| member_kind::<T>(member.name(), &self.options).is_some();
        // The sizes are declared by the archive: any sum is possible.
        let size = self.members.iter().filter(read).map(Member::size).fold(0, u64::saturating_add);
        let meter = Meter::new(self.options.limits);
        let machine = Machine::members(self.members, meter);
        let source = ZipSource::new::<T>(Seeking(self.reader), machine, &self.options);
        let source: Box<dyn Source> =
            if size < AHEAD_FROM { Box::new(source) } else { Box::new(Ahead::new(source)) };
        Records::new(source, &self.options)
    }

    /// Reads members, ahead on a second thread if there is a scope for it.
    pub(crate) fn read<'a, T: Record>(
        &'a mut self,
        members: Vec<Member>,
        options: &ReadOptions,
        meter: Meter,
        scope: Option<&'a Scope<'a, '_>>,
    ) -> Records<'a, T> {
        let size = members.iter().map(Member::size).fold(0, u64::saturating_add);
        let machine = Machine::members(members, meter);
        let source = ZipSource::new::<T>(Seeking(&mut self.reader), machine, options);
        let source: Box<dyn Source> = match scope.filter(|_| size >= AHEAD_FROM) {
            Some(scope) => Box::new(Ahead::scoped(source, scope)),
            None => Box::new(source),
        };
        Records::new(source, options)
    }

    /// Reads one member to check its data. Returns its size.
    pub(crate) fn check(&mut self, member: Member, meter: Meter) -> Result<u64, Error> {
        let machine = Machine::members(vec![member], meter);
        let mut size = 0;
        read_through(Seeking(&mut self.reader), machine, CHUNK, |length| size += length as u64)?;
        Ok(size)
    }

    /// Returns the reader.
    pub fn into_inner(self) -> R {
        self.reader
    }
}

/// Runs a machine to its end and passes the length of each piece of data to `data`.
fn read_through(
    bytes: impl Bytes,
    machine: Machine,
    buffer: usize,
    mut data: impl FnMut(usize),
) -> Result<Machine, Error> {
    let mut reader = Reader::new(bytes, machine, buffer);
    let mut output = vec![0; buffer];
    loop {
        match reader.next(&mut output)? {
            Next::Data(length) => data(length),
            Next::End => return Ok(reader.machine),
            Next::NeedInput | Next::Begin(_) | Next::Finish => {}
        }
    }
}

impl<R> fmt::Debug for Archive<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("members", &self.members).finish_non_exhaustive()
    }
}
