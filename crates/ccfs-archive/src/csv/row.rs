//! Rows of cells, borrowed from a buffer.

use std::fmt;

use memchr::memchr;

/// Range of a cell in its row's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Cell {
    /// Cell of a column that the row does not have.
    pub(crate) const EMPTY: Self = Self { start: 0, end: 0 };

    #[inline]
    pub(crate) const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Returns the part of the cell before `end`.
    pub(crate) fn clamped(self, end: usize) -> Self {
        Self { start: self.start.min(narrow(end)), end: self.end.min(narrow(end)) }
    }

    #[inline]
    pub(crate) fn of(self, text: &[u8]) -> &[u8] {
        &text[self.start as usize..self.end as usize]
    }
}

/// One row of an index file: its cells as text, unquoted, without blanks and tabs around them.
///
/// The cells are in the documented order ([`IndexKind::columns`](crate::IndexKind::columns)), even if a header row has
/// another order. Columns that are missing or that [`ReadOptions::columns`](crate::ReadOptions::columns) excludes are
/// empty; cells of unknown columns come last.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub(crate) cells: Cells<'a>,
    pub(crate) member: Option<&'a str>,
    pub(crate) line: u64,
}

/// Consecutive cells of a row.
#[derive(Clone, Copy)]
pub struct Cells<'a> {
    pub(crate) text: &'a str,
    pub(crate) cells: &'a [Cell],
}

impl<'a> Row<'a> {
    /// Name of the member that holds the row, or the name that the caller gave to a bare CSV file.
    pub const fn member(&self) -> Option<&'a str> {
        self.member
    }

    /// Line on which the row begins, from 1.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// All cells.
    pub const fn cells(&self) -> Cells<'a> {
        self.cells
    }

    /// The cells from `index` on.
    pub(crate) fn cells_from(&self, index: usize) -> Cells<'a> {
        let Cells { text, cells } = self.cells;
        Cells { text, cells: cells.get(index..).unwrap_or_default() }
    }

    /// The text of a cell; `None` if it is empty or the row is too short.
    #[inline]
    pub(crate) fn text(&self, index: usize) -> Option<&'a str> {
        self.cells.get(index).filter(|text| !text.is_empty())
    }
}

impl<'a> Cells<'a> {
    /// Number of cells.
    pub const fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there are no cells.
    pub const fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The text of a cell; `None` if the row is too short.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a str> {
        let cell = self.cells.get(index)?;
        self.text.get(cell.start as usize..cell.end as usize)
    }

    /// Returns the texts, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        let cells = *self;
        (0..cells.len()).map(move |index| cells.get(index).unwrap_or_default())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Cells<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl fmt::Debug for Cells<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("line", &self.line).field("cells", &self.cells).finish()
    }
}

/// Splits a record that has no quotes.
#[inline]
pub(crate) fn split_plain(record: &[u8], cells: &mut Vec<Cell>) {
    cells.clear();
    let mut start = 0;
    let mut base = 0;
    let (blocks, rest) = record.as_chunks();
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    for block in blocks.iter().chain([&last]) {
        let mut commas = commas_of(block);
        while commas != 0 {
            let comma = base + commas.trailing_zeros();
            cells.push(Cell { start, end: comma });
            start = comma + 1;
            commas &= commas - 1;
        }
        base += narrow(BLOCK);
    }
    cells.push(Cell { start, end: narrow(record.len()) });
}

const BLOCK: usize = 64;

/// Returns a bit for each comma. Compilers vectorize both loops; searching for one comma after another is slower for
/// short cells.
#[inline]
fn commas_of(block: &[u8; BLOCK]) -> u64 {
    let mut marks = [0; BLOCK];
    for (mark, &byte) in marks.iter_mut().zip(block) {
        *mark = if byte == b',' { 0xFF } else { 0 };
    }
    let (words, _) = marks.as_chunks();
    let mut bits = 0;
    for (index, word) in words.iter().enumerate() {
        // Keeps a different bit of each byte, so that the multiplication adds them without a carry.
        let scattered = u64::from_le_bytes(*word) & 0x8040_2010_0804_0201;
        bits |= (scattered.wrapping_mul(0x0101_0101_0101_0101) >> 56) << (8 * index);
    }
    bits
}

