//! An archive whose bytes come one after another, cut anyhow: a state machine without I/O.
//!
//! Members are read as they come, by their own headers. The directory comes last and is compared with what was seen, so
//! that an archive is accepted in this way if it is accepted by seeking; a stored member whose size stands behind it is
//! the one exception.

use std::collections::HashSet;
use std::sync::Arc;

use super::decoder::Decoder;
use super::directory::{Member, check_entry};
use super::fault::{ZipError, ZipFault};
use super::layout::{self, Central, End, Facts, Local};
use super::meter::Meter;
use super::name;
use crate::error::{Error, Position};
use crate::limits::{LimitKind, Limits};

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// All input is taken.
    NeedInput,
    /// A member begins.
    Begin(Arc<str>),
    /// So many of its bytes are in the output.
    Data(usize),
    /// It ends, and is whole.
    Finish,
    /// The archive ends, and is whole.
    End,
}

pub(crate) struct Unzip {
    state: State,
    /// Bytes of a structure that is not whole yet.
    head: Vec<u8>,
    /// Bytes taken, those in `head` not counted.
    offset: u64,
    members: Vec<Seen>,
    names: HashSet<String>,
    limits: Limits,
    meter: Meter,
    directory: DirectorySoFar,
}

/// A member, as its own header and its data told it.
struct Seen {
    member: Member,
    /// What came out of it.
    actual: Facts,
    listed: bool,
}

#[derive(Default)]
struct DirectorySoFar {
    offset: Option<u64>,
    entries: u64,
    end64: Option<(u64, End)>,
    /// The last entry ends in what a seeking reader takes for the locator of a 64-bit end.
    ends_as_locator: bool,
}

enum State {
    /// A member's header, or the directory.
    Header,
    Data(Decoder),
    Descriptor,
    Directory,
    End64,
    Locator64,
    End,
    Done,
}

