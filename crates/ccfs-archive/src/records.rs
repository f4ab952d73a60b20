//! Reader of records.

use std::fmt;
use std::io::Read;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::ahead::Ahead;
use crate::csv::Charset;
use crate::error::{BadRow, BadRows, Error};
use crate::kind::IndexKind;
use crate::notes::Note;
use crate::options::{OnBadRow, ReadOptions};
use crate::record::{FileRecord, Record, Typed};
use crate::skipped::SkippedMembers;
use crate::source::{CHUNK, CsvSource, Source, member_kind};
use crate::zip::{Forward, Machine, Member, Next, Reader, has_no_data};

/// Reads the records of an archive or of a bare CSV file, in order.
///
/// [`next_record`](Self::next_record) returns records that borrow the reader's buffers and need no allocation. The
/// [`Iterator`] returns owned records, with one allocation for each text cell.
///
/// ```
/// use ccfs_archive::{AgentSkillChange, Records};
///
/// let csv = "id,developer_id,account_id\r\n1,dev,acc\r\n2,dev,\r\n";
/// let mut changes = Records::<AgentSkillChange>::from_csv(csv.as_bytes());
/// while let Some(change) = changes.next_record()? {
///     assert_eq!(change.developer_id(), Some("dev"));
/// }
/// assert_eq!(changes.rows(), 2);
/// # Ok::<(), ccfs_archive::Error>(())
/// ```
pub struct Records<'a, T: Record> {
    source: Box<dyn Source + 'a>,
    options: ReadOptions,
    /// The member that is being read.
    typed: Option<Typed>,
    record: PhantomData<fn() -> T>,
    buffer: Vec<u8>,
    done: bool,
    rows: u64,
    bad_rows: BadRows,
    /// Notes on previous members.
    notes: Vec<Note>,
    skipped: SkippedMembers,
    /// Kinds of the members read so far.
    kinds: Vec<IndexKind>,
    /// Whether any member was skipped, including ignorable ones.
    has_unread: bool,
}

/// Number of notes that are kept, so that memory is bounded.
const NOTES_KEPT: usize = 1000;

impl<'a, T: FileRecord> Records<'a, T> {
    /// Reads a bare CSV file with the default [`ReadOptions`]. The reader need not be buffered.
    pub fn from_csv(reader: impl Read + Send + 'a) -> Self {
        Self::from_csv_with(reader, T::KIND, &ReadOptions::new())
    }
}

impl<'a, T: Record> Records<'a, T> {
    /// Reads a bare CSV file of this kind.
    pub fn from_csv_with(
        reader: impl Read + Send + 'a,
        kind: IndexKind,
        options: &ReadOptions,
    ) -> Self {
        let mut records = Self::new(Box::new(CsvSource(reader)), options);
        records.begin(kind, None);
        records
    }

    /// Reads an archive, such as a response body, sequentially and in constant memory. Members of other kinds are
    /// inflated and checked, too.
    ///
    /// It returns the same records as [`Archive`](crate::Archive), but some errors come later: the directory is at the end
    /// of an archive, so records may precede the error that rejects it. Do not act on the records before
    /// [`next_record`](Self::next_record) has returned `None`. The reader need not be buffered.
    ///
    /// ```
    /// use ccfs_archive::{AgentSkillChange, Error, ReadOptions, Records};
    ///
    /// fn rows(body: impl std::io::Read + Send) -> Result<u64, Error> {
    ///     let mut changes = Records::<AgentSkillChange>::from_stream(body, &ReadOptions::new());
    ///     while let Some(change) = changes.next_record()? {
    ///         println!("{:?}", change.agent_id());
    ///     }
    ///     Ok(changes.rows())
    /// }
    /// # assert!(rows(&b"PK"[..]).is_err());
    /// ```
    pub fn from_stream(reader: impl Read + Send + 'a, options: &ReadOptions) -> Self {
        Self::new(
            Box::new(Reader::new(Forward(reader), Machine::forward(&options.limits))),
            options,
        )
    }

    /// Reads the same records as [`from_stream`](Self::from_stream), received and inflated ahead on a second thread.
    ///
    /// After the records are dropped, the thread ends when its current read returns: use a reader with a timeout.
    pub fn from_stream_ahead(reader: impl Read + Send + 'static, options: &ReadOptions) -> Self {
        let source = Reader::new(Forward(reader), Machine::forward(&options.limits));
        Self::new(Box::new(Ahead::new(source)), options)
    }

    /// Reads the members of an archive of which others are skipped from the start.
    pub(crate) fn of_members(
        source: Box<dyn Source + 'a>,
        skipped: &[Member],
        options: &ReadOptions,
    ) -> Self {
        let mut records = Self::new(source, options);
        for member in skipped {
            records.skip_member(member.shared_name());
        }
        records
    }

    pub(crate) fn new(source: Box<dyn Source + 'a>, options: &ReadOptions) -> Self {
        Self {
            source,
            options: options.clone(),
            typed: None,
            record: PhantomData,
            buffer: vec![0; CHUNK],
            done: false,
            rows: 0,
            bad_rows: BadRows::default(),
            notes: Vec::new(),
            skipped: SkippedMembers::default(),
            kinds: Vec::new(),
            has_unread: false,
        }
    }

