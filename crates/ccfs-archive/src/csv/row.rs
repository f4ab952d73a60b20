//! A row of cells, borrowed from whatever buffer it stands in.

use std::fmt;
use std::iter::FusedIterator;

use memchr::memchr;

/// Where a cell stands in its row's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Cell {
    /// The cell of a column that a row is too short for.
    pub(crate) const EMPTY: Self = Self { start: 0, end: 0 };
}

/// One row of a CSV file: its cells as text, unquoted.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    text: &'a str,
    cells: Cells<'a>,
    line: u64,
}

/// Some cells of a row, in order.
#[derive(Clone, Copy)]
pub struct Cells<'a> {
    text: &'a str,
    cells: &'a [Cell],
}

impl<'a> Row<'a> {
    pub(crate) fn new(text: &'a str, cells: &'a [Cell], line: u64) -> Self {
        Self { text, cells: Cells { text, cells }, line }
    }

    /// The line on which the row begins, from 1.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// All cells.
    pub const fn cells(&self) -> Cells<'a> {
        self.cells
    }

    /// The cells from one index on; none if the row is shorter.
    pub(crate) fn cells_from(&self, index: usize) -> Cells<'a> {
        Cells { text: self.text, cells: self.cells.cells.get(index..).unwrap_or_default() }
    }

    /// The text of a cell; `None` where it is empty or the row too short.
    #[inline]
    pub(crate) fn text(&self, index: usize) -> Option<&'a str> {
        self.cells.get(index).filter(|text| !text.is_empty())
    }
}

impl<'a> Cells<'a> {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The text of one.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a str> {
        let cell = self.cells.get(index)?;
        self.text.get(cell.start as usize..cell.end as usize)
    }

    /// The texts, in order.
    pub fn iter(&self) -> CellTexts<'a> {
        CellTexts(*self)
    }
}

impl<'a> IntoIterator for Cells<'a> {
    type Item = &'a str;
    type IntoIter = CellTexts<'a>;

    fn into_iter(self) -> CellTexts<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &Cells<'a> {
    type Item = &'a str;
    type IntoIter = CellTexts<'a>;

    fn into_iter(self) -> CellTexts<'a> {
        self.iter()
    }
}

/// The texts of some [`Cells`], one by one.
#[derive(Clone, Debug)]
pub struct CellTexts<'a>(Cells<'a>);

impl<'a> Iterator for CellTexts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (cell, rest) = self.0.cells.split_first()?;
        self.0.cells = rest;
        Some(self.0.text.get(cell.start as usize..cell.end as usize).unwrap_or_default())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl ExactSizeIterator for CellTexts<'_> {}

impl FusedIterator for CellTexts<'_> {}

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

/// A bit for each comma. The two loops are what compilers make vector instructions of; looking for one comma after
/// another costs more where cells are short.
#[inline]
fn commas_of(block: &[u8; BLOCK]) -> u64 {
    let mut marks = [0; BLOCK];
    for (mark, &byte) in marks.iter_mut().zip(block) {
        *mark = if byte == b',' { 0xFF } else { 0 };
    }
    let (words, _) = marks.as_chunks();
    let mut bits = 0;
    for (index, word) in words.iter().enumerate() {
        // One bit of each byte, another one in each, so that a multiplication adds them up without a carry.
        let scattered = u64::from_le_bytes(*word) & 0x8040_2010_0804_0201;
        bits |= (scattered.wrapping_mul(0x0101_0101_0101_0101) >> 56) << (8 * index);
    }
    bits
}

/// Splits a record that has quotes: its cells go to `text` unquoted, with commas between them.
///
/// The commas stay so that cells next to each other can be read as one: an unquoted skill list needs that.
pub(crate) fn split_quoted(record: &[u8], text: &mut Vec<u8>, cells: &mut Vec<Cell>) {
    cells.clear();
    text.clear();
    let mut at = 0;
    loop {
        let start = narrow(text.len());
        if record.get(at) == Some(&b'"') {
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
        text.extend_from_slice(&record[at..end]);
        cells.push(Cell { start, end: narrow(text.len()) });
        if end == record.len() {
            return;
        }
        text.push(b',');
        at = end + 1;
    }
}

/// Records are at most 1 GiB: [`Limits::record_bytes`](crate::Limits::record_bytes) sees to that.
#[expect(clippy::cast_possible_truncation, reason = "bounded by Limits::record_bytes")]
fn narrow(at: usize) -> u32 {
    at as u32
}