impl Unzip {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            state: State::Header,
            head: Vec::new(),
            offset: 0,
            members: Vec::new(),
            names: HashSet::new(),
            limits,
            meter: Meter::new(limits),
            directory: DirectorySoFar::default(),
        }
    }

    /// Goes on with `input` from `at` on, which moves. `last`: nothing follows `input`.
    pub(crate) fn next(
        &mut self,
        input: &[u8],
        at: &mut usize,
        output: &mut [u8],
        last: bool,
    ) -> Result<Next, Error> {
        loop {
            let step = match self.state {
                State::Header => self.header(input, at)?,
                State::Data(_) => self.data(input, at, output)?,
                State::Descriptor => self.descriptor(input, at)?,
                State::Directory => self.entry(input, at)?,
                State::End64 => self.end64(input, at)?,
                State::Locator64 => self.locator64(input, at)?,
                State::End => self.end(input, at)?,
                State::Done if *at < input.len() => {
                    return Err(ZipFault::TrailingJunk.of_archive().into());
                }
                State::Done if last => Some(Next::End),
                State::Done => None,
            };
            match step {
                Some(Next::NeedInput) => {}
                Some(next) => return Ok(next),
                None if last => return Err(self.cut_short()),
                None => return Ok(Next::NeedInput),
            }
        }
    }

    /// Looks ahead until `head` has so many bytes. False: more input is needed.
    fn gather(&mut self, input: &[u8], at: &mut usize, wanted: usize) -> bool {
        let missing = wanted.saturating_sub(self.head.len()).min(input.len() - *at);
        self.head.extend_from_slice(&input[*at..*at + missing]);
        *at += missing;
        self.head.len() >= wanted
    }

    fn take_head(&mut self, length: usize) {
        self.head.drain(..length);
        self.offset += length as u64;
    }

    fn header(&mut self, input: &[u8], at: &mut usize) -> Result<Step, Error> {
        if !self.gather(input, at, 4) {
            return Ok(None);
        }
        match layout::u32_at(&self.head, 0) {
            layout::LOCAL => {}
            layout::CENTRAL | layout::END | layout::END64 => {
                self.directory.offset = Some(self.offset);
                self.state = State::Directory;
                return AGAIN;
            }
            _ if self.offset == 0 => return Err(ZipFault::NotZip.of_archive().into()),
            _ => return Err(ZipFault::Gap.of_archive().into()),
        }
        let mut wanted = layout::LOCAL_LENGTH;
        loop {
            if !self.gather(input, at, wanted) {
                return Ok(None);
            }
            match Local::read(&self.head).map_err(ZipFault::of_archive)? {
                Err(more) => wanted = more,
                Ok((local, length)) => {
                    let name = name::check(local.name)?;
                    let facts = local.facts;
                    self.begin(&name, facts)?;
                    self.take_head(length);
                    return Ok(Some(Next::Begin(name)));
                }
            }
        }
    }

    fn begin(&mut self, name: &Arc<str>, facts: Facts) -> Result<(), Error> {
        facts.check_readable().map_err(|fault| fault.of(name))?;
        if facts.has_descriptor() && facts.method == layout::STORED {
            return Err(ZipFault::StoredStream.of(name).into());
        }
        if self.members.len() as u64 >= self.limits.get(LimitKind::Members) {
            return Err(self.limit(LimitKind::Members));
        }
        if !self.names.insert(name.to_lowercase()) {
            return Err(ZipFault::Duplicate.of(name).into());
        }
        self.state = State::Data(Decoder::new(facts.method));
        let member = Member::new(Arc::clone(name), facts.clone(), self.offset, 0);
        self.members.push(Seen { member, actual: facts, listed: false });
        Ok(())
    }

    fn data(&mut self, input: &[u8], at: &mut usize, output: &mut [u8]) -> Result<Step, Error> {
        let (State::Data(decoder), Some(seen)) = (&mut self.state, self.members.last_mut()) else {
            return AGAIN;
        };
        let member = &seen.member;
        let refuse = |fault: ZipFault| Err(fault.of(member.shared_name()).into());
        let sized = !member.has_data_descriptor();
        let left = if sized { member.compressed_size() - decoder.taken() } else { u64::MAX };
        if !decoder.done() && (left > 0 || !member.is_stored()) {
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len() - *at);
            let progress = decoder
                .decode(&input[*at..*at + length], output)
                .map_err(|fault| fault.of(member.shared_name()))?;
            *at += progress.taken;
            self.offset += progress.taken as u64;
            self.meter.count(
                progress.given,
                decoder.taken(),
                decoder.given(),
                member.shared_name(),
            )?;
            if sized && decoder.given() > member.size() {
                return refuse(ZipFault::Size);
            }
            if progress.given > 0 {
                return Ok(Some(Next::Data(progress.given)));
            }
            if progress.taken > 0 || decoder.done() {
                return AGAIN;
            }
            return match (length, left) {
                (1.., _) => refuse(ZipFault::BadDeflate),
                (0, 0) => refuse(ZipFault::Size),
                (0, _) => Ok(None),
            };
        }
        let crc = decoder.crc();
        seen.actual = Facts {
            crc,
            compressed: decoder.taken(),
            size: decoder.given(),
            ..member.facts().clone()
        };
        if !sized {
            self.state = State::Descriptor;
            return AGAIN;
        }
        if (seen.actual.compressed, seen.actual.size) != (member.compressed_size(), member.size()) {
            return refuse(ZipFault::Size);
        }
        if crc != member.crc32() {
            return refuse(ZipFault::Crc);
        }
        self.state = State::Header;
        Ok(Some(Next::Finish))
    }

    /// What follows a descriptor is at least an end of directory, so looking 28 bytes ahead never looks too far.
    fn descriptor(&mut self, input: &[u8], at: &mut usize) -> Result<Step, Error> {
        const LONGEST: usize = 24;
        if !self.gather(input, at, LONGEST + 4) {
            return Ok(None);
        }
        let Some(seen) = self.members.last() else { return AGAIN };
        let fits = |length: usize| self.head[length..].starts_with(b"PK");
        let length = |facts: &Facts| layout::descriptor_length(&self.head, facts, fits);
        if let Some(length) = length(&seen.actual) {
            self.take_head(length);
            self.state = State::Header;
            return Ok(Some(Next::Finish));
        }
        let only_crc_differs = [0, 4].iter().any(|&at| {
            let crc = layout::u32_at(&self.head, at);
            length(&Facts { crc, ..seen.actual.clone() }).is_some()
        });
        let fault = if only_crc_differs { ZipFault::Crc } else { ZipFault::Size };
        Err(fault.of(seen.member.shared_name()).into())
    }

    fn entry(&mut self, input: &[u8], at: &mut usize) -> Result<Step, Error> {
        if !self.gather(input, at, 4) {
            return Ok(None);
        }
        match layout::u32_at(&self.head, 0) {
            layout::CENTRAL => {}
            layout::END64 => {
                self.state = State::End64;
                return AGAIN;
            }
            layout::END => {
                self.state = State::End;
                return AGAIN;
            }
            _ => return Err(bad("something else stands where an entry or its end must be").into()),
        }
        let mut wanted = layout::CENTRAL_LENGTH;
        loop {
            if !self.gather(input, at, wanted) {
                return Ok(None);
            }
            match Central::read(&self.head).map_err(ZipFault::of_archive)? {
                Err(more) => wanted = more,
                Ok(central) => {
                    let length = central.length;
                    compare(&mut self.members, &central)?;
                    self.directory.entries += 1;
                    self.directory.ends_as_locator =
                        layout::locator64(&self.head[length - layout::LOCATOR64_LENGTH..])
                            .is_some();
                    self.take_head(length);
                    if self.directory_size() > self.limits.get(LimitKind::DirectoryBytes) {
                        return Err(self.limit(LimitKind::DirectoryBytes));
                    }
                    return AGAIN;
                }
            }
        }
    }

    fn directory_size(&self) -> u64 {
        self.directory.offset.map_or(0, |start| self.offset - start)
    }

    fn end64(&mut self, input: &[u8], at: &mut usize) -> Result<Step, Error> {
        if !self.gather(input, at, layout::END64_LENGTH) {
            return Ok(None);
        }
        let end = End::read64(&self.head).map_err(ZipFault::of_archive)?;
        self.check_end(&end)?;
        self.directory.end64 = Some((self.offset, end));
        self.take_head(layout::END64_LENGTH);
        self.state = State::Locator64;
        AGAIN
    }

    fn locator64(&mut self, input: &[u8], at: &mut usize) -> Result<Step, Error> {
        if !self.gather(input, at, layout::LOCATOR64_LENGTH + 4) {
            return Ok(None);
        }
        let expected = self.directory.end64.map(|(offset, _)| offset);
        if layout::locator64(&self.head) != expected
            || layout::u32_at(&self.head, layout::LOCATOR64_LENGTH) != layout::END
        {
            return Err(bad("its 64-bit end is not where it must be").into());
        }
        self.take_head(layout::LOCATOR64_LENGTH);
        self.state = State::End;
        AGAIN
    }

    fn end(&mut self, input: &[u8], at: &mut usize) -> Result<Step, Error> {
        if !self.gather(input, at, layout::END_LENGTH) {
            return Ok(None);
        }
        let comment = usize::from(layout::u16_at(&self.head, 20));
        if !self.gather(input, at, layout::END_LENGTH + comment) {
            return Ok(None);
        }
        if memchr::memmem::find(&self.head[4..], &layout::END.to_le_bytes()).is_some() {
            return Err(ZipFault::TwoEnds.of_archive().into());
        }
        let end = End::read(&self.head).map_err(ZipFault::of_archive)?;
        match &self.directory.end64 {
            Some((_, end64)) if end.contradicts(end64) => {
                return Err(bad("its two ends differ").into());
            }
            Some(_) => {}
            None if self.directory.ends_as_locator => {
                return Err(bad("its 64-bit end is not where it must be").into());
            }
            None => self.check_end(&end)?,
        }
        self.take_head(layout::END_LENGTH + comment);
        self.state = State::Done;
        AGAIN
    }

    fn check_end(&self, end: &End) -> Result<(), ZipError> {
        if end.entries != self.directory.entries
            || self.directory.entries != self.members.len() as u64
        {
            return Err(bad(
                "it has another number of entries than it says, or than there are members",
            ));
        }
        if end.directory_size != self.directory_size()
            || Some(end.directory_offset) != self.directory.offset
        {
            return Err(bad("its end does not say where it stands"));
        }
        Ok(())
    }

    fn limit(&self, kind: LimitKind) -> Error {
        Error::Limit { kind, limit: self.limits.get(kind), at: Position::default() }
    }

    fn cut_short(&self) -> Error {
        if self.offset == 0 && self.head.is_empty() {
            return ZipFault::NoBytes.of_archive().into();
        }
        let begins_as_zip = [layout::LOCAL, layout::END]
            .iter()
            .any(|mark| mark.to_le_bytes().starts_with(&self.head));
        if self.offset == 0 && self.head.len() < 4 && !begins_as_zip {
            return ZipFault::NotZip.of_archive().into();
        }
        match (&self.state, self.members.last()) {
            (State::Data(_) | State::Descriptor, Some(seen)) => {
                ZipFault::Truncated.of(seen.member.shared_name()).into()
            }
            _ => ZipFault::Truncated.of_archive().into(),
        }
    }
}