    /// Sets the name of a bare CSV file in errors. Members of an archive keep their names.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        if let Some(typed) = &mut self.typed {
            typed.member.get_or_insert_with(|| name.into());
        }
        self
    }

    /// Returns the next record; `None` at the end of the data.
    ///
    /// The checksum of a member is verified after its last record. Read all records before you act on them.
    ///
    /// # Errors
    ///
    /// [`Error`]; reading cannot continue, except after a bad row with [`OnBadRow::Return`].
    #[inline]
    pub fn next_record(&mut self) -> Result<Option<T::Ref<'_>>, Error> {
        loop {
            if let Some(typed) = &mut self.typed {
                match typed.next() {
                    Ok(true) => break,
                    Ok(false) => {}
                    Err(Error::Row(row)) if self.options.on_bad_row == OnBadRow::Skip => {
                        self.bad_rows.extend([row]);
                        continue;
                    }
                    Err(Error::Row(row)) if self.options.on_bad_row == OnBadRow::Return => {
                        // Only the caller keeps the bytes of the row.
                        self.bad_rows.extend([BadRow { at: row.at.clone(), raw: None, ..row }]);
                        return Err(Error::Row(row));
                    }
                    Err(error) => {
                        self.done = true;
                        self.end_member();
                        return Err(error);
                    }
                }
            }
            if !self.more()? {
                return Ok(None);
            }
        }
        self.rows += 1;
        Ok(self.typed.as_ref().map(|typed| T::view(typed.record())))
    }

    /// The options of reading.
    pub const fn options(&self) -> &ReadOptions {
        &self.options
    }

    /// Number of good rows so far.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Bad rows so far. Always empty with [`OnBadRow::Stop`].
    pub const fn bad_rows(&self) -> &BadRows {
        &self.bad_rows
    }

    /// Charset of the current member: UTF-8 until it is detected, `None` before the first member.
    pub fn charset(&self) -> Option<Charset> {
        self.typed.as_ref().map(Typed::charset)
    }

    /// Notes on skipped or guessed data so far, at most 1000.
    ///
    /// ```
    /// use ccfs_archive::{AgentSkillChange, NoteKind, Records};
    ///
    /// let mut rows = Records::<AgentSkillChange>::from_csv("sep=,\r\nr1,dev,acc,7\r\n".as_bytes());
    /// assert_eq!(rows.by_ref().count(), 1);
    /// assert_eq!(rows.notes()[0].kind, NoteKind::SeparatorLine);
    /// ```
    pub fn notes(&self) -> Vec<Note> {
        let current = self.typed.iter().flat_map(Typed::notes);
        self.notes.iter().cloned().chain(current).take(NOTES_KEPT).collect()
    }

    /// Kinds of the members read so far.
    pub fn kinds(&self) -> &[IndexKind] {
        &self.kinds
    }

    fn end_member(&mut self) {
        self.notes = self.notes();
        self.typed = None;
    }

    /// The members skipped so far, except folders and [ignorable](crate::Member::is_ignorable) members.
    pub const fn skipped_members(&self) -> &SkippedMembers {
        &self.skipped
    }

    fn begin(&mut self, kind: IndexKind, name: Option<Arc<str>>) {
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
        self.typed = Some(Typed::new(kind, name, &self.options));
    }

    fn skip_member(&mut self, name: &Arc<str>) {
        self.has_unread = true;
        if !has_no_data(name) {
            self.skipped.extend([Arc::clone(name)]);
        }
    }

    /// Reads more bytes, or the next member. False at the end.
    fn more(&mut self) -> Result<bool, Error> {
        if self.done {
            return Ok(false);
        }
        match self.source.next(&mut self.buffer).inspect_err(|_| self.done = true)? {
            Next::NeedInput => return Ok(false),
            Next::Begin(name) => {
                self.end_member();
                match member_kind::<T>(&name, &self.options) {
                    Some(kind) => self.begin(kind, Some(name)),
                    None => self.skip_member(&name),
                }
            }
            // Without a `Typed`, it is the data of another member, which a stream checks.
            Next::Data(length) => {
                self.typed.iter_mut().for_each(|typed| typed.feed(&self.buffer[..length]));
            }
            Next::Finish => self.typed.iter_mut().for_each(Typed::finish),
            Next::End => {
                self.done = true;
                if self.has_unread && self.kinds.is_empty() {
                    let wanted =
                        IndexKind::ALL.into_iter().filter(|&kind| T::KINDS.contains(&kind));
                    let present = self.skipped.clone();
                    return Err(Error::NoMember { wanted: wanted.collect(), present });
                }
                self.typed.iter_mut().for_each(Typed::finish);
            }
        }
        Ok(true)
    }
}

impl<T: Record> Iterator for Records<'_, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().map(|record| record.map(T::from_ref)).transpose()
    }
}

impl<T: Record> fmt::Debug for Records<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("rows", &self.rows)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}
