//! The ZIP reader: a state machine that takes bytes and yields the data of members. It does no I/O.
//!
//! An archive is read in one of three ways, with the same checks:
//!
//! - [`Machine::forward`] reads from the first byte to the last. Members come by their local headers; the directory
//!   comes last and is compared with them.
//! - [`Machine::open`] needs random access. It finds the directory, then visits the local headers in the same order as
//!   `forward` does, skips the data, and compares the headers with the directory.
//! - [`Machine::members`] reads the data of members that `open` has checked.

use std::collections::HashSet;
use std::sync::Arc;

use super::decoder::Decoder;
use super::fault::{ZipError, ZipFault};
use super::layout::{self, Central, End, Facts, Local};
use super::member::Member;
use super::meter::Meter;
use super::name;
use crate::error::{Error, Position};
use crate::limits::{LimitKind, Limits};

/// The end of central directory with the longest comment, and the 64-bit end and its locator before it.
const TAIL: usize =
    layout::END64_LENGTH + layout::LOCATOR64_LENGTH + layout::END_LENGTH + u16::MAX as usize;

/// What the machine found.
#[derive(Debug)]
pub(crate) enum Next {
    /// The bytes at [`Machine::position`] are needed.
    NeedInput,
    /// A member begins.
    Begin(Arc<str>),
    /// So many bytes of the member were written to the output.
    Data(usize),
    /// The member is complete and its checksum is right.
    Finish,
    /// The archive is complete.
    End,
}

pub(crate) struct Machine {
    mode: Mode,
    state: State,
    /// The structure that is being collected.
    head: Vec<u8>,
    /// Offset of the first byte of `head`.
    offset: u64,
    /// In the order of their headers.
    members: Vec<Member>,
    /// Index of the member that is being read.
    current: usize,
    /// Names in lower case.
    names: HashSet<String>,
    limits: Limits,
    meter: Meter,
    /// Offset of the central directory; before it is found, of the end of the file.
    directory: u64,
    /// Offsets of the members that have an entry.
    listed: HashSet<u64>,
    end64: Option<(u64, End)>,
    /// The last entry ends with what looks like the locator of a 64-bit end.
    ends_as_locator: bool,
    /// Whether a directory was found that does not begin where its end says, so that bytes may precede the archive.
    displaced: bool,
    trailing: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Forward,
    Open,
    Members,
}

enum State {
    /// The last bytes of the archive, in which the end of the directory is found.
    Tail,
    /// A local header, or the directory.
    Header,
    /// The next member of [`Mode::Members`].
    Member,
    Data(Decoder),
    Descriptor,
    /// An entry of the directory, or its end.
    Entry,
    End64,
    Locator64,
    End,
    /// Behind the end of the archive.
    Trailing,
}

enum Step {
    /// Go on in the new state.
    Continue,
    NeedInput,
    /// Go on in the new state at this offset.
    Jump(u64),
    Give(Next),
}

impl Machine {
    /// Reads an archive from its first byte to its last.
    pub(crate) fn forward(limits: &Limits) -> Self {
        Self::new(Mode::Forward, State::Header, Vec::new(), Meter::new(*limits), limits)
    }

    /// Checks the directory and all headers of an archive of `length` bytes.
    pub(crate) fn open(limits: &Limits, length: u64) -> Self {
        let offset = length.saturating_sub(TAIL as u64);
        let machine = Self::new(Mode::Open, State::Tail, Vec::new(), Meter::new(*limits), limits);
        Self { offset, directory: length, ..machine }
    }

    /// Reads the data of members that [`Machine::open`] has checked.
    pub(crate) fn members(members: Vec<Member>, meter: Meter, limits: &Limits) -> Self {
        Self::new(Mode::Members, State::Member, members, meter, limits)
    }

    fn new(mode: Mode, state: State, members: Vec<Member>, meter: Meter, limits: &Limits) -> Self {
        Self {
            mode,
            state,
            head: Vec::new(),
            offset: 0,
            members,
            current: 0,
            names: HashSet::new(),
            limits: *limits,
            meter,
            directory: 0,
            listed: HashSet::new(),
            end64: None,
            ends_as_locator: false,
            displaced: false,
            trailing: 0,
        }
    }

    /// Offset of the next byte to pass to [`next`](Self::next).
    pub(crate) fn position(&self) -> u64 {
        self.offset + self.head.len() as u64
    }

