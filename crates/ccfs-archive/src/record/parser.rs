//! Rows in, records out: the push parser, and the engine that it shares with the pull readers.

use std::fmt;
use std::sync::Arc;

use super::schema::{FileRecord, Record};
use crate::csv::{Charset, Located, SplitError, Splitter};
use crate::error::{BadRow, Error, Position, RowFault};
use crate::kind::IndexKind;
use crate::options::ReadOptions;

/// A push parser for one CSV file: chunks of bytes in, cut anyhow, records out. It does no I/O.
///
/// For a caller that gets its bytes from an async runtime, or from anything that is no [`Read`](std::io::Read). The
/// records are the same however the bytes are cut. At most one record and 64 KiB are held back between chunks.
///
/// A bad row is an error that the caller may pass over by asking for the next record
/// ([`ReadOptions::on_bad_row`] is for the readers, not for this). After any other error no record follows.
///
/// ```
/// use ccfs_archive::{AgentSkillChange, RecordParser};
///
/// let mut parser = RecordParser::<AgentSkillChange>::new();
/// let mut ids = Vec::new();
/// for chunk in ["a,dev,ac", "c\nb,dev,acc"] {
///     let mut fed = parser.feed(chunk.as_bytes());
///     while let Some(change) = fed.next_record()? {
///         ids.push(change.id().unwrap_or_default().to_owned());
///     }
/// }
/// let mut rest = parser.finish();
/// while let Some(change) = rest.next_record()? {
///     ids.push(change.id().unwrap_or_default().to_owned());
/// }
/// assert_eq!(ids, ["a", "b"]);
/// # Ok::<(), ccfs_archive::Error>(())
/// ```
#[derive(Debug)]
pub struct RecordParser<T: Record> {
    typed: Typed<T>,
}

/// The records of the bytes fed to a parser.
///
/// Ask until there is none: bytes that no record was asked of are lost when this is dropped.
pub struct FedRecords<'p, T: Record> {
    typed: &'p mut Typed<T>,
    input: &'p [u8],
    at: usize,
    last: bool,
}

impl<T: FileRecord> RecordParser<T> {
    /// A parser with the default [`ReadOptions`].
    pub fn new() -> Self {
        Self::with_options(T::KIND, &ReadOptions::new())
    }
}

impl<T: FileRecord> Default for RecordParser<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Record> RecordParser<T> {
    /// A parser for rows of one of the four files. `kind` decides where `T` leaves it open.
    pub fn with_options(kind: IndexKind, options: &ReadOptions) -> Self {
        Self { typed: Typed::new(kind, None, options) }
    }

    /// Names the file in errors.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.typed.member = Some(name.into());
        self
    }

    /// Takes the next bytes.
    pub fn feed<'p>(&'p mut self, chunk: &'p [u8]) -> FedRecords<'p, T> {
        FedRecords { typed: &mut self.typed, input: chunk, at: 0, last: false }
    }

    /// Says that no bytes follow. What was held back may still give records.
    pub fn finish(&mut self) -> FedRecords<'_, T> {
        FedRecords { typed: &mut self.typed, input: &[], at: 0, last: true }
    }

    /// The charset of the file, as far as it is decided.
    pub fn charset(&self) -> Charset {
        self.typed.splitter.charset()
    }
}

impl<T: Record> FedRecords<'_, T> {
    /// The next record; `None` when more bytes are needed.
    pub fn next_record(&mut self) -> Result<Option<T::Ref<'_>>, Error> {
        match self.typed.next(self.input, &mut self.at, self.last)? {
            Some(located) => Ok(Some(self.typed.view(located, self.input))),
            None => Ok(None),
        }
    }
}

impl<T: Record> fmt::Debug for FedRecords<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FedRecords")
            .field("left", &(self.input.len() - self.at))
            .finish_non_exhaustive()
    }
}

/// The engine: one member's bytes to typed rows.
#[derive(Debug)]
pub(crate) struct Typed<T: Record> {
    splitter: Splitter,
    values: T::Values,
    kind: IndexKind,
    member: Option<Arc<str>>,
    options: ReadOptions,
    /// The length of the header row, if the member has one.
    header: Option<usize>,
    begun: bool,
    failed: bool,
}

impl<T: Record> Typed<T> {
    pub(crate) fn new(kind: IndexKind, member: Option<Arc<str>>, options: &ReadOptions) -> Self {
        Self {
            splitter: Splitter::new(options.get_limits(), options.get_charset()),
            values: T::Values::default(),
            kind,
            member,
            options: options.clone(),
            header: None,
            begun: false,
            failed: false,
        }
    }

    pub(crate) fn charset(&self) -> Charset {
        self.splitter.charset()
    }

    pub(crate) fn bom(&self) -> bool {
        self.splitter.bom()
    }

    /// Whether there is a header row; not known before the first row.
    pub(crate) fn header(&self) -> Option<bool> {
        self.begun.then_some(self.header.is_some())
    }

    /// Finds and checks the next record of `input` from `at` on.
    #[inline]
    pub(crate) fn next(
        &mut self,
        input: &[u8],
        at: &mut usize,
        last: bool,
    ) -> Result<Option<Located>, Error> {
        if self.failed {
            return Ok(None);
        }
        loop {
            let located = match self.splitter.next_row(input, at, last) {
                Ok(Some(located)) => located,
                Ok(None) => return Ok(None),
                Err(error) => return Err(self.split_error(error)),
            };
            if !self.begun {
                self.begun = true;
                let row = self.splitter.row(located, input);
                if row.text(0) == T::names(self.kind).first().copied() {
                    self.header = Some(row.cells().len());
                    continue;
                }
            }
            return self.check(located, input).map(Some);
        }
    }

    /// The record found last.
    #[inline]
    pub(crate) fn view<'a>(&'a self, located: Located, input: &'a [u8]) -> T::Ref<'a> {
        T::view(self.splitter.row(located, input), &self.values)
    }

    #[inline]
    fn check(&mut self, located: Located, input: &[u8]) -> Result<Located, Error> {
        if self.splitter.cells().len() > T::names(self.kind).len() {
            let mut cells = std::mem::take(self.splitter.cells());
            T::repair(self.kind, self.splitter.bytes(located, input), &mut cells, self.header);
            *self.splitter.cells() = cells;
        }
        let (text, cells) = self.splitter.parts(located, input);
        match T::parse(self.kind, text, cells, &mut self.values) {
            Ok(()) => Ok(located),
            Err(cell) => Err(self.bad_row(
                self.splitter.row_line(),
                Some((cell.column, Some(cell.name))),
                cell.fault,
            )),
        }
    }

    #[cold]
    fn bad_row(
        &self,
        line: u64,
        column: Option<(usize, Option<&'static str>)>,
        fault: RowFault,
    ) -> Error {
        let mut at = Position::row(self.member.clone(), line);
        (at.column, at.column_name) =
            column.map_or((None, None), |(column, name)| (Some(column), name));
        Error::Row(BadRow { at, fault })
    }

    #[cold]
    fn split_error(&mut self, error: SplitError) -> Error {
        let name = |column: usize| T::names(self.kind).get(column - 1).copied();
        match error {
            SplitError::Bad { line, column, fault } => {
                self.begun = true;
                self.bad_row(line, column.map(|column| (column, name(column))), fault)
            }
            SplitError::Limit { line, column, kind } => {
                let mut at = Position::row(self.member.clone(), line);
                (at.column, at.column_name) = (column, column.and_then(name));
                self.failed = true;
                Error::Limit { kind, limit: self.options.get_limits().get(kind), at }
            }
        }
    }
}
