//! The central directory of an archive that can seek, checked against every member's header before anything is read.

use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use super::fault::{ZipError, ZipFault};
use super::layout::{self, Central, End, Facts, Local};
use super::name;
use crate::error::{Error, Position};
use crate::kind::IndexKind;
use crate::limits::{LimitKind, Limits};

/// A member of an archive.
#[derive(Debug, Clone)]
pub struct Member {
    name: Arc<str>,
    facts: Facts,
    offset: u64,
    data_offset: u64,
}

/// How a member is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Method {
    /// Not at all.
    Stored,
    /// With deflate.
    Deflated,
}

impl Member {
    pub(crate) fn new(name: Arc<str>, facts: Facts, offset: u64, data_offset: u64) -> Self {
        Self { name, facts, offset, data_offset }
    }

    /// Its name, which was checked: relative, without `..`, control characters, drives and devices.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which of the four index files its name says it is.
    pub fn kind(&self) -> Option<IndexKind> {
        IndexKind::of_name(&self.name)
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    /// How it is compressed.
    pub const fn method(&self) -> Method {
        if self.facts.method == layout::STORED { Method::Stored } else { Method::Deflated }
    }

    /// Its size in the archive, in bytes.
    pub const fn compressed_size(&self) -> u64 {
        self.facts.compressed
    }

    /// Its size, in bytes, as the archive says; reading it ends in an error if it is not true.
    pub const fn size(&self) -> u64 {
        self.facts.size
    }

    /// The CRC-32 of its data, as the archive says; reading it ends in an error if it is not true.
    pub const fn crc32(&self) -> u32 {
        self.facts.crc
    }

    /// Whether its sizes stand behind its data, as Java's ZIP writer puts them.
    pub fn has_data_descriptor(&self) -> bool {
        self.facts.has_descriptor()
    }

    pub(crate) fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn method_number(&self) -> u16 {
        self.facts.method
    }

    pub(crate) fn is_stored(&self) -> bool {
        self.facts.method == layout::STORED
    }

    pub(crate) fn data_offset(&self) -> u64 {
        self.data_offset
    }
}

/// All members, in the order in which they stand in the file.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    pub(crate) members: Vec<Member>,
}

impl Directory {
    pub(crate) fn read<R: Read + Seek>(reader: &mut R, limits: &Limits) -> Result<Self, Error> {
        let length = reader.seek(SeekFrom::End(0))?;
        let found = find_end(reader, length)?;
        let (end, end_offset) = (found.end, found.offset);
        let over = |kind| Error::Limit { kind, limit: limits.get(kind), at: Position::default() };
        if end.entries > limits.get(LimitKind::Members) {
            return Err(over(LimitKind::Members));
        }
        if end.directory_size > limits.get(LimitKind::DirectoryBytes) {
            return Err(over(LimitKind::DirectoryBytes));
        }
        match end.directory_offset.checked_add(end.directory_size) {
            Some(behind) if behind == end_offset => {}
            Some(behind) if behind < end_offset => {
                return Err(junk(reader, &end)?.of_archive().into());
            }
            _ => return Err(bad("it goes past its end").of_archive().into()),
        }
        let bytes = read_at(reader, end.directory_offset, end.directory_size)?;
        let mut members = entries(&bytes, end.entries)?;
        members.sort_by_key(|member| member.offset);
        locate(reader, &mut members, end.directory_offset)?;
        Ok(Self { members })
    }
}

/// The end that counts, and where the directory must reach to.
struct FoundEnd {
    end: End,
    offset: u64,
}