    /// The members of an archive that was opened.
    pub(crate) fn into_members(self) -> Result<Vec<Member>, ZipError> {
        if self.mode == Mode::Open { Ok(self.members) } else { Err(bad("its end is missing")) }
    }

    /// Reads on. `input` begins at [`position`](Self::position); `last` means that nothing follows it.
    pub(crate) fn next(
        &mut self,
        mut input: &[u8],
        output: &mut [u8],
        last: bool,
    ) -> Result<Next, Error> {
        let input = &mut input;
        loop {
            let step = match self.state {
                State::Tail => self.tail(input),
                State::Header => self.header(input)?,
                State::Member => self.member(),
                State::Data(_) => self.data(input, output)?,
                State::Descriptor => self.descriptor(input)?,
                State::Entry => self.entry(input)?,
                State::End64 => self.end64(input)?,
                State::Locator64 => self.locator64(input)?,
                State::End => self.end(input)?,
                State::Trailing => self.trailing(input, last)?,
            };
            match step {
                Step::Continue => {}
                Step::NeedInput if last => return Err(self.cut_off().into()),
                Step::NeedInput => return Ok(Next::NeedInput),
                Step::Jump(offset) => {
                    self.head.clear();
                    self.offset = offset;
                    return Ok(Next::NeedInput);
                }
                Step::Give(next) => return Ok(next),
            }
        }
    }

    /// Skips the current member, if its data need not be read.
    pub(crate) fn skip_member(&mut self) {
        if self.mode == Mode::Members {
            self.current += 1;
            self.state = State::Member;
        }
    }

    /// Collects `length` bytes in `head`. False: more input is needed.
    fn collect(&mut self, input: &mut &[u8], length: usize) -> bool {
        let missing = length.saturating_sub(self.head.len()).min(input.len());
        let (taken, rest) = input.split_at(missing);
        self.head.extend_from_slice(taken);
        *input = rest;
        self.head.len() >= length
    }

    /// Collects a structure: `fixed` bytes, from which `length` computes its length.
    fn collect_structure(
        &mut self,
        input: &mut &[u8],
        fixed: usize,
        length: fn(&[u8]) -> usize,
    ) -> Option<usize> {
        if !self.collect(input, fixed) {
            return None;
        }
        let length = length(&self.head);
        self.collect(input, length).then_some(length)
    }

    fn take_head(&mut self, length: usize) {
        self.head.drain(..length);
        self.offset += length as u64;
    }

    /// Finds the directory. Where that fails, reading forward gives the reason.
    fn tail(&mut self, input: &mut &[u8]) -> Step {
        let length = self.directory - self.offset;
        if !self.collect(input, usize::try_from(length).unwrap_or(usize::MAX)) {
            return Step::NeedInput;
        }
        match find_directory(&self.head, self.offset) {
            Some(directory) => {
                self.directory = directory;
                self.state = State::Entry;
                Step::Jump(directory)
            }
            None => self.fall_back(),
        }
    }

    fn fall_back(&mut self) -> Step {
        self.mode = Mode::Forward;
        self.state = State::Header;
        Step::Jump(0)
    }

    fn header(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        let opening = self.mode == Mode::Open;
        if opening && self.offset == self.directory && self.current == self.members.len() {
            return Ok(Step::Give(Next::End));
        }
        if !self.collect(input, 4) {
            return Ok(Step::NeedInput);
        }
        match layout::u32_at(&self.head, 0) {
            layout::LOCAL => {}
            layout::CENTRAL | layout::END | layout::END64 if !opening => {
                self.directory = self.offset;
                self.state = State::Entry;
                return Ok(Step::Continue);
            }
            _ if self.offset > 0 => return Err(ZipFault::Gap.of_archive().into()),
            _ if self.displaced => return Err(ZipFault::LeadingJunk.of_archive().into()),
            _ => return Err(ZipFault::NotZip.of_archive().into()),
        }
        let Some(length) =
            self.collect_structure(input, layout::LOCAL_LENGTH, layout::local_length)
        else {
            return Ok(Step::NeedInput);
        };
        let local = Local::read(&self.head[..length]).map_err(ZipFault::of_archive)?;
        if opening {
            let end = self.check_header(&local, length as u64)?;
            self.members[self.current].data_offset = self.offset + length as u64;
            self.data_ended();
            return Ok(Step::Jump(end));
        }
        let (name, facts) = (name::check(local.name)?, local.facts);
        let (method, sized) = (facts.method, !facts.has_descriptor());
        self.add_member(Arc::clone(&name), facts, self.offset)?;
        if method == layout::STORED && !sized {
            return Err(ZipFault::StoredStream.of(&name).into());
        }
        self.state = State::Data(Decoder::new(method));
        self.take_head(length);
        Ok(Step::Give(Next::Begin(name)))
    }

