//! The ZIP reader: a state machine that accepts bytes and returns the data of members. It does no I/O.
//!
//! An archive is read in one of three ways, with the same checks:
//!
//! - [`Machine::forward`] reads from the first byte to the last. Members are found by their local headers; the
//!   directory comes last and is compared with them.
//! - [`Machine::open`] needs random access. It finds the directory, then visits the local headers in the same order as
//!   `forward` does, skips the data, and compares the headers with the directory.
//! - [`Machine::members`] reads the data of members that `open` has checked.

mod directory;

use std::collections::HashSet;
use std::sync::Arc;

use super::decoder::Decoder;
use super::fault::{ZipError, ZipFault, bad};
use super::layout::{self, End, Facts, Header};
use super::member::Member;
use super::name;
use crate::error::{Error, Position};
use crate::limits::{LimitKind, Limits};

/// Result of one step.
#[derive(Debug)]
pub(crate) enum Next {
    /// The bytes at [`Machine::position`] are needed.
    NeedInput,
    /// A member begins.
    Begin(Arc<str>),
    /// Number of bytes of the member that were written to the output.
    Data(usize),
    /// The member is complete and its checksum is right.
    Finish,
    /// The archive is complete.
    End,
}

#[derive(Default)]
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
    /// Bytes of all members so far.
    total: u64,
    /// Offset of the central directory; before it is found, of the end of the file.
    directory: u64,
    /// Offsets of the members that have an entry.
    listed: HashSet<u64>,
    end64: Option<(u64, End)>,
    /// The last entry ends with what looks like the locator of a 64-bit end.
    ends_as_locator: bool,
    /// Whether the directory is not at the offset in its end record, so bytes may precede the archive.
    displaced: bool,
    trailing: u64,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Forward,
    Open,
    /// No directory was found; reading forward finds the reason.
    Failed,
    Members,
}

#[derive(Default)]
enum State {
    /// The last bytes of the archive, in which the end of the directory is found.
    Tail,
    /// A local header, or the directory.
    #[default]
    Header,
    /// The next member of [`Mode::Members`].
    Member,
    Data(Decoder),
    Descriptor,
    /// An entry of the directory, or its end.
    Entry,
    /// The locator of the 64-bit end.
    Locator,
    /// The end of the directory.
    End,
    /// After the end of the archive.
    Trailing,
}

enum Step {
    /// Continue in the new state.
    Continue,
    NeedInput,
    /// Continue in the new state at this offset.
    Jump(u64),
    Give(Next),
}

impl Machine {
    /// Reads an archive from its first byte to its last.
    pub(crate) fn forward(limits: &Limits) -> Self {
        Self::new(Mode::Forward, State::Header, limits)
    }

    /// Checks the directory and all headers of an archive of `length` bytes.
    pub(crate) fn open(limits: &Limits, length: u64) -> Self {
        let machine = Self::new(Mode::Open, State::Tail, limits);
        Self { offset: length.saturating_sub(layout::TAIL), directory: length, ..machine }
    }

    /// Reads the data of members that [`Machine::open`] has checked.
    pub(crate) fn members(members: Vec<Member>, limits: &Limits) -> Self {
        Self { members, ..Self::new(Mode::Members, State::Member, limits) }
    }

    fn new(mode: Mode, state: State, limits: &Limits) -> Self {
        Self { mode, state, limits: *limits, ..Self::default() }
    }

    /// Offset of the next byte to pass to [`next`](Self::next).
    pub(crate) fn position(&self) -> u64 {
        self.offset + self.head.len() as u64
    }

    /// The members of an archive that was opened.
    pub(crate) fn into_members(self) -> Result<Vec<Member>, ZipError> {
        if self.mode == Mode::Open { Ok(self.members) } else { Err(bad("its end is missing")) }
    }

    /// Continues reading. `input` begins at [`position`](Self::position); `last` means that nothing follows it.
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
                State::Member => self.member(),
                State::Data(_) => self.data(input, output)?,
                State::Descriptor => self.descriptor(input)?,
                State::Trailing => self.trailing(input, last)?,
                _ => self.structure(input)?,
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

    /// Collects `length` bytes in `head`. Returns false if more input is needed.
    fn collect(&mut self, input: &mut &[u8], length: usize) -> bool {
        let missing = length.saturating_sub(self.head.len()).min(input.len());
        let (taken, rest) = input.split_at(missing);
        self.head.extend_from_slice(taken);
        *input = rest;
        self.head.len() >= length
    }

    fn take_head(&mut self, length: usize) {
        self.head.drain(..length);
        self.offset += length as u64;
    }