/// Looks for the end of the directory: it must close the file, and there may be one only.
fn find_end<R: Read + Seek>(reader: &mut R, length: u64) -> Result<FoundEnd, Error> {
    let refuse = |fault: ZipFault| Err(fault.of_archive().into());
    if length == 0 {
        return refuse(ZipFault::NoBytes);
    }
    let tail_length = length.min((layout::END_LENGTH + usize::from(u16::MAX)) as u64);
    let tail_offset = length - tail_length;
    let tail = read_at(reader, tail_offset, tail_length)?;
    let mark = layout::END.to_le_bytes();
    let closing = |&at: &usize| end_behind(&tail, at) == Some(tail.len());
    let mut ends = memchr::memmem::rfind_iter(&tail, &mark).filter(closing);
    let Some(at) = ends.next() else {
        return refuse(no_end(reader, &tail, length)?);
    };
    if ends.next().is_some() || memchr::memmem::find(&tail[at + 4..], &mark).is_some() {
        return refuse(ZipFault::TwoEnds);
    }
    let end = End::read(&tail[at..]).map_err(ZipFault::of_archive)?;
    let offset = tail_offset + at as u64;
    let locator_length = layout::LOCATOR64_LENGTH as u64;
    let Some(locator_offset) = offset.checked_sub(locator_length) else {
        return Ok(FoundEnd { end, offset });
    };
    let Some(end64_offset) = layout::locator64(&read_at(reader, locator_offset, locator_length)?)
    else {
        return Ok(FoundEnd { end, offset });
    };
    if end64_offset.checked_add(layout::END64_LENGTH as u64) != Some(locator_offset) {
        return refuse(bad("its 64-bit end is not where it must be"));
    }
    let bytes = read_at(reader, end64_offset, layout::END64_LENGTH as u64)?;
    let end64 = End::read64(&bytes).map_err(ZipFault::of_archive)?;
    if end.contradicts(&end64) {
        return refuse(bad("its two ends differ"));
    }
    Ok(FoundEnd { end: end64, offset: end64_offset })
}

/// Where the end of the directory that begins at `at` says that it is over.
fn end_behind(tail: &[u8], at: usize) -> Option<usize> {
    (tail.len() - at >= layout::END_LENGTH)
        .then(|| at + layout::END_LENGTH + usize::from(layout::u16_at(tail, at + 20)))
}

/// Why there is no end that closes the file.
fn no_end<R: Read + Seek>(reader: &mut R, tail: &[u8], length: u64) -> Result<ZipFault, Error> {
    let has_end = memchr::memmem::rfind(tail, &layout::END.to_le_bytes());
    if has_end.and_then(|at| end_behind(tail, at)).is_some_and(|behind| behind < tail.len()) {
        return Ok(ZipFault::TrailingJunk);
    }
    let head = read_at(reader, 0, length.min(4))?;
    let begins_as_zip =
        [layout::LOCAL, layout::END].iter().any(|mark| mark.to_le_bytes().starts_with(&head));
    Ok(if begins_as_zip { ZipFault::Truncated } else { ZipFault::NotZip })
}

/// The directory and its end do not meet: bytes in front have moved everything, or they stand between the two.
fn junk<R: Read + Seek>(reader: &mut R, end: &End) -> Result<ZipFault, Error> {
    let mark = if end.entries == 0 { layout::END } else { layout::CENTRAL };
    let here = read_at(reader, end.directory_offset, 4)?;
    Ok(if here == mark.to_le_bytes() { ZipFault::Gap } else { ZipFault::LeadingJunk })
}

fn entries(bytes: &[u8], count: u64) -> Result<Vec<Member>, ZipError> {
    let mut rest = bytes;
    let mut names = HashSet::new();
    let mut members = Vec::new();
    for _ in 0..count {
        let Ok(central) = Central::read(rest).map_err(ZipFault::of_archive)? else {
            return Err(bad("it has fewer entries than it says").of_archive());
        };
        rest = &rest[central.length..];
        let name = name::check(central.name)?;
        check_entry(&central, &name)?;
        // Some file systems do not tell upper case from lower case: to them the second file replaces the first.
        if !names.insert(name.to_lowercase()) {
            return Err(ZipFault::Duplicate.of(&name));
        }
        members.push(Member::new(name, central.facts, central.offset, 0));
    }
    if rest.is_empty() {
        Ok(members)
    } else {
        Err(bad("it has more entries than it says").of_archive())
    }
}