    /// Compares a local header with the member's entry. Returns where the member's data ends.
    fn check_header(&self, local: &Local<'_>, length: u64) -> Result<u64, ZipError> {
        let Some(member) = self.members.get(self.current) else {
            return Err(bad("it has fewer entries than there are members"));
        };
        let next = self.members.get(self.current + 1).map_or(self.directory, |next| next.offset);
        let end = (self.offset + length).checked_add(member.facts.compressed);
        let Some(end) = end.filter(|&end| member.offset == self.offset && end <= next) else {
            return Err(ZipFault::Overlap.of(&member.name));
        };
        let what = if local.name == member.name.as_bytes() {
            local.facts.differs_from(&member.facts, local.facts.has_descriptor())
        } else {
            Some("name")
        };
        what.map_or(Ok(end), |what| Err(ZipFault::Differs { what }.of(&member.name)))
    }

    fn add_member(&mut self, name: Arc<str>, facts: Facts, offset: u64) -> Result<(), Error> {
        facts.check_readable().map_err(|fault| fault.of(&name))?;
        if self.members.len() as u64 >= self.limits.get(LimitKind::Members) {
            return Err(self.limit(LimitKind::Members));
        }
        // On file systems that ignore case, the second of two such files would replace the first.
        if !self.names.insert(name.to_lowercase()) {
            return Err(ZipFault::Duplicate.of(&name).into());
        }
        self.members.push(Member { name, facts, offset, data_offset: 0 });
        Ok(())
    }

    fn member(&mut self) -> Step {
        let Some(member) = self.members.get(self.current) else {
            return Step::Give(Next::End);
        };
        self.offset = member.data_offset;
        self.state = State::Data(Decoder::new(member.facts.method));
        Step::Give(Next::Begin(Arc::clone(&member.name)))
    }

    fn data(&mut self, input: &mut &[u8], output: &mut [u8]) -> Result<Step, Error> {
        let State::Data(decoder) = &mut self.state else { return Ok(Step::Continue) };
        let member = &mut self.members[self.current];
        let refuse = |fault: ZipFault| Err(Error::from(fault.of(&member.name)));
        // The sizes of a descriptor are known before the data only if the directory is.
        let sized = self.mode == Mode::Members || !member.facts.has_descriptor();
        let left = if sized { member.facts.compressed - decoder.taken() } else { u64::MAX };
        if !decoder.done() && (left > 0 || member.facts.method != layout::STORED) {
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
            let progress = match decoder.decode(&input[..length], output) {
                Ok(progress) => progress,
                Err(fault) => return refuse(fault),
            };
            *input = &input[progress.taken..];
            self.offset += progress.taken as u64;
            self.meter.count(progress.given, decoder.taken(), decoder.given(), &member.name)?;
            if sized && decoder.given() > member.facts.size {
                return refuse(ZipFault::Size);
            }
            return match (progress.given, progress.taken) {
                (1.., _) => Ok(Step::Give(Next::Data(progress.given))),
                _ if progress.taken > 0 || decoder.done() => Ok(Step::Continue),
                _ if length > 0 => refuse(ZipFault::BadDeflate),
                _ if left == 0 => refuse(ZipFault::Size),
                _ => Ok(Step::NeedInput),
            };
        }
        let actual = Facts {
            crc: decoder.crc(),
            compressed: decoder.taken(),
            size: decoder.given(),
            ..member.facts.clone()
        };
        let differs = |declared: u64, actual: u64| declared != actual && (sized || declared != 0);
        if differs(member.facts.compressed, actual.compressed)
            || differs(member.facts.size, actual.size)
        {
            return refuse(ZipFault::Size);
        }
        if differs(member.facts.crc.into(), actual.crc.into()) {
            return refuse(ZipFault::Crc);
        }
        member.facts = actual;
        Ok(self.data_ended())
    }

    /// The data of the current member was read or skipped.
    fn data_ended(&mut self) -> Step {
        if self.mode != Mode::Members && self.members[self.current].facts.has_descriptor() {
            self.state = State::Descriptor;
            return Step::Continue;
        }
        self.finish_member()
    }