    /// Reads a structure that begins with a signature.
    fn structure(&mut self, input: &mut &[u8]) -> Result<Step, Error> {
        let opening = self.mode == Mode::Open;
        if opening
            && matches!(self.state, State::Header)
            && (self.offset, self.current) == (self.directory, self.members.len())
        {
            return Ok(Step::Give(Next::End));
        }
        if !self.collect(input, 4) {
            return Ok(Step::NeedInput);
        }
        let signature = layout::u32_at(&self.head, 0);
        match (&self.state, signature) {
            (State::Header, layout::LOCAL)
            | (State::Entry, layout::CENTRAL | layout::END64 | layout::END)
            | (State::Locator, layout::LOCATOR64)
            | (State::End, layout::END) => {}
            (State::Header, layout::CENTRAL | layout::END64 | layout::END) if !opening => {
                self.directory = self.offset;
                self.state = State::Entry;
            }
            (State::Entry, _) if opening && self.offset == self.directory => {
                self.displaced = true;
                return Ok(self.fall_back());
            }
            _ => return Err(self.unexpected().into()),
        }
        loop {
            let length = layout::structure_length(&self.head);
            if self.head.len() >= length {
                return match signature {
                    layout::LOCAL => self.header(length),
                    layout::CENTRAL => self.entry(length),
                    layout::END64 => self.end64(length),
                    layout::LOCATOR64 => self.locator(length),
                    _ => self.end(length),
                };
            }
            if !self.collect(input, length) {
                return Ok(Step::NeedInput);
            }
        }
    }

    /// Returns the fault for an unexpected signature.
    fn unexpected(&self) -> ZipError {
        match self.state {
            State::Header if self.offset > 0 => ZipFault::Gap.of_archive(),
            State::Header if self.displaced => ZipFault::LeadingJunk.of_archive(),
            State::Header => ZipFault::NotZip.of_archive(),
            State::Entry => bad("an entry is followed by neither an entry nor its end"),
            _ => bad("its 64-bit end is misplaced"),
        }
    }

    fn header(&mut self, length: usize) -> Result<Step, Error> {
        let local = Header::read(&self.head[..length]).map_err(ZipFault::of_archive)?;
        if self.mode == Mode::Open {
            let end = self.check_header(&local, length as u64)?;
            self.members[self.current].data_offset = self.offset + length as u64;
            self.data_ended();
            return Ok(Step::Jump(end));
        }
        let (name, facts) = (name::check(local.name)?, local.facts);
        let (method, sized) = (facts.method, !facts.has_descriptor());
        self.add_member(Arc::clone(&name), facts, self.offset)?;
        if method == layout::STORED && !sized {
            return Err(match self.mode {
                Mode::Failed => bad("its end is missing").into(),
                _ => ZipFault::StoredStream.of(&name).into(),
            });
        }
        self.state = State::Data(Decoder::new(method));
        self.take_head(length);
        Ok(Step::Give(Next::Begin(name)))
    }

    fn add_member(&mut self, name: Arc<str>, facts: Facts, offset: u64) -> Result<(), Error> {
        facts.check_readable().map_err(|fault| fault.of(&name))?;
        if self.members.len() as u64 >= self.limits.get(LimitKind::Members) {
            return Err(self.limit(LimitKind::Members, Position::default()));
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
        let fault = |fault: ZipFault| fault.of(&member.name);
        // With a descriptor, the sizes are known before the data only if the directory was read.
        let sized = self.mode == Mode::Members || !member.facts.has_descriptor();
        let left = if sized { member.facts.compressed - decoder.taken } else { u64::MAX };
        if !decoder.done && (left > 0 || member.facts.method != layout::STORED) {
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
            let (taken, given) = decoder.decode(&input[..length], output).map_err(fault)?;
            *input = &input[taken..];
            self.offset += taken as u64;
            self.total += given as u64;
            if let Some(kind) = self.limits.exceeded(decoder.taken, decoder.given, self.total) {
                let member = Some(Arc::clone(&member.name));
                let at = Position { member, ..Position::default() };
                return Err(self.limit(kind, at));
            }
            if sized && decoder.given > member.facts.size {
                return Err(fault(ZipFault::Size).into());
            }
            return match given {
                1.. => Ok(Step::Give(Next::Data(given))),
                _ if taken > 0 || decoder.done => Ok(Step::Continue),
                _ if length > 0 => Err(fault(ZipFault::BadDeflate).into()),
                _ if left == 0 => Err(fault(ZipFault::Size).into()),
                _ => Ok(Step::NeedInput),
            };
        }
        let actual = Facts {
            crc: decoder.crc(),
            compressed: decoder.taken,
            size: decoder.given,
            ..member.facts.clone()
        };
        let differs = |declared: u64, actual: u64| declared != actual && (sized || declared != 0);
        if differs(member.facts.compressed, actual.compressed)
            || differs(member.facts.size, actual.size)
        {
            return Err(fault(ZipFault::Size).into());
        }
        if differs(member.facts.crc.into(), actual.crc.into()) {
            return Err(fault(ZipFault::Crc).into());
        }
        member.facts = actual;
        Ok(self.data_ended())
    }

    /// Called when the data of the current member was read or skipped.
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

    /// At least 22 bytes follow a descriptor, so the bytes examined here exist.
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

    fn limit(&self, kind: LimitKind, at: Position) -> Error {
        Error::Limit { kind, limit: self.limits.get(kind), at }
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