/// `None`: more input is needed. `NeedInput`: the next state may go on with what there is.
type Step = Option<Next>;
const AGAIN: Result<Step, Error> = Ok(Some(Next::NeedInput));

/// Compares a directory entry with the member that it points to.
fn compare(members: &mut [Seen], central: &Central<'_>) -> Result<(), ZipError> {
    let name = name::check(central.name)?;
    check_entry(central, &name)?;
    let Ok(index) = members.binary_search_by_key(&central.offset, |seen| seen.member.offset())
    else {
        return Err(ZipFault::BadDirectory { what: "an entry points to no member" }.of(&name));
    };
    let seen = &mut members[index];
    if std::mem::replace(&mut seen.listed, true) {
        return Err(ZipFault::Overlap.of(&name));
    }
    if seen.member.name() != &*name {
        return Err(ZipFault::Differs { what: "name" }.of(&name));
    }
    let says_otherwise = seen
        .member
        .facts()
        .differs_from(&central.facts)
        .or_else(|| seen.actual.differs_from_all(&central.facts));
    says_otherwise.map_or(Ok(()), |what| Err(ZipFault::Differs { what }.of(&name)))
}

fn bad(what: &'static str) -> ZipError {
    ZipFault::BadDirectory { what }.of_archive()
}

impl std::fmt::Debug for Unzip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unzip")
            .field("offset", &self.offset)
            .field("members", &self.members.len())
            .finish_non_exhaustive()
    }
}