    fn finish_member(&mut self) -> Step {
        self.current += 1;
        self.state = if self.mode == Mode::Members { State::Member } else { State::Header };
        if self.mode == Mode::Open { Step::Continue } else { Step::Give(Next::Finish) }
    }

    /// A descriptor is followed by 22 bytes at least, so that the bytes looked at exist.
    fn descriptor(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        if !self.collect(input, layout::DESCRIPTOR_LENGTH + 4) {
            return Ok(Step::NeedInput);
        }
        let member = &self.members[self.current];
        let find = |crc: u32, fits: &dyn Fn(usize) -> bool| {
            layout::descriptor_length(&self.head, &Facts { crc, ..member.facts.clone() }, fits)
        };
        let followed = |length: usize| self.head[length..].starts_with(b"PK");
        if let Some(length) = find(member.facts.crc, &followed) {
            self.take_head(length);
            return Ok(self.finish_member());
        }
        let crc_differs =
            || [0, 4].iter().any(|&at| find(layout::u32_at(&self.head, at), &followed).is_some());
        let fault = if find(member.facts.crc, &|_| true).is_some() {
            ZipFault::Gap
        } else if self.mode == Mode::Open {
            ZipFault::Differs { what: "data descriptor" }
        } else if crc_differs() {
            ZipFault::Crc
        } else {
            ZipFault::Size
        };
        Err(fault.of(&member.name).into())
    }

    fn entry(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        if !self.collect(input, 4) {
            return Ok(Step::NeedInput);
        }
        let state = match layout::u32_at(&self.head, 0) {
            layout::CENTRAL => State::Entry,
            layout::END64 => State::End64,
            layout::END => State::End,
            _ if self.mode == Mode::Open && self.offset == self.directory => {
                self.displaced = true;
                return Ok(self.fall_back());
            }
            _ => return Err(bad("neither an entry nor its end follows an entry").into()),
        };
        if !matches!(state, State::Entry) {
            self.state = state;
            return Ok(Step::Continue);
        }
        let Some(length) =
            self.collect_structure(input, layout::CENTRAL_LENGTH, layout::central_length)
        else {
            return Ok(Step::NeedInput);
        };
        let entry = Central::read(&self.head[..length]).map_err(ZipFault::of_archive)?;
        let name = name::check(entry.name)?;
        let (facts, offset) = (entry.facts, entry.offset);
        facts.check_readable().map_err(|fault| fault.of(&name))?;
        if entry.link {
            return Err(ZipFault::Link.of(&name).into());
        }
        if offset >= self.directory {
            return Err(bad("an entry points past the members").into());
        }
        if !self.listed.insert(offset) {
            return Err(ZipFault::Overlap.of(&name).into());
        }
        if self.mode == Mode::Open {
            self.add_member(name, facts, offset)?;
        } else {
            self.compare(&name, &facts, offset)?;
        }
        self.ends_as_locator =
            layout::locator64(&self.head[length - layout::LOCATOR64_LENGTH..]).is_some();
        self.take_head(length);
        if self.offset - self.directory > self.limits.get(LimitKind::DirectoryBytes) {
            return Err(self.limit(LimitKind::DirectoryBytes));
        }
        Ok(Step::Continue)
    }

    /// Compares an entry with the member that was read at its offset.
    fn compare(&self, name: &Arc<str>, facts: &Facts, offset: u64) -> Result<(), ZipError> {
        // Members cover all bytes before the directory, so that any other offset is inside a member.
        let Ok(index) = self.members.binary_search_by_key(&offset, |member| member.offset) else {
            return Err(ZipFault::Overlap.of(name));
        };
        let member = &self.members[index];
        let what = if member.name == *name {
            member.facts.differs_from(facts, false)
        } else {
            Some("name")
        };
        what.map_or(Ok(()), |what| Err(ZipFault::Differs { what }.of(name)))
    }

    fn end64(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        if !self.collect(input, layout::END64_LENGTH) {
            return Ok(Step::NeedInput);
        }
        let end = End::read64(&self.head).map_err(ZipFault::of_archive)?;
        self.check_end(&end)?;
        self.end64 = Some((self.offset, end));
        self.take_head(layout::END64_LENGTH);
        self.state = State::Locator64;
        Ok(Step::Continue)
    }