/// What can be told from the directory alone.
pub(crate) fn check_entry(central: &Central<'_>, name: &Arc<str>) -> Result<(), ZipError> {
    central.facts.check_readable().map_err(|fault| fault.of(name))?;
    if central.link {
        return Err(ZipFault::Link.of(name));
    }
    Ok(())
}

/// Reads every local header, and sees that the members lie side by side from the first byte to the directory.
fn locate<R: Read + Seek>(
    reader: &mut R,
    members: &mut [Member],
    directory: u64,
) -> Result<(), Error> {
    let mut expected = 0;
    let next_offsets: Vec<u64> =
        members.iter().skip(1).map(|member| member.offset).chain([directory]).collect();
    for (member, next) in members.iter_mut().zip(next_offsets) {
        if member.offset < expected || next < member.offset {
            return Err(ZipFault::Overlap.of(&member.name).into());
        }
        if member.offset > expected {
            let fault = if expected == 0 { ZipFault::LeadingJunk } else { ZipFault::Gap };
            return Err(fault.of(&member.name).into());
        }
        let header_length = check_local(reader, member, next)?;
        member.data_offset = member.offset + header_length;
        let Some(data_end) =
            member.data_offset.checked_add(member.facts.compressed).filter(|&end| end <= next)
        else {
            return Err(ZipFault::Overlap.of(&member.name).into());
        };
        check_gap(reader, member, data_end, next)?;
        expected = next;
    }
    if expected == directory { Ok(()) } else { Err(ZipFault::LeadingJunk.of_archive().into()) }
}

/// Compares a local header with its entry; returns its length.
fn check_local<R: Read + Seek>(reader: &mut R, member: &Member, next: u64) -> Result<u64, Error> {
    let refuse = |fault: ZipFault| Err(fault.of(&member.name).into());
    let room = next - member.offset;
    let mut wanted = layout::LOCAL_LENGTH;
    loop {
        if wanted as u64 > room {
            return refuse(ZipFault::Overlap);
        }
        let bytes = read_at(reader, member.offset, wanted as u64)?;
        match Local::read(&bytes).map_err(|fault| fault.of(&member.name))? {
            Err(more) => wanted = more,
            Ok((local, length)) => {
                if local.name != member.name.as_bytes() {
                    return refuse(ZipFault::Differs { what: "name" });
                }
                if let Some(what) = local.facts.differs_from(&member.facts) {
                    return refuse(ZipFault::Differs { what });
                }
                return Ok(length as u64);
            }
        }
    }
}

/// Between a member's data and what follows stands its descriptor, or nothing.
fn check_gap<R: Read + Seek>(
    reader: &mut R,
    member: &Member,
    data_end: u64,
    next: u64,
) -> Result<(), Error> {
    let gap = next - data_end;
    if !member.facts.has_descriptor() {
        return if gap == 0 { Ok(()) } else { Err(ZipFault::Gap.of(&member.name).into()) };
    }
    if !matches!(gap, 12 | 16 | 20 | 24) {
        return Err(ZipFault::Gap.of(&member.name).into());
    }
    let bytes = read_at(reader, data_end, gap)?;
    match layout::descriptor_length(&bytes, &member.facts, |length| length == bytes.len()) {
        Some(_) => Ok(()),
        None => Err(ZipFault::Differs { what: "data descriptor" }.of(&member.name).into()),
    }
}

/// Reads exactly so many bytes; the callers have bounded them.
fn read_at<R: Read + Seek>(reader: &mut R, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    reader.seek(SeekFrom::Start(offset))?;
    reader.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length {
        Ok(bytes)
    } else {
        Err(ZipFault::Truncated.of_archive().into())
    }
}

fn bad(what: &'static str) -> ZipFault {
    ZipFault::BadDirectory { what }
}
