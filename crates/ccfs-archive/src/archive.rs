//! An archive that can seek: the usual way in.

use std::fmt;
use std::io::{Read, Seek};
use std::sync::Arc;

use crate::ahead::{AHEAD_FROM, Ahead};
use crate::error::Error;
use crate::kind::IndexKind;
use crate::options::ReadOptions;
use crate::record::Record;
use crate::records::Records;
use crate::source::{CHUNK, Event, Source, swap};
use crate::zip::{Directory, Member, MemberData, Meter, ReadAt};

/// An index archive, read from anything that can seek, such as a file.
///
/// Opening it reads its directory and every member's header, and refuses what does not agree; no data is inflated yet.
pub struct Archive<R> {
    reader: R,
    options: ReadOptions,
    members: Vec<Member>,
}

impl<R: Read + Seek + Send> Archive<R> {
    /// Opens an archive with the default [`ReadOptions`].
    ///
    /// It fails with [`Error::Zip`] for what is no archive, or one that is damaged or made to mislead, with [`Error::Limit`] for too many
    /// members or too large a directory, and with [`Error::Io`] when the reader does.
    pub fn open(reader: R) -> Result<Self, Error> {
        Self::open_with(reader, &ReadOptions::new())
    }

    /// Opens an archive, as [`open`](Self::open) does, with other options.
    pub fn open_with(mut reader: R, options: &ReadOptions) -> Result<Self, Error> {
        let directory = Directory::read(&mut reader, options.get_limits())?;
        Ok(Self { reader, options: options.clone(), members: directory.members })
    }

    /// Its members, in the order in which they stand in the file.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How it is read.
    pub const fn options(&self) -> &ReadOptions {
        &self.options
    }

    /// The records of all members that hold this kind of record, one member after another. Others are passed over.
    pub fn records<T: Record>(&mut self) -> Records<'_, T> {
        let members = self.members_of::<T>();
        let meter = Meter::new(*self.options.get_limits());
        let options = self.options.clone();
        self.read(members, &options, meter)
    }

    /// The records of one member, by its place in [`members`](Self::members), whatever its name says.
    ///
    /// `None` if there is no such member, or if neither its name nor `T` says which of the four files it is.
    pub fn records_of<T: Record>(&mut self, index: usize) -> Option<Records<'_, T>> {
        let member = self.members.get(index)?.clone();
        read_kind::<T>(&member)?;
        let meter = Meter::new(*self.options.get_limits());
        let options = self.options.clone();
        Some(self.read(vec![member], &options, meter))
    }

    /// The records of all members that hold this kind of record, inflated ahead on a second thread.
    ///
    /// The records and their order are those of [`records`](Self::records). It pays where there is much to read: an
    /// archive of less than 8 MiB is read on the caller's thread. The archive is used up, since the thread takes its reader.
    pub fn into_records_ahead<T: Record>(self) -> Records<'static, T>
    where
        R: Send + 'static,
    {
        let members = self.members_of::<T>();
        // The directory's word, and it may say anything.
        let size = members.iter().map(Member::size).fold(0, u64::saturating_add);
        let source =
            ArchiveSource::new::<T>(self.reader, members, Meter::new(*self.options.get_limits()));
        if size < AHEAD_FROM {
            Records::new(Box::new(source), &self.options)
        } else {
            Records::new(Box::new(Ahead::new(source)), &self.options)
        }
    }

    pub(crate) fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    pub(crate) fn members_of<T: Record>(&self) -> Vec<Member> {
        self.members.iter().filter(|member| member.kind().is_some_and(T::reads)).cloned().collect()
    }

    pub(crate) fn read<T: Record>(
        &mut self,
        members: Vec<Member>,
        options: &ReadOptions,
        meter: Meter,
    ) -> Records<'_, T> {
        Records::new(Box::new(ArchiveSource::new::<T>(&mut self.reader, members, meter)), options)
    }

    /// Reads one member to its end for the sake of its checksum. Returns how many bytes came out.
    pub(crate) fn check(&mut self, index: usize, meter: &Meter) -> Result<u64, Error> {
        let Some(member) = self.members.get(index) else { return Ok(0) };
        let mut data = MemberData::new(member.clone(), Vec::new());
        let mut output = vec![0; CHUNK];
        let mut size = 0;
        loop {
            match data.read(&mut self.reader, &mut output, meter)? {
                0 => return Ok(size),
                length => size += length as u64,
            }
        }
    }

    /// Hands back what the archive was read from.
    pub fn into_inner(self) -> R {
        self.reader
    }
}

impl<R> fmt::Debug for Archive<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("members", &self.members).finish_non_exhaustive()
    }
}

/// Which of the four files a member is read as.
fn read_kind<T: Record>(member: &Member) -> Option<IndexKind> {
    member.kind().filter(|&kind| T::reads(kind)).or_else(T::only_kind)
}

/// Members one after another.
pub(crate) struct ArchiveSource<R> {
    reader: R,
    members: std::vec::IntoIter<Member>,
    kind: fn(&Member) -> Option<IndexKind>,
    meter: Meter,
    current: Option<MemberData>,
    /// The input buffer, between two members.
    input: Vec<u8>,
    output: Vec<u8>,
    filled: usize,
}

impl<R: ReadAt> ArchiveSource<R> {
    pub(crate) fn new<T: Record>(reader: R, members: Vec<Member>, meter: Meter) -> Self {
        Self {
            reader,
            members: members.into_iter(),
            kind: read_kind::<T>,
            meter,
            current: None,
            input: Vec::new(),
            output: vec![0; CHUNK],
            filled: 0,
        }
    }
}

impl<R: ReadAt> Source for ArchiveSource<R> {
    fn next(&mut self) -> Result<Event, Error> {
        if let Some(data) = &mut self.current {
            self.filled = 0;
            self.filled = data.read(&mut self.reader, &mut self.output, &self.meter)?;
            if self.filled > 0 {
                return Ok(Event::Data);
            }
            self.input = self.current.take().map(MemberData::into_buffer).unwrap_or_default();
            return Ok(Event::Finish);
        }
        for member in self.members.by_ref() {
            if let Some(kind) = (self.kind)(&member) {
                let name = Some(Arc::clone(member.shared_name()));
                self.current = Some(MemberData::new(member, std::mem::take(&mut self.input)));
                return Ok(Event::Begin { name, kind });
            }
        }
        Ok(Event::End)
    }

    fn data(&self) -> &[u8] {
        &self.output[..self.filled]
    }

    fn swap_data(&mut self, buffer: &mut Vec<u8>) -> usize {
        swap(&mut self.output, buffer);
        std::mem::take(&mut self.filled)
    }
}