    fn locator64(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        if !self.collect(input, layout::LOCATOR64_LENGTH + 4) {
            return Ok(Step::NeedInput);
        }
        let expected = self.end64.map(|(offset, _)| offset);
        if layout::locator64(&self.head) != expected
            || layout::u32_at(&self.head, layout::LOCATOR64_LENGTH) != layout::END
        {
            return Err(bad("its 64-bit end is misplaced").into());
        }
        self.take_head(layout::LOCATOR64_LENGTH);
        self.state = State::End;
        Ok(Step::Continue)
    }

    fn end(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        let Some(length) = self.collect_structure(input, layout::END_LENGTH, layout::end_length)
        else {
            return Ok(Step::NeedInput);
        };
        if memchr::memmem::find(&self.head[4..], &layout::END.to_le_bytes()).is_some() {
            return Err(ZipFault::TwoEnds.of_archive().into());
        }
        let end = End::read(&self.head).map_err(ZipFault::of_archive)?;
        match &self.end64 {
            Some((_, end64)) if end.contradicts(end64) => {
                return Err(bad("its two ends differ").into());
            }
            Some(_) => {}
            None if self.ends_as_locator => return Err(bad("its 64-bit end is misplaced").into()),
            None => self.check_end(&end)?,
        }
        self.take_head(length);
        self.state = State::Trailing;
        Ok(Step::Continue)
    }

    fn check_end(&self, end: &End) -> Result<(), ZipError> {
        let entries = self.listed.len() as u64;
        if end.entries != entries || entries != self.members.len() as u64 {
            return Err(bad(
                "its number of entries differs from the declared one or from the members",
            ));
        }
        if end.directory_size != self.offset - self.directory
            || end.directory_offset != self.directory
        {
            return Err(bad("its end does not say where it begins"));
        }
        Ok(())
    }

    fn trailing(&mut self, input: &mut &[u8], last: bool) -> Result<Step, Error> {
        self.trailing += input.len() as u64;
        self.offset += input.len() as u64;
        *input = &[];
        let too_many = self.trailing > ZipFault::TRAILING_COUNTED;
        if too_many || (last && self.trailing > 0) {
            let bytes = self.trailing.min(ZipFault::TRAILING_COUNTED + 1);
            return Err(ZipFault::TrailingJunk { bytes }.of_archive().into());
        }
        if !last {
            return Ok(Step::NeedInput);
        }
        if self.mode != Mode::Open {
            return Ok(Step::Give(Next::End));
        }
        self.members.sort_by_key(|member| member.offset);
        self.displaced = self.members.first().map_or(self.directory, |first| first.offset) > 0;
        self.state = State::Header;
        Ok(Step::Jump(0))
    }

    fn limit(&self, kind: LimitKind) -> Error {
        Error::Limit { kind, limit: self.limits.get(kind), at: Position::default() }
    }

    fn cut_off(&self) -> ZipError {
        if self.offset == 0 && self.head.len() < 4 {
            let begins_as_zip = [layout::LOCAL, layout::END]
                .iter()
                .any(|mark| mark.to_le_bytes().starts_with(&self.head));
            let fault = match self.head.len() {
                0 => ZipFault::NoBytes,
                _ if begins_as_zip => ZipFault::Truncated,
                _ => ZipFault::NotZip,
            };
            return fault.of_archive();
        }
        match (&self.state, self.members.get(self.current)) {
            (State::Data(_) | State::Descriptor, Some(member)) => {
                ZipFault::Truncated.of(&member.name)
            }
            _ => ZipFault::Truncated.of_archive(),
        }
    }
}

/// Finds the end that closes the archive in its last bytes, and returns the directory's offset.
fn find_directory(tail: &[u8], tail_offset: u64) -> Option<u64> {
    let at = memchr::memmem::rfind_iter(tail, &layout::END.to_le_bytes()).find(|&at| {
        let end = &tail[at..];
        end.len() >= layout::END_LENGTH && end.len() == layout::end_length(end)
    })?;
    let end64 = at
        .checked_sub(layout::END64_LENGTH + layout::LOCATOR64_LENGTH)
        .filter(|_| layout::locator64(&tail[at - layout::LOCATOR64_LENGTH..]).is_some())
        .and_then(|end64| End::read64(&tail[end64..]).ok());
    let directory = end64.or_else(|| End::read(&tail[at..]).ok())?.directory_offset;
    (directory <= tail_offset + at as u64).then_some(directory)
}

fn bad(what: &'static str) -> ZipError {
    ZipFault::BadDirectory { what }.of_archive()
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("offset", &self.offset)
            .field("members", &self.members.len())
            .finish_non_exhaustive()
    }
}
