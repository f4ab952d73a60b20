//! The central directory, its end, and what follows it.

use std::sync::Arc;

use super::{Machine, Mode, Next, State, Step};
use crate::error::{Error, Position};
use crate::limits::LimitKind;
use crate::zip::fault::{ZipError, ZipFault, bad};
use crate::zip::layout::{self, End, Header};
use crate::zip::name;

impl Machine {
    /// Finds the directory.
    pub(super) fn tail(&mut self, input: &mut &[u8]) -> Step {
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

    pub(super) fn fall_back(&mut self) -> Step {
        self.mode = Mode::Failed;
        self.state = State::Header;
        Step::Jump(0)
    }

    pub(super) fn entry(&mut self, length: usize) -> Result<Step, Error> {
        let entry = Header::read(&self.head[..length]).map_err(ZipFault::of_archive)?;
        let name = name::check(entry.name)?;
        let offset = entry.offset;
        entry.facts.check_readable().map_err(|fault| fault.of(&name))?;
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
            let facts = entry.facts;
            self.add_member(name, facts, offset)?;
        } else {
            self.compare(&entry, &name)?;
        }
        self.ends_as_locator =
            layout::locator64(&self.head[length - layout::LOCATOR64_LENGTH..]).is_some();
        self.take_head(length);
        if self.offset - self.directory > self.limits.get(LimitKind::DirectoryBytes) {
            return Err(self.limit(LimitKind::DirectoryBytes, Position::default()));
        }
        Ok(Step::Continue)
    }

    /// Compares an entry with the member that was read at its offset.
    fn compare(&self, entry: &Header<'_>, name: &Arc<str>) -> Result<(), ZipError> {
        // Members cover all bytes before the directory, so any other offset is inside a member.
        let Ok(index) = self.members.binary_search_by_key(&entry.offset, |member| member.offset)
        else {
            return Err(ZipFault::Overlap.of(name));
        };
        let what = entry.differs_from(&self.members[index].name, &self.members[index].facts, false);
        what.map_or(Ok(()), |what| Err(ZipFault::Differs { what }.of(name)))
    }

    /// Compares a local header with the member's entry. Returns where the member's data ends.
    pub(super) fn check_header(&self, local: &Header<'_>, length: u64) -> Result<u64, ZipError> {
        let Some(member) = self.members.get(self.current) else {
            return Err(bad("it has fewer entries than there are members"));
        };
        let next = self.members.get(self.current + 1).map_or(self.directory, |next| next.offset);
        let end = (self.offset + length).checked_add(member.facts.compressed);
        let Some(end) = end.filter(|&end| member.offset == self.offset && end <= next) else {
            return Err(ZipFault::Overlap.of(&member.name));
        };
        let what = local.differs_from(&member.name, &member.facts, local.facts.has_descriptor());
        what.map_or(Ok(end), |what| Err(ZipFault::Differs { what }.of(&member.name)))
    }

    pub(super) fn end64(&mut self, length: usize) -> Result<Step, Error> {
        let end = End::read64(&self.head).map_err(ZipFault::of_archive)?;
        self.check_end(&end)?;
        self.end64 = Some((self.offset, end));
        self.take_head(length);
        self.state = State::Locator;
        Ok(Step::Continue)
    }

    pub(super) fn locator(&mut self, length: usize) -> Result<Step, Error> {
        if layout::locator64(&self.head) != self.end64.map(|(offset, _)| offset) {
            return Err(self.unexpected().into());
        }
        self.take_head(length);
        self.state = State::End;
        Ok(Step::Continue)
    }

    pub(super) fn end(&mut self, length: usize) -> Result<Step, Error> {
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

    pub(super) fn trailing(&mut self, input: &mut &[u8], last: bool) -> Result<Step, Error> {
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
            return Err(bad("its end declares another offset or size"));
        }
        Ok(())
    }
}

/// Finds the end of central directory in the last bytes of the archive and returns the directory's offset.
fn find_directory(tail: &[u8], tail_offset: u64) -> Option<u64> {
    let at = memchr::memmem::rfind_iter(tail, &layout::END.to_le_bytes()).find(|&at| {
        let end = &tail[at..];
        end.len() >= layout::END_LENGTH && end.len() == layout::structure_length(end)
    })?;
    let end64 = at
        .checked_sub(layout::END64_LENGTH + layout::LOCATOR64_LENGTH)
        .filter(|_| layout::locator64(&tail[at - layout::LOCATOR64_LENGTH..]).is_some())
        .and_then(|end64| End::read64(&tail[end64..]).ok());
    let directory = end64.or_else(|| End::read(&tail[at..]).ok())?.directory_offset;
    (directory <= tail_offset + at as u64).then_some(directory)
}