/// Splits a record that has quotes: writes its cells to `text`, unquoted and separated by commas.
///
/// The commas allow `repair` to join the cells of an unquoted skill list. Returns the first cell
/// in which a quote follows blanks, or text follows a closing quote.
pub(crate) fn split_quoted(
    record: &[u8],
    text: &mut Vec<u8>,
    cells: &mut Vec<Cell>,
) -> Option<usize> {
    cells.clear();
    text.clear();
    let mut misplaced = None;
    let mut at = 0;
    loop {
        let start = narrow(text.len());
        let quoted = record.get(at) == Some(&b'"');
        if quoted {
            at += 1;
            while let Some(found) = memchr(b'"', &record[at..]) {
                text.extend_from_slice(&record[at..at + found]);
                at += found + 1;
                if record.get(at) != Some(&b'"') {
                    break;
                }
                text.push(b'"');
                at += 1;
            }
        }
        let end = memchr(b',', &record[at..]).map_or(record.len(), |found| at + found);
        let rest = &record[at..end];
        if (quoted && !rest.iter().all(|&byte| is_blank(byte)))
            || (!quoted && begins_with_blank_and_quote(rest))
        {
            misplaced = misplaced.or(Some(cells.len()));
        }
        text.extend_from_slice(&record[at..end]);
        cells.push(Cell { start, end: narrow(text.len()) });
        if end == record.len() {
            return misplaced;
        }
        text.push(b',');
        at = end + 1;
    }
}

/// Returns the first cell in which a quote follows blanks. It is unclear whether such a quote opens a quoted cell,
/// which may contain commas.
pub(crate) fn blank_before_quote(record: &[u8], cells: &[Cell]) -> Option<usize> {
    cells.iter().position(|cell| begins_with_blank_and_quote(cell.of(record)))
}

fn begins_with_blank_and_quote(bytes: &[u8]) -> bool {
    let text = bytes.iter().position(|&byte| !is_blank(byte));
    text.is_some_and(|at| at > 0 && bytes[at] == b'"')
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Removes blanks and tabs around each cell.
#[inline]
pub(crate) fn trim(text: &[u8], cells: &mut [Cell]) {
    for cell in cells {
        let bytes = cell.of(text);
        // One comparison for each end decides nearly all cells.
        if bytes.first().is_some_and(|&byte| byte <= b' ')
            || bytes.last().is_some_and(|&byte| byte <= b' ')
        {
            let start = bytes.iter().position(|&byte| !is_blank(byte)).unwrap_or(0);
            let end = bytes.iter().rposition(|&byte| !is_blank(byte)).map_or(start, |at| at + 1);
            *cell = Cell { start: cell.start + narrow(start), end: cell.start + narrow(end) };
        }
    }
}

/// Whether a text is ASCII without control characters other than tabs and line ends.
pub(crate) fn is_plain(text: &[u8]) -> bool {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    // Without an early return, so that the loop is vectorized.
    text.iter().fold(true, |plain, &byte| plain & is_plain(byte))
}

/// Whether a text has a control character other than tabs and, if they are allowed, line ends.
pub(crate) fn has_control(text: &[u8], line_ends: bool) -> bool {
    let is_allowed = |byte| byte == b'\t' || (line_ends && matches!(byte, b'\n' | b'\r'));
    let is_control = |byte| (byte < b' ' || byte == 0x7F) && !is_allowed(byte);
    // Without an early return, so that the loop is vectorized: saves a third of the time of reading non-ASCII text.
    text.iter().fold(false, |found, &byte| found | is_control(byte))
}

/// Records are at most 1 GiB, see [`LimitKind::RecordBytes`](crate::LimitKind::RecordBytes).
#[expect(clippy::cast_possible_truncation, reason = "bounded by LimitKind::RecordBytes")]
fn narrow(at: usize) -> u32 {
    at as u32
}
